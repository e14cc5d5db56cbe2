/// How failures that reach nobody are put in words.
#pragma once

#include <coronado/base/log.hpp>
#include <coronado/coro/await_trace.hpp>
#include <coronado/coro/registry.hpp>

#include <exception>
#include <string>

namespace coronado::detail {

/// What an exception says of itself.
inline std::string describe(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& exception) {
    return exception.what();
  } catch (...) {
    return "an exception that is not a std::exception";
  }
}

/// Logs "`what` in task #7 spawned at chat.cpp:12 serve(): connection reset", and below it which
/// coroutines the exception has left.
inline void log_failure(const char* what, const TaskContext& task,
                        const std::exception_ptr& error) {
  std::string text = std::string(what) + " in " + describe_task(task) + ": " + describe(error);
  const std::string trace = to_text(await_trace(error), "  ");
  if (!trace.empty()) text.append("\n").append(trace, 0, trace.size() - 1);
  forget_await_trace(error);
  app_log().error(text);
}

}  // namespace coronado::detail
