#include "web/template/format_spec.hpp"

#include <cmath>
#include <cstdio>
#include <random>

#include "tests/web/template/template_fixture.hpp"

namespace coronado::web::template_test {
namespace {

TEST(TemplateFormatSpec, WrongSpecifications) {
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

}  // namespace
}  // namespace coronado::web::template_test
