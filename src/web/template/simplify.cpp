#include "web/template/simplify.hpp"

#include <coronado/base/strings.hpp>

#include <string>
#include <utility>

#include "web/template/format.hpp"
#include "web/template/format_spec.hpp"
#include "web/template/operators.hpp"

namespace coronado::web::templates {
namespace {

using Kind = ExpressionKind;

constexpr std::size_t kMostText = 1024;         // longer constants are made while rendering
constexpr std::size_t kMostMemory = 64 * 1024;  // that the work may take

bool is_constant(const Expression& expression) {
  switch (expression.kind) {
    case Kind::kNone:
    case Kind::kBool:
    case Kind::kInt:
    case Kind::kFloat:
    case Kind::kString: return true;
    default: return false;
  }
}

bool all_constant(const std::vector<ExpressionPtr>& children) {
  for (const ExpressionPtr& child : children) {
    if (!child || !is_constant(*child)) return false;
  }
  return true;
}

/// Lifetime  Text is `expression`'s.
TemplateValue value_of(const Expression& expression) {
  switch (expression.kind) {
    case Kind::kBool: return TemplateValue::boolean(expression.integer != 0);
    case Kind::kInt: return TemplateValue::integer(expression.integer);
    case Kind::kFloat: return TemplateValue::real(expression.real);
    case Kind::kString: return TemplateValue::string(expression.text);
    default: return {};
  }
}

void become_text(Expression& expression, std::string text) {
  expression.children.clear();
  expression.operators.clear();
  expression.depth = 1;
  expression.kind = Kind::kString;
  expression.text = std::move(text);
}

/// Makes the expression a constant. False: there is no literal for the value.
bool become(Expression& expression, const TemplateValue& value) {
  switch (value.kind()) {
    case TemplateKind::kNone: expression.kind = Kind::kNone; break;
    case TemplateKind::kBool:
      expression.kind = Kind::kBool;
      expression.integer = value.as_bool() ? 1 : 0;
      break;
    case TemplateKind::kInt:
      expression.kind = Kind::kInt;
      expression.integer = value.as_int();
      break;
    case TemplateKind::kFloat:
      if (value.as_float() != value.as_float()) return false;
      expression.kind = Kind::kFloat;
      expression.real = value.as_float();
      break;
    case TemplateKind::kString:
      if (value.as_string().size() > kMostText) return false;
      become_text(expression, std::string(value.as_string()));
      return true;
    default: return false;
  }
  expression.children.clear();
  expression.operators.clear();
  expression.depth = 1;
  return true;
}

/// The value of a chain of comparisons.
bool compare_all(const Expression& chain, TemplateMemory& memory) {
  for (std::size_t i = 0; i < chain.operators.size(); ++i) {
    const TemplateValue left = value_of(*chain.children[i]);
    if (!compare(chain.operators[i], left, value_of(*chain.children[i + 1]), memory)) return false;
  }
  return true;
}

void fold_operator(Expression& expression) {
  if (!all_constant(expression.children)) return;
  TemplateMemory memory(kMostMemory);
  const auto child = [&](std::size_t i) { return value_of(*expression.children[i]); };
  switch (expression.kind) {
    case Kind::kUnary: become(expression, unary(expression.operators[0], child(0))); return;
    case Kind::kBinary:
      become(expression, binary(expression.operators[0], child(0), child(1), memory));
      return;
    case Kind::kCompare:
      become(expression, TemplateValue::boolean(compare_all(expression, memory)));
      return;
    case Kind::kItem: become(expression, item(child(0), child(1), memory)); return;
    default: return;
  }
}

/// `and`, `or` and the conditional whose condition is constant: one of the others takes its place.
void fold_choice(ExpressionPtr& expression) {
  if (!is_constant(*expression->children[0])) return;
  const bool truth = is_true(value_of(*expression->children[0]));
  std::size_t chosen = truth ? 1 : 2;
  if (expression->kind == Kind::kAnd) chosen = truth ? 1 : 0;
  if (expression->kind == Kind::kOr) chosen = truth ? 0 : 1;
  ExpressionPtr one = std::move(expression->children[chosen]);
  expression = std::move(one);
}

ExpressionPtr make_text(std::string text, std::uint32_t offset) {
  auto made = std::make_unique<Expression>();
  made->kind = Kind::kString;
  made->offset = offset;
  made->text = std::move(text);
  return made;
}

/// Joins constant parts that stand together, also of constant fields.
void fold_format(Expression& format) {
  for (ExpressionPtr& part : format.children) {
    if (part->kind == Kind::kString || !is_constant(*part->children[0])) continue;
    const auto field = known_field(*part);
    if (!field || field->spec.width > kMostText) continue;
    part = make_text(format_field(*field, value_of(*part->children[0])), part->offset);
  }
  std::vector<ExpressionPtr> parts;
  for (ExpressionPtr& part : format.children) {
    if (part->kind == Kind::kString && !parts.empty() && parts.back()->kind == Kind::kString) {
      parts.back()->text += part->text;
    } else {
      parts.push_back(std::move(part));
    }
  }
  format.children = std::move(parts);
  if (format.children.size() == 1 && format.children[0]->kind == Kind::kString) {
    become_text(format, std::string(format.children[0]->text));
  }
}

/// `'%s of %d' % (a, b)`: the parts of an f-string.
void split_percent_tuple(Expression& expression) {
  if (expression.operators[0] != Operator::kModulo) return;
  const Expression& left = *expression.children[0];
  Expression& right = *expression.children[1];
  if (left.kind != Kind::kString || right.kind != Kind::kTuple) return;
  auto pieces = split_percent(left.text);
  if (!pieces || pieces->size() != right.children.size() + 1) return;
  std::vector<ExpressionPtr> parts;
  std::vector<ExpressionPtr> values = std::move(right.children);
  for (std::size_t i = 0; i < pieces->size(); ++i) {
    if (!(*pieces)[i].text.empty()) {
      parts.push_back(make_text(std::move((*pieces)[i].text), left.offset));
    }
    if (i == values.size()) break;
    auto field = std::make_unique<Expression>();
    field->kind = Kind::kPercentField;
    field->offset = expression.offset;
    field->depth = values[i]->depth + 1;
    field->text = std::move((*pieces)[i].written);
    field->children.push_back(std::move(values[i]));
    parts.push_back(std::move(field));
  }
  if (parts.empty()) return become_text(expression, {});
  expression.kind = Kind::kFormat;
  expression.operators.clear();
  expression.children = std::move(parts);
}

/// A piece of a text before `.format(...)`: what stands before a field, and the field.
struct FormatPiece {
  std::string text;
  bool has_field = false;  // the last piece has none
  std::string conversion = {};
  std::string specification = {};
};

/// What stands between the braces of a field. False: it names an argument, or has fields inside.
bool read_field(const std::string& field, FormatPiece& piece) {
  const std::size_t colon = std::min(field.find(':'), field.size());
  const std::string before = field.substr(0, colon);
  piece.specification = field.substr(std::min(colon + 1, field.size()));
  if (before == "!r" || before == "!s") piece.conversion = before.substr(1);
  piece.has_field = true;
  return (before.empty() || !piece.conversion.empty()) &&
         piece.specification.find('{') == std::string::npos;
}

/// Returns  Nothing, when the text is malformed, or takes its arguments otherwise than in order.
std::optional<std::vector<FormatPiece>> split_format(const std::string& text) {
  std::vector<FormatPiece> pieces(1);
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool brace = c == '{' || c == '}';
    if (!brace || (i + 1 < text.size() && text[i + 1] == c)) {
      pieces.back().text += c;
      if (brace) ++i;
      continue;
    }
    const std::size_t end = c == '{' ? text.find('}', i) : std::string::npos;
    if (end == std::string::npos) return std::nullopt;
    if (!read_field(text.substr(i + 1, end - i - 1), pieces.back())) return std::nullopt;
    pieces.emplace_back();
    i = end;
  }
  return pieces;
}

ExpressionPtr make_field(const FormatPiece& piece, ExpressionPtr value, std::uint32_t offset) {
  auto field = std::make_unique<Expression>();
  field->kind = Kind::kField;
  field->offset = offset;
  field->depth = value->depth + 1;
  field->text = piece.conversion;
  field->children.push_back(std::move(value));
  ExpressionPtr specification;
  if (!piece.specification.empty()) {
    specification = std::make_unique<Expression>();
    specification->kind = Kind::kFormat;
    specification->offset = offset;
    specification->children.push_back(make_text(piece.specification, offset));
  }
  field->children.push_back(std::move(specification));
  return field;
}

/// `'{:,} {}'.format(a, b)`: the parts of an f-string, if each argument is used once and in order.
void split_format_call(Expression& call) {
  const Expression& callee = *call.children[0];
  if (callee.kind != Kind::kAttribute || callee.text != "format" || !call.names.empty()) return;
  if (callee.children[0]->kind != Kind::kString) return;
  const auto pieces = split_format(callee.children[0]->text);
  if (!pieces || pieces->size() != call.children.size()) return;
  const std::uint32_t offset = callee.offset;
  std::vector<ExpressionPtr> parts;
  for (std::size_t i = 0; i < pieces->size(); ++i) {
    const FormatPiece& piece = (*pieces)[i];
    if (!piece.text.empty()) parts.push_back(make_text(piece.text, offset));
    if (piece.has_field)
      parts.push_back(make_field(piece, std::move(call.children[i + 1]), offset));
  }
  if (parts.empty()) return become_text(call, {});
  call.kind = Kind::kFormat;
  call.offset = offset;
  call.children = std::move(parts);
}

void simplify_children(Expression& expression) {
  for (ExpressionPtr& child : expression.children) {
    if (!child) continue;
    const bool specification = expression.kind == Kind::kField && &child != &expression.children[0];
    if (specification) {
      simplify_children(*child);  // it stays a kFormat
    } else {
      simplify(child);
    }
  }
  for (ComprehensionLoop& loop : expression.loops) {
    simplify(loop.iterable);
    for (ExpressionPtr& condition : loop.conditions) simplify(condition);
  }
}

}  // namespace

