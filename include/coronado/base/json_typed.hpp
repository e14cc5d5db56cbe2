/// JSON text straight to and from your own types, without a `Json` in between.
///
///     append_json, json_encode           numbers, strings, containers and described structs to
///     text json_decode<T>, decode_json_into   text to the same
///
///     struct Message {
///       std::string text;
///       std::optional<int> priority;
///     };
///     BOOST_DESCRIBE_STRUCT(Message, (), (text, priority))   // from <coronado/base/describe.hpp>
///
///     json_encode(Message{"hello", 3});                      // {"text":"hello","priority":3}
///     json_decode<Message>(R"({"text": "hello"})");
///
/// Written and read are: `bool`, integers, `float`, `double`, strings, `std::optional` (null when
/// empty), maps with string keys, containers with `push_back`, `Json`, and described structs. Any
/// range can be written. For a type of your own declare, in its namespace,
/// `void append_json(std::string&, const T&)` and `void read_json(coronado::JsonReader&, T&)`.
///
/// Layer: base.   Spec  RFC 8259.
#pragma once

#include <coronado/base/json.hpp>
#include <coronado/base/json_reader.hpp>
#include <coronado/base/strings.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <iterator>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace coronado {

/// The members of a described struct: each `D` has `D::name`, a C string, and `D::pointer`, a
/// pointer to member.
template <class... D>
struct JsonMemberList {};

/// Tells how a struct is described: specialised with a `type` that is a `JsonMemberList`.
/// `<coronado/base/describe.hpp>` does it for all that Boost.Describe knows.
template <class T>
struct JsonMembers {};

template <class T>
concept JsonDescribed = requires { typename JsonMembers<T>::type; };

namespace detail {

void append_json_string(std::string& out, std::string_view text);
void append_json_number(std::string& out, double value);
void append_json_number(std::string& out, float value);

template <class T>
concept JsonString = std::convertible_to<const T&, std::string_view>;

template <class T>
concept JsonInteger = std::integral<T> && !std::same_as<T, bool> && !std::same_as<T, char> &&
                      !std::same_as<T, wchar_t> && !std::same_as<T, char8_t> &&
                      !std::same_as<T, char16_t> && !std::same_as<T, char32_t>;

template <class T>
concept JsonOptional = requires(T value, const T& constant) {
  { constant.has_value() } -> std::same_as<bool>;
  *constant;
  value.emplace();
  value.reset();
};

template <class T>
concept JsonMap = requires(const T& map) {
  typename T::mapped_type;
  std::begin(map);
} && JsonString<typename T::key_type>;

template <class T>
concept JsonRange = requires(const T& range) {
  std::begin(range);
  std::end(range);
};

template <class T>
inline constexpr bool kNotJson = false;

/// How much `append_json_text` copies of a short text, which must have as many bytes.
inline constexpr std::size_t kJsonWord = 16;

/// `{"name":` or `,"name":`. The name is an identifier: nothing in it needs escaping.
template <std::size_t N>
struct JsonKey {
  constexpr JsonKey(char separator, const char* name) {
    bytes[0] = separator;
    bytes[1] = '"';
    for (std::size_t i = 2; i < N - 2; ++i) bytes[i] = name[i - 2];
    bytes[N - 2] = '"';
    bytes[N - 1] = ':';
  }
  static constexpr std::size_t kSize = N;
  char bytes[N < kJsonWord ? kJsonWord : N] = {};
};
template <class D, char Separator>
inline constexpr JsonKey<std::char_traits<char>::length(D::name) + 4> kJsonKey(Separator, D::name);
inline constexpr char kJsonEnd[kJsonWord] = "}";

// Calls, since in place they would be compiled for each member of each struct.
void append_json_text(std::string& out, const char* bytes, std::size_t size);
void append_json_null(std::string& out);

// The readers and writers of structs stay functions of their own. Inlined, the whole tree of a type
// would be optimised again in each of its callers, and in theirs: most of what a route costs who
// compiles it.
template <class T, class First, class... D>
[[gnu::noinline]] void append_json_members(std::string& out, const T& value,
                                           JsonMemberList<First, D...>);
template <class T>
void append_json_members(std::string& out, const T&, JsonMemberList<>) {
  out += "{}";
}
template <class T>
[[gnu::noinline]] void append_json_elements(std::string& out, const T& range);

}  // namespace detail

