// Operators of one value and of two that make a new one.
#include <cmath>
#include <cstring>
#include <limits>

#include "web/template/format.hpp"
#include "web/template/iteration.hpp"
#include "web/template/operators.hpp"

namespace coronado::web::templates {
namespace {

using Kind = TemplateKind;

[[noreturn]] void fail_operands(Operator op, const TemplateValue& a, const TemplateValue& b) {
  fail_type("unsupported operand types for " + std::string(operator_text(op)) + ": " +
            quoted_type(a) + " and " + quoted_type(b));
}

[[noreturn]] void fail_overflow() {
  fail(TemplateErrorClass::kOverflowError, "integer result is beyond 64 bits");
}

[[noreturn]] void fail_zero() { fail(TemplateErrorClass::kZeroDivisionError, "division by zero"); }

TemplateValue add_integers(std::int64_t a, std::int64_t b) {
  std::int64_t result = 0;
  if (__builtin_add_overflow(a, b, &result)) fail_overflow();
  return TemplateValue::integer(result);
}

TemplateValue multiply_integers(std::int64_t a, std::int64_t b) {
  std::int64_t result = 0;
  if (__builtin_mul_overflow(a, b, &result)) fail_overflow();
  return TemplateValue::integer(result);
}

std::int64_t floor_divide(std::int64_t a, std::int64_t b) {
  if (b == 0) fail_zero();
  if (b == -1) {
    if (a == std::numeric_limits<std::int64_t>::min()) fail_overflow();
    return -a;
  }
  const std::int64_t quotient = a / b;
  return a % b != 0 && (a < 0) != (b < 0) ? quotient - 1 : quotient;
}

/// The remainder has the sign of the divisor.
std::int64_t modulo(std::int64_t a, std::int64_t b) {
  if (b == 0) fail_zero();
  if (b == -1) return 0;
  const std::int64_t rest = a % b;
  return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}

double modulo(double a, double b) {
  if (b == 0) fail_zero();
  double rest = std::fmod(a, b);
  if (rest == 0) return std::copysign(0.0, b);
  if ((rest < 0) != (b < 0)) rest += b;
  return rest;
}

TemplateValue power_integers(std::int64_t base, std::int64_t exponent) {
  if (exponent < 0) {
    if (base == 0) fail(TemplateErrorClass::kZeroDivisionError, "0 to a negative power");
    return TemplateValue::real(std::pow(static_cast<double>(base), static_cast<double>(exponent)));
  }
  std::int64_t result = 1;
  for (;;) {
    if ((exponent & 1) != 0 && __builtin_mul_overflow(result, base, &result)) fail_overflow();
    exponent >>= 1;
    if (exponent == 0) return TemplateValue::integer(result);
    if (__builtin_mul_overflow(base, base, &base)) fail_overflow();
  }
}

TemplateValue shift(Operator op, std::int64_t a, std::int64_t b) {
  if (b < 0) fail_value("negative shift count");
  if (op == Operator::kShiftRight)
    return TemplateValue::integer(a >> std::min<std::int64_t>(b, 63));
  if (a == 0) return TemplateValue::integer(0);
  if (b > 62) fail_overflow();
  return multiply_integers(a, std::int64_t{1} << b);
}

TemplateValue binary_integers(Operator op, std::int64_t a, std::int64_t b) {
  switch (op) {
    case Operator::kAdd: return add_integers(a, b);
    case Operator::kSubtract: {
      std::int64_t result = 0;
      if (__builtin_sub_overflow(a, b, &result)) fail_overflow();
      return TemplateValue::integer(result);
    }
    case Operator::kMultiply: return multiply_integers(a, b);
    case Operator::kDivide:
      if (b == 0) fail_zero();
      return TemplateValue::real(static_cast<double>(a) / static_cast<double>(b));
    case Operator::kFloorDivide: return TemplateValue::integer(floor_divide(a, b));
    case Operator::kModulo: return TemplateValue::integer(modulo(a, b));
    case Operator::kPower: return power_integers(a, b);
    case Operator::kBitAnd: return TemplateValue::integer(a & b);
    case Operator::kBitOr: return TemplateValue::integer(a | b);
    case Operator::kBitXor: return TemplateValue::integer(a ^ b);
    default: return shift(op, a, b);
  }
}

TemplateValue power_reals(double a, double b) {
  if (a == 0 && b < 0) fail(TemplateErrorClass::kZeroDivisionError, "0.0 to a negative power");
  if (a < 0 && b != std::trunc(b) && std::isfinite(b)) {
    fail_value("a negative number to a fractional power");
  }
  const double result = std::pow(a, b);
  if (std::isinf(result) && std::isfinite(a) && std::isfinite(b)) {
    fail(TemplateErrorClass::kOverflowError, "float result is too large");
  }
  return TemplateValue::real(result);
}

TemplateValue binary_reals(Operator op, const TemplateValue& left, const TemplateValue& right) {
  const double a = to_double(left);
  const double b = to_double(right);
  switch (op) {
    case Operator::kAdd: return TemplateValue::real(a + b);
    case Operator::kSubtract: return TemplateValue::real(a - b);
    case Operator::kMultiply: return TemplateValue::real(a * b);
    case Operator::kDivide:
      if (b == 0) fail_zero();
      return TemplateValue::real(a / b);
    case Operator::kFloorDivide: {
      if (b == 0) fail_zero();
      const double rest = modulo(a, b);
      return TemplateValue::real(std::round((a - rest) / b));
    }
    case Operator::kModulo: return TemplateValue::real(modulo(a, b));
    case Operator::kPower: return power_reals(a, b);
    default: fail_operands(op, left, right);
  }
}

/// `value * count` for text, lists and tuples.
TemplateValue repeat(const TemplateValue& value, std::int64_t count, TemplateMemory& memory) {
  const std::size_t times = count > 0 ? static_cast<std::size_t>(count) : 0;
  if (value.is_string()) {
    const std::string_view text = value.as_string();
    std::size_t size = 0;
    if (__builtin_mul_overflow(text.size(), times, &size) || size > (std::size_t{1} << 40)) {
      fail(TemplateErrorClass::kLimit, "the template uses too much memory");
    }
    char* place = memory.allocate_array<char>(size);
    for (std::size_t i = 0; i < size; i += text.size()) {
      std::memcpy(place + i, text.data(), text.size());
    }
    return TemplateValue::string({place, size});
  }
  const std::size_t size = length(value);
  std::size_t total = 0;
  if (__builtin_mul_overflow(size, times, &total) || total > (std::size_t{1} << 32)) {
    fail(TemplateErrorClass::kLimit, "the template uses too much memory");
  }
  TemplateList& list = memory.make<TemplateList>();
  list.reserve(total, memory);
  for (std::size_t i = 0; i < total; ++i) list.append(element(value, i % size, memory), memory);
  return is_tuple(value) ? TemplateValue::tuple(list) : TemplateValue::list(list);
}

TemplateValue concatenate(const TemplateValue& a, const TemplateValue& b, TemplateMemory& memory) {
  TemplateList& list = memory.make<TemplateList>();
  const std::size_t first = length(a);
  const std::size_t second = length(b);
  list.reserve(first + second, memory);
  for (std::size_t i = 0; i < first; ++i) list.append(element(a, i, memory), memory);
  for (std::size_t i = 0; i < second; ++i) list.append(element(b, i, memory), memory);
  return is_tuple(a) ? TemplateValue::tuple(list) : TemplateValue::list(list);
}

}  // namespace

TemplateValue binary(Operator op, const TemplateValue& a, const TemplateValue& b,
                     TemplateMemory& memory) {
  if (is_integral(a) && is_integral(b)) {
    const TemplateValue result = binary_integers(op, a.as_int(), b.as_int());
    const bool bits = op == Operator::kBitAnd || op == Operator::kBitOr || op == Operator::kBitXor;
    if (bits && a.kind() == Kind::kBool && b.kind() == Kind::kBool) {
      return TemplateValue::boolean(result.as_int() != 0);
    }
    return result;
  }
  if (is_number(a) && is_number(b)) return binary_reals(op, a, b);
  if (op == Operator::kAdd) {
    if (a.is_string() && b.is_string()) {
      const std::string_view x = a.as_string();
      const std::string_view y = b.as_string();
      char* place = memory.allocate_array<char>(x.size() + y.size());
      std::memcpy(place, x.data(), x.size());
      std::memcpy(place + x.size(), y.data(), y.size());
      return TemplateValue::string({place, x.size() + y.size()});
    }
    if (is_sequence(a) && is_sequence(b) && is_tuple(a) == is_tuple(b)) {
      return concatenate(a, b, memory);
    }
  } else if (op == Operator::kMultiply) {
    const auto repeats = [](const TemplateValue& value) {
      return value.is_string() || (is_sequence(value) && value.kind() != Kind::kRange);
    };
    if (is_integral(b) && repeats(a)) return repeat(a, b.as_int(), memory);
    if (is_integral(a) && repeats(b)) return repeat(b, a.as_int(), memory);
  } else if (op == Operator::kModulo && a.is_string()) {
    return new_string(percent_format(a.as_string(), b, memory), memory);
  } else if (op == Operator::kBitOr && is_mapping(a) && is_mapping(b)) {
    TemplateDict& dict = memory.make<TemplateDict>();
    const auto put = [&](const TemplateValue& key, const TemplateValue& value) {
      dict.put(key, value, memory);
    };
    for_each_pair(a, memory, put);
    for_each_pair(b, memory, put);
    return TemplateValue::dict(dict);
  }
  for (const TemplateValue* object : {&a, &b}) {
    TemplateValue result;
    if (object->is_object() && object->type().operate != nullptr &&
        object->type().operate(op, a, b, memory, result)) {
      return result;
    }
  }
  fail_operands(op, a, b);
}

TemplateValue unary(Operator op, const TemplateValue& value) {
  if (op == Operator::kNot) return TemplateValue::boolean(!is_true(value));
  if (is_integral(value)) {
    const std::int64_t integer = value.as_int();
    if (op == Operator::kPlus) return TemplateValue::integer(integer);
    if (op == Operator::kInvert) return TemplateValue::integer(~integer);
    if (integer == std::numeric_limits<std::int64_t>::min()) fail_overflow();
    return TemplateValue::integer(-integer);
  }
  if (value.kind() == Kind::kFloat && op != Operator::kInvert) {
    return TemplateValue::real(op == Operator::kNegate ? -value.as_float() : value.as_float());
  }
  fail_type("bad operand type for unary " + std::string(operator_text(op)) + ": " +
            quoted_type(value));
}

}  // namespace coronado::web::templates
