// What is equal, less, inside, and the same.
#include <cmath>
#include <functional>

#include "web/template/iteration.hpp"
#include "web/template/operators.hpp"

namespace coronado::web::templates {
namespace {

constexpr int kMaxDepth = 60;  // of nested containers

using Kind = TemplateKind;

void check_depth(int depth) {
  if (depth > kMaxDepth) fail(TemplateErrorClass::kLimit, "containers nested too deeply");
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

bool equal_sequences(const TemplateValue& a, const TemplateValue& b, int depth) {
  const std::size_t size = length(a);
  if (size != length(b) || is_tuple(a) != is_tuple(b)) return false;
  TemplateMemory memory;
  for (std::size_t i = 0; i < size; ++i) {
    if (!equal(element(a, i, memory), element(b, i, memory), depth + 1)) return false;
  }
  return true;
}

/// Two objects of one type that has an order.
bool order_objects(const TemplateValue& a, const TemplateValue& b, int& order) {
  return a.is_object() && b.is_object() && &a.type() == &b.type() && a.type().order != nullptr &&
         a.type().order(a.pointer(), b.pointer(), order);
}

}  // namespace

bool equal(const TemplateValue& a, const TemplateValue& b, int depth) {
  check_depth(depth);
  if (a.is_string() && b.is_string()) return a.as_string() == b.as_string();
  if (is_number(a) && is_number(b)) return compare_numbers(a, b) == 0;
  if (a.is_none() || b.is_none()) return a.kind() == b.kind();
  if (is_sequence(a) && is_sequence(b)) return equal_sequences(a, b, depth);
  if (is_mapping(a) && is_mapping(b)) return equal_mappings(a, b, depth);
  if (a.kind() != b.kind() || a.is_string() || is_number(a)) return false;
  if (a.is_object() && b.is_object() && &a.type() != &b.type()) return false;
  if (int order = 0; order_objects(a, b, order)) return order == 0;
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
  if (int order = 0; order_objects(a, b, order)) return order == -1;
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

}  // namespace coronado::web::templates
