#include "web/template/expression_parser.hpp"

#include <algorithm>
#include <utility>

namespace coronado::web::templates {
namespace {

constexpr std::string_view kReserved[] = {
    "and",    "as",   "assert", "async",  "await",    "break", "class", "continue", "def",
    "del",    "elif", "else",   "except", "finally",  "for",   "from",  "global",   "if",
    "import", "in",   "is",     "lambda", "nonlocal", "not",   "or",    "pass",     "raise",
    "return", "try",  "while",  "with",   "yield",    "None",  "True",  "False"};

bool is_reserved(std::string_view name) {
  return std::find(std::begin(kReserved), std::end(kReserved), name) != std::end(kReserved);
}

struct BinaryOperator {
  std::string_view text;
  Operator op;
  int precedence;
};

constexpr BinaryOperator kBinaryOperators[] = {
    {"|", Operator::kBitOr, 1},       {"^", Operator::kBitXor, 2},
    {"&", Operator::kBitAnd, 3},      {"<<", Operator::kShiftLeft, 4},
    {">>", Operator::kShiftRight, 4}, {"+", Operator::kAdd, 5},
    {"-", Operator::kSubtract, 5},    {"*", Operator::kMultiply, 6},
    {"/", Operator::kDivide, 6},      {"//", Operator::kFloorDivide, 6},
    {"%", Operator::kModulo, 6}};

const BinaryOperator* find_binary(const Token& token) {
  if (token.kind != TokenKind::kOperator) return nullptr;
  for (const BinaryOperator& candidate : kBinaryOperators) {
    if (candidate.text == token.text) return &candidate;
  }
  return nullptr;
}

std::string shown(const Token& token) {
  switch (token.kind) {
    case TokenKind::kEnd: return "the end";
    case TokenKind::kString:
    case TokenKind::kFormatString: return "a string";
    default: return "'" + std::string(token.text) + "'";
  }
}

}  // namespace

/// One level of nesting, for as long as it lives.
struct ExpressionParser::Level {
  explicit Level(ExpressionParser& owner) : parser(owner) {
    if (++parser.level_ > kMaxExpressionDepth) {
      throw SyntaxFault(parser.token_.offset, "expression nested too deeply");
    }
  }
  ~Level() { --parser.level_; }
  ExpressionParser& parser;
};

void ExpressionParser::fail_expected(std::string_view what) const {
  throw SyntaxFault(token_.offset, "expected " + std::string(what) + ", got " + shown(token_));
}

bool ExpressionParser::accept(std::string_view text) {
  if (!is(text)) return false;
  advance();
  return true;
}

void ExpressionParser::expect(std::string_view text, std::string_view context) {
  if (!accept(text)) {
    fail_expected("'" + std::string(text) + "'" +
                  (context.empty() ? "" : " " + std::string(context)));
  }
}

void ExpressionParser::expect_end() {
  if (!at_end()) fail_expected("the end of the expression");
}

std::string ExpressionParser::expect_name(std::string_view what) {
  if (token_.kind != TokenKind::kName || is_reserved(token_.text)) fail_expected(what);
  std::string name(token_.text);
  advance();
  return name;
}

bool ExpressionParser::accept_augmented(Operator& op) {
  if (token_.kind != TokenKind::kOperator || token_.text.size() < 2 ||
      !token_.text.ends_with('=')) {
    return false;
  }
  const std::string_view text = token_.text.substr(0, token_.text.size() - 1);
  if (text == "**") {
    op = Operator::kPower;
    advance();
    return true;
  }
  for (const BinaryOperator& candidate : kBinaryOperators) {
    if (candidate.text != text) continue;
    op = candidate.op;
    advance();
    return true;
  }
  return false;
}

ExpressionPtr ExpressionParser::make(ExpressionKind kind, std::size_t offset) const {
  auto made = std::make_unique<Expression>();
  made->kind = kind;
  made->offset = static_cast<std::uint32_t>(offset);
  return made;
}

void ExpressionParser::adopt(Expression& parent, ExpressionPtr child) const {
  if (child) {
    parent.depth = std::max(parent.depth, child->depth + 1);
    if (parent.depth > 2 * kMaxExpressionDepth) {
      throw SyntaxFault(parent.offset, "expression nested too deeply");
    }
  }
  parent.children.push_back(std::move(child));
}

ExpressionPtr ExpressionParser::make_binary(Operator op, std::size_t offset, ExpressionPtr left,
                                            ExpressionPtr right) const {
  ExpressionPtr made = make(ExpressionKind::kBinary, offset);
  made->operators.push_back(op);
  adopt(*made, std::move(left));
  adopt(*made, std::move(right));
  return made;
}

ExpressionPtr ExpressionParser::parse_expressions() {
  ExpressionPtr first = parse_expression();
  if (!is(",")) return first;
  ExpressionPtr tuple = make(ExpressionKind::kTuple, first->offset);
  adopt(*tuple, std::move(first));
  while (accept(",")) {
    if (at_end() || is("=") || is(")")) break;
    adopt(*tuple, parse_expression());
  }
  return tuple;
}

ExpressionPtr ExpressionParser::parse_expression() {
  const Level level(*this);
  if (is("lambda")) return parse_lambda();
  ExpressionPtr value = parse_or();
  if (!is("if")) return value;
  ExpressionPtr conditional = make(ExpressionKind::kConditional, token_.offset);
  advance();
  adopt(*conditional, parse_or());
  expect("else", "of the conditional expression");
  adopt(*conditional, std::move(value));
  adopt(*conditional, parse_expression());
  return conditional;
}

ExpressionPtr ExpressionParser::parse_lambda() {
  ExpressionPtr lambda = make(ExpressionKind::kLambda, token_.offset);
  advance();
  while (!is(":")) {
    lambda->names.push_back(expect_name("a parameter of the lambda"));
    if (!accept(",")) break;
  }
  expect(":", "of the lambda");
  adopt(*lambda, parse_expression());
  return lambda;
}

ExpressionPtr ExpressionParser::parse_or() {
  ExpressionPtr left = parse_and();
  while (is("or")) {
    ExpressionPtr both = make(ExpressionKind::kOr, token_.offset);
    advance();
    adopt(*both, std::move(left));
    adopt(*both, parse_and());
    left = std::move(both);
  }
  return left;
}

ExpressionPtr ExpressionParser::parse_and() {
  ExpressionPtr left = parse_not();
  while (is("and")) {
    ExpressionPtr both = make(ExpressionKind::kAnd, token_.offset);
    advance();
    adopt(*both, std::move(left));
    adopt(*both, parse_not());
    left = std::move(both);
  }
  return left;
}

ExpressionPtr ExpressionParser::parse_not() {
  if (!is("not")) return parse_comparison();
  const Level level(*this);
  ExpressionPtr made = make(ExpressionKind::kUnary, token_.offset);
  advance();
  made->operators.push_back(Operator::kNot);
  adopt(*made, parse_not());
  return made;
}

bool ExpressionParser::accept_comparison(Operator& op) {
  if (accept("==")) return op = Operator::kEqual, true;
  if (accept("!=")) return op = Operator::kNotEqual, true;
  if (accept("<")) return op = Operator::kLess, true;
  if (accept("<=")) return op = Operator::kLessEqual, true;
  if (accept(">")) return op = Operator::kGreater, true;
  if (accept(">=")) return op = Operator::kGreaterEqual, true;
  if (accept("in")) return op = Operator::kIn, true;
  if (accept("is")) return op = accept("not") ? Operator::kIsNot : Operator::kIs, true;
  if (accept("not")) {
    expect("in", "after 'not'");
    return op = Operator::kNotIn, true;
  }
  return false;
}

ExpressionPtr ExpressionParser::parse_comparison() {
  ExpressionPtr left = parse_binary(1);
  const std::size_t offset = token_.offset;
  Operator op{};
  if (!accept_comparison(op)) return left;
  ExpressionPtr chain = make(ExpressionKind::kCompare, offset);
  adopt(*chain, std::move(left));
  do {
    chain->operators.push_back(op);
    adopt(*chain, parse_binary(1));
  } while (accept_comparison(op));
  return chain;
}

ExpressionPtr ExpressionParser::parse_binary(int least) {
  ExpressionPtr left = parse_unary();
  for (;;) {
    const BinaryOperator* found = find_binary(token_);
    if (found == nullptr || found->precedence < least) return left;
    const std::size_t offset = token_.offset;
    advance();
    ExpressionPtr right = parse_binary(found->precedence + 1);
    left = make_binary(found->op, offset, std::move(left), std::move(right));
  }
}

ExpressionPtr ExpressionParser::parse_unary() {
  Operator op{};
  if (is("-")) {
    op = Operator::kNegate;
  } else if (is("+")) {
    op = Operator::kPlus;
  } else if (is("~")) {
    op = Operator::kInvert;
  } else {
    return parse_power();
  }
  const Level level(*this);
  ExpressionPtr made = make(ExpressionKind::kUnary, token_.offset);
  advance();
  made->operators.push_back(op);
  adopt(*made, parse_unary());
  return made;
}

ExpressionPtr ExpressionParser::parse_power() {
  ExpressionPtr base;
  if (is("await")) {
    base = make(ExpressionKind::kAwait, token_.offset);
    advance();
    adopt(*base, parse_postfix());
  } else {
    base = parse_postfix();
  }
  if (!is("**")) return base;
  const Level level(*this);
  const std::size_t offset = token_.offset;
  advance();
  ExpressionPtr exponent = parse_unary();
  return make_binary(Operator::kPower, offset, std::move(base), std::move(exponent));
}

ExpressionPtr ExpressionParser::parse_postfix() {
  ExpressionPtr value = parse_atom();
  for (;;) {
    if (is(".")) {
      ExpressionPtr attribute = make(ExpressionKind::kAttribute, token_.offset);
      advance();
      attribute->text = expect_name("a name after '.'");
      adopt(*attribute, std::move(value));
      value = std::move(attribute);
    } else if (is("(")) {
      value = parse_call(std::move(value));
    } else if (is("[")) {
      value = parse_subscript(std::move(value));
    } else {
      return value;
    }
  }
}

ExpressionPtr ExpressionParser::parse_call(ExpressionPtr callee) {
  ExpressionPtr call = make(ExpressionKind::kCall, token_.offset);
  adopt(*call, std::move(callee));
  advance();
  while (!is(")")) {
    if (is("*") || is("**")) throw SyntaxFault(token_.offset, "'*' arguments are not supported");
    const Token start = token_;
    ExpressionPtr argument = parse_expression();
    if (is("=") && argument->kind == ExpressionKind::kName && start.kind == TokenKind::kName) {
      advance();
      if (std::find(call->names.begin(), call->names.end(), argument->text) != call->names.end()) {
        throw SyntaxFault(start.offset, "keyword argument repeated: " + argument->text);
      }
      call->names.push_back(argument->text);
      argument = parse_expression();
    } else if (!call->names.empty()) {
      throw SyntaxFault(start.offset, "positional argument follows keyword argument");
    } else if (is("for")) {
      ExpressionPtr list = make(ExpressionKind::kListComprehension, start.offset);
      adopt(*list, std::move(argument));
      parse_loops(*list);
      argument = std::move(list);
    }
    adopt(*call, std::move(argument));
    if (!accept(",")) break;
  }
  expect(")", "after the arguments");
  return call;
}

ExpressionPtr ExpressionParser::parse_subscript(ExpressionPtr object) {
  const std::size_t offset = token_.offset;
  advance();
  ExpressionPtr parts[3];
  std::size_t part = 0;
  bool is_slice = false;
  if (is("]")) fail_expected("an index");
  while (!is("]")) {
    if (accept(":")) {
      is_slice = true;
      if (++part > 2) fail_expected("']'");
    } else if (parts[part]) {
      break;
    } else {
      parts[part] = part == 0 ? parse_expressions() : parse_expression();
    }
  }
  expect("]", "after the index");
  ExpressionPtr made = make(is_slice ? ExpressionKind::kSlice : ExpressionKind::kItem, offset);
  adopt(*made, std::move(object));
  for (std::size_t i = 0; i < (is_slice ? 3U : 1U); ++i) adopt(*made, std::move(parts[i]));
  return made;
}

ExpressionPtr ExpressionParser::parse_atom() {
  const Token start = token_;
  switch (start.kind) {
    case TokenKind::kInt: {
      ExpressionPtr made = make(ExpressionKind::kInt, start.offset);
      made->integer = start.integer;
      advance();
      return made;
    }
    case TokenKind::kFloat: {
      ExpressionPtr made = make(ExpressionKind::kFloat, start.offset);
      made->real = start.real;
      advance();
      return made;
    }
    case TokenKind::kString:
    case TokenKind::kFormatString: return parse_strings();
    case TokenKind::kName: {
      if (start.text == "None" || start.text == "True" || start.text == "False") {
        ExpressionPtr made = make(
            start.text == "None" ? ExpressionKind::kNone : ExpressionKind::kBool, start.offset);
        made->integer = start.text == "True" ? 1 : 0;
        advance();
        return made;
      }
      ExpressionPtr made = make(ExpressionKind::kName, start.offset);
      made->text = expect_name("an expression");
      return made;
    }
    default: break;
  }
  if (is("(")) return parse_parenthesis();
  if (is("[")) return parse_list();
  if (is("{")) return parse_dict();
  fail_expected("an expression");
}

ExpressionPtr ExpressionParser::parse_parenthesis() {
  const std::size_t offset = token_.offset;
  advance();
  if (accept(")")) return make(ExpressionKind::kTuple, offset);
  ExpressionPtr inside = parse_expressions();
  if (is("for")) {
    ExpressionPtr list = make(ExpressionKind::kListComprehension, offset);
    adopt(*list, std::move(inside));
    parse_loops(*list);
    inside = std::move(list);
  }
  expect(")", "to close '('");
  return inside;
}

ExpressionPtr ExpressionParser::parse_list() {
  ExpressionPtr list = make(ExpressionKind::kList, token_.offset);
  advance();
  while (!is("]")) {
    adopt(*list, parse_expression());
    if (is("for") && list->children.size() == 1) {
      list->kind = ExpressionKind::kListComprehension;
      parse_loops(*list);
      break;
    }
    if (!accept(",")) break;
  }
  expect("]", "to close '['");
  return list;
}

ExpressionPtr ExpressionParser::parse_dict() {
  ExpressionPtr dict = make(ExpressionKind::kDict, token_.offset);
  advance();
  while (!is("}")) {
    adopt(*dict, parse_expression());
    if (!is(":")) fail_expected("':' and a value (sets are not supported)");
    advance();
    adopt(*dict, parse_expression());
    if (is("for") && dict->children.size() == 2) {
      dict->kind = ExpressionKind::kDictComprehension;
      parse_loops(*dict);
      break;
    }
    if (!accept(",")) break;
  }
  expect("}", "to close '{'");
  return dict;
}

void ExpressionParser::parse_loops(Expression& comprehension) {
  while (accept("for")) {
    ComprehensionLoop loop;
    loop.target = parse_target();
    expect("in", "of the comprehension");
    loop.iterable = parse_or();
    while (accept("if")) loop.conditions.push_back(parse_or());
    comprehension.loops.push_back(std::move(loop));
  }
}

ExpressionPtr ExpressionParser::parse_target() {
  const Level level(*this);
  const auto parse_one = [&]() -> ExpressionPtr {
    if (is("(") || is("[")) {
      const std::string_view close = is("(") ? ")" : "]";
      advance();
      ExpressionPtr inside = parse_target();
      expect(close, "after the names");
      return inside;
    }
    ExpressionPtr one = parse_postfix();
    check_target(*one);
    return one;
  };
  ExpressionPtr first = parse_one();
  if (!is(",")) return first;
  ExpressionPtr tuple = make(ExpressionKind::kTuple, first->offset);
  adopt(*tuple, std::move(first));
  while (accept(",")) {
    if (is("in") || is("=") || is(")")) break;
    adopt(*tuple, parse_one());
  }
  return tuple;
}

void ExpressionParser::check_target(const Expression& target) {
  switch (target.kind) {
    case ExpressionKind::kName:
      if (target.text.starts_with("_tt_")) {
        throw SyntaxFault(target.offset, "names that begin with _tt_ are reserved");
      }
      return;
    case ExpressionKind::kItem: return;
    case ExpressionKind::kTuple:
    case ExpressionKind::kList:
      for (const ExpressionPtr& child : target.children) check_target(*child);
      return;
    default: throw SyntaxFault(target.offset, "cannot assign to this expression");
  }
}

ExpressionPtr ExpressionParser::parse_strings() {
  ExpressionPtr format = make(ExpressionKind::kFormat, token_.offset);
  std::string text;
  while (token_.kind == TokenKind::kString || token_.kind == TokenKind::kFormatString) {
    const Token token = std::move(token_);
    advance();
    if (token.kind == TokenKind::kString) {
      text += token.value;
      continue;
    }
    ExpressionPtr literal = make(ExpressionKind::kString, token.offset);
    literal->text = std::exchange(text, {});
    if (!literal->text.empty()) adopt(*format, std::move(literal));
    parse_format(*format, token);
  }
  if (format->children.empty() || !text.empty()) {
    ExpressionPtr literal = make(ExpressionKind::kString, format->offset);
    literal->text = std::move(text);
    if (format->children.empty()) return literal;
    adopt(*format, std::move(literal));
  }
  return format;
}

void ExpressionParser::parse_format(Expression& format, const Token& token) {
  const Level level(*this);
  const std::string_view content = token.text;
  const auto offset_of = [&](std::size_t position) { return token.content_offset + position; };
  std::string literal;
  std::size_t literal_start = 0;
  const auto end_literal = [&](std::size_t position) {
    if (!literal.empty()) {
      ExpressionPtr made = make(ExpressionKind::kString, offset_of(literal_start));
      made->text = token.raw ? literal : unescape_literal(literal, offset_of(literal_start));
      adopt(format, std::move(made));
    }
    literal.clear();
    literal_start = position;
  };
  for (std::size_t i = 0; i < content.size();) {
    const char c = content[i];
    if ((c == '{' || c == '}') && i + 1 < content.size() && content[i + 1] == c) {
      literal += c;
      i += 2;
      continue;
    }
    if (c == '}') throw SyntaxFault(offset_of(i), "single '}' in an f-string");
    if (c != '{') {
      literal += c;
      ++i;
      continue;
    }
    // The field ends at its own '}'; inside it brackets nest and strings may hold anything.
    std::size_t end = i + 1;
    std::size_t colon = std::string_view::npos;
    std::size_t bang = std::string_view::npos;
    int depth = 0;
    char quote = 0;
    for (; end < content.size(); ++end) {
      const char d = content[end];
      if (quote != 0) {
        if (d == quote) quote = 0;
      } else if (colon == std::string_view::npos && (d == '"' || d == '\'')) {
        quote = d;
      } else if (d == '(' || d == '[' || d == '{') {
        ++depth;
      } else if (depth > 0 && (d == ')' || d == ']' || d == '}')) {
        --depth;
      } else if (depth == 0 && d == '}') {
        break;
      } else if (depth == 0 && d == ':' && colon == std::string_view::npos) {
        colon = end;
      } else if (depth == 0 && d == '!' && colon == std::string_view::npos &&
                 end + 1 < content.size() && content[end + 1] != '=') {
        bang = end;
      }
    }
    if (end >= content.size()) throw SyntaxFault(offset_of(i), "'{' without '}' in an f-string");
    end_literal(end + 1);
    const std::size_t expression_end = std::min({end, colon, bang});
    ExpressionPtr field = make(ExpressionKind::kField, offset_of(i));
    ExpressionParser inner(content.substr(i + 1, expression_end - i - 1), offset_of(i + 1), level_);
    if (inner.at_end()) throw SyntaxFault(offset_of(i), "empty expression in an f-string");
    adopt(*field, inner.parse_expressions());
    inner.expect_end();
    if (bang != std::string_view::npos) {
      field->text = content.substr(bang + 1, std::min(end, colon) - bang - 1);
      if (field->text != "r" && field->text != "s" && field->text != "a") {
        throw SyntaxFault(offset_of(bang), "expected !r, !s or !a");
      }
    }
    ExpressionPtr specification;
    if (colon != std::string_view::npos) {
      specification = make(ExpressionKind::kFormat, offset_of(colon + 1));
      Token nested = token;
      nested.text = content.substr(colon + 1, end - colon - 1);
      nested.content_offset = offset_of(colon + 1);
      parse_format(*specification, nested);
    }
    adopt(*field, std::move(specification));
    adopt(format, std::move(field));
    i = end + 1;
  }
  end_literal(content.size());
  if (format.children.empty()) adopt(format, make(ExpressionKind::kString, token.offset));
}

}  // namespace coronado::web::templates