std::optional<TemplateFormatField> known_field(const Expression& field) {
  if (field.kind == Kind::kPercentField) return split_percent("%" + field.text)->front().field;
  TemplateFormatField known;
  known.conversion = field.text.empty() ? '\0' : field.text[0];
  if (field.children[1] == nullptr) return known;
  const Expression& specification = *field.children[1];
  for (const ExpressionPtr& part : specification.children) {
    if (part->kind != Kind::kString) return std::nullopt;
  }
  // One part, whose text the field's views are of; none at all is no specification.
  if (specification.children.size() > 1) return std::nullopt;
  if (specification.children.empty() || specification.children[0]->text.empty()) return known;
  try {
    known.spec = parse_spec(specification.children[0]->text);
  } catch (const TemplateFault&) {
    return std::nullopt;
  }
  known.empty = false;
  if (known.conversion != '\0') known.spec.quick = FormatSpec::Quick::kNo;
  return known;
}

std::optional<SplitPercent> known_percent(const Expression& expression) {
  const Expression& left = *expression.children[0];
  if (expression.operators[0] != Operator::kModulo || left.kind != Kind::kString) {
    return std::nullopt;
  }
  auto parts = split_percent(left.text);
  if (!parts || parts->size() != 2) return std::nullopt;
  return SplitPercent{std::move(parts->front().text), std::move(parts->back().text),
                      *parts->front().field};
}

void simplify(ExpressionPtr& expression) {
  if (!expression) return;
  simplify_children(*expression);
  try {
    switch (expression->kind) {
      case Kind::kUnary:
      case Kind::kCompare:
      case Kind::kItem: return fold_operator(*expression);
      case Kind::kBinary:
        split_percent_tuple(*expression);
        if (expression->kind == Kind::kFormat) return fold_format(*expression);
        return fold_operator(*expression);
      case Kind::kAnd:
      case Kind::kOr:
      case Kind::kConditional: return fold_choice(expression);
      case Kind::kCall:
        split_format_call(*expression);
        if (expression->kind == Kind::kFormat) fold_format(*expression);
        return;
      case Kind::kFormat: return fold_format(*expression);
      default: return;
    }
  } catch (const TemplateFault&) {
    // It fails in the same way while the template is rendered.
  }
}

void simplify(Body& body) {
  for (const auto& node : body) {
    simplify(node->expression);
    for (Branch& branch : node->branches) {
      simplify(branch.condition);
      simplify(branch.body);
    }
  }
}

}  // namespace coronado::web::templates
