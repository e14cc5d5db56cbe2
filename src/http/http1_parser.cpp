#include "http/http1_parser.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>

#include "http/http1_scan.hpp"
#include "http/request_head_builder.hpp"

namespace coronado {
namespace {

static_assert(std::endian::native == std::endian::little);

template <class Word>
Word load_word(const char* p) noexcept {
  Word word;
  std::memcpy(&word, p, sizeof word);
  return word;
}

/// `text` as the integer that `load_word` finds where it stands in memory.
template <class Word = std::uint64_t>
consteval Word word_of(std::string_view text) {
  Word word = 0;
  for (std::size_t i = 0; i < text.size(); ++i)
    word |= Word{static_cast<unsigned char>(text[i])} << (8 * i);
  return word;
}

enum class LineEnd : std::uint8_t { kLine, kHead, kStop };

/// One attempt at one head. Every step either advances or leaves the final answer in `result_`.
template <class Scanner>
class RequestParser {
 public:
  RequestParser(const char* begin, const char* end, const HTTPLimits& limits, RequestHead& head)
      : begin_(begin), end_(end), scan_(end), limits_(limits), builder_(head, begin) {}

  ParseResult run() {
    const char* p = request_line();
    if (p == nullptr) return result_;
    for (;;) {
      const LineEnd line_end = end_line(p);
      if (line_end == LineEnd::kHead) break;
      if (line_end == LineEnd::kStop) return result_;
      p = field_line(p);
      if (p == nullptr) return result_;
    }
    if (HeadError error = builder_.finish(p, scan_)) return fail(error.status, error.reason);
    result_.status = ParseStatus::kComplete;
    result_.consumed = static_cast<std::size_t>(p - begin_);
    return result_;
  }

 private:
  ParseResult fail(int status, const char* reason) {
    result_ = {ParseStatus::kError, status, 0, reason};
    return result_;
  }
  [[gnu::noinline]] const char* stop(int status, const char* reason) {
    fail(status, reason);
    return nullptr;
  }

  /// RFC 9112 3: method SP request-target SP HTTP-version, with exactly one space each time.
  [[gnu::always_inline]] const char* request_line() {
    const char* target = method();
    if (target == nullptr) return nullptr;
    const char* mark = scan_.path_end(target);
    const char* end = mark;
    if (mark != end_ && *mark == '?') end = scan_.target_end(mark + 1);
    // The space and the version follow: 9 bytes, whatever they are.
    if (static_cast<std::size_t>(end - begin_) + 9 > limits_.max_request_line) {
      return stop(414, "request line too long");
    }
    if (end == end_) return nullptr;
    if (*end != ' ' || end == target) return stop(400, "invalid request target");
    const char* line_end = version(end + 1);
    if (line_end == nullptr) return nullptr;
    if (HeadError error = builder_.set_target(target, mark, end)) {
      return stop(error.status, error.reason);
    }
    return line_end;
  }

  /// The method; what follows its space is returned.
  [[gnu::always_inline]] const char* method() {
    if (end_ - begin_ >= 8) [[likely]] {
      const auto word = load_word<std::uint64_t>(begin_);
      const auto is = [this, word](Method method, std::uint64_t text, std::size_t size) {
        const std::uint64_t mask = ~std::uint64_t{0} >> (64 - 8 * size);
        if ((word & mask) != text) return false;
        builder_.set_method(method, size - 1);
        return true;
      };
      if (is(Method::kGet, word_of("GET "), 4)) [[likely]]
        return begin_ + 4;
      if (is(Method::kPost, word_of("POST "), 5)) return begin_ + 5;
      if (is(Method::kHead, word_of("HEAD "), 5)) return begin_ + 5;
      if (is(Method::kPut, word_of("PUT "), 4)) return begin_ + 4;
      if (is(Method::kDelete, word_of("DELETE "), 7)) return begin_ + 7;
      if (is(Method::kPatch, word_of("PATCH "), 6)) return begin_ + 6;
      if (is(Method::kOptions, word_of("OPTIONS "), 8)) return begin_ + 8;
      if (is(Method::kConnect, word_of("CONNECT "), 8)) return begin_ + 8;
      if (is(Method::kTrace, word_of("TRACE "), 6)) return begin_ + 6;
    }
    return other_method();
  }

