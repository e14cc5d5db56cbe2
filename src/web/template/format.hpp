/// Values to text: `str()`, `repr()`, `format()` and `%`, as Python writes them.
///
/// Layer: web.   Spec  Python Library Reference: Format Specification Mini-Language, printf-style
/// String Formatting.
#pragma once

#include <coronado/web/template_format.hpp>
#include <coronado/web/template_value.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "web/template/objects.hpp"

namespace coronado::web::templates {

// All of them throw TemplateFault for what Python refuses.

/// Appends `str(value)`.
void append_text(std::string& out, const TemplateValue& value, int depth = 0);
/// Appends `repr(value)`.
void append_repr(std::string& out, const TemplateValue& value, int depth = 0);
/// Appends the shortest text that reads back as the same number: "1.0", "1e+16", "inf".
void append_float(std::string& out, double value);

/// `format(value, specification)`.
std::string format_value(const TemplateValue& value, std::string_view specification);
/// `text % arguments`.
std::string percent_format(std::string_view text, const TemplateValue& arguments,
                           TemplateMemory& memory);

/// A piece of a text before `%`: what stands before a field, and the field; the last has none.
struct PercentPart {
  std::string text;
  std::optional<TemplateFormatField> field;
  std::string written = {};  // what stands behind the `%`
};
/// Takes a text before `%` apart.
/// Returns  Nothing, when it has keys or widths that are arguments, or is malformed.
std::optional<std::vector<PercentPart>> split_percent(std::string_view text);

/// One value as a field says.
std::string format_field(const TemplateFormatField& field, const TemplateValue& value);

/// `text.format(...)`.
std::string format_string(std::string_view text, const TemplateCall& call);
/// Appends `value` as JSON: what `json_encode` in a template does.
void append_template_json(std::string& out, const TemplateValue& value, int depth = 0);

}  // namespace coronado::web::templates
