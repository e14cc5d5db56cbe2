#include "web/template/operators.hpp"

#include <coronado/base/strings.hpp>

#include <cmath>
#include <cstring>
#include <functional>
#include <limits>

#include "web/template/format.hpp"
#include "web/template/iteration.hpp"

namespace coronado::web::templates {
namespace {

constexpr int kMaxDepth = 60;  // of nested containers

using Kind = TemplateKind;

std::string quoted_type(const TemplateValue& value) {
  return "'" + std::string(template_type_name(value)) + "'";
}

[[noreturn]] void fail_operands(Operator op, const TemplateValue& a, const TemplateValue& b) {
  fail_type("unsupported operand types for " + std::string(operator_text(op)) + ": " +
            quoted_type(a) + " and " + quoted_type(b));
}

[[noreturn]] void fail_overflow() {
  fail(TemplateErrorClass::kOverflowError, "integer result is beyond 64 bits");
}

[[noreturn]] void fail_zero() { fail(TemplateErrorClass::kZeroDivisionError, "division by zero"); }

void check_depth(int depth) {
  if (depth > kMaxDepth) fail(TemplateErrorClass::kLimit, "containers nested too deeply");
}

bool is_integral(const TemplateValue& value) noexcept {
  return value.kind() == Kind::kInt || value.kind() == Kind::kBool;
}

/// -1, 0, 1; 2 when one is NaN. Exact also where a double cannot hold the integer.
int compare_numbers(const TemplateValue& a, const TemplateValue& b) {
  if (is_integral(a) && is_integral(b)) {
    return a.as_int() < b.as_int() ? -1 : a.as_int() > b.as_int() ? 1 : 0;
  }
  if (a.kind() == Kind::kFloat && b.kind() == Kind::kFloat) {
    const double x = a.as_float();
    const double y = b.as_float();
    return x < y ? -1 : x > y ? 1 : x == y ? 0 : 2;
  }
  if (is_integral(b)) {
    const int mirrored = compare_numbers(b, a);
    return mirrored == 2 ? 2 : -mirrored;
  }
  const std::int64_t integer = a.as_int();
  const double real = b.as_float();
  if (std::isnan(real)) return 2;
  if (real >= 9223372036854775808.0) return -1;
  if (real < -9223372036854775808.0) return 1;
  const double whole = std::trunc(real);
  const auto truncated = static_cast<std::int64_t>(whole);
  if (integer != truncated) return integer < truncated ? -1 : 1;
  return real > whole ? -1 : real < whole ? 1 : 0;
}

bool equal_mappings(const TemplateValue& a, const TemplateValue& b, int depth) {
  if (length(a) != length(b)) return false;
  TemplateMemory memory;
  bool same = true;
  for_each_pair(a, memory, [&](const TemplateValue& key, const TemplateValue& value) {
    if (!same) return;
    TemplateValue other;
    if (b.kind() == Kind::kDict) {
      const TemplateDict::Entry* entry = b.as<TemplateDict>().find(key);
      same = entry != nullptr && equal(value, entry->value, depth + 1);
    } else {
      same = b.type().find(b.pointer(), key, memory, other) && equal(value, other, depth + 1);
    }
  });
  return same;
}

bool is_tuple(const TemplateValue& value) {
  return value.kind() == Kind::kTuple || (value.is_object() && value.type().name == "tuple");
}

bool equal_sequences(const TemplateValue& a, const TemplateValue& b, int depth) {
  const std::size_t size = length(a);
  if (size != length(b) || is_tuple(a) != is_tuple(b)) return false;
  TemplateMemory memory;
  for (std::size_t i = 0; i < size; ++i) {
    if (!equal(element(a, i, memory), element(b, i, memory), depth + 1)) return false;
  }
  return true;
}

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

std::size_t normal_index(std::int64_t index, std::size_t size, const TemplateValue& of) {
  if (index < 0) index += static_cast<std::int64_t>(size);
  if (index < 0 || static_cast<std::uint64_t>(index) >= size) {
    fail(TemplateErrorClass::kIndexError,
         std::string(template_type_name(of)) + " index out of range");
  }
  return static_cast<std::size_t>(index);
}

struct Bounds {
  std::int64_t start;
  std::int64_t step;
  std::size_t count;
};

/// What Python's slice.indices() says.
Bounds slice_bounds(const TemplateValue& start, const TemplateValue& stop,
                    const TemplateValue& step_value, std::size_t size) {
  constexpr std::string_view kWhat = "slice indices";
  const auto length = static_cast<std::int64_t>(size);
  const std::int64_t step = step_value.is_none() ? 1 : to_integer(step_value, kWhat);
  if (step == 0) fail_value("slice step cannot be zero");
  const std::int64_t lowest = step > 0 ? 0 : -1;
  const std::int64_t highest = step > 0 ? length : length - 1;
  const auto clamp = [&](const TemplateValue& value, std::int64_t missing) {
    if (value.is_none()) return missing;
    std::int64_t at = to_integer(value, kWhat);
    if (at < 0) at = at < -length ? lowest : std::max(at + length, lowest);
    return std::min(at, highest);
  };
  const std::int64_t begin = clamp(start, step > 0 ? 0 : highest);
  const std::int64_t end = clamp(stop, step > 0 ? length : -1);
  std::uint64_t count = 0;
  if (step > 0 && begin < end) {
    count = static_cast<std::uint64_t>(end - begin - 1) / static_cast<std::uint64_t>(step) + 1;
  } else if (step < 0 && end < begin) {
    count =
        static_cast<std::uint64_t>(begin - end - 1) / (0 - static_cast<std::uint64_t>(step)) + 1;
  }
  return {begin, step, count};
}

TemplateValue slice_string(std::string_view text, const Bounds& bounds, TemplateMemory& memory) {
  if (bounds.step == 1) {
    const auto begin = static_cast<std::size_t>(bounds.start);
    return TemplateValue::string(substring(text, begin, begin + bounds.count));
  }
  std::vector<std::string_view> characters;
  for (std::string_view rest = text; !rest.empty();) {
    characters.push_back(first_character(rest));
    rest.remove_prefix(characters.back().size());
  }
  std::string out;
  for (std::size_t i = 0; i < bounds.count; ++i) {
    out += characters[static_cast<std::size_t>(bounds.start +
                                               static_cast<std::int64_t>(i) * bounds.step)];
  }
  return new_string(out, memory);
}

}  // namespace

bool is_sequence(const TemplateValue& value) noexcept {
  switch (value.kind()) {
    case Kind::kList:
    case Kind::kTuple:
    case Kind::kRange: return true;
    case Kind::kObject: return value.type().item != nullptr;
    default: return false;
  }
}

bool is_mapping(const TemplateValue& value) noexcept {
  return value.kind() == Kind::kDict || (value.is_object() && value.type().find != nullptr);
}

bool is_number(const TemplateValue& value) noexcept {
  return is_integral(value) || value.kind() == Kind::kFloat;
}

std::int64_t to_integer(const TemplateValue& value, std::string_view what) {
  if (!is_integral(value)) {
    fail_type(std::string(what) + " must be an int, not " + quoted_type(value));
  }
  return value.as_int();
}

double to_double(const TemplateValue& value) {
  return value.kind() == Kind::kFloat ? value.as_float() : static_cast<double>(value.as_int());
}

bool is_true(const TemplateValue& value) {
  switch (value.kind()) {
    case Kind::kUndefined:
    case Kind::kNone: return false;
    case Kind::kBool:
    case Kind::kInt: return value.as_int() != 0;
    case Kind::kFloat: return value.as_float() != 0;
    case Kind::kString: return !value.as_string().empty();
    case Kind::kList:
    case Kind::kTuple: return value.as<TemplateList>().size != 0;
    case Kind::kDict: return value.as<TemplateDict>().size != 0;
    case Kind::kRange: return value.as<TemplateRange>().size != 0;
    case Kind::kObject:
      return value.type().size == nullptr || value.type().size(value.pointer()) != 0;
    case Kind::kAwaitable: fail_type("a coroutine has no value before it is awaited");
    default: return true;
  }
}

bool equal(const TemplateValue& a, const TemplateValue& b, int depth) {
  check_depth(depth);
  if (a.is_string() && b.is_string()) return a.as_string() == b.as_string();
  if (is_number(a) && is_number(b)) return compare_numbers(a, b) == 0;
  if (a.is_none() || b.is_none()) return a.kind() == b.kind();
  if (is_sequence(a) && is_sequence(b)) return equal_sequences(a, b, depth);
  if (is_mapping(a) && is_mapping(b)) return equal_mappings(a, b, depth);
  if (a.kind() != b.kind() || a.is_string() || is_number(a)) return false;
  if (a.is_object() && b.is_object() && &a.type() != &b.type()) return false;
  return a.pointer() == b.pointer();
}

bool less(const TemplateValue& a, const TemplateValue& b, int depth) {
  check_depth(depth);
  if (a.is_string() && b.is_string()) return a.as_string() < b.as_string();
  if (is_number(a) && is_number(b)) return compare_numbers(a, b) == -1;
  if (is_sequence(a) && is_sequence(b) && is_tuple(a) == is_tuple(b) && a.kind() != Kind::kRange) {
    TemplateMemory memory;
    const std::size_t size = std::min(length(a), length(b));
    for (std::size_t i = 0; i < size; ++i) {
      const TemplateValue x = element(a, i, memory);
      const TemplateValue y = element(b, i, memory);
      if (!equal(x, y, depth + 1)) return less(x, y, depth + 1);
    }
    return length(a) < length(b);
  }
  fail_type("'<' not supported between instances of " + quoted_type(a) + " and " + quoted_type(b));
}

bool contains(const TemplateValue& container, const TemplateValue& item, TemplateMemory& memory) {
  if (container.is_string()) {
    if (!item.is_string()) {
      fail_type("'in <string>' requires str as left operand, not " + quoted_type(item));
    }
    return container.as_string().find(item.as_string()) != std::string_view::npos;
  }
  if (container.kind() == Kind::kDict) {
    return container.as<TemplateDict>().find(item) != nullptr;
  }
  if (is_mapping(container)) {
    TemplateValue found;
    return container.type().find(container.pointer(), item, memory, found);
  }
  if (container.kind() == Kind::kRange && is_integral(item)) {
    const TemplateRange& range = container.as<TemplateRange>();
    std::int64_t distance = 0;
    if (__builtin_sub_overflow(item.as_int(), range.start, &distance)) return false;
    if (distance % range.step != 0) return false;
    const std::int64_t index = distance / range.step;
    return index >= 0 && static_cast<std::uint64_t>(index) < range.size;
  }
  Cursor cursor;
  cursor.start(container, memory);
  TemplateValue element;
  while (cursor.next(memory, element)) {
    if (equal(element, item)) return true;
  }
  return false;
}

namespace {
bool identical(const TemplateValue& a, const TemplateValue& b) {
  if (a.kind() != b.kind()) return false;
  if (a.is_none()) return true;
  if (a.kind() == Kind::kFloat) return a.as_float() == b.as_float();
  if (is_integral(a)) return a.as_int() == b.as_int();
  if (a.is_string()) return a.as_string() == b.as_string();
  return a.pointer() == b.pointer();
}
}  // namespace

bool compare(Operator op, const TemplateValue& a, const TemplateValue& b, TemplateMemory& memory) {
  const auto number_order = [&] {
    return is_number(a) && is_number(b) ? compare_numbers(a, b) : 3;
  };
  switch (op) {
    case Operator::kEqual: return equal(a, b);
    case Operator::kNotEqual: return !equal(a, b);
    case Operator::kLess: return less(a, b);
    case Operator::kGreater: return less(b, a);
    case Operator::kLessEqual:
      if (const int order = number_order(); order != 3) return order <= 0;
      return !less(b, a);
    case Operator::kGreaterEqual:
      if (const int order = number_order(); order != 3) return order == 0 || order == 1;
      return !less(a, b);
    case Operator::kIn: return contains(b, a, memory);
    case Operator::kNotIn: return !contains(b, a, memory);
    case Operator::kIs: return identical(a, b);
    case Operator::kIsNot: return !identical(a, b);
    default: return false;
  }
}

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

std::size_t length(const TemplateValue& value) {
  switch (value.kind()) {
    case Kind::kString: return count_characters(value.as_string());
    case Kind::kList:
    case Kind::kTuple: return value.as<TemplateList>().size;
    case Kind::kDict: return value.as<TemplateDict>().size;
    case Kind::kRange: return value.as<TemplateRange>().size;
    case Kind::kObject:
      if (value.type().size != nullptr) return value.type().size(value.pointer());
      break;
    default: break;
  }
  fail_type("object of type " + quoted_type(value) + " has no len()");
}

TemplateValue element(const TemplateValue& sequence, std::size_t index, TemplateMemory& memory) {
  switch (sequence.kind()) {
    case Kind::kRange: {
      const TemplateRange& range = sequence.as<TemplateRange>();
      return TemplateValue::integer(range.start + static_cast<std::int64_t>(index) * range.step);
    }
    case Kind::kObject: return sequence.type().item(sequence.pointer(), index, memory);
    default: return sequence.as<TemplateList>().data[index];
  }
}

TemplateValue item(const TemplateValue& value, const TemplateValue& index, TemplateMemory& memory) {
  if (is_mapping(value)) {
    TemplateValue found;
    if (value.kind() == Kind::kDict) {
      if (const TemplateDict::Entry* entry = value.as<TemplateDict>().find(index)) {
        return entry->value;
      }
    } else if (value.type().find(value.pointer(), index, memory, found)) {
      return found;
    }
    std::string shown;
    append_repr(shown, index);
    fail(TemplateErrorClass::kKeyError, shown);
  }
  const bool text = value.is_string();
  if (!text && !is_sequence(value)) {
    if (value.is_object() && value.type().iterate != nullptr) {
      return item(TemplateValue::list(collect(value, memory)), index, memory);
    }
    fail_type(quoted_type(value) + " object is not subscriptable");
  }
  const std::int64_t wanted =
      to_integer(index, std::string(template_type_name(value)) + " indices");
  const std::size_t at = normal_index(wanted, length(value), value);
  if (text) return TemplateValue::string(substring(value.as_string(), at, at + 1));
  return element(value, at, memory);
}

TemplateValue slice(const TemplateValue& value, const TemplateValue& start,
                    const TemplateValue& stop, const TemplateValue& step, TemplateMemory& memory) {
  if (!value.is_string() && !is_sequence(value)) {
    if (value.is_object() && value.type().iterate != nullptr && !is_mapping(value)) {
      return slice(TemplateValue::list(collect(value, memory)), start, stop, step, memory);
    }
    fail_type(quoted_type(value) + " object cannot be sliced");
  }
  const Bounds bounds = slice_bounds(start, stop, step, length(value));
  if (value.is_string()) return slice_string(value.as_string(), bounds, memory);
  TemplateList& list = memory.make<TemplateList>();
  list.reserve(bounds.count, memory);
  for (std::size_t i = 0; i < bounds.count; ++i) {
    const std::int64_t at = bounds.start + static_cast<std::int64_t>(i) * bounds.step;
    list.append(element(value, static_cast<std::size_t>(at), memory), memory);
  }
  return is_tuple(value) ? TemplateValue::tuple(list) : TemplateValue::list(list);
}

void set_item(const TemplateValue& value, const TemplateValue& index, const TemplateValue& item,
              TemplateMemory& memory) {
  if (value.kind() == Kind::kDict) return value.as<TemplateDict>().put(index, item, memory);
  if (value.kind() == Kind::kList) {
    TemplateList& list = value.as<TemplateList>();
    list.data[normal_index(to_integer(index, "list indices"), list.size, value)] = item;
    return;
  }
  fail_type(quoted_type(value) + " object does not support item assignment" +
            (value.is_object() ? " from a template" : ""));
}

std::size_t hash(const TemplateValue& value) {
  switch (value.kind()) {
    case Kind::kNone: return 1;
    case Kind::kBool:
    case Kind::kInt: return std::hash<double>()(static_cast<double>(value.as_int()));
    case Kind::kFloat: return std::hash<double>()(value.as_float());
    case Kind::kString: return std::hash<std::string_view>()(value.as_string());
    case Kind::kTuple: {
      std::size_t mixed = 0x345678;
      for (const TemplateValue& part : value.as<TemplateList>().values()) {
        mixed = (mixed ^ hash(part)) * 1000003;
      }
      return mixed;
    }
    case Kind::kList:
    case Kind::kDict: break;
    case Kind::kObject:
      if (value.type().size == nullptr) return std::hash<const void*>()(value.pointer());
      break;
    default: return std::hash<const void*>()(value.pointer());
  }
  fail_type("unhashable type: " + quoted_type(value));
}

std::size_t count_characters(std::string_view text) noexcept {
  std::size_t count = 0;
  for (char c : text) count += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  return count;
}

std::string_view first_character(std::string_view text) noexcept {
  std::size_t size = 1;
  while (size < text.size() && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80) ++size;
  return text.substr(0, size);
}

std::string_view substring(std::string_view text, std::size_t begin, std::size_t end) noexcept {
  std::size_t at = 0;
  const auto skip = [&](std::size_t count) {
    for (; count > 0 && at < text.size(); --count) at += first_character(text.substr(at)).size();
  };
  skip(begin);
  const std::size_t start = at;
  skip(end - begin);
  return text.substr(start, at - start);
}

}  // namespace coronado::web::templates
