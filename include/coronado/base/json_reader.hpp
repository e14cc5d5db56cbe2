/// Reads JSON text piece by piece: the ground floor of typed decoding.
///
/// Layer: base.   Spec  RFC 8259.
#pragma once

#include <coronado/base/json.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace coronado {

/// A cursor over one JSON text.
///
///     JsonReader reader(text);
///     if (reader.begin_object()) {
///       for (std::string_view key; reader.next_key(key);) {
///         if (key == "id") id = reader.read_int();
///         else reader.skip();
///       }
///     }
///     reader.finish();
///
/// **Bad text** throws at once. **A value of the wrong kind** is noted with its path and skipped,
/// and the read returns an empty value, so that `finish` can report all of them together.
///
/// Throws    JsonError  Every member that moves the cursor, for text that is not JSON; `finish`
/// also for
///                      the wrong values noted on the way.
/// Lifetime  The text must outlive the reader; views it returns last until its next call.
class JsonReader {
 public:
  explicit JsonReader(std::string_view text, std::size_t max_depth = kMaxJsonDepth);

  /// The kind of the next value, which is not consumed. All numbers are `kDouble`.
  JsonKind peek();

  /// Whether the next value is null; consumes it if so.
  bool read_null();
  bool read_bool();
  std::int64_t read_int(std::int64_t min = std::numeric_limits<std::int64_t>::min(),
                        std::int64_t max = std::numeric_limits<std::int64_t>::max());
  std::uint64_t read_uint(std::uint64_t max = std::numeric_limits<std::uint64_t>::max());
  double read_double(double max = std::numeric_limits<double>::max());
  std::string_view read_string();
  /// Any value, as a `Json`.
  Json read_json();

  /// Enter an array; false if it is something else.
  bool begin_array();
  /// Move to the next element; false at the end of the array, which is then left.
  bool next_element();

  /// Enter an object; false if it is something else.
  bool begin_object();
  /// Move to the next member's value; false at the end of the object, which is then left.
  bool next_key(std::string_view& key);

  /// Pass over the next value. It is checked all the same.
  void skip();

  /// Note that the object just left lacks the member `key`.
  void note_missing(std::string_view key);
  /// Note that the value just read is not what was expected; `message` says what is wrong.
  void note(std::string message);

  /// Check that nothing follows, and report the noted values.
  void finish();

 private:
  struct Frame {
    bool is_object;
    bool empty = true;
    std::size_t index = 0;      // elements before this one
    std::size_t key_begin = 0;  // the key as it stands in the text, without quotes
    std::size_t key_size = 0;
  };
  struct Number {
    std::string_view text;
    bool is_integer;
  };

  [[noreturn]] void fail(std::string_view expected);
  [[noreturn]] void fail_at(std::size_t offset, const std::string& message);
  void note_kind(std::string_view expected);
  void note_at(std::string_view key, std::string message);
  std::string path(std::string_view key = {}) const;
  std::string describe_next() const;
  void skip_space() noexcept;
  void expect(char c, std::string_view name);
  void enter(bool is_object);
  bool next_item(char close);
  void read_word(std::string_view word);
  Number scan_number();
  double to_double(Number number);
  Json number_value();
  std::string_view scan_string();
  void scan_escape();
  unsigned scan_hex4();

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t value_at_ = 0;  // where the value peeked at last begins
  std::size_t max_depth_;
  std::vector<Frame> frames_;
  std::string scratch_;
  std::vector<JsonFieldError> fields_;
  std::size_t first_field_offset_ = 0;
};

}  // namespace coronado