  [[gnu::noinline]] const char* other_method() {
    const char* p = begin_;
    while (p != end_ && is_in(*p, kTokenChar)) ++p;
    if (static_cast<std::size_t>(p - begin_) > limits_.max_request_line) {
      return stop(414, "request line too long");
    }
    if (p == end_) return nullptr;
    if (p == begin_ && *p == '\r' && p + 1 == end_) return nullptr;  // may be an empty line
    if (*p != ' ' || p == begin_) return stop(400, "invalid method");
    builder_.set_method(Method::kOther, static_cast<std::size_t>(p - begin_));
    return p + 1;
  }

  [[gnu::always_inline]] const char* version(const char* p) {
    if (end_ - p < 8) [[unlikely]]
      return short_version(p);
    const auto word = load_word<std::uint64_t>(p);
    if (word == word_of("HTTP/1.1")) [[likely]] {
      builder_.set_minor_version(1);
      return p + 8;
    }
    return other_version(p);
  }

  [[gnu::noinline]] const char* other_version(const char* p) {
    // RFC 9112 2.3: HTTP-version = "HTTP/" DIGIT "." DIGIT, in upper case.
    if (std::memcmp(p, "HTTP/", 5) != 0 || !is_in(p[5], kDigit) || p[6] != '.' ||
        !is_in(p[7], kDigit)) {
      return stop(400, "invalid HTTP version");
    }
    // A longer version number is no version at all, so look before refusing a well-formed one.
    if (p + 8 != end_ && p[8] != '\r') return stop(400, "invalid HTTP version");
    if (p[5] != '1') {
      return p + 8 == end_ ? nullptr : stop(505, "unsupported HTTP version");
    }
    // RFC 9110 2.5: a higher minor version is served as the highest one known.
    builder_.set_minor_version(p[7] == '0' ? 0 : 1);
    return p + 8;
  }

  [[gnu::noinline]] const char* short_version(const char* p) {
    // The bytes there are must be able to become a version.
    static constexpr char kPattern[] = "HTTP/0.0";
    for (std::size_t i = 0; p + i != end_; ++i) {
      const bool fits = kPattern[i] == '0' ? is_in(p[i], kDigit) : p[i] == kPattern[i];
      if (!fits) return stop(400, "invalid HTTP version");
    }
    return nullptr;
  }

  /// The end of the line at `p`, which advances past it, and past the empty line if that is next.
  [[gnu::always_inline]] LineEnd end_line(const char*& p) {
    if (end_ - p >= 4) [[likely]] {
      const auto word = load_word<std::uint32_t>(p);
      if (word == word_of<std::uint32_t>("\r\n\r\n")) {
        p += 4;
        return LineEnd::kHead;
      }
      if ((word & 0xFFFF) == word_of<std::uint32_t>("\r\n")) [[likely]] {
        p += 2;
        return LineEnd::kLine;
      }
    }
    return unusual_line_end(p);
  }

  [[gnu::noinline]] LineEnd unusual_line_end(const char*& p) {
    static constexpr char kPattern[] = "\r\n\r\n";
    const std::size_t left = std::min<std::size_t>(static_cast<std::size_t>(end_ - p), 4);
    for (std::size_t i = 0; i < left; ++i) {
      if (p[i] == kPattern[i]) continue;
      if (i == 2) {
        p += 2;
        return LineEnd::kLine;
      }
      // RFC 9112 2.2: a bare CR or LF ends no line.
      fail(400, "line end is not CRLF");
      return LineEnd::kStop;
    }
    return LineEnd::kStop;
  }

  /// RFC 9112 5: field-name ":" OWS field-value OWS. Returns the line's end.
  [[gnu::always_inline]] const char* field_line(const char* name) {
    FieldId id{};
    const char* colon = scan_.field_name(name, id);
    if (colon == nullptr) [[unlikely]]
      return no_field_name(name);
    const auto name_size = static_cast<std::size_t>(colon - name);
    if (builder_.field_count() >= limits_.max_header_count || name_size > kMostNameBytes)
        [[unlikely]] {
      return stop(431, "too many header fields");
    }
    const char* end = scan_.control(colon + 1);
    while (end != end_ && *end == '\t') end = scan_.control(end + 1);
    if (end == end_) return nullptr;
    if (*end != '\r') return stop(400, "control byte in a field value");
    const char* value = colon + 1;
    while (is_whitespace(*value)) ++value;  // ends at the CR at the latest
    const char* value_end = end;
    while (value_end != value && is_whitespace(value_end[-1])) --value_end;
    builder_.add_field(id, name, name_size, value, value_end);
    return end;
  }