/// Append `value` as JSON to `out`, in the form that `json_encode(const Json&)` describes.
///
/// Throws  std::invalid_argument  A number is infinite or NaN; `out` then holds a part of the text.
/// Cost    No allocation but the growth of `out`; the names of members are put together at compile
///         time.
template <class T>
  requires(!std::same_as<T, Json> && !std::same_as<T, JsonObject>)
void append_json(std::string& out, const T& value) {
  if constexpr (std::same_as<T, bool>) {
    out += value ? std::string_view("true") : std::string_view("false");
  } else if constexpr (std::same_as<T, std::nullptr_t>) {
    detail::append_json_null(out);
  } else if constexpr (detail::JsonInteger<T>) {
    append_int(out, value);
  } else if constexpr (std::same_as<T, float> || std::same_as<T, double>) {
    detail::append_json_number(out, value);
  } else if constexpr (detail::JsonString<T>) {
    detail::append_json_string(out, value);
  } else if constexpr (JsonDescribed<T>) {
    detail::append_json_members(out, value, typename JsonMembers<T>::type());
  } else if constexpr (detail::JsonOptional<T>) {
    if (value.has_value()) {
      append_json(out, *value);
    } else {
      detail::append_json_null(out);
    }
  } else if constexpr (detail::JsonMap<T>) {
    char separator = '{';
    for (const auto& [key, member] : value) {
      out += separator;
      separator = ',';
      detail::append_json_string(out, key);
      out += ':';
      append_json(out, member);
    }
    out += separator == '{' ? std::string_view("{}") : std::string_view("}");
  } else if constexpr (detail::JsonRange<T>) {
    detail::append_json_elements(out, value);
  } else {
    static_assert(detail::kNotJson<T>,
                  "this type cannot be written as JSON: describe it with BOOST_DESCRIBE_STRUCT and "
                  "include <coronado/base/describe.hpp>, or declare append_json for it");
  }
}

namespace detail {

template <class T, class First, class... D>
void append_json_members(std::string& out, const T& value, JsonMemberList<First, D...>) {
  append_json_text(out, kJsonKey<First, '{'>.bytes, kJsonKey<First, '{'>.kSize);
  append_json(out, value.*First::pointer);
  ((append_json_text(out, kJsonKey<D, ','>.bytes, kJsonKey<D, ','>.kSize),
    append_json(out, value.*D::pointer)),
   ...);
  append_json_text(out, kJsonEnd, 1);
}

template <class T>
void append_json_elements(std::string& out, const T& range) {
  using Element = typename std::iterator_traits<decltype(std::begin(range))>::value_type;
  char separator = '[';
  for (const auto& element : range) {
    out += separator;
    separator = ',';
    append_json(out, static_cast<const Element&>(element));
  }
  out += separator == '[' ? std::string_view("[]") : std::string_view("]");
}

}  // namespace detail

/// The JSON text of `value`; as `append_json`.
template <class T>
  requires(!std::same_as<T, Json> && !std::same_as<T, JsonObject>)
std::string json_encode(const T& value) {
  std::string out;
  append_json(out, value);
  return out;
}

namespace detail {

template <class T, class... D>
[[gnu::noinline]] void read_json_members(JsonReader& reader, T& value, JsonMemberList<D...>);
/// Notes the members that are missing: one bit of `missing` for each of `names`.
void note_missing_members(JsonReader& reader, const char* const* names, std::uint64_t missing);

template <class T>
[[gnu::noinline]] void read_json_elements(JsonReader& reader, T& values);

template <class T>
void read_json_integer(JsonReader& reader, T& value) {
  using Limits = std::numeric_limits<T>;
  if constexpr (std::is_signed_v<T>) {
    value = static_cast<T>(reader.read_int(Limits::min(), Limits::max()));
  } else {
    value = static_cast<T>(reader.read_uint(Limits::max()));
  }
}

}  // namespace detail

