/// Values to text: `str()`, `repr()`, `format()` and `%`, as Python writes them.
///
/// Layer: web.   Spec  Python Library Reference: Format Specification Mini-Language, printf-style
/// String Formatting.
#pragma once

#include <coronado/web/template_value.hpp>

#include <string>
#include <string_view>

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

/// A constant text before `%`. When it has one plain field, that is written without parsing it.
struct PercentSite {
  std::string_view text;
  std::string_view prefix = {};
  std::string_view suffix = {};
  std::size_t precision = 0;
  char type = '\0';  // 'f', 'd' or 's'; '\0': no such field

  static PercentSite make(std::string_view text);
};
TemplateValue percent_format(const PercentSite& site, const TemplateValue& value,
                             TemplateMemory& memory);

/// `text.format(...)`.
std::string format_string(std::string_view text, const TemplateCall& call);
/// Appends `value` as JSON: what `json_encode` in a template does.
void append_template_json(std::string& out, const TemplateValue& value, int depth = 0);

}  // namespace coronado::web::templates
