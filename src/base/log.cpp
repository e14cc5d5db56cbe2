#include <coronado/base/log.hpp>

#include <unistd.h>

#include <ctime>

namespace coronado {
namespace {

std::atomic<LogSink*> current_sink{nullptr};
std::atomic<LogContext> current_context{nullptr};

/// One line on stderr in a single write, so that threads do not mix: "I 2026-01-02 03:04:05 name:
/// text".
void write_to_stderr(LogLevel level, std::string_view logger, std::string_view message) noexcept {
  constexpr char kLetters[] = {'D', 'I', 'W', 'E', '-'};
  char stamp[24];
  std::time_t now = std::time(nullptr);
  std::tm parts{};
  localtime_r(&now, &parts);
  std::size_t length = std::strftime(stamp, sizeof stamp, "%Y-%m-%d %H:%M:%S", &parts);
  try {
    std::string line;
    line.reserve(message.size() + logger.size() + 32);
    line += kLetters[static_cast<unsigned char>(level)];
    line += ' ';
    line.append(stamp, length);
    line += ' ';
    line += logger;
    line += ": ";
    line += message;
    line += '\n';
    [[maybe_unused]] ssize_t written = ::write(STDERR_FILENO, line.data(), line.size());
  } catch (...) {
    // Out of memory: a lost log line is better than a lost process.
  }
}

}  // namespace

std::string_view to_string(LogLevel level) noexcept {
  constexpr std::string_view kNames[] = {"debug", "info", "warning", "error", "off"};
  return kNames[static_cast<unsigned char>(level)];
}

LogSink* set_log_sink(LogSink* sink) noexcept { return current_sink.exchange(sink); }

LogContext set_log_context(LogContext context) noexcept {
  return current_context.exchange(context);
}

void Logger::log(LogLevel level, std::string_view message) noexcept {
  if (!enabled(level)) return;
  std::string line;
  if (const LogContext context = current_context.load(std::memory_order_relaxed)) {
    try {
      context(line);
      if (!line.empty()) message = line += message;
    } catch (...) {
      // Without its prefix the line still says what happened.
    }
  }
  if (LogSink* sink = current_sink.load(std::memory_order_acquire)) {
    sink->write(level, name_, message);
  } else {
    write_to_stderr(level, name_, message);
  }
}

Logger& access_log() noexcept {
  static constinit Logger logger("coronado.access");
  return logger;
}
Logger& app_log() noexcept {
  static constinit Logger logger("coronado.application");
  return logger;
}
Logger& general_log() noexcept {
  static constinit Logger logger("coronado.general");
  return logger;
}

}  // namespace coronado
