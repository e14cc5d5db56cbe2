/// One value to text by a format specification: what stands behind `:` in an f-string, and behind
/// `%`.
///
/// Layer: web.   Spec  Python Library Reference: Format Specification Mini-Language.
#pragma once

#include <coronado/web/template_value.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace coronado::web::templates {

/// Widest padded field.
inline constexpr std::size_t kMaxFieldWidth = 100'000;

struct FormatSpec {
  std::string_view fill = " ";
  char align = '\0';
  char sign = '-';
  bool alternate = false;
  bool zero = false;
  char group = '\0';
  std::size_t width = 0;
  std::optional<std::size_t> precision = std::nullopt;
  char type = '\0';
};

// All of them throw TemplateFault for what Python refuses.

/// The number that `text` begins with, which is taken off it.
/// Params  whole  For the message.
std::size_t read_format_size(std::string_view& text, std::string_view whole);
std::string format_integer(std::int64_t value, const FormatSpec& spec);
std::string format_real(double value, const FormatSpec& spec);
std::string format_text(std::string_view text, const FormatSpec& spec);
/// `sign` and `body` in a field of the specification's width.
std::string pad_field(const FormatSpec& spec, std::string_view sign, std::string_view body,
                      char default_align);

/// Most characters that `write_fixed` writes.
inline constexpr std::size_t kFixedSize = 64;
/// Writes `value` with `precision` digits behind the point to `out`, exactly rounded, ties to even.
/// Returns  The end, or null for numbers that need more than 128 bits of arithmetic.
char* write_fixed(char* out, double value, std::size_t precision) noexcept;

}  // namespace coronado::web::templates
