#include <coronado/base/json_reader.hpp>

#include <coronado/base/escape.hpp>
#include <coronado/base/strings.hpp>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "base/utf8.hpp"

namespace coronado {
namespace {

constexpr std::size_t kMaxFieldErrors = 20;

std::size_t first_invalid_utf8(std::string_view text) {
  std::size_t at = 0;
  bool valid = true;
  while (at < text.size()) {
    const std::size_t length = utf8_unit(text.substr(at), valid);
    if (!valid) break;
    at += length;
  }
  return at;
}

// The first byte that a plain piece of a string cannot hold: a quote, a backslash, a control.
const char* find_string_special(const char* at, const char* end) {
  while (at != end && *at != '"' && *at != '\\' && static_cast<unsigned char>(*at) >= 0x20) ++at;
  return at;
}

// A key as it is meant, from what stands between its quotes.
std::string key_text(std::string_view escaped) {
  if (escaped.find('\\') == std::string_view::npos) return std::string(escaped);
  const std::string quoted = '"' + std::string(escaped) + '"';
  return std::string(JsonReader(quoted).read_string());
}

// A number beyond the doubles is too large if its first digit that counts stands before the point,
// after moving by the exponent; else it is too small, which is zero.
bool is_too_large(std::string_view number) {
  const std::size_t exponent_at = std::min(number.find_first_of("eE"), number.size());
  const std::string_view digits = number.substr(0, exponent_at);
  const std::size_t point = std::min(digits.find('.'), digits.size());
  const std::size_t first = digits.find_first_of("123456789");
  if (first == std::string_view::npos) return false;
  std::string_view exponent = number.substr(std::min(exponent_at + 1, number.size()));
  const bool negative = exponent.starts_with('-');
  if (negative || exponent.starts_with('+')) exponent.remove_prefix(1);
  constexpr std::int64_t kHuge = std::int64_t{1} << 62;
  std::int64_t shift = exponent.empty() ? 0 : parse_int<std::int64_t>(exponent).value_or(kHuge);
  shift = negative ? -std::min(shift, kHuge) : std::min(shift, kHuge);
  return static_cast<std::int64_t>(point) - static_cast<std::int64_t>(first) + shift > 0;
}

}  // namespace

JsonReader::JsonReader(std::string_view text, std::size_t max_depth)
    : text_(text), max_depth_(max_depth) {
  // RFC 8259 8.1: JSON text is UTF-8. One look at all of it is cheaper than many at each string.
  if (!is_valid_utf8(text)) fail_at(first_invalid_utf8(text), "the text is not UTF-8");
}

// ---- errors

void JsonReader::fail_at(std::size_t offset, const std::string& message) {
  throw JsonError(text_, offset, message);
}

void JsonReader::fail(std::string_view expected) {
  fail_at(at_, "expected " + std::string(expected) + ", got " + describe_next());
}

std::string JsonReader::describe_next() const {
  if (at_ == text_.size()) return "end of text";
  const char c = text_[at_];
  if (c > ' ' && c < 0x7f) return std::string("'") + c + "'";
  std::string name = "byte 0x";
  append_hex(name, std::string_view(&c, 1));
  return name;
}

std::string JsonReader::path(std::string_view key) const {
  std::string path;
  const auto add_key = [&](std::string_view name) {
    if (!path.empty()) path += '.';
    path += name;
  };
  for (const Frame& frame : frames_) {
    if (frame.is_object) {
      add_key(key_text(text_.substr(frame.key_begin, frame.key_size)));
    } else {
      path += '[';
      append_int(path, frame.index);
      path += ']';
    }
  }
  if (!key.empty()) add_key(key);
  return path;
}

void JsonReader::note(std::string message) { note_at({}, std::move(message)); }

void JsonReader::note_missing(std::string_view key) { note_at(key, "missing"); }

void JsonReader::note_at(std::string_view key, std::string message) {
  if (fields_.empty()) first_field_offset_ = value_at_;
  if (fields_.size() < kMaxFieldErrors) {
    fields_.push_back({path(key), std::move(message)});
  } else if (fields_.size() == kMaxFieldErrors) {
    fields_.push_back({"", "more values do not fit"});
  }
}

void JsonReader::note_kind(std::string_view expected) {
  note("expected " + std::string(expected) + ", got " + std::string(json_kind_name(peek())));
  skip();
}

void JsonReader::finish() {
  skip_space();
  if (at_ != text_.size()) fail("end of text");
  if (!fields_.empty()) throw JsonError(text_, first_field_offset_, std::move(fields_));
}

// ---- moving

void JsonReader::skip_space() noexcept {
  while (at_ < text_.size() &&
         (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\r' || text_[at_] == '\t')) {
    ++at_;
  }
}

void JsonReader::expect(char c, std::string_view name) {
  if (at_ == text_.size() || text_[at_] != c) fail(name);
  ++at_;
}

JsonKind JsonReader::peek() {
  skip_space();
  value_at_ = at_;
  if (at_ == text_.size()) fail("value");
  const char c = text_[at_];
  switch (c) {
    case '{': return JsonKind::kObject;
    case '[': return JsonKind::kArray;
    case '"': return JsonKind::kString;
    case 't':
    case 'f': return JsonKind::kBool;
    case 'n': return JsonKind::kNull;
    default:
      if (c != '-' && !is_ascii_digit(c)) fail("value");
      return JsonKind::kDouble;
  }
}

void JsonReader::enter(bool is_object) {
  if (frames_.size() == max_depth_) {
    fail_at(at_, "nested deeper than " + std::to_string(max_depth_));
  }
  frames_.push_back({is_object});
  ++at_;
}

// Steps over the comma in front of the next item; false if `close` is there instead.
bool JsonReader::next_item(char close) {
  skip_space();
  Frame& frame = frames_.back();
  if (at_ < text_.size() && text_[at_] == close) {
    ++at_;
    frames_.pop_back();
    return false;
  }
  if (!frame.empty) {
    expect(',', close == ']' ? "',' or ']'" : "',' or '}'");
    skip_space();
    ++frame.index;
  }
  frame.empty = false;
  return true;
}

bool JsonReader::begin_array() {
  if (peek() != JsonKind::kArray) {
    note_kind("array");
    return false;
  }
  enter(false);
  return true;
}

bool JsonReader::next_element() { return next_item(']'); }

bool JsonReader::begin_object() {
  if (peek() != JsonKind::kObject) {
    note_kind("object");
    return false;
  }
  enter(true);
  return true;
}

bool JsonReader::next_key(std::string_view& key) {
  if (!next_item('}')) return false;
  if (at_ == text_.size() || text_[at_] != '"') fail("name in quotes");
  const std::size_t begin = at_ + 1;
  key = scan_string();
  frames_.back().key_begin = begin;
  frames_.back().key_size = at_ - 1 - begin;
  skip_space();
  expect(':', "':'");
  return true;
}

void JsonReader::skip() {
  switch (peek()) {
    case JsonKind::kArray:
      enter(false);
      while (next_element()) skip();
      break;
    case JsonKind::kObject:
      enter(true);
      for (std::string_view key; next_key(key);) skip();
      break;
    case JsonKind::kString: scan_string(); break;
    case JsonKind::kNull: read_word("null"); break;
    case JsonKind::kBool: read_word(text_[at_] == 't' ? "true" : "false"); break;
    default: to_double(scan_number());
  }
}

// ---- values

void JsonReader::read_word(std::string_view word) {
  if (!text_.substr(at_).starts_with(word)) fail("value");
  at_ += word.size();
}

bool JsonReader::read_null() {
  if (peek() != JsonKind::kNull) return false;
  read_word("null");
  return true;
}

bool JsonReader::read_bool() {
  if (peek() != JsonKind::kBool) {
    note_kind("bool");
    return false;
  }
  const bool value = text_[at_] == 't';
  read_word(value ? "true" : "false");
  return value;
}

std::int64_t JsonReader::read_int(std::int64_t min, std::int64_t max) {
  if (peek() != JsonKind::kDouble) {
    note_kind("integer");
    return 0;
  }
  const Number number = scan_number();
  const auto value = number.is_integer ? parse_int<std::int64_t>(number.text) : std::nullopt;
  if (value && *value >= min && *value <= max) return *value;
  if (!number.is_integer) {
    note("expected integer, got " + std::string(number.text));
  } else {
    note("expected integer from " + std::to_string(min) + " to " + std::to_string(max) + ", got " +
         std::string(number.text));
  }
  return 0;
}

std::uint64_t JsonReader::read_uint(std::uint64_t max) {
  if (peek() != JsonKind::kDouble) {
    note_kind("integer");
    return 0;
  }
  const Number number = scan_number();
  const auto value = number.is_integer ? parse_int<std::uint64_t>(number.text) : std::nullopt;
  if (value && *value <= max) return *value;
  if (!number.is_integer) {
    note("expected integer, got " + std::string(number.text));
  } else {
    note("expected integer from 0 to " + std::to_string(max) + ", got " + std::string(number.text));
  }
  return 0;
}

double JsonReader::read_double(double max) {
  if (peek() != JsonKind::kDouble) {
    note_kind("number");
    return 0;
  }
  const Number number = scan_number();
  const double value = to_double(number);
  if (value >= -max && value <= max) return value;
  std::string range = "expected number up to ";
  append_double(range, max);
  note(range + ", got " + std::string(number.text));
  return 0;
}

std::string_view JsonReader::read_string() {
  if (peek() != JsonKind::kString) {
    note_kind("string");
    return {};
  }
  return scan_string();
}

Json JsonReader::read_json() {
  switch (peek()) {
    case JsonKind::kArray: {
      Json::Array elements;
      enter(false);
      while (next_element()) elements.push_back(read_json());
      return elements;
    }
    case JsonKind::kObject: {
      JsonObject object;
      enter(true);
      for (std::string_view key; next_key(key);) {
        std::string name(key);
        object.append_unchecked(std::move(name), read_json());
      }
      object.merge_duplicates();
      return object;
    }
    case JsonKind::kString: return scan_string();
    case JsonKind::kNull: read_word("null"); return nullptr;
    case JsonKind::kBool: return read_bool();
    default: return number_value();
  }
}

Json JsonReader::number_value() {
  const Number number = scan_number();
  if (number.is_integer) {
    if (const auto value = parse_int<std::int64_t>(number.text)) return *value;
    if (const auto value = parse_int<std::uint64_t>(number.text)) return *value;
  }
  return to_double(number);
}

// RFC 8259 6: optional minus, digits without a leading zero, optional fraction, optional exponent.
JsonReader::Number JsonReader::scan_number() {
  const std::size_t begin = at_;
  const auto next = [&] { return at_ < text_.size() ? text_[at_] : '\0'; };
  const auto digits = [&] {
    if (!is_ascii_digit(next())) fail("digit");
    while (is_ascii_digit(next())) ++at_;
  };
  if (next() == '-') ++at_;
  if (next() == '0') {
    ++at_;
  } else {
    digits();
  }
  bool is_integer = true;
  if (next() == '.') {
    is_integer = false;
    ++at_;
    digits();
  }
  if (next() == 'e' || next() == 'E') {
    is_integer = false;
    ++at_;
    if (next() == '+' || next() == '-') ++at_;
    digits();
  }
  return {text_.substr(begin, at_ - begin), is_integer};
}

double JsonReader::to_double(Number number) {
  double value = 0;
  const char* end = number.text.data() + number.text.size();
  if (std::from_chars(number.text.data(), end, value).ec != std::errc::result_out_of_range) {
    return value;
  }
  if (is_too_large(number.text)) {
    fail_at(at_ - number.text.size(), "the number is too large for a double");
  }
  return number.text.starts_with('-') ? -0.0 : 0.0;
}

// Reads a string with its quotes. Without an escape it is a view of the text, else of the scratch.
std::string_view JsonReader::scan_string() {
  const std::size_t quote = at_++;
  const char* begin = text_.data() + at_;
  const char* end = text_.data() + text_.size();
  const char* special = find_string_special(begin, end);
  if (special != end && *special == '"') {
    at_ = static_cast<std::size_t>(special - text_.data()) + 1;
    return std::string_view(begin, special);
  }
  scratch_.clear();
  for (;;) {
    scratch_.append(begin, special);
    at_ = static_cast<std::size_t>(special - text_.data());
    if (special == end) fail_at(quote, "the string has no end");
    ++at_;
    if (*special == '"') return scratch_;
    if (*special != '\\') {
      --at_;
      fail("an escape for this character");  // RFC 8259 7: controls must be escaped
    }
    scan_escape();
    begin = text_.data() + at_;
    special = find_string_special(begin, end);
  }
}

// Reads what follows a backslash.
void JsonReader::scan_escape() {
  constexpr std::string_view kNames = "\"\\/bfnrt";
  constexpr std::string_view kValues = "\"\\/\b\f\n\r\t";
  const char c = at_ < text_.size() ? text_[at_] : '\0';
  const std::size_t known = c == '\0' ? std::string_view::npos : kNames.find(c);
  if (known != std::string_view::npos) {
    scratch_ += kValues[known];
    ++at_;
    return;
  }
  if (c != 'u') fail("one of \" \\ / b f n r t u after a backslash");
  const std::size_t begin = at_ - 1;
  ++at_;
  char32_t code_point = scan_hex4();
  if (code_point >= 0xD800 && code_point < 0xE000) {
    // RFC 8259 8.2 calls lone surrogates unpredictable; no UTF-8 can hold them.
    if (code_point >= 0xDC00 || !text_.substr(at_).starts_with("\\u")) {
      fail_at(begin, "a lone surrogate is not a character");
    }
    at_ += 2;
    const unsigned low = scan_hex4();
    if (low < 0xDC00 || low > 0xDFFF) fail_at(begin, "a lone surrogate is not a character");
    code_point = 0x10000 + ((code_point - 0xD800) << 10) + (low - 0xDC00);
  }
  append_utf8(scratch_, code_point);
}

unsigned JsonReader::scan_hex4() {
  unsigned value = 0;
  for (int i = 0; i < 4; ++i, ++at_) {
    const int digit = at_ < text_.size() ? hex_value(text_[at_]) : -1;
    if (digit < 0) fail("hexadecimal digit");
    value = value * 16 + static_cast<unsigned>(digit);
  }
  return value;
}

}  // namespace coronado