/// Read the next value of `reader` into `value`. See `json_decode<T>` for the rules.
template <class T>
void read_json(JsonReader& reader, T& value) {
  if constexpr (std::same_as<T, bool>) {
    value = reader.read_bool();
  } else if constexpr (detail::JsonInteger<T>) {
    detail::read_json_integer(reader, value);
  } else if constexpr (std::same_as<T, float> || std::same_as<T, double>) {
    value = static_cast<T>(reader.read_double(std::numeric_limits<T>::max()));
  } else if constexpr (std::same_as<T, std::string>) {
    value = reader.read_string();
  } else if constexpr (std::same_as<T, Json>) {
    value = reader.read_json();
  } else if constexpr (JsonDescribed<T>) {
    detail::read_json_members(reader, value, typename JsonMembers<T>::type());
  } else if constexpr (detail::JsonOptional<T>) {
    if (reader.read_null()) {
      value.reset();
    } else {
      read_json(reader, value.emplace());
    }
  } else if constexpr (detail::JsonMap<T>) {
    value.clear();
    if (!reader.begin_object()) return;
    for (std::string_view key; reader.next_key(key);) {
      read_json(reader, value[typename T::key_type(key)]);
    }
  } else if constexpr (requires { value.push_back(typename T::value_type()); }) {
    detail::read_json_elements(reader, value);
  } else {
    static_assert(detail::kNotJson<T>,
                  "this type cannot be read from JSON: describe it with BOOST_DESCRIBE_STRUCT and "
                  "include <coronado/base/describe.hpp>, or declare read_json for it. A "
                  "std::string_view or const char* has nowhere to keep the text: use std::string");
  }
}

namespace detail {

template <class T>
void read_json_elements(JsonReader& reader, T& values) {
  values.clear();
  if (!reader.begin_array()) return;
  while (reader.next_element()) {
    if constexpr (requires {
                    { values.emplace_back() } -> std::same_as<typename T::value_type&>;
                  }) {
      read_json(reader, values.emplace_back());
    } else {
      typename T::value_type element{};
      read_json(reader, element);
      values.push_back(std::move(element));
    }
  }
}

/// A bit for each member that must be there.
template <class T, class... D>
constexpr std::uint64_t required_members() {
  std::uint64_t required = 0;
  std::uint64_t bit = 1;
  ((required |=
    JsonOptional<std::remove_cvref_t<decltype(std::declval<T&>().*D::pointer)>> ? 0 : bit,
    bit <<= 1),
   ...);
  return required;
}

template <class T, class... D>
void read_json_members(JsonReader& reader, T& value, JsonMemberList<D...>) {
  static_assert(sizeof...(D) <= 64, "a struct that is read from JSON has at most 64 members");
  if (!reader.begin_object()) return;
  std::uint64_t seen = 0;
  for (std::string_view key; reader.next_key(key);) {
    std::uint64_t bit = 1;
    const bool known = ((key == std::string_view(D::name)
                             ? (seen |= bit, read_json(reader, value.*D::pointer), true)
                             : (bit <<= 1, false)) ||
                        ...);
    if (!known) reader.skip();
  }
  constexpr std::uint64_t required = required_members<T, D...>();
  if constexpr (required != 0) {
    static constexpr const char* kNames[] = {D::name...};
    if ((seen & required) != required) [[unlikely]] {
      note_missing_members(reader, kNames, required & ~seen);
    }
  }
}

}  // namespace detail

/// Read one JSON text into `value`.
///
/// A member of a struct may be missing only if it is a `std::optional`; members the struct does not
/// know are ignored; an integer must fit its type and be written without fraction or exponent.
///
/// Throws  JsonError  Bad text, with its place; or values that do not fit, all of them in
/// `fields()`:
///                    "user.zip: expected string, got number", "user.name: missing". What `value`
///                    holds then is unspecified.
template <class T>
void decode_json_into(std::string_view text, T& value, std::size_t max_depth = kMaxJsonDepth) {
  JsonReader reader(text, max_depth);
  read_json(reader, value);
  reader.finish();
}

/// The `T` that one JSON text holds; as `decode_json_into`.
template <class T>
T json_decode(std::string_view text, std::size_t max_depth = kMaxJsonDepth) {
  T value{};
  decode_json_into(text, value, max_depth);
  return value;
}

/// As `json_decode<T>`, with the error as a value.
template <class T>
std::expected<T, JsonError> try_json_decode(std::string_view text,
                                            std::size_t max_depth = kMaxJsonDepth) {
  try {
    return json_decode<T>(text, max_depth);
  } catch (const JsonError& error) {
    return std::unexpected(error);
  }
}

}  // namespace coronado
