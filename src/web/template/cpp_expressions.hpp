/// Expressions of a template to expressions of C++.
///
/// Layer: web.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "web/template/cpp_names.hpp"
#include "web/template/linker.hpp"
#include "web/template/simplify.hpp"

namespace coronado::web::templates {

class CppExpressions {
 public:
  /// Params  sites  The number of a place, for `TemplateRun`.
  CppExpressions(CppNames& names, std::function<std::string(std::uint32_t offset)> sites,
                 std::function<void(std::uint32_t offset, const std::string& message)> fail)
      : names_(names), sites_(std::move(sites)), fail_(std::move(fail)) {}

  void restart();

  /// An expression of whatever type its value has.
  std::string any(const Expression& expression);
  /// The same as a `TemplateValue`.
  std::string value(const Expression& expression);
  /// The same as a bool.
  std::string condition(const Expression& expression);
  /// `{% module Name(...) %}`.
  std::string module(const Expression& expression);
  /// What a name is, without a look at whether it has a value.
  std::string name_or_undefined(std::string_view name);
  /// A name that is read.
  std::string name(std::string_view name, std::uint32_t offset);
  /// The lambda that reads a member: what the compiler checks.
  static std::string getter(std::string_view member);
  /// `r.op(site, value, ...)` for an operator of two values.
  std::string binary(Operator op, std::uint32_t offset, const std::string& left,
                     const std::string& right) const;
  /// Statements that give a target its value.
  std::string assign(const Expression& target, const std::string& value, bool declares);

  /// Statements that write the text of an expression that makes it of pieces, escaped, without the
  /// whole text on the way. Empty: it is no such expression.
  std::string emit_parts(const Expression& expression);
  /// Definitions of the constants that the expressions use.
  const std::vector<std::string>& constants() const noexcept { return constants_; }

  /// The names that come from the context or from outside: each is looked up once.
  const std::set<std::string, std::less<>>& outside() const noexcept { return outside_; }
  bool awaits() const noexcept { return awaits_; }

 private:
  std::string attribute(const Expression& expression);
  std::string call(const Expression& expression);
  std::string compare(const Expression& expression);
  std::string logical(const Expression& expression);
  std::string comprehension(const Expression& expression);
  std::string loops(const Expression& expression, std::size_t depth, const std::string& result);
  std::string lambda(const Expression& expression);
  std::string format(const Expression& expression);
  std::string values(const Expression& expression, std::size_t first = 0);
  std::string await(const Expression& expression);
  std::string add_constant(std::string_view type, const std::string& value);
  std::string add_field(const TemplateFormatField& field);
  std::string add_percent(const Expression& expression, const SplitPercent& split);
  std::string site(const Expression& expression) const { return sites_(expression.offset); }

  CppNames& names_;
  std::function<std::string(std::uint32_t offset)> sites_;
  std::function<void(std::uint32_t offset, const std::string& message)> fail_;
  std::set<std::string, std::less<>> outside_;
  const Expression* module_name_ = nullptr;
  std::size_t lambdas_ = 0;  // around
  bool awaits_ = false;
  std::vector<std::string> constants_;
};

}  // namespace coronado::web::templates