  [[gnu::noinline]] const char* no_field_name(const char* p) {
    // RFC 9112 5.2: a folded line, refused as it may be; 2.2: whitespace before the first field.
    if (is_whitespace(*p)) return stop(400, "folded header line");
    const char* end = p;
    while (end != end_ && is_in(*end, kTokenChar)) ++end;
    if (end == end_) return nullptr;
    if (*end == ':') return stop(400, "empty field name");
    // RFC 9112 5.1: no whitespace between the name and the colon.
    return stop(400, "invalid field name");
  }

  static constexpr std::size_t kMostNameBytes = std::numeric_limits<std::uint16_t>::max();

  const char* begin_;
  const char* end_;
  Scanner scan_;
  const HTTPLimits& limits_;
  RequestHeadBuilder builder_;
  ParseResult result_;
};

/// RFC 9112 2.2: a server should ignore at least one empty line before the request line. Two are
/// ignored; more are no accident.
const char* skip_empty_lines(const char* p, const char* end) noexcept {
  for (int i = 0; i < 2; ++i) {
    if (end - p < 2 || p[0] != '\r' || p[1] != '\n') break;
    p += 2;
  }
  return p;
}

/// True when the bytes after the first `searched` may complete the head, or break it: an empty
/// line, or a control byte that is not part of a line end. Moves `searched` on when not.
template <class Scanner>
bool worth_parsing(const char* data, std::size_t size, std::size_t& searched) noexcept {
  const char* end = data + size;
  const Scanner scan(end);
  // The last byte seen may be a CR that waits for its LF.
  const char* p = data + searched - 1;
  while ((p = scan.control(p)) != end) {
    if (*p == '\r') {
      if (p + 1 == end) break;
      if (p[1] != '\n') return true;
      if (p - data >= 2 && p[-1] == '\n') return true;
      p += 2;
    } else if (*p == '\t') {
      ++p;
    } else if (*p == '\n' && p != data && p[-1] == '\r') {
      ++p;
    } else {
      return true;
    }
  }
  searched = size;
  return false;
}

template <class Scanner>
ParseResult parse_all(const char* data, const char* begin, std::size_t size,
                      const HTTPLimits& limits, RequestHead& head) {
  ParseResult result = RequestParser<Scanner>(begin, data + size, limits, head).run();
  result.consumed += static_cast<std::size_t>(begin - data);
  return result;
}

template <class Scanner>
ParseResult parse_request(const char* data, std::size_t size, std::size_t& searched,
                          const HTTPLimits& limits, RequestHead& head) {
  // Offsets are 32 bits wide; a larger limit than this is nobody's intention.
  const std::size_t most = std::min<std::size_t>(limits.max_header_size, 1U << 30);
  const std::size_t seen = std::min(size, most);
  if (searched != 0 && seen < most && seen >= Scanner::kMinimumSize) {
    if (!worth_parsing<Scanner>(data, seen, searched)) return {};
  }
  const char* begin = skip_empty_lines(data, data + seen);
  const auto left = static_cast<std::size_t>(data + seen - begin);
  ParseResult result = left < Scanner::kMinimumSize
                           ? parse_all<ScalarScanner>(data, begin, seen, limits, head)
                           : parse_all<Scanner>(data, begin, seen, limits, head);
  if (result.status == ParseStatus::kIncomplete) {
    searched = size;
    if (size >= most) return {ParseStatus::kError, 431, 0, "request head too large"};
  }
  return result;
}

}  // namespace

ParseResult parse_request_head(const char* data, std::size_t size, std::size_t& searched,
                               const HTTPLimits& limits, RequestHead& head) {
  return parse_request<FastScanner>(data, size, searched, limits, head);
}

ParseResult parse_request_head_scalar(const char* data, std::size_t size, std::size_t& searched,
                                      const HTTPLimits& limits, RequestHead& head) {
  return parse_request<ScalarScanner>(data, size, searched, limits, head);
}

}  // namespace coronado
