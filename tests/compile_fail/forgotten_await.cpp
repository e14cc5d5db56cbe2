// expect: a Task does nothing until it is awaited or spawned
#include <coronado/web.hpp>

using coronado::Task;
namespace web = coronado::web;

Task<> work();
#pragma clang diagnostic error "-Wunused-result"
Task<> wrong() {
  work();
  co_return;
}
