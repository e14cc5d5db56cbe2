/// The head of one HTTP request: request line, header fields, and what they say about the body.
///
///     Method        the methods the standard knows, as an integer
///     Framing       how the end of the body is found
///     HeaderField   one field, as views
///     RequestHead   the head itself
///
/// Layer: http.
#pragma once

#include <array>
#include <coronado/http/field_id.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace coronado {

/// A request method.   Spec  RFC 9110 9.3, RFC 5789.
enum class Method : std::uint8_t {
  kGet,
  kHead,
  kPost,
  kPut,
  kPatch,
  kDelete,
  kOptions,
  kTrace,
  kConnect,
  kOther,  ///< Any other token; `RequestHead::method()` has it.
};

/// How the end of a request's body is found.   Spec  RFC 9112 6.3.
enum class Framing : std::uint8_t {
  kNone,     ///< There is no body.
  kLength,   ///< `content_length()` bytes follow the head.
  kChunked,  ///< Chunks follow the head.
};

/// One header field. The views share the lifetime of the head they came from.
struct HeaderField {
  std::string_view name;   ///< As received.
  std::string_view value;  ///< Without the whitespace around it.
  FieldId id;
};

/// One parsed request head: offsets into bytes that somebody else keeps.
///
/// The head owns no text. Every view it returns points into the bytes it was parsed from, and is
/// valid as long as they are. When those bytes move, `rebase` follows them; a copy may be rebased
/// onto a copy of `bytes()`. An object may be filled any number of times and keeps its memory.
///
/// Cost  Filling it allocates nothing up to 24 fields, and later nothing that an earlier request
///       with as many fields has not already allocated.
/// Code  src/http/request_head.cpp, src/http/http1_parser.cpp, tests/http/http1_parser_test.cpp
class RequestHead {
 public:
  class FieldIterator;

  /// The fields in the order received, for a range-based `for`.
  struct FieldRange {
    const RequestHead* head;
    FieldIterator begin() const noexcept;
    FieldIterator end() const noexcept;
    std::size_t size() const noexcept { return head->field_count(); }
  };

  /// Forget everything but the memory. Costs a few stores, whatever the head held.
  void clear() noexcept;

  /// The same bytes now start at `base`: `bytes()` moved from where it was to there.
  void rebase(const char* base) noexcept { base_ = base; }

  /// The method as received, for example "GET".
  std::string_view method() const noexcept { return {base_, method_size_}; }
  Method method_id() const noexcept { return facts_.method; }

  /// The request target as received.
  std::string_view target() const noexcept { return between(method_size_ + 1, target_end_); }

  /// The path of the target, not decoded, without the query. Of "http://host" it is "/", of
  /// "OPTIONS *" it is "*", of CONNECT it is empty.
  std::string_view path() const noexcept { return view(path_, path_size_); }

  /// What follows the target's first '?', not decoded; empty without one.
  std::string_view query() const noexcept {
    return between(mark_ + (mark_ != target_end_ ? 1 : 0), target_end_);
  }

  /// Host and port the request is for: of an absolute or CONNECT target, else the Host field.
  /// Syntactically valid, or empty (HTTP/1.0 without Host, or an empty Host field).
  /// Spec  RFC 9112 3.2.2, 3.3.
  std::string_view authority() const noexcept { return view(authority_, authority_size_); }

  /// True when the target is an absolute URI whose scheme is "https".
  bool target_is_https() const noexcept { return facts_.target_is_https; }

  /// 0 for HTTP/1.0, 1 for HTTP/1.1 and later minor versions.
  int minor_version() const noexcept { return facts_.minor_version; }

  /// The whole head, from the method to the empty line at its end.
  std::string_view bytes() const noexcept { return {base_, size_}; }
  std::size_t size() const noexcept { return size_; }

  std::size_t field_count() const noexcept { return field_count_; }
  HeaderField field(std::size_t index) const noexcept;
  FieldRange fields() const noexcept { return {this}; }

  /// The value of the first field with that name, in any case.
  std::optional<std::string_view> find(std::string_view name) const noexcept;

  /// The value of the first field with that id.
  /// Cost    None but a bit test when there is no such field, else a walk to it.
  /// Params  id  Not `FieldId::kOther`: its fields are found by name.
  std::optional<std::string_view> find(FieldId id) const noexcept;

