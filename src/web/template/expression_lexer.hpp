/// Splits the text of an expression into tokens.
///
/// Layer: web.   Spec  The Python Language Reference, 2: numbers, strings, operators.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

#include "web/template/tree.hpp"

namespace coronado::web::templates {

/// What a parser throws; whoever knows the file makes a `ParseError` of it.
class SyntaxFault : public std::runtime_error {
 public:
  SyntaxFault(std::size_t offset, const std::string& message)
      : std::runtime_error(message), offset_(offset) {}
  std::size_t offset() const noexcept { return offset_; }

 private:
  std::size_t offset_;
};

enum class TokenKind : std::uint8_t {
  kEnd,
  kName,
  kInt,
  kFloat,
  kString,        // value: the characters it stands for
  kFormatString,  // text: the raw characters between the quotes
  kOperator,
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  std::size_t offset = 0;  // in the file
  std::string_view text = {};
  std::string value = {};  // of a string
  std::int64_t integer = 0;
  double real = 0;
  bool raw = false;                // an f-string with r
  std::size_t content_offset = 0;  // of the characters between the quotes
};

class ExpressionLexer {
 public:
  /// Params  text    The expression.
  ///         offset  Where it stands in its file.
  ExpressionLexer(std::string_view text, std::size_t offset) : text_(text), base_(offset) {}

  /// The next token.   Throws  SyntaxFault  A malformed number or string, or a wrong character.
  Token next();

 private:
  void skip_space() noexcept;
  Token read_number();
  std::size_t decimal_end(std::size_t end, TokenKind& kind) const;
  double float_value(std::string number, std::size_t begin) const;
  std::int64_t int_value(const std::string& number, int base, std::size_t begin) const;
  Token read_name();
  Token read_string(std::size_t prefix_length, bool raw, bool format);
  Token read_operator();
  [[noreturn]] void fail(std::size_t position, const std::string& message) const;

  std::string_view text_;
  std::size_t base_;
  std::size_t position_ = 0;
};

/// Replaces the escape sequences of a string literal.
/// Throws  SyntaxFault  `\x`, `\u` or `\U` without its digits, or beyond Unicode.
std::string unescape_literal(std::string_view text, std::size_t offset);

}  // namespace coronado::web::templates
