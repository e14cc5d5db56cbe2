/// Which form of a text is for how many things: the rule of a gettext catalogue.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace coronado::web {

/// `nplurals=2; plural=n != 1;`, compiled.
class PluralRule {
 public:
  /// The rule of English.
  PluralRule();

  /// Params  text  The value of `Plural-Forms`.
  /// Throws  UsageError  It is no such rule, or too complicated; the message shows it.
  /// Spec    GNU gettext, "Additional functions for plural forms": a C expression in `n`.
  explicit PluralRule(std::string_view text);

  /// The number of the form, less than `forms()`.
  std::size_t form_of(std::uint64_t n) const noexcept;
  std::size_t forms() const noexcept { return forms_; }

 private:
  friend class PluralParser;
  enum class Operation : unsigned char {
    kN,
    kNumber,
    kNot,
    kMultiply,
    kDivide,
    kModulo,
    kAdd,
    kSubtract,
    kLess,
    kGreater,
    kLessEqual,
    kGreaterEqual,
    kEqual,
    kNotEqual,
    kAnd,
    kOr,
    kChoose,
  };
  struct Node {
    Operation operation;
    std::uint64_t number = 0;     // of kNumber
    std::uint16_t operands[3]{};  // indices of nodes
  };
  std::uint64_t value_of(std::uint16_t node, std::uint64_t n) const noexcept;

  std::vector<Node> nodes_;
  std::uint16_t root_ = 0;
  std::size_t forms_ = 2;
};

}  // namespace coronado::web
