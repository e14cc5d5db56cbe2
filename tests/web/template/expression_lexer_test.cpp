#include "web/template/expression_lexer.hpp"

#include <gtest/gtest.h>

namespace coronado::web::templates {
namespace {

std::vector<std::string> words(std::string_view text) {
  ExpressionLexer lexer(text, 100);
  std::vector<std::string> found;
  for (Token token = lexer.next(); token.kind != TokenKind::kEnd; token = lexer.next()) {
    found.emplace_back(token.kind == TokenKind::kString ? token.value : std::string(token.text));
  }
  return found;
}

std::string error_of(std::string_view text) {
  try {
    words(text);
  } catch (const SyntaxFault& fault) {
    return std::string(fault.what()) + " @" + std::to_string(fault.offset() - 100);
  }
  return "none";
}

using Words = std::vector<std::string>;

TEST(ExpressionLexer, SplitsOperatorsAtTheLongest) {
  EXPECT_EQ(words("a**b//c<<=d!=e"), (Words{"a", "**", "b", "//", "c", "<<=", "d", "!=", "e"}));
  EXPECT_EQ(words("x.y[0]"), (Words{"x", ".", "y", "[", "0", "]"}));
}

TEST(ExpressionLexer, NamesMayBeUnicode) { EXPECT_EQ(words("größe _x1"), (Words{"größe", "_x1"})); }

TEST(ExpressionLexer, Numbers) {
  ExpressionLexer lexer("0x1F 0b101 0o17 1_000 .5 1. 1e3 2.5E-1", 0);
  EXPECT_EQ(lexer.next().integer, 31);
  EXPECT_EQ(lexer.next().integer, 5);
  EXPECT_EQ(lexer.next().integer, 15);
  EXPECT_EQ(lexer.next().integer, 1000);
  for (double wanted : {0.5, 1.0, 1000.0, 0.25}) {
    const Token token = lexer.next();
    EXPECT_EQ(token.kind, TokenKind::kFloat);
    EXPECT_EQ(token.real, wanted);
  }
}

TEST(ExpressionLexer, Strings) {
  EXPECT_EQ(words(R"('a' "b\"c" '\n\x41\u00e4' r'\n' '''x'y''')"),
            (Words{"a", "b\"c", "\nA\u00e4", "\\n", "x'y"}));
}

TEST(ExpressionLexer, SaysWhatIsWrongAndWhere) {
  EXPECT_EQ(error_of("a $"), "unexpected character '$' @2");
  EXPECT_EQ(error_of("'abc"), "string without its closing quote @0");
  EXPECT_EQ(error_of("'a\nb'"), "string without its closing quote @0");
  EXPECT_EQ(error_of("1abc"), "malformed number @0");
  EXPECT_EQ(error_of("0x"), "malformed number @0");
  EXPECT_EQ(error_of("012"), "leading zeros in a decimal number @0");
  EXPECT_EQ(error_of("9223372036854775808"), "integer beyond 64 bits @0");
  EXPECT_EQ(error_of("b'x'"), "bytes literals are not supported: text is str @0");
  EXPECT_EQ(error_of("'\\x4'"), "malformed escape '\\x' @1");
  EXPECT_EQ(error_of("'\\U00110000'"), "malformed escape '\\U' @1");
}

}  // namespace
}  // namespace coronado::web::templates
