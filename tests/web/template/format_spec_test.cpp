#include "web/template/format_spec.hpp"

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <random>

#include "tests/web/template/template_fixture.hpp"

namespace coronado::web::template_test {
namespace {

TEST(TemplateFormatSpec, WrongSpecifications) {
  EXPECT_EQ(value_error("f'{\"a\":=08}'"),
            "ValueError: '=' alignment not allowed in string format");
  EXPECT_EQ(value_error("f'{1:q}'"),
            "ValueError: unknown format code 'q' for object of type 'int'");
  EXPECT_EQ(value_error("f'{1.5:d}'"),
            "ValueError: unknown format code 'd' for object of type 'float'");
  EXPECT_EQ(value_error("f'{\"a\":d}'"),
            "ValueError: unknown format code 'd' for object of type 'str'");
  EXPECT_EQ(value_error("f'{1:abc}'"), "ValueError: invalid format 'abc'");
  EXPECT_EQ(value_error("f'{1:.2d}'"), "ValueError: precision not allowed in integer format");
  EXPECT_EQ(value_error("f'{1:999999999}'"), "ValueError: invalid format '999999999'");
  EXPECT_EQ(value_error("f'{[]:5}'"), "TypeError: unsupported format string passed to 'list'");
  EXPECT_EQ(value_error("f'{\"a\":+}'"),
            "ValueError: sign, ',' and '#' are not allowed in string format");
}

TEST(TemplateFormatSpec, FixedDigitsAreExact) {
  // What snprintf says, which rounds the exact value, ties to even.
  const double values[] = {0.0,   -0.0,  0.125,      0.375,  2.5,    -2.5,
                           1e15,  0.1,   123456.789, 1e-9,   5e-324, 1e22,
                           0.005, 1.005, 9.995,      99.995, 1e18,   4503599627370497.5};
  for (double value : values) {
    for (std::size_t precision = 0; precision <= 18; ++precision) {
      char expected[400];
      std::snprintf(expected, sizeof expected, "%.*f", static_cast<int>(precision), value);
      char fixed[templates::kFixedSize];
      if (const char* end = templates::write_fixed(fixed, value, precision)) {
        EXPECT_EQ(std::string_view(fixed, static_cast<std::size_t>(end - fixed)), expected);
      }
      EXPECT_EQ(value_of("'%." + std::to_string(precision) + "f' % v", {{"v", value}}), expected);
    }
  }
}

TEST(TemplateFormatSpec, FixedDigitsOfRandomNumbers) {
  std::mt19937_64 random(7);
  std::size_t written = 0;
  for (int i = 0; i < 20'000; ++i) {
    const double value =
        std::ldexp(static_cast<double>(random() >> 11), static_cast<int>(random() % 120) - 110);
    const std::size_t precision = random() % 10;
    char expected[400];
    std::snprintf(expected, sizeof expected, "%.*f", static_cast<int>(precision), value);
    char fixed[templates::kFixedSize];
    const char* end = templates::write_fixed(fixed, value, precision);
    if (end == nullptr) continue;
    ++written;
    ASSERT_EQ(std::string_view(fixed, static_cast<std::size_t>(end - fixed)), expected) << value;
  }
  EXPECT_GT(written, 10'000U);
}

TEST(TemplateFormatSpec, NumbersThatAreWrittenQuicklyAreWrittenTheSame) {
  std::mt19937_64 random(11);
  const auto any = [&random](std::string_view of) {
    return std::string(1, of[random() % of.size()]);
  };
  std::size_t quick = 0;
  for (int i = 0; i < 30'000; ++i) {
    std::string text;
    if (random() % 3 == 0) text += (random() % 2 == 0 ? any("*_x. 0") : "") + any("<>^=");
    if (random() % 4 == 0) text += any("+- ");
    if (random() % 4 == 0) text += '0';
    if (random() % 3 == 0) text += std::to_string(1 + random() % 30);
    if (random() % 3 == 0) text += any(",_");
    const bool real = random() % 2 == 0;
    if (real && random() % 2 == 0) text += "." + std::to_string(random() % 12);
    if (real || random() % 2 == 0) text += real ? any("fF%") : "d";
    const auto bits = static_cast<std::int64_t>(random() >> (random() % 64));
    const std::int64_t integer = random() % 2 == 0 ? bits : -bits;
    const double number =
        std::ldexp(static_cast<double>(integer), -static_cast<int>(random() % 60));
    const TemplateValue value =
        real ? TemplateValue::real(number) : TemplateValue::integer(integer);
    const templates::FormatSpec spec = templates::parse_spec(text);
    char out[templates::kNumberSize];
    const char* end = templates::write_number(out, spec, value);
    if (end == nullptr) continue;
    ++quick;
    ASSERT_EQ(std::string_view(out, static_cast<std::size_t>(end - out)),
              templates::format_by(value, spec))
        << text << " of " << template_to_string(value);
  }
  EXPECT_GT(quick, 15'000U);
}

TEST(TemplateFormatSpec, TheShortestTextReadsBack) {
  std::mt19937_64 random(5);
  for (int i = 0; i < 20'000; ++i) {
    const double value = std::ldexp(static_cast<double>(random() >> (random() % 64)),
                                    static_cast<int>(random() % 400) - 200);
    char out[templates::kNumberSize];
    *templates::write_shortest(out, value) = '\0';
    ASSERT_EQ(std::strtod(out, nullptr), value) << out;
    ASSERT_NE(std::string_view(out).find_first_of(".e"), std::string_view::npos) << out;
  }
}

}  // namespace
}  // namespace coronado::web::template_test
