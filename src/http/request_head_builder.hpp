/// Filling a `RequestHead`: fields as they are found, then the facts about framing.
///
/// Layer: http.
#pragma once

#include <coronado/http/request_head.hpp>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace coronado {

/// Why a message is refused: the status to answer with and a sentence for the log. No status: it is
/// not refused.
struct HeadError {
  int status = 0;
  const char* reason = "";
  explicit operator bool() const noexcept { return status != 0; }
};

/// Writes the parts of one head. All pointers must lie in the bytes that start at `base`.
class RequestHeadBuilder {
 public:
  RequestHeadBuilder(RequestHead& head, const char* base) noexcept : head_(head) {
    head.base_ = base;
    head.present_ = head.repeated_ = 0;
    head.field_count_ = 0;
    head.size_ = 0;
    head.authority_ = head.authority_size_ = 0;
    head.more_.clear();
  }

  void set_method(Method method, std::size_t size) noexcept {
    head_.method_id_ = method;
    head_.method_size_ = static_cast<std::uint32_t>(size);
  }
  void set_minor_version(int minor) noexcept {
    head_.minor_version_ = static_cast<std::uint8_t>(minor);
  }

  /// Split the target into path, query and authority, and check that its form fits the method.
  /// Params  mark  The first '?' of the target, or its end.
  HeadError set_target(const char* begin, const char* mark, const char* end) {
    head_.target_ = offset(begin);
    head_.target_size_ = size(begin, end);
    head_.target_is_https_ = false;
    head_.query_ = offset(mark == end ? end : mark + 1);
    head_.query_size_ = offset(end) - head_.query_;
    head_.path_ = head_.target_;
    head_.path_size_ = size(begin, mark);
    // RFC 9112 3.2.1: the origin form is a path that starts with a slash.
    if (*begin == '/' && head_.method_id_ != Method::kConnect) [[likely]]
      return {};
    return set_unusual_target(begin, mark, end);
  }

  std::size_t field_count() const noexcept { return head_.field_count_; }

  void add_field(FieldId id, const char* name, std::size_t name_size, const char* value,
                 const char* value_end) {
    const std::uint32_t index = head_.field_count_++;
    const std::uint64_t bit = RequestHead::bit(id);
    if ((head_.present_ & bit) == 0) {
      head_.first_[static_cast<std::size_t>(id)] = static_cast<std::uint16_t>(index);
    }
    head_.repeated_ |= head_.present_ & bit;
    head_.present_ |= bit;
    const RequestHead::Entry entry{offset(name), offset(value), size(value, value_end),
                                   static_cast<std::uint16_t>(name_size), id};
    if (index < RequestHead::kInlineFields) [[likely]] {
      head_.inline_[index] = entry;
    } else {
      head_.more_.push_back(entry);
    }
  }

  /// The head ends at `end`: settle Host, the body's framing and what becomes of the connection.
  template <class Scanner>
  HeadError finish(const char* end, const Scanner& scan) {
    head_.size_ = offset(end);
    // Fields without an id have no bit of their own.
    head_.present_ &= ~RequestHead::bit(FieldId::kOther);
    head_.repeated_ &= ~RequestHead::bit(FieldId::kOther);
    if (HeadError error = check_host(scan)) return error;
    head_.content_length_ = 0;
    head_.framing_ = Framing::kNone;
    head_.keep_alive_ = head_.minor_version_ != 0;
    head_.expects_continue_ = head_.upgrade_ = false;
    if ((head_.present_ & kControlFields) == 0) [[likely]]
      return {};
    return apply_control_fields();
  }

 private:
  // The fields that change what happens after the head.
  static constexpr std::uint64_t kControlFields =
      RequestHead::bit(FieldId::kConnection) | RequestHead::bit(FieldId::kContentLength) |
      RequestHead::bit(FieldId::kTransferEncoding) | RequestHead::bit(FieldId::kExpect) |
      RequestHead::bit(FieldId::kUpgrade);

  std::uint32_t offset(const char* p) const noexcept {
    return static_cast<std::uint32_t>(p - head_.base_);
  }
  static std::uint32_t size(const char* begin, const char* end) noexcept {
    return static_cast<std::uint32_t>(end - begin);
  }

  template <class Scanner>
  HeadError check_host(const Scanner& scan) {
    if (!head_.contains(FieldId::kHost)) {
      // RFC 9112 3.2: only HTTP/1.0 may leave Host out.
      if (head_.minor_version_ != 0) return {400, "missing Host field"};
      return {};
    }
    // RFC 9112 3.2: more than one Host field is refused.
    if ((head_.repeated_ & RequestHead::bit(FieldId::kHost)) != 0) {
      return {400, "more than one Host field"};
    }
    const RequestHead::Entry& host =
        head_.entry(head_.first_[static_cast<std::size_t>(FieldId::kHost)]);
    if (!scan.host(head_.base_ + host.value, host.value_size)) return {400, "invalid Host field"};
    // RFC 9112 3.2.2: an absolute target wins over the Host field.
    if (head_.authority_size_ == 0) {
      head_.authority_ = host.value;
      head_.authority_size_ = host.value_size;
    }
    return {};
  }

  HeadError set_unusual_target(const char* begin, const char* mark, const char* end);
  HeadError set_absolute_target(const char* authority, const char* mark);
  HeadError apply_control_fields();
  void apply_connection();
  HeadError apply_transfer_encoding();
  HeadError apply_content_length();
  HeadError apply_expect();

  RequestHead& head_;
};

}  // namespace coronado
