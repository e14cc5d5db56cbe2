#include <coronado/base/log.hpp>

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace coronado {
namespace {

class RecordingSink final : public LogSink {
 public:
  RecordingSink() : before_(set_log_sink(this)) {}
  ~RecordingSink() override { set_log_sink(before_); }
  void write(LogLevel level, std::string_view logger, std::string_view message) noexcept override {
    lines.push_back(std::string(to_string(level)) + " " + std::string(logger) + " " +
                    std::string(message));
  }
  std::vector<std::string> lines;

 private:
  LogSink* before_;
};

TEST(Log, LinesGoToTheSinkWithLevelAndName) {
  RecordingSink sink;
  app_log().error("it broke");
  general_log().warning("careful");
  EXPECT_EQ(sink.lines, (std::vector<std::string>{"error coronado.application it broke",
                                                  "warning coronado.general careful"}));
}

TEST(Log, LinesBelowTheThresholdAreDropped) {
  RecordingSink sink;
  Logger logger("test");
  logger.debug("not by default");
  logger.set_level(LogLevel::kWarning);
  logger.info("too low");
  logger.warning("high enough");
  logger.set_level(LogLevel::kOff);
  logger.error("nothing at all");
  EXPECT_EQ(sink.lines, std::vector<std::string>{"warning test high enough"});
  EXPECT_FALSE(logger.enabled(LogLevel::kError));
}

TEST(Log, SettingASinkReturnsTheOneBefore) {
  RecordingSink outer;
  {
    RecordingSink inner;
    general_log().info("inner");
    EXPECT_EQ(inner.lines.size(), 1U);
  }
  general_log().info("outer");
  EXPECT_EQ(outer.lines, std::vector<std::string>{"info coronado.general outer"});
}

TEST(Log, WithoutASinkALineGoesToStandardError) {
  LogSink* before = set_log_sink(nullptr);
  testing::internal::CaptureStderr();
  general_log().warning("plain text");
  const std::string text = testing::internal::GetCapturedStderr();
  set_log_sink(before);
  EXPECT_EQ(text.substr(0, 2), "W ");
  EXPECT_TRUE(text.ends_with(" coronado.general: plain text\n")) << text;
}

}  // namespace
}  // namespace coronado
