/// Expressions to instructions that leave one value on the stack.
///
/// Layer: web.
#pragma once

#include <optional>

#include "web/template/code_builder.hpp"

namespace coronado::web::templates {

class ExpressionCompiler {
 public:
  explicit ExpressionCompiler(CodeBuilder& code) : code_(code) {}

  /// Throws  ParseError  `await` inside a lambda, or too many names.
  void compile(const Expression& expression);

  /// Code that goes on where the expression is true.
  /// Returns  The jumps for when it is false.
  std::vector<std::uint32_t> compile_condition(const Expression& expression);

  /// Code that writes the text of an expression that makes it of pieces, escaped by the function in
  /// the slot `function`, without the whole text on the way.
  /// Returns  False, and nothing happened: it is no such expression.
  bool compile_emit(const Expression& expression, std::uint32_t function);

  /// `{% module Name(...) %}`: the outermost name is looked up in `_tt_modules`.
  void compile_module(const Expression& expression);

  /// [v ->] v, taken apart if `target` is a tuple, goes where it is assigned.
  void store(const Expression& target);

  /// As `store`, for variables of a comprehension.
  void store_declared(const Expression& target);

 private:
  void compile_children(const Expression& expression, std::size_t first = 0);
  void compile_attribute(const Expression& expression);
  void compile_binary(const Expression& expression);
  void compile_name(const Expression& name);
  void compile_call(const Expression& call);
  void compile_compare(const Expression& compare);
  void compile_logical(const Expression& expression, Op jump);
  void compile_conditional(const Expression& expression);
  void compile_comprehension(const Expression& expression);
  void compile_loops(const Expression& expression, std::size_t depth, std::uint32_t result);
  void compile_lambda(const Expression& lambda);
  void compile_format(const Expression& format);
  void compile_field(const Expression& field);
  /// A `TemplatePercent` for a constant text with one field before `%`.
  std::optional<std::uint32_t> add_percent(const Expression& expression);
  void compile_slice(const Expression& slice);
  void store_with(const Expression& target, bool declared);

  CodeBuilder& code_;
  const Expression* module_name_ = nullptr;
  bool in_lambda_ = false;
};

}  // namespace coronado::web::templates
