#include <coronado/testing/expect_log.hpp>

#include <gtest/gtest.h>

#include <mutex>

namespace coronado {

struct ExpectLog::State {
  std::string text;
  mutable std::mutex mutex;
  std::vector<std::string> lines;  // guarded by mutex
};

ExpectLog::ExpectLog(std::string_view text) : state_(std::make_unique<State>()), outer_(nullptr) {
  state_->text = text;
  outer_ = set_log_sink(this);
}

ExpectLog::~ExpectLog() {
  set_log_sink(outer_);
  if (!state_->text.empty() && state_->lines.empty()) {
    ADD_FAILURE() << "nothing was logged that contains \"" << state_->text << '"';
  }
}

std::vector<std::string> ExpectLog::lines() const {
  std::lock_guard lock(state_->mutex);
  return state_->lines;
}

std::size_t ExpectLog::count() const {
  std::lock_guard lock(state_->mutex);
  return state_->lines.size();
}

void ExpectLog::write(LogLevel level, std::string_view logger, std::string_view message) noexcept {
  std::string line;
  line.append(to_string(level)).append(" ").append(logger).append(": ").append(message);
  if (!state_->text.empty() && line.find(state_->text) != std::string::npos) {
    std::lock_guard lock(state_->mutex);
    state_->lines.push_back(std::move(line));
  } else if (outer_ != nullptr) {
    outer_->write(level, logger, message);
  } else if (level >= LogLevel::kWarning && logger != access_log().name()) {
    ADD_FAILURE() << "unexpected log line: " << line;
  }
}

}  // namespace coronado
