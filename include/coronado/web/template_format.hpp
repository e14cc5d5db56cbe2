/// Format specifications of a template, as the compilers of both engines leave them.
///
///     TemplateFormatSpec    what stands behind `:` in an f-string, or behind `%`, taken apart
///     TemplateFormatField   such a field with its conversion
///     TemplatePercent       a constant text before `%` that has one field
///
/// Programs need none of this.
///
/// Layer: web.   Spec  Python Library Reference: Format Specification Mini-Language, printf-style
/// String Formatting.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace coronado::web {

/// One specification, taken apart.
struct TemplateFormatSpec {
  static constexpr std::int32_t kNoPrecision = -1;

  /// Whether numbers are written straight into the output.
  enum class Quick : std::uint8_t {
    kNo,     ///< a rare option is set
    kYes,    ///< none is
    kFixed,  ///< as `.2f`: nothing but a precision
  };

  std::string_view fill = " ";
  char align = '\0';
  char sign = '-';
  bool alternate = false;
  bool zero = false;
  char group = '\0';
  std::size_t width = 0;
  std::int32_t precision = kNoPrecision;
  char type = '\0';
  Quick quick = Quick::kNo;

  constexpr bool has_precision() const noexcept { return precision != kNoPrecision; }
};

/// How one value becomes text.
struct TemplateFormatField {
  /// Whose rules hold.
  enum class Rules : std::uint8_t { kFormat, kPercent };

  TemplateFormatSpec spec = {};
  Rules rules = Rules::kFormat;
  char conversion = '\0';  ///< `!r`, `!s`, `!a`; only of `kFormat`
  bool empty = true;       ///< no specification: `str(value)`
};

/// A constant text before `%` that has one field.
struct TemplatePercent {
  std::string_view text;  ///< all of it
  std::string_view prefix;
  std::string_view suffix;
  std::string_view escaped_prefix;
  std::string_view escaped_suffix;
  TemplateFormatField field;
};

}  // namespace coronado::web
