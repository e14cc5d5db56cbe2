/// How failures that reach nobody are put in words.
#pragma once

#include <coronado/base/log.hpp>
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

/// Logs "`what` in task #7 spawned at chat.cpp:12 serve(): connection reset".
inline void log_failure(const char* what, const TaskContext& task,
                        const std::exception_ptr& error) {
  app_log().error(std::string(what) + " in " + describe_task(task) + ": " + describe(error));
}

}  // namespace coronado::detail
