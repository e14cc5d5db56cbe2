// `value[index]`, `value[start:stop:step]`, and what is assigned to them.
#include <vector>

#include "web/template/format.hpp"
#include "web/template/iteration.hpp"
#include "web/template/operators.hpp"

namespace coronado::web::templates {
namespace {

using Kind = TemplateKind;

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

}  // namespace coronado::web::templates
