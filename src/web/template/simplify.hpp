/// Works out beforehand what is constant in the expressions of a template, for both engines.
///
/// Whatever fails stays as it is: the error belongs to the rendering, and to the place.
///
/// Layer: web.
#pragma once

#include <coronado/web/template_format.hpp>

#include <optional>
#include <string>

#include "web/template/tree.hpp"

namespace coronado::web::templates {

/// All expressions of a body. Operators of constants become their value; a constant text before `%`
/// with a tuple behind it, and one with `.format(...)`, become the parts of an f-string.
void simplify(Body& body);
void simplify(ExpressionPtr& expression);

/// A field of a `kFormat` whose specification is constant.
/// Returns  Nothing, when it is not, or is none: rendering says why.
std::optional<TemplateFormatField> known_field(const Expression& field);

/// A constant text before `%` that has one field, in pieces.
struct SplitPercent {
  std::string prefix;
  std::string suffix;
  TemplateFormatField field;
};
/// Returns  Nothing, when `expression`, a `kBinary`, is something else.
std::optional<SplitPercent> known_percent(const Expression& expression);

}  // namespace coronado::web::templates
