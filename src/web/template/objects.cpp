#include "web/template/objects.hpp"

#include <coronado/web/template_binding.hpp>

#include <algorithm>
#include <cstring>

#include "web/template/operators.hpp"

namespace coronado::web::detail {

void TemplateList::reserve(std::size_t wanted, TemplateMemory& memory) {
  if (wanted <= capacity) return;
  const std::size_t larger = std::max<std::size_t>({wanted, 2 * capacity, 4});
  auto* place = memory.allocate_array<TemplateValue>(larger);
  if (size > 0) std::memcpy(static_cast<void*>(place), data, size * sizeof(TemplateValue));
  data = place;
  capacity = larger;
}

TemplateDict::Entry* TemplateDict::find(const TemplateValue& key) const {
  const std::size_t wanted = templates::hash(key);  // also checks that it can be a key
  if (index == nullptr) {
    for (Entry& entry : all()) {
      if (templates::equal(entry.key, key)) return &entry;
    }
    return nullptr;
  }
  for (std::size_t place = wanted & (index_size - 1); index[place] != 0;
       place = (place + 1) & (index_size - 1)) {
    Entry& entry = entries[index[place] - 1];
    if (templates::equal(entry.key, key)) return &entry;
  }
  return nullptr;
}

void TemplateDict::note(std::size_t position) {
  std::size_t place = templates::hash(entries[position].key) & (index_size - 1);
  while (index[place] != 0) place = (place + 1) & (index_size - 1);
  index[place] = static_cast<std::uint32_t>(position + 1);
}

void TemplateDict::rebuild(TemplateMemory& memory) {
  constexpr std::size_t kSearched = 8;
  if (size <= kSearched) {
    index = nullptr;
    return;
  }
  index_size = 32;
  while (index_size < 4 * size) index_size *= 2;
  index = memory.allocate_array<std::uint32_t>(index_size);
  std::fill_n(index, index_size, 0);
  for (std::size_t i = 0; i < size; ++i) note(i);
}

void TemplateDict::put(const TemplateValue& key, const TemplateValue& value,
                       TemplateMemory& memory) {
  if (Entry* found = find(key)) {
    found->value = value;
    return;
  }
  if (size == capacity) {
    const std::size_t larger = std::max<std::size_t>(2 * capacity, 4);
    auto* place = memory.allocate_array<Entry>(larger);
    if (size > 0) std::memcpy(static_cast<void*>(place), entries, size * sizeof(Entry));
    entries = place;
    capacity = larger;
  }
  entries[size++] = {key, value};
  if (index != nullptr && 2 * size <= index_size) {
    note(size - 1);
  } else {
    rebuild(memory);
  }
}

bool TemplateDict::erase(const TemplateValue& key, TemplateMemory& memory) {
  Entry* found = find(key);
  if (found == nullptr) return false;
  std::move(found + 1, entries + size, found);
  --size;
  rebuild(memory);
  return true;
}

namespace {

// A Json array or object is seen where it is.
constexpr TemplateType kJsonArray = {
    .name = "list",
    .size = [](const void* object) { return static_cast<const Json::Array*>(object)->size(); },
    .item =
        [](const void* object, std::size_t index, TemplateMemory&) {
          return bind_json((*static_cast<const Json::Array*>(object))[index]);
        }};

constexpr TemplateType kJsonObject = {
    .name = "dict",
    .size = [](const void* object) { return static_cast<const JsonObject*>(object)->size(); },
    .find =
        [](const void* object, const TemplateValue& key, TemplateMemory&, TemplateValue& found) {
          if (!key.is_string()) return false;
          const Json* member = static_cast<const JsonObject*>(object)->find(key.as_string());
          if (member == nullptr) return false;
          found = bind_json(*member);
          return true;
        },
    .iterate = begin_walk<JsonObject>,
    .next =
        [](void* place, TemplateMemory&, TemplateValue& key, TemplateValue& value) {
          auto& walk = *static_cast<Walk<JsonObject>*>(place);
          if (walk.current == walk.end) return false;
          key = TemplateValue::string(walk.current->key);
          value = bind_json(walk.current->value);
          ++walk.current;
          return true;
        }};

}  // namespace

TemplateValue bind_json(const Json& value) noexcept {
  switch (value.kind()) {
    case JsonKind::kNull: return {};
    case JsonKind::kBool: return TemplateValue::boolean(value.as_bool());
    case JsonKind::kInt: return TemplateValue::integer(value.as_int());
    case JsonKind::kUint: {
      // Beyond 64 bits with a sign it is what JavaScript makes of it.
      const std::uint64_t number = value.as_uint();
      if (std::in_range<std::int64_t>(number)) {
        return TemplateValue::integer(static_cast<std::int64_t>(number));
      }
      return TemplateValue::real(static_cast<double>(number));
    }
    case JsonKind::kDouble: return TemplateValue::real(value.as_double());
    case JsonKind::kString: return TemplateValue::string(value.as_string());
    case JsonKind::kArray: return TemplateValue::object(&value.as_array(), kJsonArray);
    case JsonKind::kObject: return bind_json_object(value.as_object());
  }
  return {};
}

TemplateValue bind_json_object(const JsonObject& value) noexcept {
  return TemplateValue::object(&value, kJsonObject);
}

TemplateValue bind_unsigned(std::uint64_t value) {
  if (!std::in_range<std::int64_t>(value)) {
    templates::fail(TemplateErrorClass::kOverflowError,
                    std::to_string(value) + " is beyond 64 bits with a sign");
  }
  return TemplateValue::integer(static_cast<std::int64_t>(value));
}

TemplateValue make_awaitable(TemplateMemory& memory, Task<TemplateValue> task) {
  return TemplateValue::of(TemplateKind::kAwaitable,
                           &memory.make<TemplateAwaitable>(std::move(task)));
}

}  // namespace coronado::web::detail

namespace coronado::web::templates {

void fail(TemplateErrorClass error_class, const std::string& message) {
  throw TemplateFault(error_class, message);
}
void fail_type(const std::string& message) { fail(TemplateErrorClass::kTypeError, message); }
void fail_value(const std::string& message) { fail(TemplateErrorClass::kValueError, message); }

namespace {
TemplateList& copy_values(std::span<const TemplateValue> values, TemplateMemory& memory) {
  TemplateList& list = memory.make<TemplateList>();
  list.reserve(values.size(), memory);
  for (const TemplateValue& value : values) list.append(value, memory);
  return list;
}
}  // namespace

TemplateValue new_list(std::span<const TemplateValue> values, TemplateMemory& memory) {
  return TemplateValue::list(copy_values(values, memory));
}
TemplateValue new_tuple(std::span<const TemplateValue> values, TemplateMemory& memory) {
  return TemplateValue::tuple(copy_values(values, memory));
}
TemplateValue new_pair(const TemplateValue& first, const TemplateValue& second,
                       TemplateMemory& memory) {
  const TemplateValue values[] = {first, second};
  return new_tuple(values, memory);
}
TemplateValue new_string(std::string_view text, TemplateMemory& memory) {
  return TemplateValue::string(memory.copy(text));
}

}  // namespace coronado::web::templates
