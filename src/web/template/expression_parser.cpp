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

}  // namespace coronado::web::templates
