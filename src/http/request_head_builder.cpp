#include "http/request_head_builder.hpp"

#include <cstring>

#include "http/ascii.hpp"
#include "http/http1_lines.hpp"
#include "http/http1_scan.hpp"

namespace coronado {
namespace {

/// Whether a field's value, which has no control characters, is "keep-alive" in any case.
bool is_keep_alive(std::string_view value) noexcept {
  constexpr std::uint64_t kLower = 0x2020'2020'2020'2020;
  constexpr std::uint16_t kLower2 = 0x2020;
  return value.size() == 10 &&
         (load_word<std::uint64_t>(value.data()) | kLower) == word_of("keep-ali") &&
         (load_word<std::uint16_t>(value.data() + 8) | kLower2) == word_of<std::uint16_t>("ve");
}

}  // namespace

RequestHead::Entry* RequestHeadBuilder::add_entry(RequestHead& head, std::size_t max_fields) {
  if (RequestHead::kInlineFields + head.field_count_ >= max_fields) return nullptr;
  if (head.field_count_++ == 0) head.more_.clear();
  return &head.more_.emplace_back();
}

void RequestHeadBuilder::note_repeated(RequestHead& head, FieldId id) noexcept {
  head.repeated_ |= RequestHead::bit(id);
}

const RequestHead::Entry& RequestHeadBuilder::first_entry(const RequestHead& head,
                                                          FieldId id) noexcept {
  return head.first_entry(id);
}

HeadError RequestHeadBuilder::set_unusual_target(RequestHead& head, const char* begin,
                                                 const char* mark, const char* end) {
  const std::string_view target(begin, static_cast<std::size_t>(end - begin));
  // RFC 9112 3.2.3: CONNECT takes host and port, nothing else.
  if (head.facts_.method == Method::kConnect) {
    const std::size_t colon = target.rfind(':');
    if (!is_valid_host(target) || colon == 0 || colon == std::string_view::npos ||
        colon + 1 == target.size() || target.back() == ']') {
      return {400, "invalid CONNECT target"};
    }
    head.authority_ = head.path_;
    head.authority_size_ = head.path_size_;
    head.path_size_ = 0;
    return {};
  }
  // RFC 9112 3.2.4: the asterisk is for a server-wide OPTIONS.
  if (target == "*") {
    if (head.facts_.method == Method::kOptions) return {};
    return {400, "asterisk target with a method other than OPTIONS"};
  }
  const auto has_scheme = [target](std::string_view scheme) {
    return equals_ignoring_case(target.substr(0, scheme.size()), scheme);
  };
  if (has_scheme("http://")) return set_absolute_target(head, begin + 7, mark);
  if (has_scheme("https://")) {
    head.facts_.target_is_https = true;
    return set_absolute_target(head, begin + 8, mark);
  }
  return {400, "invalid request target"};
}

HeadError RequestHeadBuilder::set_absolute_target(RequestHead& head, const char* authority,
                                                  const char* mark) {
  // A '?' inside "http://" is not possible: the prefix has been compared.
  const auto room = static_cast<std::size_t>(mark - authority);
  const auto* slash = static_cast<const char*>(std::memchr(authority, '/', room));
  const char* authority_end = slash != nullptr ? slash : mark;
  const std::string_view host(authority, static_cast<std::size_t>(authority_end - authority));
  // RFC 9110 4.2.1: an http URI with an empty host is invalid; 4.2.4: user information is refused
  // (the '@' is no host character).
  if (host.empty() || !is_valid_host(host)) return {400, "invalid authority in request target"};
  const auto offset = [&head](const char* p) { return static_cast<std::uint32_t>(p - head.base_); };
  head.authority_ = offset(authority);
  head.authority_size_ = static_cast<std::uint32_t>(host.size());
  // RFC 9110 4.2.3: no path means "/". The last slash of "http://" stands in for it.
  head.path_ = offset(slash != nullptr ? slash : authority - 1);
  head.path_size_ = slash != nullptr ? offset(mark) - offset(slash) : 1;
  return {};
}

HeadError RequestHeadBuilder::apply_control_fields(RequestHead& head) {
  if (head.contains(FieldId::kConnection)) apply_connection(head);
  if ((head.present_ & kControlFields) == RequestHead::bit(FieldId::kConnection)) [[likely]]
    return {};
  const bool has_coding = head.contains(FieldId::kTransferEncoding);
  const bool has_length = head.contains(FieldId::kContentLength);
  // RFC 9112 6.3 (3): Transfer-Encoding together with Content-Length is how requests are smuggled.
  // A server may let Transfer-Encoding win; this one refuses, because a proxy in front may have
  // chosen the other.
  if (has_coding && has_length) return {400, "both Transfer-Encoding and Content-Length"};
  if (has_coding) {
    if (HeadError error = apply_transfer_encoding(head)) return error;
  }
  if (has_length) {
    if (HeadError error = apply_content_length(head)) return error;
  }
  if (head.contains(FieldId::kExpect)) return apply_expect(head);
  return {};
}

void RequestHeadBuilder::apply_connection(RequestHead& head) {
  const RequestHead::Entry& first = first_entry(head, FieldId::kConnection);
  if ((head.repeated_ & RequestHead::bit(FieldId::kConnection)) == 0 &&
      is_keep_alive(head.view(first.value, first.value_size))) [[likely]] {
    head.facts_.keep_alive = true;
    head.facts_.upgrade = false;
    return;
  }
  ConnectionOptions options;
  each_value(head, FieldId::kConnection, [&](std::string_view value) -> HeadError {
    options.add(value);
    return {};
  });
  // RFC 9112 9.3: close wins; HTTP/1.0 stays only when asked to.
  head.facts_.keep_alive = !options.close && (head.facts_.minor_version != 0 || options.keep_alive);
  // RFC 9110 7.8: Upgrade is ignored in HTTP/1.0.
  head.facts_.upgrade =
      options.upgrade && head.facts_.minor_version != 0 && head.contains(FieldId::kUpgrade);
}

HeadError RequestHeadBuilder::apply_transfer_encoding(RequestHead& head) {
  // RFC 9112 6.1: in HTTP/1.0 the framing is to be treated as faulty.
  if (head.facts_.minor_version == 0) return {400, "Transfer-Encoding in HTTP/1.0"};
  TransferCodings codings;
  const auto visit = [&](std::string_view value) { return codings.add(value); };
  if (HeadError error = each_value(head, FieldId::kTransferEncoding, visit)) return error;
  if (HeadError error = codings.finish()) return error;
  head.facts_.framing = Framing::kChunked;
  return {};
}

HeadError RequestHeadBuilder::apply_content_length(RequestHead& head) {
  // RFC 9112 6.3 (5) lets a recipient accept repeated equal lengths; what is ambiguous is refused.
  if ((head.repeated_ & RequestHead::bit(FieldId::kContentLength)) != 0) {
    return {400, "more than one Content-Length"};
  }
  std::uint64_t length = 0;
  if (HeadError error = parse_content_length(*head.find(FieldId::kContentLength), length)) {
    return error;
  }
  head.content_length_ = length;
  head.facts_.framing = Framing::kLength;
  return {};
}

HeadError RequestHeadBuilder::apply_expect(RequestHead& head) {
  const auto visit = [](std::string_view expectation) -> HeadError {
    // RFC 9110 10.1.1: the only expectation there is.
    if (equals_ignoring_case(expectation, "100-continue")) return {};
    return {417, "unknown expectation"};
  };
  if (HeadError error = each_value(head, FieldId::kExpect, visit)) return error;
  // RFC 9110 10.1.1: ignored in HTTP/1.0, and pointless where no body follows.
  head.facts_.expects_continue = head.facts_.minor_version != 0 && head.has_body();
  return {};
}

}  // namespace coronado
