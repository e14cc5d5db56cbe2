// Methods of list, tuple and dict. C++ sequences and maps have those that change nothing.
#include <algorithm>

#include "web/template/evaluator.hpp"
#include "web/template/iteration.hpp"
#include "web/template/natives.hpp"
#include "web/template/operators.hpp"

namespace coronado::web::templates {
namespace {

TemplateList& list_of(const NativeCall& call) { return call.self.as<TemplateList>(); }
TemplateDict& dict_of(const NativeCall& call) { return call.self.as<TemplateDict>(); }
void no_arguments(const NativeCall& call) { call.call.bind({}, 0, nullptr); }

TemplateValue append(const NativeCall& call) {
  const NativeArguments<1> arguments(call, {"object"}, 1);
  list_of(call).append(arguments[0], call.memory());
  return {};
}

TemplateValue extend(const NativeCall& call) {
  const NativeArguments<1> arguments(call, {"iterable"}, 1);
  const TemplateList& more = collect(arguments[0], call.memory());
  for (const TemplateValue& value : more.values()) list_of(call).append(value, call.memory());
  return {};
}

TemplateValue insert(const NativeCall& call) {
  const NativeArguments<2> arguments(call, {"index", "object"}, 2);
  TemplateList& list = list_of(call);
  const auto size = static_cast<std::int64_t>(list.size);
  std::int64_t at = to_integer(arguments[0], "index");
  if (at < 0) at = std::max<std::int64_t>(at + size, 0);
  at = std::min(at, size);
  list.append(arguments[1], call.memory());
  std::rotate(list.data + at, list.data + list.size - 1, list.data + list.size);
  return {};
}

TemplateValue pop(const NativeCall& call) {
  const NativeArguments<1> arguments(call, {"index"}, 0);
  TemplateList& list = list_of(call);
  if (list.size == 0) fail(TemplateErrorClass::kIndexError, "pop from empty list");
  const TemplateValue index =
      arguments[0].is_undefined() ? TemplateValue::integer(-1) : arguments[0];
  const TemplateValue taken = item(call.self, index, call.memory());
  std::int64_t at = index.as_int();
  if (at < 0) at += static_cast<std::int64_t>(list.size);
  std::move(list.data + at + 1, list.data + list.size, list.data + at);
  --list.size;
  return taken;
}

/// The place of a value in a list, tuple or C++ sequence; its size if it is not there.
std::size_t place_of(const NativeCall& call, const TemplateValue& wanted) {
  const std::size_t size = length(call.self);
  for (std::size_t i = 0; i < size; ++i) {
    if (equal(element(call.self, i, call.memory()), wanted)) return i;
  }
  return size;
}

TemplateValue remove(const NativeCall& call) {
  const NativeArguments<1> arguments(call, {"value"}, 1);
  TemplateList& list = list_of(call);
  const std::size_t at = place_of(call, arguments[0]);
  if (at == list.size) fail_value("list.remove(x): x not in list");
  std::move(list.data + at + 1, list.data + list.size, list.data + at);
  --list.size;
  return {};
}

TemplateValue index(const NativeCall& call) {
  const NativeArguments<1> arguments(call, {"value"}, 1);
  const std::size_t at = place_of(call, arguments[0]);
  if (at == length(call.self)) fail_value("the value is not in the list");
  return TemplateValue::integer(static_cast<std::int64_t>(at));
}

TemplateValue count(const NativeCall& call) {
  const NativeArguments<1> arguments(call, {"value"}, 1);
  std::int64_t total = 0;
  const std::size_t size = length(call.self);
  for (std::size_t i = 0; i < size; ++i) {
    total += equal(element(call.self, i, call.memory()), arguments[0]);
  }
  return TemplateValue::integer(total);
}

TemplateValue sort(const NativeCall& call) {
  const NativeArguments<2> arguments(call, {"key", "reverse"}, 0);
  sort_list(list_of(call), arguments[0], is_true(arguments[1]), call);
  return {};
}

TemplateValue reverse(const NativeCall& call) {
  no_arguments(call);
  TemplateList& list = list_of(call);
  std::reverse(list.data, list.data + list.size);
  return {};
}

TemplateValue copy_list(const NativeCall& call) {
  no_arguments(call);
  return TemplateValue::list(collect(call.self, call.memory()));
}

TemplateValue clear_list(const NativeCall& call) {
  no_arguments(call);
  list_of(call).size = 0;
  return {};
}

// --- dict --------------------------------------------------------------------------------------------

bool find_in(const TemplateValue& mapping, const TemplateValue& key, TemplateMemory& memory,
             TemplateValue& found) {
  if (mapping.kind() != TemplateKind::kDict) {
    return mapping.type().find(mapping.pointer(), key, memory, found);
  }
  const TemplateDict::Entry* entry = mapping.as<TemplateDict>().find(key);
  if (entry != nullptr) found = entry->value;
  return entry != nullptr;
}

TemplateValue get(const NativeCall& call) {
  const NativeArguments<2> arguments(call, {"key", "default"}, 1);
  TemplateValue found;
  if (find_in(call.self, arguments[0], call.memory(), found)) return found;
  return arguments[1].is_undefined() ? TemplateValue() : arguments[1];
}

enum class Part { kKeys, kValues, kItems };

template <Part part>
TemplateValue parts(const NativeCall& call) {
  no_arguments(call);
  TemplateList& list = call.memory().make<TemplateList>();
  list.reserve(length(call.self), call.memory());
  for_each_pair(call.self, call.memory(),
                [&](const TemplateValue& key, const TemplateValue& value) {
                  if constexpr (part == Part::kKeys) list.append(key, call.memory());
                  if constexpr (part == Part::kValues) list.append(value, call.memory());
                  if constexpr (part == Part::kItems) {
                    list.append(new_pair(key, value, call.memory()), call.memory());
                  }
                });
  return TemplateValue::list(list);
}

TemplateValue pop_key(const NativeCall& call) {
  const NativeArguments<2> arguments(call, {"key", "default"}, 1);
  TemplateValue found;
  if (!find_in(call.self, arguments[0], call.memory(), found)) {
    if (!arguments[1].is_undefined()) return arguments[1];
    return item(call.self, arguments[0], call.memory());  // the KeyError
  }
  dict_of(call).erase(arguments[0], call.memory());
  return found;
}

TemplateValue setdefault(const NativeCall& call) {
  const NativeArguments<2> arguments(call, {"key", "default"}, 1);
  TemplateValue found;
  if (find_in(call.self, arguments[0], call.memory(), found)) return found;
  const TemplateValue value = arguments[1].is_undefined() ? TemplateValue() : arguments[1];
  dict_of(call).put(arguments[0], value, call.memory());
  return value;
}

TemplateValue update(const NativeCall& call) {
  if (call.size() > 1) fail_type("update expected at most 1 argument");
  const auto put = [&](const TemplateValue& key, const TemplateValue& value) {
    dict_of(call).put(key, value, call.memory());
  };
  if (call.size() == 1) {
    if (!is_mapping(call[0])) fail_type("update() expects a dict");
    for_each_pair(call[0], call.memory(), put);
  }
  for (std::size_t i = 0; i < call.call.keyword_count(); ++i) {
    put(TemplateValue::string(call.call.keyword_name(i)), call.call.keyword(i));
  }
  return {};
}

TemplateValue copy_dict(const NativeCall& call) {
  no_arguments(call);
  TemplateDict& copy = call.memory().make<TemplateDict>();
  for_each_pair(call.self, call.memory(),
                [&](const TemplateValue& key, const TemplateValue& value) {
                  copy.put(key, value, call.memory());
                });
  return TemplateValue::dict(copy);
}

constexpr TemplateFunction kListMethods[] = {
    {"append", append},   {"extend", extend},  {"insert", insert},    {"pop", pop},
    {"remove", remove},   {"index", index},    {"count", count},      {"sort", sort},
    {"reverse", reverse}, {"copy", copy_list}, {"clear", clear_list},
};
constexpr TemplateFunction kTupleMethods[] = {{"index", index}, {"count", count}};
constexpr TemplateFunction kDictMethods[] = {
    {"get", get},
    {"keys", parts<Part::kKeys>},
    {"values", parts<Part::kValues>},
    {"items", parts<Part::kItems>},
    {"pop", pop_key},
    {"setdefault", setdefault},
    {"update", update},
    {"copy", copy_dict},
};
constexpr TemplateFunction kMappingMethods[] = {
    {"get", get},
    {"keys", parts<Part::kKeys>},
    {"values", parts<Part::kValues>},
    {"items", parts<Part::kItems>},
    {"copy", copy_dict},
};

}  // namespace

std::span<const TemplateFunction> list_methods() noexcept { return kListMethods; }
std::span<const TemplateFunction> tuple_methods() noexcept { return kTupleMethods; }
std::span<const TemplateFunction> dict_methods() noexcept { return kDictMethods; }
std::span<const TemplateFunction> mapping_methods() noexcept { return kMappingMethods; }

void sort_list(TemplateList& list, const TemplateValue& key, bool reverse, const NativeCall& call) {
  struct Keyed {
    TemplateValue key;
    TemplateValue value;
  };
  std::vector<Keyed> keyed;
  keyed.reserve(list.size);
  const bool has_key = !key.is_undefined() && !key.is_none();
  for (const TemplateValue& value : list.values()) {
    keyed.push_back({has_key ? call.evaluator.call(key, {&value, 1}) : value, value});
  }
  call.evaluator.charge(list.size);
  // Python keeps the order of equal elements in both directions.
  if (reverse) std::reverse(keyed.begin(), keyed.end());
  std::stable_sort(keyed.begin(), keyed.end(),
                   [](const Keyed& a, const Keyed& b) { return less(a.key, b.key); });
  if (reverse) std::reverse(keyed.begin(), keyed.end());
  for (std::size_t i = 0; i < keyed.size() && i < list.size; ++i) list.data[i] = keyed[i].value;
}

}  // namespace coronado::web::templates
