/// Expressions: tokens to a tree.
///
/// Layer: web.   Spec  The Python Language Reference, 6, without what templates do not need: no
/// assignment expressions, sets, generators that stay generators, `yield`, `*` and `**` arguments.
#pragma once

#include <string_view>

#include "web/template/expression_lexer.hpp"
#include "web/template/tree.hpp"

namespace coronado::web::templates {

/// Deepest nesting of one expression.
inline constexpr std::uint32_t kMaxExpressionDepth = 200;

class ExpressionParser {
 public:
  /// Params  text    All of it is read.
  ///         offset  Where it stands in its file.
  ExpressionParser(std::string_view text, std::size_t offset, std::uint32_t depth = 0)
      : lexer_(text, offset), level_(depth) {
    advance();
  }

  // Each throws SyntaxFault with the place and what was expected there.

  /// One expression, or several with commas between them, which are a tuple.
  ExpressionPtr parse_expressions();
  ExpressionPtr parse_expression();
  /// What may stand before `=` and after `for`: names, subscripts, and tuples of them.
  ExpressionPtr parse_target();

  bool at_end() const noexcept { return token_.kind == TokenKind::kEnd; }
  /// Throws  SyntaxFault  There is more.
  void expect_end();
  /// Whether the next token is this operator or word; it is taken.
  bool accept(std::string_view text);
  void expect(std::string_view text, std::string_view context);
  /// Throws  SyntaxFault  The next token is no name, or a reserved word.
  std::string expect_name(std::string_view what);
  /// The operator of `+=` and its kin, if that is next; it is taken.
  bool accept_augmented(Operator& op);
  const Token& token() const noexcept { return token_; }

  /// Throws  SyntaxFault  Nothing can be assigned to `target`.
  static void check_target(const Expression& target);

 private:
  /// One level of nesting, for as long as it lives.
  class Level {
   public:
    explicit Level(ExpressionParser& owner) : parser_(owner) {
      if (++parser_.level_ > kMaxExpressionDepth) {
        throw SyntaxFault(parser_.token_.offset, "expression nested too deeply");
      }
    }
    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;
    ~Level() { --parser_.level_; }

   private:
    ExpressionParser& parser_;
  };

  void advance() { token_ = lexer_.next(); }
  bool is(std::string_view text) const noexcept {
    return (token_.kind == TokenKind::kOperator || token_.kind == TokenKind::kName) &&
           token_.text == text;
  }
  [[noreturn]] void fail_expected(std::string_view what) const;
  ExpressionPtr make(ExpressionKind kind, std::size_t offset) const;
  void adopt(Expression& parent, ExpressionPtr child) const;
  ExpressionPtr make_binary(Operator op, std::size_t offset, ExpressionPtr left,
                            ExpressionPtr right) const;

  ExpressionPtr parse_lambda();
  ExpressionPtr parse_or();
  ExpressionPtr parse_and();
  ExpressionPtr parse_not();
  ExpressionPtr parse_comparison();
  ExpressionPtr parse_binary(int least);
  ExpressionPtr parse_unary();
  ExpressionPtr parse_power();
  ExpressionPtr parse_postfix();
  ExpressionPtr parse_atom();
  ExpressionPtr parse_call(ExpressionPtr callee);
  ExpressionPtr parse_subscript(ExpressionPtr object);
  ExpressionPtr parse_parenthesis();
  ExpressionPtr parse_list();
  ExpressionPtr parse_dict();
  ExpressionPtr parse_strings();
  void parse_format(Expression& format, const Token& token);
  std::size_t parse_field(Expression& format, const Token& token, std::size_t begin);
  void parse_loops(Expression& comprehension);
  bool accept_comparison(Operator& op);

  ExpressionLexer lexer_;
  Token token_;
  std::uint32_t level_ = 0;
};

}  // namespace coronado::web::templates
