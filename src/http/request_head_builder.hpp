/// Filling a `RequestHead`: fields as they are found, then the facts about framing.
///
///     RequestHeadBuilder   writes one head
///
/// Layer: http.
#pragma once

#include <algorithm>
#include <coronado/http/request_head.hpp>
#include <cstddef>
#include <cstdint>

#include "http/framing.hpp"

namespace coronado {

/// Writes the parts of one head. All pointers given must lie in the bytes that start at `base`.
///
/// What changes with every field is kept here and stored by `finish`, so that the compiler can hold
/// it in registers: members must be inlined, and nothing may take the address of a builder.
class RequestHeadBuilder {
 public:
  RequestHeadBuilder(RequestHead& head, const char* base) noexcept
      : head_(head), base_(base), next_(head.inline_.data()) {
    head.base_ = base;
    head.repeated_ = 0;
    head.field_count_ = 0;
    head.authority_ = head.authority_size_ = 0;
    head.facts_ = {};
  }

  [[gnu::always_inline]] void set_method(Method method, std::size_t size) noexcept {
    if (method != Method::kGet) head_.facts_.method = method;
    head_.method_size_ = static_cast<std::uint32_t>(size);
  }

  /// HTTP/1.0; without this call it is HTTP/1.1.
  void set_version_1_0() noexcept {
    head_.facts_.minor_version = 0;
    head_.facts_.keep_alive = false;
  }

  /// Split the target into path, query and authority, and check that its form fits the method.
  /// Params  mark  The first '?' of the target, or its end.
  [[gnu::always_inline]] HeadError set_target(const char* begin, const char* mark,
                                              const char* end) {
    head_.path_ = offset(begin);
    head_.path_size_ = size(begin, mark);
    head_.mark_ = offset(mark);
    head_.target_end_ = offset(end);
    // RFC 9112 3.2.1: the origin form is a path that starts with a slash.
    if (*begin == '/' && head_.facts_.method != Method::kConnect) [[likely]]
      return {};
    return set_unusual_target(head_, begin, mark, end);
  }

  /// Returns  False when there are too many. Fewer than the head has room for, `finish` counts.
  [[gnu::always_inline]] bool add_field(FieldId id, const char* name, std::size_t name_size,
                                        const char* value, std::size_t value_size,
                                        std::size_t max_fields) {
    RequestHead::Entry* entry = next_;
    if (entry == head_.inline_.data() + RequestHead::kInlineFields) [[unlikely]] {
      entry = add_entry(head_, max_fields);
      if (entry == nullptr) return false;
    } else {
      ++next_;
    }
    entry->name = offset(name);
    entry->name_size = static_cast<std::uint16_t>(name_size);
    entry->value = offset(value);
    entry->value_size = static_cast<std::uint32_t>(value_size);
    entry->id = id;
    if ((present_ >> static_cast<unsigned>(id) & 1) != 0) [[unlikely]]
      note_repeated(head_, id);
    present_ |= RequestHead::bit(id);
    return true;
  }

  /// The head ends at `end`: settle Host, the body's framing and what becomes of the connection.
  template <class Scanner>
  [[gnu::always_inline]] HeadError finish(const char* end, const Scanner& scan,
                                          std::size_t max_fields) {
    head_.size_ = offset(end);
    // Those that were not inline have been counted.
    head_.field_count_ += static_cast<std::uint32_t>(next_ - head_.inline_.data());
    if (head_.field_count_ > max_fields) [[unlikely]]
      return {431, "too many header fields"};
    head_.present_ = present_;
    head_.content_length_ = 0;
    // RFC 9112 3.2: exactly one Host field; only HTTP/1.0 may leave it out.
    const std::uint64_t host_bit = RequestHead::bit(FieldId::kHost);
    if ((present_ & host_bit) == 0) [[unlikely]] {
      if (head_.facts_.minor_version != 0) return {400, "missing Host field"};
    } else {
      if ((head_.repeated_ & host_bit) != 0) return {400, "more than one Host field"};
      const RequestHead::Entry* host = head_.inline_.data();
      if (host->id != FieldId::kHost) host = &first_entry(head_, FieldId::kHost);
      if (!scan.host(base_ + host->value, host->value_size)) return {400, "invalid Host field"};
      // RFC 9112 3.2.2: the authority of an absolute target wins over the Host field.
      if (head_.authority_size_ == 0) [[likely]] {
        head_.authority_ = host->value;
        head_.authority_size_ = host->value_size;
      }
    }
    if ((present_ & kControlFields) == 0) [[likely]]
      return {};
    return apply_control_fields(head_);
  }

 private:
  // The fields that change what happens after the head.
  static constexpr std::uint64_t kControlFields =
      RequestHead::bit(FieldId::kConnection) | RequestHead::bit(FieldId::kContentLength) |
      RequestHead::bit(FieldId::kTransferEncoding) | RequestHead::bit(FieldId::kExpect);

  std::uint32_t offset(const char* p) const noexcept {
    return static_cast<std::uint32_t>(p - base_);
  }
  static std::uint32_t size(const char* begin, const char* end) noexcept {
    return static_cast<std::uint32_t>(end - begin);
  }

  /// Room for one more field, beyond the inline ones; null when there are too many.
  static RequestHead::Entry* add_entry(RequestHead& head, std::size_t max_fields);
  static void note_repeated(RequestHead& head, FieldId id) noexcept;
  static const RequestHead::Entry& first_entry(const RequestHead& head, FieldId id) noexcept;
  /// Call `visit` with each value of the fields with that id, until it returns an error.
  template <class Visit>
  static HeadError each_value(const RequestHead& head, FieldId id, Visit visit) {
    for (std::size_t i = 0; i < head.field_count_; ++i) {
      const RequestHead::Entry& entry = head.entry(i);
      if (entry.id != id) continue;
      if (HeadError error = visit(head.view(entry.value, entry.value_size))) return error;
    }
    return {};
  }
  static HeadError set_unusual_target(RequestHead& head, const char* begin, const char* mark,
                                      const char* end);
  static HeadError set_absolute_target(RequestHead& head, const char* authority, const char* mark);
  static HeadError apply_control_fields(RequestHead& head);
  static void apply_connection(RequestHead& head);
  static HeadError apply_transfer_encoding(RequestHead& head);
  static HeadError apply_content_length(RequestHead& head);
  static HeadError apply_expect(RequestHead& head);

  RequestHead& head_;
  const char* base_;
  RequestHead::Entry* next_;
  std::uint64_t present_ = 0;
};

}  // namespace coronado
