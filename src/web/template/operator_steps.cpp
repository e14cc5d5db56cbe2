// Steps of operators, comparisons and formatting.
#include <array>
#include <utility>

#include "web/template/format.hpp"
#include "web/template/machine_steps.hpp"
#include "web/template/operators.hpp"

namespace coronado::web::templates {

using Status = MachineStatus;

struct OperatorSteps {
  static Status unary(Machine& m, const Instruction* at, TemplateValue* top) {
    m.current_ = at;
    top[-1] = templates::unary(static_cast<Operator>(at->a), top[-1]);
    [[clang::musttail]] return at[1].step(m, at + 1, top);
  }

  /// What most operators do: integers, without overflow. False: `templates::binary` knows.
  template <Operator op>
  static bool quick(std::int64_t x, std::int64_t y, std::int64_t& result) {
    if constexpr (op == Operator::kAdd) return !__builtin_add_overflow(x, y, &result);
    if constexpr (op == Operator::kSubtract) return !__builtin_sub_overflow(x, y, &result);
    if constexpr (op == Operator::kMultiply) return !__builtin_mul_overflow(x, y, &result);
    if constexpr (op == Operator::kModulo) {
      if (y <= 0) return false;
      if ((y & (y - 1)) == 0) {  // the last bits, of negative numbers too
        result = x & (y - 1);
        return true;
      }
      if (x < 0) return false;
      // A division of 32 bits takes a third of the time.
      result = ((x | y) >> 32) == 0 ? static_cast<std::int64_t>(static_cast<std::uint32_t>(x) %
                                                                static_cast<std::uint32_t>(y))
                                    : x % y;
      return true;
    }
    return false;
  }
  template <Operator op>
  static Status binary(Machine& m, const Instruction* at, TemplateValue* top) {
    std::int64_t result = 0;
    if (top[-2].is_int() && top[-1].is_int() &&
        quick<op>(top[-2].as_int(), top[-1].as_int(), result)) [[likely]] {
      top[-2] = TemplateValue::integer(result);
      [[clang::musttail]] return at[1].step(m, at + 1, top - 1);
    }
    [[clang::musttail]] return binary_slow(m, at, top);
  }
  template <Operator op>
  static Status binary_constant(Machine& m, const Instruction* at, TemplateValue* top) {
    const TemplateValue& constant = m.constants_[at->b];
    std::int64_t result = 0;
    if (top[-1].is_int() && constant.is_int() &&
        quick<op>(top[-1].as_int(), constant.as_int(), result)) [[likely]] {
      top[-1] = TemplateValue::integer(result);
      [[clang::musttail]] return at[1].step(m, at + 1, top);
    }
    *top = constant;
    [[clang::musttail]] return binary_slow(m, at, top + 1);
  }
  [[gnu::noinline]] static Status binary_slow(Machine& m, const Instruction* at,
                                              TemplateValue* top) {
    m.current_ = at;
    top[-2] = templates::binary(static_cast<Operator>(at->a), top[-2], top[-1], m.memory_);
    [[clang::musttail]] return at[1].step(m, at + 1, top - 1);
  }
  static Status percent(Machine& m, const Instruction* at, TemplateValue* top) {
    m.current_ = at;
    top[-1] = m.percent(m.program_.percents[at->b], top[-1]);
    [[clang::musttail]] return at[1].step(m, at + 1, top);
  }
  static Status format_field(Machine& m, const Instruction* at, TemplateValue* top) {
    m.current_ = at;
    top[-1] = m.field_text(m.program_.fields[at->b], top[-1]);
    [[clang::musttail]] return at[1].step(m, at + 1, top);
  }
  static Status format(Machine& m, const Instruction* at, TemplateValue* top) {
    m.current_ = at;
    top[-2] = m.format(top[-2], top[-1], static_cast<char>(at->a));
    [[clang::musttail]] return at[1].step(m, at + 1, top - 1);
  }
  static Status join(Machine& m, const Instruction* at, TemplateValue* top) {
    m.current_ = at;
    top -= at->b;
    *top = m.join({top, at->b});
    [[clang::musttail]] return at[1].step(m, at + 1, top + 1);
  }
  static Status to_string(Machine& m, const Instruction* at, TemplateValue* top) {
    m.current_ = at;
    if (!top[-1].is_string()) top[-1] = new_string(template_to_string(top[-1]), m.memory_);
    [[clang::musttail]] return at[1].step(m, at + 1, top);
  }

