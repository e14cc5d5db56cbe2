/// JSON values, and text to and from them.
///
///     Json          one value: null, bool, number, string, array or object
///     JsonObject    the members of an object, in the order they came
///     JsonError     the text, or the value, is not what was expected
///     json_encode, append_json, json_decode, try_json_decode
///
/// Structs of your own are read and written without a `Json` in between: see
/// `<coronado/base/json_typed.hpp>`.
///
/// Layer: base.   Spec  RFC 8259.   Tornado  `json_encode`, `json_decode`.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace coronado {

class Json;
class JsonObject;

/// What a JSON value is. The three number kinds are one type in JSON; see `Json`.
enum class JsonKind : std::uint8_t { kNull, kBool, kInt, kUint, kDouble, kString, kArray, kObject };

/// The name of a kind for messages: "null", "bool", "number", "string", "array", "object".
std::string_view json_kind_name(JsonKind kind) noexcept;

/// One value that is not what a typed decoder expected.
struct JsonFieldError {
  std::string path;     ///< "user.tags[2]"; empty for the whole text
  std::string message;  ///< "expected string, got number"
};

/// A text is not JSON, or a value is not what the program expected.
///
/// `what()` is "line 2, column 7: expected ':', got '}'" for bad text and
/// "user.zip: expected string, got number" for a wrong value.
class JsonError : public std::runtime_error {
 public:
  /// A value of the wrong kind, outside of any text.
  explicit JsonError(const std::string& message) : std::runtime_error(message) {}
  /// Bad text; the offset is turned into line and column.
  JsonError(std::string_view text, std::size_t offset, const std::string& message);
  /// Wrong values, at least one; the first one gives `what()`.
  JsonError(std::string_view text, std::size_t offset, std::vector<JsonFieldError> fields);

  /// The byte where the error was seen; 0 if there is no text.
  std::size_t offset() const noexcept { return offset_; }
  /// Line and column of the offset, both from 1, the column in bytes; 0 if there is no text.
  std::size_t line() const noexcept { return place_.line; }
  std::size_t column() const noexcept { return place_.column; }
  /// Every wrong value, up to 20, when the text was JSON but did not fit the type; else empty.
  const std::vector<JsonFieldError>& fields() const noexcept { return fields_; }

 private:
  struct Place {
    std::size_t line = 0;
    std::size_t column = 0;
  };
  static Place find_place(std::string_view text, std::size_t offset);
  JsonError(Place place, std::size_t offset, const std::string& message);

  std::size_t offset_ = 0;
  Place place_;
  std::vector<JsonFieldError> fields_;
};

/// One JSON value.
///
///     Json user{{"id", 7}, {"name", "Ada"}, {"tags", Json::array({1, 2})}};
///     user["address"]["zip"] = "10115";
///     for (const auto& [key, value] : user.as_object()) ...
///
/// A braced list of pairs is an object; an array is always written `Json::array`. An integer is
/// kept exactly if it fits 64 bits, signed or unsigned; other numbers are doubles. Numbers compare
/// by value, whatever their kind; objects compare without regard to the order of members.
///
/// Throws   JsonError  From `as_*`, `at` and const `operator[]`: the value is of another kind, or
/// the
///                     member or element does not exist. The message names both.
/// Threads  A value: share it between threads only to read.
class Json {
 public:
  using Array = std::vector<Json>;

  Json() noexcept = default;
  Json(std::nullptr_t) noexcept {}
  template <std::same_as<bool> T>
  Json(T value) noexcept : kind_(JsonKind::kBool) {
    payload_.boolean = value;
  }
  template <std::integral T>
    requires(!std::same_as<T, bool> && !std::same_as<T, char> && !std::same_as<T, wchar_t> &&
             !std::same_as<T, char8_t> && !std::same_as<T, char16_t> && !std::same_as<T, char32_t>)
  Json(T value) noexcept {
    if constexpr (std::is_signed_v<T>) {
      kind_ = JsonKind::kInt;
      payload_.integer = value;
    } else {
      kind_ = JsonKind::kUint;
      payload_.natural = value;
    }
  }
  Json(double value) noexcept : kind_(JsonKind::kDouble) { payload_.real = value; }
  Json(std::string value);
  Json(std::string_view value);
  Json(const char* value);
  Json(Array value);
  Json(JsonObject value);
  /// An object of these members; a repeated key keeps its place and takes the later value.
  Json(std::initializer_list<std::pair<std::string_view, Json>> members);
  /// An array of what converts to `Json`.
  template <class T>
    requires(!std::same_as<T, Json> && std::constructible_from<Json, const T&>)
  Json(const std::vector<T>& elements) : Json(array()) {
    for (const T& element : elements) push_back(Json(element));
  }

  Json(const Json& other);
  Json(Json&& other) noexcept;
  Json& operator=(Json other) noexcept;
  ~Json();

  static Json array(std::initializer_list<Json> elements = {});
  static Json object();

