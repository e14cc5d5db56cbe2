#include <coronado/base/json.hpp>

#include <coronado/base/json_reader.hpp>
#include <coronado/base/json_typed.hpp>

#include <algorithm>
#include <cmath>

namespace coronado {
namespace {

// Objects up to this size are searched member by member.
constexpr std::size_t kSmallObject = 16;

// 2^63 and 2^64 as doubles.
constexpr double kTwoTo63 = 9223372036854775808.0;
constexpr double kTwoTo64 = 18446744073709551616.0;

bool same_number(double a, std::int64_t b) {
  return a >= -kTwoTo63 && a < kTwoTo63 && std::trunc(a) == a && static_cast<std::int64_t>(a) == b;
}

bool same_number(double a, std::uint64_t b) {
  return a >= 0 && a < kTwoTo64 && std::trunc(a) == a && static_cast<std::uint64_t>(a) == b;
}

std::string field_text(const JsonFieldError& field) {
  return field.path.empty() ? field.message : field.path + ": " + field.message;
}

void append_value(std::string& out, const Json& value) {
  switch (value.kind()) {
    case JsonKind::kNull: out += "null"; break;
    case JsonKind::kBool: out += value.as_bool() ? "true" : "false"; break;
    case JsonKind::kInt: append_int(out, value.as_int()); break;
    case JsonKind::kUint: append_int(out, value.as_uint()); break;
    case JsonKind::kDouble: detail::append_json_number(out, value.as_double()); break;
    case JsonKind::kString: detail::append_json_string(out, value.as_string()); break;
    case JsonKind::kArray: {
      char separator = '[';
      for (const Json& element : value.as_array()) {
        out += separator;
        separator = ',';
        append_value(out, element);
      }
      out += value.empty() ? "[]" : "]";
      break;
    }
    case JsonKind::kObject: {
      char separator = '{';
      for (const auto& [key, member] : value.as_object()) {
        out += separator;
        separator = ',';
        detail::append_json_string(out, key);
        out += ':';
        append_value(out, member);
      }
      out += value.empty() ? "{}" : "}";
      break;
    }
  }
}

}  // namespace

std::string_view json_kind_name(JsonKind kind) noexcept {
  switch (kind) {
    case JsonKind::kNull: return "null";
    case JsonKind::kBool: return "bool";
    case JsonKind::kInt:
    case JsonKind::kUint:
    case JsonKind::kDouble: return "number";
    case JsonKind::kString: return "string";
    case JsonKind::kArray: return "array";
    case JsonKind::kObject: return "object";
  }
  return "unknown";
}

// ---- JsonError

JsonError::Place JsonError::find_place(std::string_view text, std::size_t offset) {
  const std::string_view before = text.substr(0, offset);
  const std::size_t line_end = before.rfind('\n');
  return {static_cast<std::size_t>(std::ranges::count(before, '\n')) + 1,
          line_end == std::string_view::npos ? offset + 1 : offset - line_end};
}

JsonError::JsonError(Place place, std::size_t offset, const std::string& message)
    : std::runtime_error("line " + std::to_string(place.line) + ", column " +
                         std::to_string(place.column) + ": " + message),
      offset_(offset),
      place_(place) {}

JsonError::JsonError(std::string_view text, std::size_t offset, const std::string& message)
    : JsonError(find_place(text, offset), offset, message) {}

JsonError::JsonError(std::string_view text, std::size_t offset, std::vector<JsonFieldError> fields)
    : std::runtime_error(field_text(fields.front())),
      offset_(offset),
      place_(find_place(text, offset)),
      fields_(std::move(fields)) {}

// ---- Json

Json::Json(std::string value)
    : kind_(JsonKind::kString), payload_{.string = new std::string(std::move(value))} {}
Json::Json(std::string_view value) : Json(std::string(value)) {}
Json::Json(const char* value) : Json(std::string(value)) {}
Json::Json(Array value) : kind_(JsonKind::kArray), payload_{.array = new Array(std::move(value))} {}
Json::Json(JsonObject value)
    : kind_(JsonKind::kObject), payload_{.object = new JsonObject(std::move(value))} {}

Json::Json(std::initializer_list<std::pair<std::string_view, Json>> members) : Json(JsonObject()) {
  for (const auto& [key, value] : members) (*payload_.object)[key] = value;
}

Json::Json(const Json& other) : payload_(other.payload_) {
  switch (other.kind_) {
    case JsonKind::kString: payload_.string = new std::string(*other.payload_.string); break;
    case JsonKind::kArray: payload_.array = new Array(*other.payload_.array); break;
    case JsonKind::kObject: payload_.object = new JsonObject(*other.payload_.object); break;
    default: break;
  }
  kind_ = other.kind_;  // last: a copy that fails has nothing to release
}

Json::Json(Json&& other) noexcept : kind_(other.kind_), payload_(other.payload_) {
  other.kind_ = JsonKind::kNull;
}

Json& Json::operator=(Json other) noexcept {
  std::swap(kind_, other.kind_);
  std::swap(payload_, other.payload_);
  return *this;
}

Json::~Json() {
  switch (kind_) {
    case JsonKind::kString: delete payload_.string; break;
    case JsonKind::kArray: delete payload_.array; break;
    case JsonKind::kObject: delete payload_.object; break;
    default: break;
  }
}

Json Json::array(std::initializer_list<Json> elements) { return Json(Array(elements)); }
Json Json::object() { return Json(JsonObject()); }

void Json::fail(std::string_view expected) const {
  throw JsonError("expected " + std::string(expected) + ", got " +
                  std::string(json_kind_name(kind_)));
}

bool Json::as_bool() const {
  if (kind_ != JsonKind::kBool) fail("bool");
  return payload_.boolean;
}

std::int64_t Json::as_int() const {
  if (kind_ == JsonKind::kInt) return payload_.integer;
  if (kind_ != JsonKind::kUint || !std::in_range<std::int64_t>(payload_.natural)) {
    fail("integer of 64 bits with sign");
  }
  return static_cast<std::int64_t>(payload_.natural);
}

std::uint64_t Json::as_uint() const {
  if (kind_ == JsonKind::kUint) return payload_.natural;
  if (kind_ != JsonKind::kInt || payload_.integer < 0) fail("integer of 64 bits from 0");
  return static_cast<std::uint64_t>(payload_.integer);
}

double Json::as_double() const {
  switch (kind_) {
    case JsonKind::kDouble: return payload_.real;
    case JsonKind::kInt: return static_cast<double>(payload_.integer);
    case JsonKind::kUint: return static_cast<double>(payload_.natural);
    default: fail("number");
  }
}

const std::string& Json::as_string() const {
  if (kind_ != JsonKind::kString) fail("string");
  return *payload_.string;
}
std::string& Json::as_string() {
  return const_cast<std::string&>(std::as_const(*this).as_string());
}

const Json::Array& Json::as_array() const {
  if (kind_ != JsonKind::kArray) fail("array");
  return *payload_.array;
}
Json::Array& Json::as_array() { return const_cast<Array&>(std::as_const(*this).as_array()); }

const JsonObject& Json::as_object() const {
  if (kind_ != JsonKind::kObject) fail("object");
  return *payload_.object;
}
JsonObject& Json::as_object() { return const_cast<JsonObject&>(std::as_const(*this).as_object()); }

std::size_t Json::size() const noexcept {
  if (kind_ == JsonKind::kArray) return payload_.array->size();
  if (kind_ == JsonKind::kObject) return payload_.object->size();
  return 0;
}

const Json* Json::find(std::string_view key) const noexcept {
  return kind_ == JsonKind::kObject ? std::as_const(*payload_.object).find(key) : nullptr;
}
Json* Json::find(std::string_view key) noexcept {
  return kind_ == JsonKind::kObject ? payload_.object->find(key) : nullptr;
}

const Json& Json::at(std::string_view key) const {
  const Json* member = as_object().find(key);
  if (member == nullptr) throw JsonError("no member '" + std::string(key) + "'");
  return *member;
}
Json& Json::at(std::string_view key) { return const_cast<Json&>(std::as_const(*this).at(key)); }

const Json& Json::at(std::size_t index) const {
  const Array& elements = as_array();
  if (index >= elements.size()) {
    throw JsonError("no element " + std::to_string(index) + " in an array of " +
                    std::to_string(elements.size()));
  }
  return elements[index];
}
Json& Json::at(std::size_t index) { return const_cast<Json&>(std::as_const(*this).at(index)); }

Json& Json::operator[](std::string_view key) {
  if (kind_ == JsonKind::kNull) *this = object();
  return as_object()[key];
}

void Json::push_back(Json value) {
  if (kind_ == JsonKind::kNull) *this = array();
  as_array().push_back(std::move(value));
}

bool operator==(const Json& a, const Json& b) noexcept {
  if (a.kind_ > b.kind_) return b == a;
  switch (a.kind_) {
    case JsonKind::kNull: return b.is_null();
    case JsonKind::kBool: return b.is_bool() && a.payload_.boolean == b.payload_.boolean;
    case JsonKind::kInt:
      if (b.kind_ == JsonKind::kInt) return a.payload_.integer == b.payload_.integer;
      if (b.kind_ == JsonKind::kUint) return std::cmp_equal(a.payload_.integer, b.payload_.natural);
      return b.kind_ == JsonKind::kDouble && same_number(b.payload_.real, a.payload_.integer);
    case JsonKind::kUint:
      if (b.kind_ == JsonKind::kUint) return a.payload_.natural == b.payload_.natural;
      return b.kind_ == JsonKind::kDouble && same_number(b.payload_.real, a.payload_.natural);
    case JsonKind::kDouble:
      return b.kind_ == JsonKind::kDouble && a.payload_.real == b.payload_.real;
    case JsonKind::kString: return b.is_string() && *a.payload_.string == *b.payload_.string;
    case JsonKind::kArray: return b.is_array() && *a.payload_.array == *b.payload_.array;
    case JsonKind::kObject: return *a.payload_.object == *b.payload_.object;
  }
  return false;
}

// ---- JsonObject

std::size_t JsonObject::index_of(std::string_view key) const noexcept {
  const auto key_at = [this](std::uint32_t position) {
    return std::string_view(members_[position].key);
  };
  const auto found = std::ranges::lower_bound(index_, key, {}, key_at);
  if (found != index_.end() && key_at(*found) == key) return *found;
  for (std::size_t i = index_.size(); i < members_.size(); ++i) {
    if (members_[i].key == key) return i;
  }
  return kNone;
}

const Json* JsonObject::find(std::string_view key) const noexcept {
  const std::size_t index = index_of(key);
  return index == kNone ? nullptr : &members_[index].value;
}

Json* JsonObject::find(std::string_view key) noexcept {
  return const_cast<Json*>(std::as_const(*this).find(key));
}

Json& JsonObject::operator[](std::string_view key) {
  if (Json* known = find(key)) return *known;
  // The tail behind the index may grow to the root of the size: that balances searching it against
  // merging it.
  const std::size_t tail = members_.size() - index_.size();
  if (tail >= kSmallObject && tail * tail >= members_.size()) rebuild_index();
  members_.push_back({std::string(key), Json()});
  return members_.back().value;
}

bool JsonObject::erase(std::string_view key) {
  const std::size_t index = index_of(key);
  if (index == kNone) return false;
  members_.erase(members_.begin() + static_cast<std::ptrdiff_t>(index));
  index_.clear();
  if (members_.size() > kSmallObject) rebuild_index();
  return true;
}

void JsonObject::rebuild_index() {
  // Equal keys, which only a decoder brings, are told apart by their position.
  const auto before = [this](std::uint32_t a, std::uint32_t b) {
    const int order = members_[a].key.compare(members_[b].key);
    return order != 0 ? order < 0 : a < b;
  };
  std::vector<std::uint32_t> tail;
  for (std::size_t i = index_.size(); i < members_.size(); ++i) {
    tail.push_back(static_cast<std::uint32_t>(i));
  }
  std::ranges::sort(tail, before);
  std::vector<std::uint32_t> merged(members_.size());
  std::ranges::merge(index_, tail, merged.begin(), before);
  index_ = std::move(merged);
}

void JsonObject::append_unchecked(std::string key, Json value) {
  members_.push_back({std::move(key), std::move(value)});
}

// The first place and the last value of a repeated key remain, as with operator[] one by one.
void JsonObject::merge_duplicates() {
  std::vector<bool> dead;
  const auto merge = [&](std::size_t first, std::size_t later) {
    dead.resize(members_.size());
    dead[later] = true;
    members_[first].value = std::move(members_[later].value);
  };
  if (members_.size() <= kSmallObject) {
    for (std::size_t later = 1; later < members_.size(); ++later) {
      for (std::size_t first = 0; first < later; ++first) {
        if (members_[first].key == members_[later].key) {
          merge(first, later);
          break;
        }
      }
    }
  } else {
    rebuild_index();
    std::size_t first = index_[0];
    for (std::size_t i = 1; i < index_.size(); ++i) {
      if (members_[index_[i]].key == members_[first].key) {
        merge(first, index_[i]);
      } else {
        first = index_[i];
      }
    }
  }
  if (dead.empty()) return;
  std::size_t kept = 0;
  for (std::size_t i = 0; i < members_.size(); ++i) {
    if (dead[i]) continue;
    if (kept != i) members_[kept] = std::move(members_[i]);
    ++kept;
  }
  members_.resize(kept);
  index_.clear();
  if (members_.size() > kSmallObject) rebuild_index();
}

bool operator==(const JsonObject& a, const JsonObject& b) noexcept {
  return a.size() == b.size() && std::ranges::all_of(a, [&](const JsonObject::Member& member) {
           const Json* other = b.find(member.key);
           return other != nullptr && *other == member.value;
         });
}

// ---- text

void append_json(std::string& out, const Json& value) {
  const std::size_t begin = out.size();
  try {
    append_value(out, value);
  } catch (...) {
    out.resize(begin);
    throw;
  }
}

std::string json_encode(const Json& value) {
  std::string out;
  append_value(out, value);
  return out;
}

Json json_decode(std::string_view text, std::size_t max_depth) {
  JsonReader reader(text, max_depth);
  Json value = reader.read_json();
  reader.finish();
  return value;
}

std::expected<Json, JsonError> try_json_decode(std::string_view text, std::size_t max_depth) {
  try {
    return json_decode(text, max_depth);
  } catch (const JsonError& error) {
    return std::unexpected(error);
  }
}

}  // namespace coronado
