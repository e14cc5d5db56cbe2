#include <coronado/web/template_output.hpp>

#include <coronado/base/escape.hpp>
#include <coronado/web/template_value.hpp>

#include <gtest/gtest.h>

#include <limits>

namespace coronado::web {
namespace {

std::string written(auto&& write, std::string before = {}) {
  TemplateOutput output(before, 1'000'000);
  write(output);
  output.finish();
  return before;
}

TEST(TemplateOutput, EscapesAtEveryPlaceOfEveryLength) {
  for (std::size_t length = 0; length < 70; ++length) {
    for (std::size_t place = 0; place <= length; ++place) {
      for (char special : {'&', '<', '>', '"', '\'', '\xC3'}) {
        std::string text(length, 'x');
        if (place < length) text[place] = special;
        if (place > 20) text[place - 17] = '<';
        // Memory of its own, so that a sanitizer sees what is read behind the end.
        const std::vector<char> exact(text.begin(), text.end());
        EXPECT_EQ(written([&](TemplateOutput& out) { out.write_escaped({exact.data(), length}); }),
                  xhtml_escape(text));
      }
    }
  }
}

TEST(TemplateOutput, Integers) {
  for (std::int64_t value :
       {std::int64_t{0}, std::int64_t{9}, std::int64_t{10}, std::int64_t{99}, std::int64_t{100},
        std::int64_t{-1}, std::int64_t{-99}, std::numeric_limits<std::int64_t>::max(),
        std::numeric_limits<std::int64_t>::min()}) {
    EXPECT_EQ(written([&](TemplateOutput& out) { out.write_int(value); }), std::to_string(value));
  }
}

TEST(TemplateOutput, AppendsAndTakesBack) {
  std::string text = "before ";
  TemplateOutput output(text, 100);
  output.write("one");
  const std::size_t size = output.size();
  output.write(" two");
  EXPECT_EQ(output.since(size), " two");
  output.truncate(size);
  output.write("!");
  output.finish();
  EXPECT_EQ(text, "before one!");
}

TEST(TemplateOutput, HasALimitInAllAndLeavesTheStringAlone) {
  std::string text = "before";
  TemplateOutput output(text, 1000);
  const std::string much(900, 'x');
  output.write(much);
  output.clear();
  EXPECT_THROW(output.write(much), TemplateFault);
  EXPECT_THROW(output.write_escaped(much), TemplateFault);
  output.discard();
  EXPECT_EQ(text, "before");
}

}  // namespace
}  // namespace coronado::web
