/// How a template reads C++ structs and containers: a `TemplateType` for each.
///
/// What <coronado/web/template_binding.hpp> is made of; include that.
///
/// Layer: web.
#pragma once

#include <coronado/base/json.hpp>
#include <coronado/base/json_typed.hpp>
#include <coronado/coro/task.hpp>
#include <coronado/web/template_value.hpp>

#include <array>
#include <concepts>
#include <iterator>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace coronado::web {

namespace detail {

using coronado::detail::JsonOptional;
using coronado::detail::JsonRange;

template <class T>
TemplateValue view_of(const T& value);

TemplateValue bind_json(const Json& value) noexcept;
TemplateValue bind_json_object(const JsonObject& value) noexcept;
TemplateValue bind_unsigned(std::uint64_t value);
TemplateValue make_awaitable(TemplateMemory& memory, Task<TemplateValue> task);
[[noreturn]] void throw_argument(const TemplateCall& call, std::string_view parameter,
                                 std::string_view expected, const TemplateValue& got);
std::int64_t to_template_int(const TemplateCall& call, std::string_view parameter,
                             const TemplateValue& value, std::int64_t least, std::uint64_t most);
/// The value as JSON, for functions that take a `Json`.
Json to_template_json(const TemplateValue& value);

template <class T>
struct IsVariant : std::false_type {};
template <class... T>
struct IsVariant<std::variant<T...>> : std::true_type {};

template <class T>
concept TemplatePointer = requires(const T& pointer) {
  static_cast<bool>(pointer);
  *pointer;
} && (std::is_pointer_v<T> || requires { typename T::element_type; });

template <class T>
concept TupleLike = requires { std::tuple_size<T>::value; } && !JsonRange<T>;

template <class T>
concept TemplateMap = requires(const T& map, const typename T::key_type& key) {
  typename T::mapped_type;
  map.find(key)->second;
};

template <class T>
concept RandomAccess = JsonRange<T> && requires(const T& range) {
  { std::size(range) } -> std::convertible_to<std::size_t>;
  { std::begin(range)[0] };
};

template <class T>
concept TemplateCallable =
    requires { &T::operator(); } || std::is_function_v<std::remove_pointer_t<T>>;

/// Types whose view does not look back at the object itself.
template <class T>
inline constexpr bool kIsView =
    std::is_arithmetic_v<T> || std::is_enum_v<T> || std::is_array_v<T> ||
    (std::is_pointer_v<T> && !std::is_function_v<std::remove_pointer_t<T>>) ||
    std::is_same_v<T, std::string_view> || std::is_same_v<T, TemplateValue> ||
    std::is_same_v<T, std::nullptr_t>;
template <>
inline constexpr bool kIsView<char> = false;

/// A value that was just made: kept in `memory` if it must be.
template <class T>
TemplateValue bind_made(T&& value, TemplateMemory& memory) {
  using Plain = std::remove_cvref_t<T>;
  if constexpr (std::is_lvalue_reference_v<T>) {
    return view_of(value);
  } else if constexpr (std::same_as<Plain, std::string>) {
    return TemplateValue::string(memory.copy(value));
  } else if constexpr (kIsView<Plain>) {
    return view_of(value);
  } else {
    return view_of(memory.make<Plain>(std::forward<T>(value)));
  }
}

/// What dereferencing yields, or a copy of it when that is no reference to something that stays.
template <class Iterator>
TemplateValue bind_element(const Iterator& iterator, TemplateMemory& memory) {
  if constexpr (std::is_lvalue_reference_v<decltype(*iterator)>) {
    return view_of(*iterator);
  } else {
    using Value = typename std::iterator_traits<Iterator>::value_type;
    return bind_made(static_cast<Value>(*iterator), memory);
  }
}

// --- described structs -----------------------------------------------------------------------------

template <class T>
constexpr std::string_view type_name() {
  constexpr std::string_view function = __PRETTY_FUNCTION__;  // "... type_name() [T = a::Fortune]"
  constexpr std::size_t begin = function.find("T = ") + 4;
  constexpr std::string_view full =
      function.substr(begin, function.find_first_of(";]", begin) - begin);
  constexpr std::size_t end = full.find('<');  // colons behind it belong to arguments
  constexpr std::string_view head = full.substr(0, end);
  constexpr std::size_t colon = head.rfind(':');
  return colon == std::string_view::npos ? full : full.substr(colon + 1);
}

template <class T>
inline constexpr TemplateStorage kStorage = TemplateStorage::kMade;
template <>
inline constexpr TemplateStorage kStorage<int> = TemplateStorage::kInt;
template <>
inline constexpr TemplateStorage kStorage<std::int64_t> = TemplateStorage::kInt64;
template <>
inline constexpr TemplateStorage kStorage<double> = TemplateStorage::kDouble;
template <>
inline constexpr TemplateStorage kStorage<std::string> = TemplateStorage::kString;
template <>
inline constexpr TemplateStorage kStorage<std::string_view> = TemplateStorage::kStringView;

template <class T, class D>
constexpr TemplateMember make_member() {
  using Member = std::remove_cvref_t<decltype(std::declval<const T&>().*D::pointer)>;
  TemplateMember member{D::name, [](const void* object, TemplateMemory&) {
                          return view_of(static_cast<const T*>(object)->*D::pointer);
                        }};
  if constexpr (kStorage<Member> != TemplateStorage::kMade) {
    member.storage = kStorage<Member>;
    member.place = [](const void* object) -> const void* {
      return &(static_cast<const T*>(object)->*D::pointer);
    };
  }
  return member;
}

template <class T, class List>
struct MemberTable;
template <class T, class... D>
struct MemberTable<T, JsonMemberList<D...>> {
  static constexpr std::array<TemplateMember, sizeof...(D)> kMembers = {make_member<T, D>()...};
};

template <class T>
inline constexpr TemplateType kStructType = {
    .name = type_name<T>(),
    .members = MemberTable<T, typename JsonMembers<T>::type>::kMembers,
};

// --- containers ------------------------------------------------------------------------------------

template <class T>
constexpr TemplateType make_sequence_type() {
  using Iterator = decltype(std::begin(std::declval<const T&>()));
  TemplateType type{
      .name = "list",
      .size =
          [](const void* object) {
            return static_cast<std::size_t>(std::size(*static_cast<const T*>(object)));
          },
      .item =
          [](const void* object, std::size_t index, TemplateMemory& memory) {
            const T& range = *static_cast<const T*>(object);
            return bind_element(
                std::next(std::begin(range),
                          static_cast<std::iterator_traits<Iterator>::difference_type>(index)),
                memory);
          },
  };
  using Value = std::iterator_traits<Iterator>::value_type;
  if constexpr (std::contiguous_iterator<Iterator> && JsonDescribed<Value>) {
    type.data = [](const void* object) -> const void* {
      return std::to_address(std::begin(*static_cast<const T*>(object)));
    };
    type.stride = sizeof(Value);
    type.element = &kStructType<Value>;
  }
  return type;
}

template <class T>
inline constexpr TemplateType kSequenceType = make_sequence_type<T>();

template <class T>
struct Walk {
  decltype(std::begin(std::declval<const T&>())) current;
  decltype(std::end(std::declval<const T&>())) end;
};

template <class T>
std::size_t count_elements(const void* object) {
  const T& range = *static_cast<const T*>(object);
  if constexpr (requires { std::size(range); }) {
    return static_cast<std::size_t>(std::size(range));
  } else {
    std::size_t count = 0;
    for (auto it = std::begin(range); it != std::end(range); ++it) ++count;
    return count;
  }
}

template <class T>
void* begin_walk(const void* object, TemplateMemory& memory) {
  const T& range = *static_cast<const T*>(object);
  return &memory.make<Walk<T>>(std::begin(range), std::end(range));
}

template <class T>
inline constexpr TemplateType kRangeType = {
    .name = "list",
    .size = count_elements<T>,
    .iterate = begin_walk<T>,
    .next =
        [](void* place, TemplateMemory& memory, TemplateValue& key, TemplateValue&) {
          auto& walk = *static_cast<Walk<T>*>(place);
          if (walk.current == walk.end) return false;
          key = bind_element(walk.current, memory);
          ++walk.current;
          return true;
        },
};

template <class T>
bool find_key(const void* object, const TemplateValue& key, TemplateValue& found) {
  const T& map = *static_cast<const T*>(object);
  using Key = typename T::key_type;
  auto entry = map.end();
  if constexpr (std::constructible_from<Key, std::string_view>) {
    if (!key.is_string()) return false;
    if constexpr (requires { map.find(key.as_string())->second; }) {
      entry = map.find(key.as_string());
    } else {
      entry = map.find(Key(key.as_string()));
    }
  } else if constexpr (std::integral<Key>) {
    if (!key.is_int() || !std::in_range<Key>(key.as_int())) return false;
    entry = map.find(static_cast<Key>(key.as_int()));
  }
  if (entry == map.end()) return false;
  found = view_of(entry->second);
  return true;
}

template <class T>
inline constexpr TemplateType kMapType = {
    .name = "dict",
    .size = count_elements<T>,
    .find = [](const void* object, const TemplateValue& key, TemplateMemory&,
               TemplateValue& found) { return find_key<T>(object, key, found); },
    .iterate = begin_walk<T>,
    .next =
        [](void* place, TemplateMemory&, TemplateValue& key, TemplateValue& value) {
          auto& walk = *static_cast<Walk<T>*>(place);
          if (walk.current == walk.end) return false;
          key = view_of(walk.current->first);
          value = view_of(walk.current->second);
          ++walk.current;
          return true;
        },
};

template <class T, std::size_t I>
TemplateValue tuple_item(const void* object) {
  return view_of(std::get<I>(*static_cast<const T*>(object)));
}

template <class T, class Indices = std::make_index_sequence<std::tuple_size_v<T>>>
struct TupleItems;
template <class T, std::size_t... I>
struct TupleItems<T, std::index_sequence<I...>> {
  static constexpr std::array<TemplateValue (*)(const void*), sizeof...(I)> kItems = {
      tuple_item<T, I>...};
};

template <class T>
inline constexpr TemplateType kTupleType = {
    .name = "tuple",
    .size = [](const void*) -> std::size_t { return std::tuple_size_v<T>; },
    .item = [](const void* object, std::size_t index,
               TemplateMemory&) { return TupleItems<T>::kItems[index](object); },
};

}  // namespace detail

}  // namespace coronado::web
