#include "http/response_parser.hpp"

#include <algorithm>

#include "http/http1_lines.hpp"

namespace coronado {
namespace {

/// RFC 9112 4: HTTP-version SP status-code SP [ reason-phrase ]. The space before an absent phrase
/// may be absent as well: that is common, and nothing else it could mean.
/// Returns  The end of the line.
template <class Scanner>
const char* status_line(const Scanner& scan, const char* p, ReceivedHead& head, HeadError& error) {
  const char* const end = scan.end();
  // What nearly all of them look like, with the four bytes from the line end on that `parse` reads.
  constexpr std::ptrdiff_t kOkSize = 19;
  if (end - p >= kOkSize && load_word<std::uint64_t>(p) == word_of("HTTP/1.1") &&
      load_word<std::uint64_t>(p + 8) == word_of(" 200 OK\r") && p[16] == '\n') {
    head.status = 200;
    if (head.reason.size() != 2 ||
        load_word<std::uint16_t>(head.reason.data()) != word_of<std::uint16_t>("OK")) {
      head.reason = "OK";
    }
    return p + 15;
  }
  static constexpr std::string_view kPattern = "HTTP/0.0 000";
  for (std::size_t i = 0; i < kPattern.size(); ++i) {
    if (p + i == end) return nullptr;
    if (kPattern[i] == '0' ? !is_in(p[i], kDigit) : p[i] != kPattern[i]) {
      return refuse(error, 400,
                    i < 9 ? "it does not begin with an HTTP version" : "invalid status code");
    }
  }
  if (p[5] != '1') return refuse(error, 505, "unsupported HTTP version");
  head.minor_version = p[7] == '0' ? 0 : 1;
  head.status = (p[9] - '0') * 100 + (p[10] - '0') * 10 + (p[11] - '0');
  if (head.status < 100) return refuse(error, 400, "invalid status code");
  const char* const after = p + kPattern.size();
  if (after == end) return nullptr;
  const char* line_end = after;
  if (*after == ' ') {
    line_end = text_end(scan, after + 1);
  } else if (*after != '\r') {
    return refuse(error, 400, "invalid status code");
  }
  if (!at_line_end(line_end, end)) {
    return no_line_end(line_end, end, "control byte in the reason phrase", error);
  }
  if (line_end != after) {
    head.reason.assign(after + 1, static_cast<std::size_t>(line_end - after - 1));
  } else {
    head.reason.clear();
  }
  return line_end;
}

/// Returns  The end of the head, or null: the bytes end, or an error was noted.
template <class Scanner>
const char* parse(const Scanner& scan, const char* begin, const HTTPLimits& limits,
                  ReceivedHead& head, HeadError& error) {
  const char* p = status_line(scan, begin, head, error);
  if (p == nullptr) return nullptr;
  while (load_word<std::uint32_t>(p) != word_of<std::uint32_t>("\r\n\r\n")) {
    p = parse_field_line(scan, p + 2, error,
                         [&](FieldId id, const char* name, std::size_t name_size, const char* value,
                             std::size_t value_size) {
                           if (head.found() >= limits.max_header_count) return false;
                           head.add(begin, id, {name, name_size}, {value, value_size});
                           return true;
                         });
    if (p == nullptr) return nullptr;
  }
  const HeadError wrong = head.finish({begin, static_cast<std::size_t>(p + 4 - begin)});
  return wrong ? refuse(error, wrong.status, wrong.reason) : p + 4;
}

template <class Scanner>
ParseResult parse_response(const char* data, std::size_t size, std::size_t& searched,
                           const HTTPLimits& limits, ReceivedHead& head) {
  const std::size_t most = std::min(limits.max_header_size, kMostBytes);
  const std::size_t seen = std::min(size, most);
  const bool roomy = seen >= static_cast<std::size_t>(Scanner::kMinimumSize);
  if (searched != 0 && seen < most && roomy && !worth_parsing<Scanner>(data, seen, searched)) {
    return {};
  }
  HeadError error;
  head.clear();
  const char* const end = data + seen;
  const char* const head_end = roomy ? parse(Scanner(end), data, limits, head, error)
                                     : parse(ScalarScanner(end), data, limits, head, error);
  if (head_end != nullptr) {
    return {ParseStatus::kComplete, 0, static_cast<std::uint32_t>(head_end - data), ""};
  }
  searched = size;
  if (!error && size >= most) error = {431, "the head is too large"};
  if (!error) return {};
  return {ParseStatus::kError, static_cast<std::uint16_t>(error.status), 0, error.reason};
}

}  // namespace

void ReceivedHead::clear() noexcept {
  status = 0;
  minor_version = 1;
  headers.clear();
  found_.clear();
  connection = {};
  content_length.reset();
  chunked = content_coded = has_codings_ = false;
  codings_ = {};
  wrong_ = {};
}

void ReceivedHead::look_at(FieldId id, std::string_view value) {
  if (wrong_) return;
  switch (id) {
    case FieldId::kContentEncoding: content_coded = true; return;
    case FieldId::kConnection: return connection.add(value);
    case FieldId::kTransferEncoding:
      has_codings_ = true;
      wrong_ = codings_.add(value);
      return;
    case FieldId::kContentLength: wrong_ = take_length(value); return;
    default: return;
  }
}

HeadError ReceivedHead::take_length(std::string_view value) {
  std::uint64_t length = 0;
  if (HeadError error = parse_content_length(value, length)) return error;
  // RFC 9112 6.3 (5): lengths that differ cannot be recovered from.
  if (content_length && *content_length != length) return {400, "different Content-Lengths"};
  content_length = length;
  return {};
}

HeadError ReceivedHead::finish(std::string_view block) {
  if (wrong_) return wrong_;
  headers.adopt(found_, block);
  if (!has_codings_) return {};
  // RFC 9112 6.1: in HTTP/1.0 the framing is to be treated as faulty.
  if (minor_version == 0) return {400, "Transfer-Encoding in HTTP/1.0"};
  // RFC 9112 6.3 (3): Transfer-Encoding would win; but somebody tries to smuggle.
  if (content_length) return {400, "both Transfer-Encoding and Content-Length"};
  if (HeadError error = codings_.finish()) return error;
  chunked = true;
  return {};
}

ParseResult parse_response_head(const char* data, std::size_t size, std::size_t& searched,
                                const HTTPLimits& limits, ReceivedHead& head) {
  return parse_response<FastScanner>(data, size, searched, limits, head);
}

ParseResult parse_response_head_scalar(const char* data, std::size_t size, std::size_t& searched,
                                       const HTTPLimits& limits, ReceivedHead& head) {
  return parse_response<ScalarScanner>(data, size, searched, limits, head);
}

}  // namespace coronado
