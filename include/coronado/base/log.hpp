/// Named loggers and the one sink behind them.
///
///     access_log()    a line per request                          Tornado  `tornado.access`
///     app_log()       uncaught exceptions of the application       Tornado  `tornado.application`
///     general_log()   everything else the library has to say       Tornado  `tornado.general`
///
/// The interface stands at the bottom so that every layer can log; where the lines go is set once
/// by the program (`set_log_sink`), and defaults to one line each on stderr.
///
/// Threads  Everything here may be used from any thread.
/// Layer: base.
#pragma once

#include <atomic>
#include <string>
#include <string_view>

namespace coronado {

enum class LogLevel : unsigned char { kDebug, kInfo, kWarning, kError, kOff };

/// "debug", "info", "warning", "error", "off".
std::string_view to_string(LogLevel level) noexcept;

/// Where log lines go. An implementation must accept calls from several threads at once.
class LogSink {
 public:
  virtual ~LogSink() = default;
  /// Params   message  One line or more, without a trailing newline.
  virtual void write(LogLevel level, std::string_view logger,
                     std::string_view message) noexcept = 0;
};

/// Replaces the sink; null brings stderr back.
/// Lifetime  `sink` must outlive every thread that logs. Returns the one it replaces (or null).
LogSink* set_log_sink(LogSink* sink) noexcept;

/// Puts what a line belongs to in front of it: "[4f9c] ".
using LogContext = void (*)(std::string& prefix);

/// Sets who is asked for each line that is logged, on the thread that logs it; null: nobody. Sinks
/// see the prefix as a part of the message.   Returns  Who was asked before.
LogContext set_log_context(LogContext context) noexcept;

/// A name and a threshold. Lines below the threshold cost one comparison.
class Logger {
 public:
  constexpr explicit Logger(std::string_view name) noexcept : name_(name) {}
  Logger(const Logger&) = delete;
  Logger& operator=(const Logger&) = delete;

  std::string_view name() const noexcept { return name_; }
  bool enabled(LogLevel level) const noexcept {
    return level >= level_.load(std::memory_order_relaxed);
  }
  void set_level(LogLevel level) noexcept { level_.store(level, std::memory_order_relaxed); }

  void log(LogLevel level, std::string_view message) noexcept;
  void debug(std::string_view message) noexcept { log(LogLevel::kDebug, message); }
  void info(std::string_view message) noexcept { log(LogLevel::kInfo, message); }
  void warning(std::string_view message) noexcept { log(LogLevel::kWarning, message); }
  void error(std::string_view message) noexcept { log(LogLevel::kError, message); }

 private:
  std::string_view name_;
  std::atomic<LogLevel> level_{LogLevel::kInfo};
};

Logger& access_log() noexcept;
Logger& app_log() noexcept;
Logger& general_log() noexcept;

}  // namespace coronado
