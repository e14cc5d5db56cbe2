#include "web/plural_rule.hpp"

#include <coronado/base/error.hpp>
#include <coronado/base/strings.hpp>

#include <array>
#include <string>
#include <utility>

namespace coronado::web {

/// Recursive descent over C's operators, from the loosest to the tightest.
class PluralParser {
 public:
  PluralParser(std::string_view whole, std::string_view expression, PluralRule& rule)
      : whole_(whole), rest_(expression), rule_(rule) {}

  void parse() {
    rule_.root_ = choice();
    skip();
    if (!rest_.empty()) fail();
  }

 private:
  using Operation = PluralRule::Operation;
  struct Operator {
    std::string_view text;
    Operation operation;
    int level;
  };
  // The longer of two that begin alike come first.
  static constexpr std::array<Operator, 13> kOperators{{{"||", Operation::kOr, 0},
                                                        {"&&", Operation::kAnd, 1},
                                                        {"==", Operation::kEqual, 2},
                                                        {"!=", Operation::kNotEqual, 2},
                                                        {"<=", Operation::kLessEqual, 3},
                                                        {">=", Operation::kGreaterEqual, 3},
                                                        {"<", Operation::kLess, 3},
                                                        {">", Operation::kGreater, 3},
                                                        {"+", Operation::kAdd, 4},
                                                        {"-", Operation::kSubtract, 4},
                                                        {"*", Operation::kMultiply, 5},
                                                        {"/", Operation::kDivide, 5},
                                                        {"%", Operation::kModulo, 5}}};
  static constexpr int kTightest = 5;
  static constexpr std::size_t kMaxNodes = 500;
  static constexpr int kMaxDepth = 50;

  [[noreturn]] void fail() const {
    throw UsageError("not a rule for plurals: \"" + std::string(whole_.substr(0, 200)) + '"');
  }

  void skip() { rest_ = trim(rest_); }

  bool take(std::string_view text) {
    skip();
    if (!rest_.starts_with(text)) return false;
    rest_.remove_prefix(text.size());
    return true;
  }

  std::uint16_t add(Operation operation, std::uint64_t number, std::uint16_t a = 0,
                    std::uint16_t b = 0, std::uint16_t c = 0) {
    if (rule_.nodes_.size() == kMaxNodes) fail();
    rule_.nodes_.push_back({operation, number, {a, b, c}});
    return static_cast<std::uint16_t>(rule_.nodes_.size() - 1);
  }

  std::uint16_t choice() {
    if (++depth_ > kMaxDepth) fail();
    const std::uint16_t condition = binary(0);
    std::uint16_t result = condition;
    if (take("?")) {
      const std::uint16_t yes = choice();
      if (!take(":")) fail();
      result = add(Operation::kChoose, 0, condition, yes, choice());
    }
    --depth_;
    return result;
  }

  std::uint16_t binary(int level) {
    if (level > kTightest) return unary();
    std::uint16_t left = binary(level + 1);
    while (const Operator* each = next_operator(level)) {
      left = add(each->operation, 0, left, binary(level + 1));
    }
    return left;
  }

  const Operator* next_operator(int level) {
    for (const Operator& each : kOperators) {
      if (each.level == level && take(each.text)) return &each;
    }
    return nullptr;
  }

  std::uint16_t unary() {
    if (++depth_ > kMaxDepth) fail();
    std::uint16_t result = 0;
    if (take("!")) {
      result = add(Operation::kNot, 0, unary());
    } else if (take("(")) {
      result = choice();
      if (!take(")")) fail();
    } else if (take("n")) {
      result = add(Operation::kN, 0);
    } else {
      result = number();
    }
    --depth_;
    return result;
  }

  std::uint16_t number() {
    std::size_t digits = 0;
    while (digits < rest_.size() && is_ascii_digit(rest_[digits])) ++digits;
    const auto value = parse_int<std::uint64_t>(rest_.substr(0, digits));
    if (!value) fail();
    rest_.remove_prefix(digits);
    return add(Operation::kNumber, *value);
  }

  std::string_view whole_;
  std::string_view rest_;
  PluralRule& rule_;
  int depth_ = 0;
};

PluralRule::PluralRule() : PluralRule("nplurals=2; plural=n != 1;") {}

PluralRule::PluralRule(std::string_view text) {
  const std::size_t semicolon = text.find(';');
  const std::string_view count = trim(text.substr(0, semicolon));
  std::string_view rule =
      semicolon == std::string_view::npos ? std::string_view() : trim(text.substr(semicolon + 1));
  const bool named = count.starts_with("nplurals=") && rule.starts_with("plural=");
  const auto forms = named ? parse_int<std::uint32_t>(trim(count.substr(9))) : std::nullopt;
  if (!forms || *forms == 0 || *forms > 10) {
    throw UsageError("not a rule for plurals: \"" + std::string(text.substr(0, 200)) + '"');
  }
  forms_ = *forms;
  rule.remove_prefix(7);
  if (rule.ends_with(';')) rule.remove_suffix(1);
  PluralParser(text, rule, *this).parse();
}

std::size_t PluralRule::form_of(std::uint64_t n) const noexcept {
  const std::uint64_t form = value_of(root_, n);
  return form < forms_ ? static_cast<std::size_t>(form) : 0;
}

std::uint64_t PluralRule::value_of(std::uint16_t index, std::uint64_t n) const noexcept {
  const Node& node = nodes_[index];
  const auto operand = [&](int which) { return value_of(node.operands[which], n); };
  switch (node.operation) {
    case Operation::kN: return n;
    case Operation::kNumber: return node.number;
    case Operation::kNot: return operand(0) == 0;
    case Operation::kMultiply: return operand(0) * operand(1);
    case Operation::kDivide:
    case Operation::kModulo: {
      const std::uint64_t divisor = operand(1);
      if (divisor == 0) return 0;
      return node.operation == Operation::kDivide ? operand(0) / divisor : operand(0) % divisor;
    }
    case Operation::kAdd: return operand(0) + operand(1);
    case Operation::kSubtract: return operand(0) - operand(1);
    case Operation::kLess: return operand(0) < operand(1);
    case Operation::kGreater: return operand(0) > operand(1);
    case Operation::kLessEqual: return operand(0) <= operand(1);
    case Operation::kGreaterEqual: return operand(0) >= operand(1);
    case Operation::kEqual: return operand(0) == operand(1);
    case Operation::kNotEqual: return operand(0) != operand(1);
    case Operation::kAnd: return operand(0) != 0 && operand(1) != 0;
    case Operation::kOr: return operand(0) != 0 || operand(1) != 0;
    case Operation::kChoose: return operand(0) != 0 ? operand(1) : operand(2);
  }
  return 0;
}

}  // namespace coronado::web
