#include "web/template/cpp_expressions.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <stdexcept>

#include "web/template/natives.hpp"
#include "web/template/simplify.hpp"

namespace coronado::web::templates {
namespace {

// Names that a handler's templates see beside their context.
constexpr std::array<std::string_view, 13> kHandlerNames = {
    "handler",   "request",     "current_user", "locale",         "_",
    "pgettext",  "static_url",  "reverse_url",  "xsrf_form_html", "xsrf_token",
    "csp_nonce", "_tt_modules", "modules"};

constexpr std::array<std::string_view, 26> kOperators = {
    "kAdd",    "kSubtract",  "kMultiply", "kDivide",       "kFloorDivide", "kModulo",
    "kPower",  "kBitAnd",    "kBitOr",    "kBitXor",       "kShiftLeft",   "kShiftRight",
    "kNegate", "kPlus",      "kInvert",   "kNot",          "kEqual",       "kNotEqual",
    "kLess",   "kLessEqual", "kGreater",  "kGreaterEqual", "kIn",          "kNotIn",
    "kIs",     "kIsNot"};

std::string operator_name(Operator op) {
  return "coronado::web::TemplateOperator::" +
         std::string(kOperators[static_cast<std::size_t>(op)]);
}

std::string real(double value) {
  if (std::isinf(value)) return "__builtin_inf()";
  char text[64];
  std::snprintf(text, sizeof text, "%a", value);
  return text;
}

constexpr std::string_view kValue = "coronado::web::TemplateValue";

bool has_await(const ExpressionPtr& expression) {
  if (!expression) return false;
  if (expression->kind == ExpressionKind::kAwait) return true;
  if (std::ranges::any_of(expression->children, has_await)) return true;
  return std::ranges::any_of(expression->loops, [](const ComprehensionLoop& loop) {
    return has_await(loop.iterable) || std::ranges::any_of(loop.conditions, has_await);
  });
}

/// Statements whose result is the value of an expression: a C++ lambda that is called where it stands;
/// with an `await` among them, one that is a coroutine, and awaited there.
class Inside {
 public:
  Inside(const Expression& expression, std::string_view result) : result_(result) {
    awaits_ = std::ranges::any_of(expression.children, has_await);
    for (const ComprehensionLoop& loop : expression.loops) {
      awaits_ =
          awaits_ || has_await(loop.iterable) || std::ranges::any_of(loop.conditions, has_await);
    }
  }
  std::string open() const {
    return awaits_ ? "(co_await [&]() -> coronado::Task<" + result_ + "> { "
                   : "[&]() -> " + result_ + " { ";
  }
  std::string leave(const std::string& value) const {
    return (awaits_ ? "co_return " : "return ") + value + "; ";
  }
  std::string close() const { return awaits_ ? "}())" : "}()"; }