  JsonKind kind() const noexcept { return kind_; }
  bool is_null() const noexcept { return kind_ == JsonKind::kNull; }
  bool is_bool() const noexcept { return kind_ == JsonKind::kBool; }
  bool is_number() const noexcept { return kind_ >= JsonKind::kInt && kind_ <= JsonKind::kDouble; }
  bool is_string() const noexcept { return kind_ == JsonKind::kString; }
  bool is_array() const noexcept { return kind_ == JsonKind::kArray; }
  bool is_object() const noexcept { return kind_ == JsonKind::kObject; }

  bool as_bool() const;
  /// The number, if it is an integer that fits.
  std::int64_t as_int() const;
  std::uint64_t as_uint() const;
  /// Any number; integers beyond 2^53 are rounded.
  double as_double() const;
  const std::string& as_string() const;
  std::string& as_string();
  const Array& as_array() const;
  Array& as_array();
  const JsonObject& as_object() const;
  JsonObject& as_object();

  /// The number of members or elements; 0 for anything else.
  std::size_t size() const noexcept;
  bool empty() const noexcept { return size() == 0; }

  /// The member of an object, or null if there is none or this is no object.
  const Json* find(std::string_view key) const noexcept;
  Json* find(std::string_view key) noexcept;
  bool contains(std::string_view key) const noexcept { return find(key) != nullptr; }

  const Json& at(std::string_view key) const;
  Json& at(std::string_view key);
  const Json& at(std::size_t index) const;
  Json& at(std::size_t index);

  /// The member, made if it is missing; null becomes an object first. On a const value: `at`.
  Json& operator[](std::string_view key);
  const Json& operator[](std::string_view key) const { return at(key); }
  Json& operator[](const char* key) { return (*this)[std::string_view(key)]; }
  const Json& operator[](const char* key) const { return at(std::string_view(key)); }
  template <std::integral Index>
  Json& operator[](Index index) {
    return at(static_cast<std::size_t>(index));
  }
  template <std::integral Index>
  const Json& operator[](Index index) const {
    return at(static_cast<std::size_t>(index));
  }

  /// Append to an array; null becomes an array first.
  void push_back(Json value);

  friend bool operator==(const Json& a, const Json& b) noexcept;

 private:
  [[noreturn]] void fail(std::string_view expected) const;

  union Payload {
    bool boolean;
    std::int64_t integer;
    std::uint64_t natural;
    double real;
    std::string* string;
    Array* array;
    JsonObject* object;
  };

  JsonKind kind_ = JsonKind::kNull;
  Payload payload_ = {.integer = 0};
};

/// The members of an object, each key once, in the order they were added.
///
/// Cost  `find` looks at each member up to 16 of them, and searches a sorted index beyond.
class JsonObject {
 public:
  struct Member {
    std::string key;
    Json value;
  };

  JsonObject() = default;

  std::size_t size() const noexcept { return members_.size(); }
  bool empty() const noexcept { return members_.empty(); }
  auto begin() const noexcept { return members_.cbegin(); }
  auto end() const noexcept { return members_.cend(); }

  const Json* find(std::string_view key) const noexcept;
  Json* find(std::string_view key) noexcept;

  /// The member `key`, made null if it is missing.
  Json& operator[](std::string_view key);

  /// Remove a member and keep the order of the others. Returns whether there was one.
  bool erase(std::string_view key);

  friend bool operator==(const JsonObject& a, const JsonObject& b) noexcept;

 private:
  friend class JsonReader;
  static constexpr std::size_t kNone = ~std::size_t{0};

  std::size_t index_of(std::string_view key) const noexcept;
  void append_unchecked(std::string key, Json value);
  void merge_duplicates();
  void rebuild_index();

  std::vector<Member> members_;
  // The positions of the first `index_.size()` members by key; the others are searched one by one.
  std::vector<std::uint32_t> index_;
};

/// The text of `value`, without white space, in UTF-8. As Tornado does, "</" is written "<\/" so
/// that the text may stand inside a `<script>`. Parts of strings that are not UTF-8 become U+FFFD.
///
/// Throws  std::invalid_argument  A number is infinite or NaN.
std::string json_encode(const Json& value);

/// Append the text of `value` to `out`; as `json_encode`. After a throw `out` is as before.
void append_json(std::string& out, const Json& value);

/// Deepest nesting of arrays and objects that is read.
inline constexpr std::size_t kMaxJsonDepth = 64;

/// Read one JSON text, strictly by RFC 8259: valid UTF-8, no lone surrogate, no comment, no
/// trailing comma, nothing behind the value. The last of several members with the same key counts.
///
/// Throws  JsonError  With the place and what was expected there.
Json json_decode(std::string_view text, std::size_t max_depth = kMaxJsonDepth);

/// As `json_decode`, with the error as a value.
std::expected<Json, JsonError> try_json_decode(std::string_view text,
                                               std::size_t max_depth = kMaxJsonDepth);

}  // namespace coronado