  template <Operator op, class T>
  static bool ordered(T x, T y) {
    if constexpr (op == Operator::kEqual) return x == y;
    if constexpr (op == Operator::kNotEqual) return x != y;
    if constexpr (op == Operator::kLess) return x < y;
    if constexpr (op == Operator::kLessEqual) return x <= y;
    if constexpr (op == Operator::kGreater) return x > y;
    return x >= y;
  }
  static constexpr bool is_order(Operator op) {
    return op >= Operator::kEqual && op <= Operator::kGreaterEqual;
  }
  /// What most comparisons are: two numbers, of which the first one says how they are compared.
  /// False: `templates::compare` knows.
  template <Operator op>
  static bool quick_order(const TemplateValue& a, const TemplateValue& b, bool& result) {
    constexpr std::int64_t kExact = std::int64_t{1} << 53;  // a double holds every integer up to it
    if constexpr (is_order(op)) {
      if (a.is_int() && b.is_int()) {
        result = ordered<op>(a.as_int(), b.as_int());
        return true;
      }
      if (a.kind() == TemplateKind::kFloat) {
        if (b.is_int() && b.as_int() <= kExact && b.as_int() >= -kExact) {
          result = ordered<op>(a.as_float(), static_cast<double>(b.as_int()));
          return true;
        }
        if (b.kind() == TemplateKind::kFloat) {
          result = ordered<op>(a.as_float(), b.as_float());
          return true;
        }
      }
    }
    return false;
  }
  template <Operator op>
  static Status compare(Machine& m, const Instruction* at, TemplateValue* top) {
    m.current_ = at;
    bool result = false;
    if (!quick_order<op>(top[-2], top[-1], result)) {
      result = templates::compare(op, top[-2], top[-1], m.memory_);
    }
    top[-2] = TemplateValue::boolean(result);
    [[clang::musttail]] return at[1].step(m, at + 1, top - 1);
  }
  template <Operator op>
  static Status compare_jump(Machine& m, const Instruction* at, TemplateValue* top) {
    bool result = false;
    if (!quick_order<op>(top[-2], top[-1], result)) {
      [[clang::musttail]] return compare_jump_slow(m, at, top);
    }
    const Instruction* next = result ? at + 1 : m.code_ + at->b;
    [[clang::musttail]] return next->step(m, next, top - 2);
  }
  template <Operator op>
  static Status compare_constant_jump(Machine& m, const Instruction* at, TemplateValue* top) {
    const TemplateValue& constant = m.constants_[at->a];
    bool result = false;
    if (!quick_order<op>(top[-1], constant, result)) {
      *top = constant;
      [[clang::musttail]] return compare_jump_slow(m, at, top + 1);
    }
    const Instruction* next = result ? at + 1 : m.code_ + at->b;
    [[clang::musttail]] return next->step(m, next, top - 1);
  }
  [[gnu::noinline]] static Status compare_jump_slow(Machine& m, const Instruction* at,
                                                    TemplateValue* top) {
    m.current_ = at;
    const bool result =
        templates::compare(static_cast<Operator>(at->c), top[-2], top[-1], m.memory_);
    const Instruction* next = result ? at + 1 : m.code_ + at->b;
    [[clang::musttail]] return next->step(m, next, top - 2);
  }

  template <template <Operator> class Of, std::size_t... I>
  static constexpr std::array<Step, sizeof...(I)> for_operators(std::index_sequence<I...>) {
    return {Of<static_cast<Operator>(I)>::kStep...};
  }
  template <template <Operator> class Of>
  static constexpr auto kForOperators =
      for_operators<Of>(std::make_index_sequence<static_cast<std::size_t>(Operator::kIsNot) + 1>());

  template <Operator op>
  struct Binary {
    static constexpr Step kStep = binary<op>;
  };
  template <Operator op>
  struct BinaryConstant {
    static constexpr Step kStep = binary_constant<op>;
  };
  template <Operator op>
  struct Compare {
    static constexpr Step kStep = compare<op>;
  };
  template <Operator op>
  struct CompareJump {
    static constexpr Step kStep = compare_jump<op>;
  };
  template <Operator op>
  struct CompareConstantJump {
    static constexpr Step kStep = compare_constant_jump<op>;
  };

  static Step of(const Instruction& instruction) noexcept;
};

Step OperatorSteps::of(const Instruction& instruction) noexcept {
  switch (instruction.op) {
    case Op::kUnary: return unary;
    case Op::kBinary: return kForOperators<Binary>[instruction.a];
    case Op::kBinaryConstant: return kForOperators<BinaryConstant>[instruction.a];
    case Op::kPercent: return percent;
    case Op::kFormatField: return format_field;
    case Op::kCompare: return kForOperators<Compare>[instruction.a];
    case Op::kCompareJump: return kForOperators<CompareJump>[instruction.c];
    case Op::kCompareConstantJump: return kForOperators<CompareConstantJump>[instruction.c];
    case Op::kToString: return to_string;
    case Op::kFormat: return format;
    case Op::kJoin: return join;
    default: return nullptr;
  }
}

Step operator_step(const Instruction& instruction) noexcept {
  return OperatorSteps::of(instruction);
}

}  // namespace coronado::web::templates
