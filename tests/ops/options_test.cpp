#include <coronado/ops/options.hpp>

#include <coronado/base/error.hpp>

#include <gtest/gtest.h>

namespace coronado {
namespace {

using namespace std::chrono_literals;

TEST(ParseDuration, Units) {
  EXPECT_EQ(parse_duration("250ms"), 250ms);
  EXPECT_EQ(parse_duration("15s"), 15s);
  EXPECT_EQ(parse_duration("1.5s"), 1500ms);
  EXPECT_EQ(parse_duration("2m"), 2min);
  EXPECT_EQ(parse_duration("1h"), 1h);
  EXPECT_EQ(parse_duration("7"), 7s);
  EXPECT_EQ(parse_duration("0"), 0s);
  EXPECT_EQ(parse_duration("5us"), 5us);
}

TEST(ParseDuration, AnythingElseIsNamed) {
  for (const char* text : {"", "s", "soon", "-1s", "1d", "1 s", "nan", "inf", "1e30h", "10s10"}) {
    try {
      parse_duration(text);
      ADD_FAILURE() << text;
    } catch (const UsageError& error) {
      EXPECT_NE(std::string(error.what()).find('"' + std::string(text) + '"'), std::string::npos);
    }
  }
}

struct Program {
  Program() : parser("A program.") {
    parser.define("--name", name, "A name");
    parser.define("--verbose", verbose, "More lines");
    parser.define("--port", port, "A port");
    parser.define("--count", count, "How many");
    parser.define("--size", size, "How large");
    parser.define("--wait", wait, "How long");
    parser.define("--color", color, {"red", "green"}, "Which");
    parser.define("--item", items, "One of several");
    parser.define("FILE", file, "What to read");
  }
  std::optional<int> parse(std::vector<const char*> arguments) {
    arguments.insert(arguments.begin(), "program");
    ::testing::internal::CaptureStdout();
    ::testing::internal::CaptureStderr();
    const std::optional<int> code =
        parser.parse(static_cast<int>(arguments.size()), arguments.data());
    out = ::testing::internal::GetCapturedStdout();
    err = ::testing::internal::GetCapturedStderr();
    return code;
  }

  std::string name = "nobody";
  bool verbose = false;
  std::uint16_t port = 80;
  std::uint32_t count = 1;
  std::uint64_t size = 2;
  Duration wait = 3s;
  std::string color = "red";
  std::string file = "none";
  std::vector<std::string> items;
  std::string out;
  std::string err;
  OptionParser parser;
};

TEST(OptionParser, DefaultsHoldUntilSomethingIsGiven) {
  Program program;
  EXPECT_EQ(program.parse({}), std::nullopt);
  EXPECT_EQ(program.name, "nobody");
  EXPECT_EQ(program.wait, 3s);
  EXPECT_EQ(program.out + program.err, "");
}

TEST(OptionParser, EveryTypeInBothForms) {
  Program program;
  EXPECT_EQ(
      program.parse({"--name=me", "--verbose", "--port", "65535", "--count=4294967295", "--size",
                     "18446744073709551615", "--wait=2m", "--color=green", "in.txt"}),
      std::nullopt);
  EXPECT_EQ(program.name, "me");
  EXPECT_TRUE(program.verbose);
  EXPECT_EQ(program.port, 65535);
  EXPECT_EQ(program.count, 4294967295U);
  EXPECT_EQ(program.size, 18446744073709551615ULL);
  EXPECT_EQ(program.wait, 2min);
  EXPECT_EQ(program.color, "green");
  EXPECT_EQ(program.file, "in.txt");
}

TEST(OptionParser, SomeMayBeGivenSeveralTimes) {
  Program program;
  EXPECT_EQ(program.parse({"--item=a", "in.txt", "--item", "b c", "--item=d,e"}), std::nullopt);
  EXPECT_EQ(program.items, (std::vector<std::string>{"a", "b c", "d,e"}));
  EXPECT_EQ(program.file, "in.txt");
}

TEST(OptionParser, HelpShowsTheDefaults) {
  Program program;
  EXPECT_EQ(program.parse({"--help"}), 0);
  EXPECT_EQ(program.err, "");
  for (const char* text : {"A program.", "--name", "nobody", "A name", "3s", "FILE"}) {
    EXPECT_NE(program.out.find(text), std::string::npos) << text;
  }
}

TEST(OptionParser, WrongOptionsAreNamedInOneLine) {
  struct Case {
    const char* argument;
    const char* named;
  };
  for (const Case& each :
       {Case{"--port=65536", "--port"}, Case{"--port=x", "--port"}, Case{"--count=-1", "--count"},
        Case{"--size=18446744073709551616", "--size"}, Case{"--wait=soon", "\"soon\""},
        Case{"--color=blue", "--color"}, Case{"--nmae=me", "--nmae"}, Case{"--name", "--name"}}) {
    SCOPED_TRACE(each.argument);
    Program program;
    EXPECT_EQ(program.parse({each.argument}), 2);
    EXPECT_TRUE(program.err.starts_with("program: ")) << program.err;
    EXPECT_NE(program.err.find(each.named), std::string::npos) << program.err;
    EXPECT_EQ(program.err.find('\n'), program.err.size() - 1);
  }
}

}  // namespace
}  // namespace coronado
