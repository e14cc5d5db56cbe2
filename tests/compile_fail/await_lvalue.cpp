// expect: a Task is awaited once, as an rvalue: co_await std::move(task)
#include <coronado/web.hpp>

using coronado::Task;
namespace web = coronado::web;

Task<int> answer();
Task<int> wrong() {
  Task<int> task = answer();
  co_return co_await task;
}
