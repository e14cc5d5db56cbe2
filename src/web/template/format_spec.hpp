/// One value to text by a format specification: what stands behind `:` in an f-string, and behind
/// `%`.
///
/// Layer: web.   Spec  Python Library Reference: Format Specification Mini-Language.
#pragma once

#include <coronado/web/template_format.hpp>
#include <coronado/web/template_value.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace coronado::web::templates {

/// Widest padded field.
inline constexpr std::size_t kMaxFieldWidth = 100'000;

using FormatSpec = TemplateFormatSpec;
using FormatField = TemplateFormatField;

// All of them throw TemplateFault for what Python refuses.

/// The number that `text` begins with, which is taken off it.
/// Params  whole  For the message.
std::size_t read_format_size(std::string_view& text, std::string_view whole);
/// What stands behind `:`.
FormatSpec parse_spec(std::string_view text);
/// Says whether `write_number` knows the specification.
void mark_quick(FormatSpec& spec) noexcept;
/// `format(value, spec)`.
std::string format_by(const TemplateValue& value, const FormatSpec& spec);
std::string format_integer(std::int64_t value, const FormatSpec& spec);
std::string format_real(double value, const FormatSpec& spec);
std::string format_text(std::string_view text, const FormatSpec& spec);
/// `sign` and `body` in a field of the specification's width.
std::string pad_field(const FormatSpec& spec, std::string_view sign, std::string_view body,
                      char default_align);

/// The precision of a specification of type `f`.
inline std::size_t fixed_precision(const FormatSpec& spec) noexcept {
  return spec.has_precision() ? static_cast<std::size_t>(spec.precision) : 6;
}
/// Most characters that `write_fixed` writes.
inline constexpr std::size_t kFixedSize = 64;
/// Writes `value` with `precision` digits behind the point to `out`, exactly rounded, ties to even.
/// Returns  The end, or null for numbers that need more than 128 bits of arithmetic.
char* write_fixed(char* out, double value, std::size_t precision) noexcept;

/// Most characters that `write_number` writes.
inline constexpr std::size_t kNumberSize = 160;
/// Writes the shortest text that reads back as the same number: "1.0", "1e+16", "inf".
char* write_shortest(char* out, double value) noexcept;
/// Writes an int or float to `out` as the specification says.
/// Returns  The end, or null for what is no number, or takes longer: `format_by` and its kin know.
char* write_number(char* out, const FormatSpec& spec, const TemplateValue& value) noexcept;

}  // namespace coronado::web::templates
