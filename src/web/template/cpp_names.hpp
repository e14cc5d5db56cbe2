/// Where the names of a template live in the C++ made of it.
///
/// A name that is assigned in one place, and read only where that is seen, becomes a C++ constant
/// of whatever type its value has. Every other name that a template assigns is a variable at the
/// top of the function, a `TemplateValue`. Which one a name is shows only at the end of the
/// template; the generator therefore runs again until no more names turn out to be variables.
///
/// Layer: web.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace coronado::web::templates {

/// A C++ identifier for a name.
std::string cpp_identifier(std::string_view name);
/// Whether `name` can be a member of a C++ struct.
bool is_cpp_member(std::string_view name);
/// `text` as a C++ string literal, with its quotes.
std::string cpp_literal(std::string_view text);
/// The same as a std::string_view, which may have a NUL.
std::string cpp_view(std::string_view text);

class CppNames {
 public:
  enum class Kind { kConstant, kVariable, kOutside };
  struct Found {
    Kind kind = Kind::kOutside;
    std::string cpp = {};
  };

  /// Begins again, with what was learnt.
  void restart();
  /// Whether a name turned out to be a variable since `restart`.
  bool learnt() const noexcept { return learnt_; }

  // Scopes. A function is the template, or the body of an `apply`; `assigned` are its own names.
  void push_function(std::set<std::string, std::less<>> assigned);
  void push_block() { blocks_.push_back({.function = current_function()}); }
  /// The body of a lambda: what it uses of the outside must be variables.
  void push_lambda() { blocks_.push_back({.function = current_function(), .is_lambda = true}); }
  /// A comprehension, whose loop variables are its own.
  void push_comprehension() {
    blocks_.push_back({.function = current_function(), .is_comprehension = true});
  }
  void pop() { blocks_.pop_back(); }

  /// What a name is here.
  /// Throws  std::runtime_error  A lambda uses a name that cannot become a variable.
  Found find(std::string_view name);
  /// The constant that an assignment makes, in the innermost block; or the variable it sets.
  Found assign(const std::string& name);
  /// A constant of the innermost block, whatever else has the name.
  std::string declare(const std::string& name);
  /// The variables of the innermost function: names and their C++ names.
  std::vector<std::pair<std::string, std::string>> variables() const;
  /// The C++ names of the variables of all functions but the first.
  std::vector<std::string> inner_variables() const;
  /// A name that nothing else has.
  std::string fresh(std::string_view what);

 private:
  struct Block {
    std::size_t function = 0;  // in functions_
    bool is_function = false;
    bool is_lambda = false;
    bool is_comprehension = false;
    std::map<std::string, std::string, std::less<>> constants = {};
  };
  using Key = std::pair<std::size_t, std::string>;

  std::size_t current_function() const noexcept { return blocks_.back().function; }
  bool is_variable(std::size_t function, std::string_view name) const;
  Found make_variable(std::size_t function, std::string_view name);
  static std::string variable_name(std::size_t function, std::string_view name);

  std::vector<std::set<std::string, std::less<>>> functions_;  // the names that each assigns
  std::vector<Block> blocks_;
  std::set<Key> variables_;
  bool learnt_ = false;
  std::size_t counter_ = 0;
};

}  // namespace coronado::web::templates
