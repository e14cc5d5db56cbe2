// Format specifications that are known when a template is compiled.
#include <coronado/base/escape.hpp>

#include "web/template/cpp_expressions.hpp"

namespace coronado::web::templates {
namespace {

std::string character(char c) {
  return c == '\0'                ? "'\\0'"
         : c == '\'' || c == '\\' ? std::string("'\\") + c + "'"
                                  : std::string("'") + c + "'";
}

/// The value of a field, as C++.
std::string field_of(const TemplateFormatField& field) {
  const TemplateFormatSpec& spec = field.spec;
  constexpr std::string_view kQuick[] = {"kNo", "kYes", "kFixed"};
  const std::string quick = "coronado::web::TemplateFormatSpec::Quick::" +
                            std::string(kQuick[static_cast<std::size_t>(spec.quick)]);
  const bool percent = field.rules == TemplateFormatField::Rules::kPercent;
  return "{.spec = {.fill = " + cpp_view(spec.fill) + ", .align = " + character(spec.align) +
         ", .sign = " + character(spec.sign) +
         ", .alternate = " + (spec.alternate ? "true" : "false") +
         ", .zero = " + (spec.zero ? "true" : "false") + ", .group = " + character(spec.group) +
         ", .width = " + std::to_string(spec.width) +
         ", .precision = " + std::to_string(spec.precision) + ", .type = " + character(spec.type) +
         ", .quick = " + quick + "}, .rules = coronado::web::TemplateFormatField::Rules::" +
         (percent ? "kPercent" : "kFormat") + ", .conversion = " + character(field.conversion) +
         ", .empty = " + (field.empty ? "true" : "false") + "}";
}

}  // namespace

std::string CppExpressions::format(const Expression& expression) {
  std::string out = "r.join({";
  for (const ExpressionPtr& part : expression.children) {
    if (part->kind == ExpressionKind::kString) {
      out += value(*part) + ", ";
      continue;
    }
    const std::string shown = value(*part->children[0]);
    if (const auto known = known_field(*part)) {
      out += "r.field(" + site(*part) + ", " + add_field(*known) + ", " + shown + "), ";
      continue;
    }
    const std::string spec = format(*part->children[1]);
    const std::string conversion =
        part->text.empty() ? "'\\0'" : "'" + std::string(1, part->text[0]) + "'";
    out += "r.format(" + site(*part) + ", " + shown + ", " + spec + ", " + conversion + "), ";
  }
  return out + "})";
}

std::string CppExpressions::add_constant(std::string_view type, const std::string& value) {
  const std::string name = "kConstant" + std::to_string(constants_.size());
  constants_.push_back("static " + std::string(type) + " " + name + value);
  return name;
}

std::string CppExpressions::add_field(const TemplateFormatField& field) {
  return add_constant("constexpr coronado::web::TemplateFormatField", field_of(field));
}

std::string CppExpressions::add_percent(const Expression& expression, const SplitPercent& split) {
  return add_constant("constexpr coronado::web::TemplatePercent",
                      "{.text = " + cpp_view(expression.children[0]->text) + ", .prefix = " +
                          cpp_view(split.prefix) + ", .suffix = " + cpp_view(split.suffix) +
                          ", .escaped_prefix = " + cpp_view(xhtml_escape(split.prefix)) +
                          ", .escaped_suffix = " + cpp_view(xhtml_escape(split.suffix)) +
                          ", .field = " + field_of(split.field) + "}");
}

std::string CppExpressions::emit_parts(const Expression& expression) {
  if (expression.kind == ExpressionKind::kBinary) {
    const auto split = known_percent(expression);
    if (!split) return {};
    const std::string right = any(*expression.children[1]);
    return "r.emit_percent(" + site(expression) + ", context, " + add_percent(expression, *split) +
           ", " + right + ");";
  }
  if (expression.kind != ExpressionKind::kFormat) return {};
  std::string parts;
  for (const ExpressionPtr& part : expression.children) {
    if (part->kind == ExpressionKind::kString) {
      parts += "r.text(" + cpp_literal(xhtml_escape(part->text)) + "); ";
      continue;
    }
    const auto known = known_field(*part);
    if (!known) return {};
    const std::string shown = any(*part->children[0]);
    parts += "r.emit_field(" + site(*part) + ", " + add_field(*known) + ", " + shown + "); ";
  }
  // A function of the context that escapes in its own way gets the text in one piece.
  return "if (r.escapes(context)) { " + parts + "} else { r.emit(\"\", " + site(expression) +
         ", context, " + format(expression) + "); }";
}

}  // namespace coronado::web::templates
