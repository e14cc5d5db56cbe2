/// Header fields as a value: what responses and clients build, and what trailers arrive in.
///
///     HTTPHeaders   an ordered multimap with case-blind names
///
/// A request's own fields are views in its `RequestHead`; this type owns its text.
///
/// Layer: http.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace coronado {

struct ReceivedHead;

/// Header fields in the order they were added. Names compare in any case and keep their spelling.
///
/// A view returned lives until the next non-const call. Arguments may be views into the same
/// object.
/// Cost     Text and positions are one piece of memory: moving is as cheap as for a pointer, and
///          without fields there is none. Repeating a name is linear.
/// Tornado  `httputil.HTTPHeaders`. Differs: names are not rewritten to Http-Header-Case,
/// `set`
///          validates as `add` does, `get` joins with ", ", and folded lines are refused.
/// Code     src/http/headers.cpp, tests/http/headers_test.cpp
class HTTPHeaders {
 public:
  /// One field. The views live until the next non-const call.
  struct Field {
    std::string_view name;
    std::string_view value;
    bool operator==(const Field&) const noexcept = default;
  };

  class Iterator {
   public:
    Iterator(const HTTPHeaders* headers, std::size_t index) noexcept
        : headers_(headers), index_(index) {}
    Field operator*() const noexcept { return headers_->field(index_); }
    Iterator& operator++() noexcept {
      ++index_;
      return *this;
    }
    bool operator==(const Iterator&) const noexcept = default;

   private:
    const HTTPHeaders* headers_;
    std::size_t index_;
  };

  HTTPHeaders() noexcept = default;
  HTTPHeaders(const HTTPHeaders& other);
  HTTPHeaders& operator=(const HTTPHeaders& other);
  HTTPHeaders(HTTPHeaders&&) noexcept = default;
  HTTPHeaders& operator=(HTTPHeaders&&) noexcept = default;
  ~HTTPHeaders() = default;

  /// Throws  HTTPInputError  As `add`.
  HTTPHeaders(std::initializer_list<std::pair<std::string_view, std::string_view>> fields);

  /// Read a block of lines that end in CRLF or LF; an empty line ends it.
  /// Throws  HTTPInputError  As `parse_line`.
  static HTTPHeaders parse(std::string_view block);

  /// Append a field, whether or not there is one of that name.
  ///
  /// Params   name   A token.
  ///          value  No control byte but the tab; may be empty. Leading and trailing spaces and
  ///          tabs
  ///                 are dropped.
  /// Throws   HTTPInputError  "Invalid header name ..." or "Invalid header value ..."; nothing has
  ///                          changed.
  /// Spec     RFC 9110 5.1, 5.5.
  void add(std::string_view name, std::string_view value);

  /// Make this the only field of that name, in the place of the first one if there was one.
  /// Throws  HTTPInputError  As `add`.
  void set(std::string_view name, std::string_view value);

  /// Add the field in "Name: value", with or without a line end.
  /// Throws  HTTPInputError  No colon, a folded line, or as `add`.
  void parse_line(std::string_view line);

  /// All values of that name, joined with ", "; nothing when there is none. Set-Cookie must not be
  /// joined: use `get_list`.   Spec  RFC 9110 5.3.
  std::optional<std::string> get(std::string_view name) const;

  /// All values of that name, in order.
  std::vector<std::string_view> get_list(std::string_view name) const;

  /// The first value of that name.
  std::optional<std::string_view> find(std::string_view name) const noexcept;

  bool contains(std::string_view name) const noexcept { return find(name).has_value(); }

  /// Remove all fields of that name. Returns how many there were.
  std::size_t erase(std::string_view name) noexcept;

  /// Remove everything but the memory.
  void clear() noexcept;

  /// How many fields there are; a repeated name counts each time.
  std::size_t size() const noexcept { return block_ == nullptr ? 0 : block_->count; }
  bool empty() const noexcept { return size() == 0; }

  Field field(std::size_t index) const noexcept {
    const Entry& entry = block_->entries()[index];
    return {{block_->text() + entry.name, entry.name_size},
            {block_->text() + entry.value, entry.value_size}};
  }
  Iterator begin() const noexcept { return {this, 0}; }
  Iterator end() const noexcept { return {this, size()}; }

  /// Write "Name: value\r\n" for every field to the end of `out`.
  void append_to(std::string& out) const;

  /// "Name: value\r\n" for every field.
  std::string to_string() const;

  /// The same fields in the same order. Names compare in any case, values exactly.
  bool operator==(const HTTPHeaders& other) const noexcept;

 private:
  friend struct ReceivedHead;
  /// Where in the text a field stands.
  struct Entry {
    std::uint32_t name;
    std::uint32_t name_size;
    std::uint32_t value;
    std::uint32_t value_size;
  };
  /// All fields: behind it in memory there is room for entries, and then for text.
  struct Block {
    std::uint32_t count;
    std::uint32_t room;  // entries at most
    std::uint32_t text_size;
    std::uint32_t text_room;
    std::uint32_t unused;  // bytes of the text that no entry points to, left by `set` and `erase`

    Entry* entries() noexcept { return reinterpret_cast<Entry*>(this + 1); }
    char* text() noexcept { return reinterpret_cast<char*>(entries() + room); }
    static void operator delete(Block* block, std::destroying_delete_t) noexcept;
  };

  static std::unique_ptr<Block> make_block(std::size_t room, std::size_t text_room);
  /// A copy of the fields, with so much room.
  std::unique_ptr<Block> copy(std::size_t room, std::size_t text_room) const;
  std::size_t index_of(std::string_view name, std::size_t from) const noexcept;
  Entry store(std::string_view name, std::string_view value);
  void push_back(Entry entry) noexcept { block_->entries()[block_->count++] = entry; }
  void keep_first(std::size_t count) noexcept { block_->count = static_cast<std::uint32_t>(count); }
  void compact();
  /// Takes fields that a parser has found to be right, and the text in which it found them.
  void adopt(const std::vector<Entry>& entries, std::string_view text);

  std::unique_ptr<Block> block_;  // null: there are no fields
};

}  // namespace coronado
