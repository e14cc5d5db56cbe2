// What expressions are made of: literals, names, displays, comprehensions; and what can be assigned.
#include <utility>

#include "web/template/expression_parser.hpp"

namespace coronado::web::templates {

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

}  // namespace coronado::web::templates
