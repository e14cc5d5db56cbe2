/// A path pattern taken apart: what the route table matches by and builds URLs from.
///
/// Layer: web.
#pragma once

#include <coronado/web/routing.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace coronado {

/// Literal text, or one parameter.
struct PatternPiece {
  bool is_parameter = false;
  ParameterKind kind = ParameterKind::kSegment;
  std::string text;  ///< the literal, or the parameter's name
};

class PathPattern {
 public:
  /// Throws  UsageError  The pattern is malformed; the message names it and the place.
  explicit PathPattern(const Pattern& pattern);

  const std::string& text() const noexcept { return text_; }

  /// The pieces of a brace pattern, in order; empty for a regular expression.
  const std::vector<PatternPiece>& pieces() const noexcept { return pieces_; }

  /// Whether it must be matched by `regex()` and cannot be a way through the tree.
  bool needs_regex() const noexcept { return !regex_.empty(); }
  const std::string& regex() const noexcept { return regex_; }

  /// Text that every matching path starts with.
  const std::string& literal_prefix() const noexcept { return literal_prefix_; }

  const std::vector<std::string>& names() const noexcept { return names_; }
  const std::vector<ParameterKind>& kinds() const noexcept { return kinds_; }

  /// Build the path that this pattern matches with `arguments` as its parameters.
  /// Throws  UsageError  Wrong number of arguments, one does not fit its parameter, or the
  ///                     expression is too complicated.
  std::string reverse(std::span<const std::string_view> arguments) const;

 private:
  void parse_braces();
  void add_parameter(std::string_view body, std::size_t place);
  void check_neighbours() const;
  bool has_crowded_segment() const;
  std::string to_regex() const;
  void parse_regex();
  void plan_regex_reversal();
  [[noreturn]] void fail(std::string_view why, std::size_t place) const;

  std::string text_;
  std::vector<PatternPiece> pieces_;
  std::string regex_;
  std::string literal_prefix_;
  std::vector<std::string> names_;
  std::vector<ParameterKind> kinds_;
  std::vector<PatternPiece> reversal_;
  bool reversible_ = true;
};

/// Whether `value` is what a parameter of `kind` accepts.
bool accepts(ParameterKind kind, std::string_view value) noexcept;

}  // namespace coronado
