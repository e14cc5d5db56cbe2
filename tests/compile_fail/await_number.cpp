// expect: co_await needs a Task
#include <coronado/web.hpp>

using coronado::Task;
namespace web = coronado::web;

Task<> wrong() { co_await 42; }