  /// Takes every field with that id out of the list; the bytes stay.
  void erase(FieldId id) noexcept;

  bool contains(FieldId id) const noexcept { return (present_ & bit(id)) != 0; }

  /// How many fields have that name, in any case.
  std::size_t count(std::string_view name) const noexcept;
  std::size_t count(FieldId id) const noexcept;

  Framing framing() const noexcept { return facts_.framing; }

  /// The body's size if `framing()` is `kLength`, else 0.
  std::uint64_t content_length() const noexcept { return content_length_; }

  /// True when body bytes follow, or may follow in chunks.
  bool has_body() const noexcept {
    return facts_.framing == Framing::kChunked || content_length_ != 0;
  }

  /// True when the client wants another request on this connection.   Spec  RFC 9112 9.3.
  bool keep_alive() const noexcept { return facts_.keep_alive; }

  /// True when the client waits for `100 Continue` before it sends the body.
  /// Spec  RFC 9110 10.1.1: false for HTTP/1.0 and for a request without a body.
  bool expects_continue() const noexcept { return facts_.expects_continue; }

  /// True when the client offers another protocol: `Connection` lists "upgrade" and there is an
  /// `Upgrade` field.   Spec  RFC 9110 7.8: false for HTTP/1.0.
  bool upgrade() const noexcept { return facts_.upgrade; }

 private:
  friend class RequestHeadBuilder;

  static constexpr std::size_t kInlineFields = 24;

  struct Entry {
    std::uint32_t name;
    std::uint32_t value;
    std::uint32_t value_size;
    std::uint16_t name_size;
    FieldId id;
  };

  // One word, so that one store sets it to what most requests are.
  struct alignas(8) Facts {
    Method method = Method::kGet;
    Framing framing = Framing::kNone;
    std::uint8_t minor_version = 1;
    bool target_is_https = false;
    bool keep_alive = true;
    bool expects_continue = false;
    bool upgrade = false;
    std::uint8_t unused = 0;
  };

  static constexpr std::uint64_t bit(FieldId id) noexcept {
    return std::uint64_t{1} << static_cast<unsigned>(id);
  }
  std::string_view view(std::uint32_t offset, std::uint32_t size) const noexcept {
    return {base_ + offset, size};
  }
  std::string_view between(std::uint32_t begin, std::uint32_t end) const noexcept {
    return {base_ + begin, end - begin};
  }
  const Entry& first_entry(FieldId id) const noexcept;
  const Entry& entry(std::size_t index) const noexcept {
    return index < kInlineFields ? inline_[index] : more_[index - kInlineFields];
  }

  const char* base_ = " ";
  std::uint64_t content_length_ = 0;
  std::uint64_t present_ = 0;   // ids seen at least once
  std::uint64_t repeated_ = 0;  // ids seen more than once
  std::uint32_t size_ = 0;
  std::uint32_t field_count_ = 0;
  std::uint32_t method_size_ = 0;
  std::uint32_t target_end_ = 1;  // the target starts after the method and its space
  std::uint32_t mark_ = 1;        // offset of the first '?', or `target_end_`
  std::uint32_t path_ = 0, path_size_ = 0;
  std::uint32_t authority_ = 0, authority_size_ = 0;
  Facts facts_;
  std::array<Entry, kInlineFields> inline_{};
  std::vector<Entry> more_;
};

/// Walks the fields of a head by index.
class RequestHead::FieldIterator {
 public:
  FieldIterator(const RequestHead* head, std::size_t index) noexcept : head_(head), index_(index) {}
  HeaderField operator*() const noexcept { return head_->field(index_); }
  FieldIterator& operator++() noexcept {
    ++index_;
    return *this;
  }
  bool operator==(const FieldIterator&) const noexcept = default;

 private:
  const RequestHead* head_;
  std::size_t index_;
};

inline RequestHead::FieldIterator RequestHead::FieldRange::begin() const noexcept {
  return {head, 0};
}
inline RequestHead::FieldIterator RequestHead::FieldRange::end() const noexcept {
  return {head, head->field_count()};
}

}  // namespace coronado
