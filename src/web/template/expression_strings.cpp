// Literals of text, and f-strings with the expressions in them.
#include <algorithm>
#include <utility>

#include "web/template/expression_parser.hpp"

namespace coronado::web::templates {

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

namespace {

/// A field of an f-string: where in its text it ends, and its parts begin.
struct FieldPlaces {
  std::size_t end = std::string_view::npos;  // of the field: its '}'
  std::size_t colon = std::string_view::npos;
  std::size_t bang = std::string_view::npos;
};

/// The field ends at its own '}'; inside it brackets nest and strings may hold anything.
/// Params  begin  Behind its '{'.
FieldPlaces find_field(std::string_view content, std::size_t begin) {
  FieldPlaces found;
  int depth = 0;
  char quote = 0;
  for (std::size_t at = begin; at < content.size(); ++at) {
    const char c = content[at];
    const bool in_specification = found.colon != std::string_view::npos;
    if (quote != 0) {
      if (c == quote) quote = 0;
    } else if (!in_specification && (c == '"' || c == '\'')) {
      quote = c;
    } else if (c == '(' || c == '[' || c == '{') {
      ++depth;
    } else if (depth > 0 && (c == ')' || c == ']' || c == '}')) {
      --depth;
    } else if (depth == 0 && c == '}') {
      found.end = at;
      return found;
    } else if (depth == 0 && c == ':' && !in_specification) {
      found.colon = at;
    } else if (depth == 0 && c == '!' && !in_specification && at + 1 < content.size() &&
               content[at + 1] != '=') {
      found.bang = at;
    }
  }
  return found;
}

}  // namespace

/// One field, whose '{' is at `begin` of the text of `token`.
/// Returns  Where the text goes on.
std::size_t ExpressionParser::parse_field(Expression& format, const Token& token,
                                          std::size_t begin) {
  const std::string_view content = token.text;
  const auto offset_of = [&](std::size_t position) { return token.content_offset + position; };
  const auto [end, colon, bang] = find_field(content, begin + 1);
  if (end == std::string_view::npos) {
    throw SyntaxFault(offset_of(begin), "'{' without '}' in an f-string");
  }
  const std::size_t expression_end = std::min({end, colon, bang});
  ExpressionPtr field = make(ExpressionKind::kField, offset_of(begin));
  ExpressionParser inner(content.substr(begin + 1, expression_end - begin - 1),
                         offset_of(begin + 1), level_);
  if (inner.at_end()) throw SyntaxFault(offset_of(begin), "empty expression in an f-string");
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
  return end + 1;
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
    end_literal(i);
    i = parse_field(format, token, i);
    literal_start = i;
  }
  end_literal(content.size());
  if (format.children.empty()) adopt(format, make(ExpressionKind::kString, token.offset));
}

}  // namespace coronado::web::templates
