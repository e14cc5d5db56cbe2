// The functions that every template has: len, range, sorted and others over what can be iterated.
#include <algorithm>

#include "web/template/evaluator.hpp"
#include "web/template/iteration.hpp"
#include "web/template/natives.hpp"
#include "web/template/operators.hpp"

namespace coronado::web::templates {
namespace {

TemplateValue len(const NativeCall& call) {
  const NativeArguments<1> arguments(call, {"obj"}, 1);
  return TemplateValue::integer(static_cast<std::int64_t>(length(arguments[0])));
}

TemplateValue range(const NativeCall& call) {
  const NativeArguments<3> arguments(call, {"start", "stop", "step"}, 1);
  const bool one = arguments[1].is_undefined();
  const std::int64_t start = one ? 0 : to_integer(arguments[0], "range() argument");
  const std::int64_t stop = to_integer(arguments[one ? 0 : 1], "range() argument");
  const std::int64_t step =
      arguments[2].is_undefined() ? 1 : to_integer(arguments[2], "range() argument");
  if (step == 0) fail_value("range() arg 3 must not be zero");
  TemplateRange& made = call.memory().make<TemplateRange>();
  made.start = start;
  made.stop = stop;
  made.step = step;
  const auto distance = [](std::int64_t low, std::int64_t high) {
    return static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low);
  };
  if (step > 0 && start < stop) {
    made.size = (distance(start, stop) - 1) / static_cast<std::uint64_t>(step) + 1;
  } else if (step < 0 && stop < start) {
    made.size = (distance(stop, start) - 1) / (0 - static_cast<std::uint64_t>(step)) + 1;
  }
  return TemplateValue::of(TemplateKind::kRange, &made);
}

TemplateValue sorted(const NativeCall& call) {
  const NativeArguments<3> arguments(call, {"iterable", "key", "reverse"}, 1);
  TemplateList& list = collect(arguments[0], call.memory());
  sort_list(list, arguments[1], is_true(arguments[2]), call);
  return TemplateValue::list(list);
}

TemplateValue reversed(const NativeCall& call) {
  const NativeArguments<1> arguments(call, {"sequence"}, 1);
  TemplateList& list = collect(arguments[0], call.memory());
  std::reverse(list.data, list.data + list.size);
  return TemplateValue::list(list);
}

TemplateValue enumerate(const NativeCall& call) {
  const NativeArguments<2> arguments(call, {"iterable", "start"}, 1);
  std::int64_t number =
      arguments[1].is_undefined() ? 0 : to_integer(arguments[1], "enumerate() argument 2");
  TemplateList& list = call.memory().make<TemplateList>();
  Cursor cursor;
  cursor.start(arguments[0], call.memory());
  for (TemplateValue element; cursor.next(call.memory(), element); ++number) {
    list.append(new_pair(TemplateValue::integer(number), element, call.memory()), call.memory());
  }
  return TemplateValue::list(list);
}

TemplateValue zip(const NativeCall& call) {
  if (call.call.keyword_count() > 0) fail_type("zip() takes no keyword arguments");
  std::vector<Cursor> cursors(call.size());
  for (std::size_t i = 0; i < call.size(); ++i) cursors[i].start(call[i], call.memory());
  TemplateList& list = call.memory().make<TemplateList>();
  std::vector<TemplateValue> row(call.size());
  while (!cursors.empty()) {
    for (std::size_t i = 0; i < cursors.size(); ++i) {
      if (!cursors[i].next(call.memory(), row[i])) return TemplateValue::list(list);
    }
    list.append(new_tuple(row, call.memory()), call.memory());
  }
  return TemplateValue::list(list);
}

template <bool wanted>
TemplateValue any_or_all(const NativeCall& call) {
  const NativeArguments<1> arguments(call, {"iterable"}, 1);
  Cursor cursor;
  cursor.start(arguments[0], call.memory());
  for (TemplateValue element; cursor.next(call.memory(), element);) {
    call.evaluator.charge(1);
    if (is_true(element) == wanted) return TemplateValue::boolean(wanted);
  }
  return TemplateValue::boolean(!wanted);
}

TemplateValue map(const NativeCall& call) {
  const NativeArguments<2> arguments(call, {"function", "iterable"}, 2);
  TemplateList& list = collect(arguments[1], call.memory());
  for (std::size_t i = 0; i < list.size; ++i) {
    list.data[i] = call.evaluator.call(arguments[0], {&list.data[i], 1});
  }
  return TemplateValue::list(list);
}

TemplateValue filter(const NativeCall& call) {
  const NativeArguments<2> arguments(call, {"function", "iterable"}, 2);
  const TemplateList& list = collect(arguments[1], call.memory());
  TemplateList& kept = call.memory().make<TemplateList>();
  for (const TemplateValue& value : list.values()) {
    const bool keep = arguments[0].is_none()
                          ? is_true(value)
                          : is_true(call.evaluator.call(arguments[0], {&value, 1}));
    if (keep) kept.append(value, call.memory());
  }
  return TemplateValue::list(kept);
}

constexpr TemplateFunction kFunctions[] = {
    {"len", len},
    {"range", range},
    {"sorted", sorted},
    {"reversed", reversed},
    {"enumerate", enumerate},
    {"zip", zip},
    {"any", any_or_all<true>},
    {"all", any_or_all<false>},
    {"map", map},
    {"filter", filter},
};

}  // namespace

std::span<const TemplateFunction> iterable_functions() noexcept { return kFunctions; }

}  // namespace coronado::web::templates