 private:
  std::string result_;
  bool awaits_ = false;
};

/// Whether its value is True or False.
bool is_condition(const Expression& expression) {
  switch (expression.kind) {
    case ExpressionKind::kBool:
    case ExpressionKind::kCompare: return true;
    case ExpressionKind::kUnary: return expression.operators[0] == Operator::kNot;
    case ExpressionKind::kAnd:
    case ExpressionKind::kOr:
      return is_condition(*expression.children[0]) && is_condition(*expression.children[1]);
    default: return false;
  }
}

}  // namespace

void CppExpressions::restart() {
  constants_.clear();
  outside_.clear();
  awaits_ = false;
}

std::string CppExpressions::any(const Expression& expression) {
  switch (expression.kind) {
    case ExpressionKind::kNone: return "coronado::web::TemplateValue()";
    case ExpressionKind::kBool: return expression.integer != 0 ? "true" : "false";
    case ExpressionKind::kInt: return "std::int64_t{" + std::to_string(expression.integer) + "}";
    case ExpressionKind::kFloat: return real(expression.real);
    case ExpressionKind::kString: return cpp_view(expression.text);
    case ExpressionKind::kName: return name(expression.text, expression.offset);
    case ExpressionKind::kAttribute: return attribute(expression);
    case ExpressionKind::kItem: {
      const std::string object = any(*expression.children[0]);
      return "r.item(" + site(expression) + ", " + object + ", " + any(*expression.children[1]) +
             ")";
    }
    case ExpressionKind::kSlice: {
      std::string out = "r.slice(" + site(expression);
      for (const ExpressionPtr& child : expression.children) {
        out += ", " + (child ? value(*child) : "coronado::web::TemplateValue()");
      }
      return out + ")";
    }
    case ExpressionKind::kCall: return call(expression);
    case ExpressionKind::kUnary:
      if (expression.operators[0] == Operator::kNot) return condition(expression);
      return "r.unary_value(" + site(expression) + ", " + operator_name(expression.operators[0]) +
             ", " + value(*expression.children[0]) + ")";
    case ExpressionKind::kBinary: {
      const std::string left = any(*expression.children[0]);
      const std::string right = any(*expression.children[1]);
      if (const auto split = known_percent(expression)) {
        return "r.percent(" + site(expression) + ", " + add_percent(expression, *split) + ", " +
               right + ")";
      }
      return binary(expression.operators[0], expression.offset, left, right);
    }
    case ExpressionKind::kCompare: return compare(expression);
    case ExpressionKind::kAnd:
    case ExpressionKind::kOr: return logical(expression);
    case ExpressionKind::kConditional: {
      const std::string test = condition(*expression.children[0]);
      const std::string then = value(*expression.children[1]);
      return "(" + test + " ? " + then + " : " + value(*expression.children[2]) + ")";
    }
    case ExpressionKind::kList: return "r.list({" + values(expression) + "})";
    case ExpressionKind::kTuple: return "r.tuple({" + values(expression) + "})";
    case ExpressionKind::kDict:
      return "r.dict(" + site(expression) + ", {" + values(expression) + "})";
    case ExpressionKind::kListComprehension:
    case ExpressionKind::kDictComprehension: return comprehension(expression);
    case ExpressionKind::kFormat: return format(expression);
    case ExpressionKind::kField:
    case ExpressionKind::kPercentField: return {};  // only inside kFormat
    case ExpressionKind::kLambda: return lambda(expression);
    case ExpressionKind::kAwait: return await(expression);
  }
  return {};
}

std::string CppExpressions::value(const Expression& expression) {
  return "r.value(" + any(expression) + ")";
}

std::string CppExpressions::values(const Expression& expression, std::size_t first) {
  std::string out;
  for (std::size_t i = first; i < expression.children.size(); ++i) {
    out += (i == first ? "" : ", ") + value(*expression.children[i]);
  }
  return out;
}

std::string CppExpressions::await(const Expression& expression) {
  if (lambdas_ > 0) fail_(expression.offset, "await inside a lambda");
  awaits_ = true;
  const std::string what = value(*expression.children[0]);
  return "co_await r.awaited(" + site(expression) + ", " + what + ")";
}

// --- names -------------------------------------------------------------------------------------------

std::string CppExpressions::getter(std::string_view member) {
  if (!is_cpp_member(member)) return "0";
  return "[](const auto& of) -> decltype(auto) { return (of." + std::string(member) + "); }";
}

std::string CppExpressions::name_or_undefined(std::string_view name) {
  const CppNames::Found found = names_.find(name);
  if (found.kind != CppNames::Kind::kOutside) return found.cpp;
  const bool known = !find_builtin_value(name).is_undefined() ||
                     std::ranges::find(kHandlerNames, name) != kHandlerNames.end();
  if (!known) return {};
  outside_.emplace(name);
  return "out_" + cpp_identifier(name);
}

std::string CppExpressions::name(std::string_view name, std::uint32_t offset) {
  try {
    const CppNames::Found found = names_.find(name);
    if (found.kind == CppNames::Kind::kConstant) return found.cpp;
  } catch (const std::runtime_error& error) {
    fail_(offset, error.what());
  }
  const std::string variable = name_or_undefined(name);
  if (variable.empty()) {
    if (!is_cpp_member(name)) fail_(offset, "'" + std::string(name) + "' is no name in C++");
    return "(context." + std::string(name) + ")";
  }
  return "r.defined(" + sites_(offset) + ", " + variable + ", " + cpp_literal(name) + ")";
}

std::string CppExpressions::module(const Expression& expression) {
  const Expression* root = &expression;
  while (!root->children.empty() && root->children[0]) root = root->children[0].get();
  module_name_ = root->kind == ExpressionKind::kName ? root : nullptr;
  std::string out = value(expression);
  module_name_ = nullptr;
  return out;
}

std::string CppExpressions::attribute(const Expression& expression) {
  const std::string object = any(*expression.children[0]);
  const std::string_view member = expression.text;
  if (!is_cpp_member(member)) {
    return "r.attribute_value(" + site(expression) + ", r.value(" + object + "), " +
           cpp_literal(member) + ")";
  }
  return "r.attribute(" + site(expression) + ", " + object + ", " + cpp_literal(member) + ", " +
         getter(member) + ")";
}

std::string CppExpressions::call(const Expression& expression) {
  const Expression& callee = *expression.children[0];
  std::string out;
  if (callee.kind == ExpressionKind::kAttribute) {
    const std::string object = any(*callee.children[0]);
    const std::string name = add_constant("inline constinit coronado::web::detail::MethodName",
                                          "{" + cpp_literal(callee.text) + "}");
    out =
        "r.call_method(" + site(callee) + ", " + object + ", " + name + ", " + getter(callee.text);
  } else if (&callee == module_name_) {
    const std::string modules = name("_tt_modules", callee.offset);
    out = "r.call(" + site(callee) + ", " + cpp_literal(callee.text) + ", r.attribute_value(" +
          site(callee) + ", " + modules + ", " + cpp_literal(callee.text) + ")";
  } else {
    const bool named = callee.kind == ExpressionKind::kName;
    out = "r.call(" + site(callee) + ", " + cpp_literal(named ? callee.text : "function") + ", " +
          any(callee);
  }
  out += ", {" + values(expression, 1) + "}";
  if (!expression.names.empty()) {
    out += ", {";
    for (const std::string& keyword : expression.names) out += cpp_literal(keyword) + ", ";
    out += "}";
  }
  return out + ")";
}

// --- operators ---------------------------------------------------------------------------------------

std::string CppExpressions::binary(Operator op, std::uint32_t offset, const std::string& left,
                                   const std::string& right) const {
  return "r.binary<" + operator_name(op) + ">(" + sites_(offset) + ", " + left + ", " + right + ")";
}

std::string CppExpressions::condition(const Expression& expression) {
  switch (expression.kind) {
    case ExpressionKind::kCompare: return compare(expression);
    case ExpressionKind::kAnd:
    case ExpressionKind::kOr: {
      const std::string left = condition(*expression.children[0]);
      return "(" + left + (expression.kind == ExpressionKind::kAnd ? " && " : " || ") +
             condition(*expression.children[1]) + ")";
    }
    case ExpressionKind::kUnary:
      if (expression.operators[0] == Operator::kNot) {
        return "(!" + condition(*expression.children[0]) + ")";
      }
      break;
    default: break;
  }
  return "r.truth(" + site(expression) + ", " + any(expression) + ")";
}

std::string CppExpressions::compare(const Expression& expression) {
  const auto one = [&](std::size_t i, const std::string& left, const std::string& right) {
    return "r.compare<" + operator_name(expression.operators[i]) + ">(" + site(expression) + ", " +
           left + ", " + right + ")";
  };
  const std::string first = any(*expression.children[0]);
  if (expression.operators.size() == 1) return one(0, first, any(*expression.children[1]));
  // Each value is made once, and only when the comparison before was true.
  const Inside inside(expression, "bool");
  std::string out = inside.open() + "const auto& a0 = " + first + "; ";
  for (std::size_t i = 0; i < expression.operators.size(); ++i) {
    const std::string left = "a" + std::to_string(i);
    const std::string right = "a" + std::to_string(i + 1);
    out += "const auto& " + right + " = " + any(*expression.children[i + 1]) + "; ";
    out += "if (!" + one(i, left, right) + ") " + inside.leave("false");
  }
  return out + inside.leave("true") + inside.close();
}

std::string CppExpressions::logical(const Expression& expression) {
  if (is_condition(expression)) return condition(expression);
  const std::string left = value(*expression.children[0]);
  const std::string right = value(*expression.children[1]);
  const bool is_and = expression.kind == ExpressionKind::kAnd;
  const Inside inside(expression, kValue);
  return inside.open() + "const auto left = " + left + "; if (" + (is_and ? "!" : "") + "r.truth(" +
         site(expression) + ", left)) " + inside.leave("left") + inside.leave(right) +
         inside.close();
}

// --- functions ---------------------------------------------------------------------------------------

std::string CppExpressions::comprehension(const Expression& expression) {
  const bool dict = expression.kind == ExpressionKind::kDictComprehension;
  const std::string result = names_.fresh("made");
  const Inside inside(expression, kValue);
  return inside.open() + "const auto " + result + " = " + (dict ? "r.dict(0, {})" : "r.list({})") +
         "; " + loops(expression, 0, result) + inside.leave(result) + inside.close();
}

std::string CppExpressions::loops(const Expression& expression, std::size_t depth,
                                  const std::string& result) {
  if (depth == expression.loops.size()) {
    const std::string first = value(*expression.children[0]);
    if (expression.kind == ExpressionKind::kListComprehension) {
      return "r.append(" + result + ", " + first + "); ";
    }
    return "r.put(" + site(expression) + ", " + result + ", " + first + ", " +
           value(*expression.children[1]) + "); ";
  }
  const ComprehensionLoop& loop = expression.loops[depth];
  const std::string each = names_.fresh("each");
  std::string out = "for (auto&& " + each + " : r.range(" + site(*loop.iterable) + ", " +
                    any(*loop.iterable) + ")) { r.step(" + site(*loop.iterable) + "); ";
  names_.push_comprehension();
  out += assign(*loop.target, each, true);
  for (const ExpressionPtr& test : loop.conditions) {
    out += "if (!" + condition(*test) + ") continue; ";
  }
  out += loops(expression, depth + 1, result);
  names_.pop();
  return out + "} ";
}

std::string CppExpressions::lambda(const Expression& expression) {
  ++lambdas_;
  names_.push_lambda();
  std::string parameters;
  std::string bind;
  for (std::size_t i = 0; i < expression.names.size(); ++i) {
    parameters += cpp_literal(expression.names[i]) + ", ";
    bind += "const auto& " + names_.declare(expression.names[i]) + " = bound[" + std::to_string(i) +
            "]; ";
  }
  const std::string body = value(*expression.children[0]);
  names_.pop();
  --lambdas_;
  const std::string count = std::to_string(expression.names.size());
  return "r.lambda([] { static constexpr std::array<std::string_view, " + count + "> names{" +
         parameters +
         "}; return std::span<const std::string_view>(names); }(), "
         "[&](const coronado::web::TemplateValue* bound) -> coronado::web::TemplateValue { "
         "static_cast<void>(bound); " +
         bind + "return " + body + "; })";
}

// --- assignment --------------------------------------------------------------------------------------

std::string CppExpressions::assign(const Expression& target, const std::string& value,
                                   bool declares) {
  switch (target.kind) {
    case ExpressionKind::kName: {
      if (declares) return "const auto& " + names_.declare(target.text) + " = " + value + "; ";
      const CppNames::Found found = names_.assign(target.text);
      if (found.kind == CppNames::Kind::kVariable) return found.cpp + " = r.value(" + value + "); ";
      return "const auto& " + found.cpp + " = " + value + "; ";
    }
    case ExpressionKind::kItem: {
      const std::string object = this->value(*target.children[0]);
      return "r.set_item(" + site(target) + ", " + object + ", " +
             this->value(*target.children[1]) + ", r.value(" + value + ")); ";
    }
    default: {
      const std::string parts = names_.fresh("parts");
      const std::string count = std::to_string(target.children.size());
      std::string out = "coronado::web::TemplateValue " + parts + "[" + count + "]; r.unpack(" +
                        site(target) + ", r.value(" + value + "), " + parts + "); ";
      for (std::size_t i = 0; i < target.children.size(); ++i) {
        out += assign(*target.children[i], parts + "[" + std::to_string(i) + "]", declares);
      }
      return out;
    }
  }
}

}  // namespace coronado::web::templates
