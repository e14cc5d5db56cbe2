/// Log lines as part of what a test asserts.
///
///     ExpectLog   fails unless a matching line was logged, and when an unexpected warning was
///
/// Layer: testing.
#pragma once

#include <coronado/base/log.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace coronado {

/// Catches log lines as long as it lives.
///
/// A line that contains the expected text is taken. Any other line goes to the `ExpectLog` around
/// this one; a warning or an error that nobody expects fails the test, but for the access log's: a
/// 404 may be just what the test wants.
///
///     {
///       ExpectLog expected("connection refused");
///       connect_to_nowhere();
///     }                                // fails here when nothing of that kind was logged
///
/// Threads  Made and destroyed on one thread, innermost first; lines may come from any.
/// Tornado  `testing.ExpectLog`.
class ExpectLog final : private LogSink {
 public:
  /// Params  text  What a line must contain; its form is "level logger: message", such as
  ///               "error coronado.application: exception in callback". Empty: nothing is
  ///               expected, so any such warning or error fails.
  explicit ExpectLog(std::string_view text = {});
  ExpectLog(const ExpectLog&) = delete;
  ExpectLog& operator=(const ExpectLog&) = delete;
  ~ExpectLog() override;

  /// The lines taken so far.
  std::vector<std::string> lines() const;
  /// How many lines were taken so far.
  std::size_t count() const;

 private:
  void write(LogLevel level, std::string_view logger, std::string_view message) noexcept override;

  struct State;
  std::unique_ptr<State> state_;
  LogSink* outer_;
};

}  // namespace coronado
