#include "http/http1_parser.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <string_view>

#include "http/http1_scan.hpp"
#include "http/request_head_builder.hpp"

namespace coronado {
namespace {

// Words are compared with text as a little-endian machine loads it.
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
  for (std::size_t i = 0; i < text.size(); ++i) {
    word |= Word{static_cast<unsigned char>(text[i])} << (8 * i);
  }
  return word;
}

/// Note an error; the null pointer returned ends the parse. Kept out of the way of the quick path.
[[gnu::noinline, gnu::cold]] const char* refuse(HeadError& error, int status, const char* reason) {
  error = {status, reason};
  return nullptr;
}

struct NamedMethod {
  Method method = Method::kOther;
  std::size_t size = 0;  // 0: there is none
};

/// A method and the space after it, as they look in the first 8 bytes of a request.
struct MethodWord {
  std::uint64_t word;
  std::uint64_t mask;
  NamedMethod named;
};

consteval MethodWord method_word(std::string_view text, Method method) {
  return {word_of(text), ~std::uint64_t{0} >> (64 - 8 * text.size()), {method, text.size() - 1}};
}

// The more usual, the earlier. GET is not looked up here.
constexpr MethodWord kMethodWords[] = {
    method_word("POST ", Method::kPost),       method_word("HEAD ", Method::kHead),
    method_word("PUT ", Method::kPut),         method_word("DELETE ", Method::kDelete),
    method_word("PATCH ", Method::kPatch),     method_word("OPTIONS ", Method::kOptions),
    method_word("CONNECT ", Method::kConnect), method_word("TRACE ", Method::kTrace),
};

/// The method at `p` if it is not GET. RFC 9110 9.1: any token.
[[gnu::noinline]] NamedMethod other_method(const char* p, const char* end,
                                           std::size_t max_request_line, HeadError& error) {
  if (end - p >= 8) {
    const auto word = load_word<std::uint64_t>(p);
    for (const MethodWord& known : kMethodWords) {
      if ((word & known.mask) == known.word) return known.named;
    }
  }
  const char* space = p;
  while (space != end && is_in(*space, kTokenChar)) ++space;
  const auto size = static_cast<std::size_t>(space - p);
  if (size > max_request_line) {
    refuse(error, 414, "request line too long");
    return {};
  }
  if (space == end || (size == 0 && *p == '\r' && p + 1 == end)) return {};
  if (*space != ' ' || size == 0) {
    refuse(error, 400, "invalid method");
    return {};
  }
  return {Method::kOther, size};
}

/// The minor version after the space at `p`, or -1 when the parse ends there.
[[gnu::noinline]] int other_version(const char* p, const char* end, HeadError& error) {
  if (p != end && *p != ' ') {
    refuse(error, 400, "invalid request target");
    return -1;
  }
  // RFC 9112 2.3: HTTP-version = "HTTP/" DIGIT "." DIGIT, in upper case.
  static constexpr std::string_view kPattern = " HTTP/0.0\r";
  for (std::size_t i = 0; i < kPattern.size(); ++i) {
    if (p + i == end) return -1;
    if (kPattern[i] == '0' ? !is_in(p[i], kDigit) : p[i] != kPattern[i]) {
      refuse(error, 400, "invalid HTTP version");
      return -1;
    }
  }
  if (p[6] != '1') {
    refuse(error, 505, "unsupported HTTP version");
    return -1;
  }
  // RFC 9110 2.5: a higher minor version is served as the highest one known.
  return p[8] == '0' ? 0 : 1;
}

/// What is wrong with the line at `p`, if anything: it has no name, or no colon yet.
[[gnu::noinline]] const char* no_field_name(const char* p, const char* end, HeadError& error) {
  // RFC 9112 5.2: a folded line, refused as it may be; 2.2: whitespace before the first field.
  if (p != end && is_whitespace(*p)) return refuse(error, 400, "folded header line");
  const char* colon = p;
  while (colon != end && is_in(*colon, kTokenChar)) ++colon;
  if (colon == end) return nullptr;
  if (*colon == ':' && colon != p) return refuse(error, 431, "field name too long");
  // RFC 9112 5.1: no whitespace between the name and the colon, and no empty name.
  return refuse(error, 400, "invalid field name");
}

/// What is wrong with the end of the line at `p`, if anything: it is no CRLF, or one of the last
/// three bytes, so that the parse ends here in any case.
/// Params  otherwise  What to say when there is no line end at all.
[[gnu::noinline]] const char* no_line_end(const char* p, const char* end, const char* otherwise,
                                          HeadError& error) {
  static constexpr std::string_view kPattern = "\r\n\r";
  for (std::size_t i = 0; p + i != end; ++i) {
    if (p[i] == kPattern[i]) continue;
    if (i == 2) return no_field_name(p + 2, end, error);
    // RFC 9112 2.2: a bare CR or LF ends no line.
    const bool bare = p[0] == '\r' || p[0] == '\n';
    return refuse(error, 400, bare ? "line end is not CRLF" : otherwise);
  }
  return nullptr;
}

/// One attempt at one head.
///
/// Every step returns where it got to, or null when the parse ends there: with an error noted in
/// the result, or else because the bytes do. Rare cases are static functions that are not inlined,
/// so that the object itself never needs an address and lives in registers.
template <class Scanner>
class RequestParser {
 public:
  RequestParser(const char* begin, const char* end, const HTTPLimits& limits, RequestHead& head,
                HeadError& error)
      : begin_(begin),
        end_(end),
        scan_(end),
        limits_(limits),
        builder_(head, begin),
        error_(error) {}

  /// Returns  The end of the head, or null.
  [[gnu::always_inline]] const char* run() {
    const char* p = request_line();
    if (p == nullptr) [[unlikely]]
      return nullptr;
    while (load_word<std::uint32_t>(p) != word_of<std::uint32_t>("\r\n\r\n")) {
      p = field_line(p + 2);
      if (p == nullptr) [[unlikely]]
        return nullptr;
    }
    const HeadError refusal = builder_.finish(p + 4, scan_, limits_.max_header_count);
    return refusal ? refuse(error_, refusal.status, refusal.reason) : p + 4;
  }

 private:
  /// A line ends at `p`, and there are two more bytes to tell whether it is the last.
  [[gnu::always_inline]] bool at_line_end(const char* p) const {
    return end_ - p >= 4 && load_word<std::uint16_t>(p) == word_of<std::uint16_t>("\r\n");
  }

  /// RFC 9112 3: method SP request-target SP HTTP-version, with exactly one space each time.
  /// Returns  The end of the line.
  [[gnu::always_inline]] const char* request_line() {
    const char* const target = method();
    if (target == nullptr) [[unlikely]]
      return nullptr;
    const char* const mark = scan_.path_end(target);
    const char* end = mark;
    if (!usual_version(end)) [[unlikely]] {
      if (end != end_ && *end == '?') end = scan_.target_end(end + 1);
      if (!usual_version(end)) [[unlikely]] {
        if (too_long(end)) return refuse(error_, 414, "request line too long");
        const int minor = other_version(end, end_, error_);
        if (minor < 0) return nullptr;
        if (minor == 0) builder_.set_version_1_0();
      }
    }
    if (too_long(end)) [[unlikely]]
      return refuse(error_, 414, "request line too long");
    if (const HeadError refusal = builder_.set_target(target, mark, end)) [[unlikely]] {
      return refuse(error_, refusal.status, refusal.reason);
    }
    const char* const line_end = end + 9;
    return at_line_end(line_end) ? line_end
                                 : no_line_end(line_end, end_, "invalid HTTP version", error_);
  }

  /// Params  target_end  The space and the version follow: 9 bytes, whatever they are.
  [[gnu::always_inline]] bool too_long(const char* target_end) const {
    return static_cast<std::size_t>(target_end - begin_) + 9 > limits_.max_request_line;
  }

  [[gnu::always_inline]] bool usual_version(const char* p) const {
    return end_ - p >= 9 && load_word<std::uint64_t>(p) == word_of(" HTTP/1.") && p[8] == '1';
  }

  /// Returns  What follows the space after the method.
  [[gnu::always_inline]] const char* method() {
    if (end_ - begin_ >= 4 && load_word<std::uint32_t>(begin_) == word_of<std::uint32_t>("GET "))
        [[likely]] {
      builder_.set_method(Method::kGet, 3);
      return begin_ + 4;
    }
    const NamedMethod found = other_method(begin_, end_, limits_.max_request_line, error_);
    if (found.size == 0) return nullptr;
    builder_.set_method(found.method, found.size);
    return begin_ + found.size + 1;
  }

  /// RFC 9112 5: field-name ":" OWS field-value OWS.
  /// Returns  The end of the line.
  [[gnu::always_inline]] const char* field_line(const char* name) {
    std::uint32_t name_size = 0;
    FieldId id{};
    scan_.field_name(name, name_size, id);
    if (name_size == 0) [[unlikely]]
      return no_field_name(name, end_, error_);
    const char* const colon = name + name_size;
    const char* end = scan_.plain_end(colon + 1);
    if (!at_line_end(end)) [[unlikely]] {
      end = text_end(scan_, end);
      // RFC 9110 5.5: no control byte but the tab.
      if (!at_line_end(end)) {
        return no_line_end(end, end_, "control byte in a field value", error_);
      }
    }
    const char* value = colon + 2;
    std::size_t value_size = static_cast<std::size_t>(end - value);
    // Any byte up to the space is whitespace here, or belongs to the frame of an empty value.
    if (colon[1] != ' ' || is_blank(colon[2]) || is_blank(end[-1])) [[unlikely]] {
      const std::string_view trimmed = trim(colon + 1, end);
      value = trimmed.data();
      value_size = trimmed.size();
    }
    if (!builder_.add_field(id, name, name_size, value, value_size, limits_.max_header_count))
        [[unlikely]] {
      return refuse(error_, 431, "too many header fields");
    }
    return end;
  }

  static bool is_blank(char c) noexcept { return static_cast<unsigned char>(c) <= ' '; }

  [[gnu::noinline]] static std::string_view trim(const char* begin, const char* end) noexcept {
    return trim_whitespace({begin, static_cast<std::size_t>(end - begin)});
  }

  /// The end of a value with tabs or bytes above ASCII.
  [[gnu::noinline]] static const char* text_end(Scanner scan, const char* p) {
    p = scan.control(p);
    while (p != scan.end() && *p == '\t') p = scan.control(p + 1);
    return p;
  }

  const char* begin_;
  const char* end_;
  Scanner scan_;
  const HTTPLimits& limits_;
  RequestHeadBuilder builder_;
  HeadError& error_;
};

/// RFC 9112 2.2: a server should ignore at least one empty line before the request line. Two are
/// ignored; more are no accident.
[[gnu::noinline]] const char* skip_empty_lines(const char* p, const char* end) noexcept {
  for (int i = 0; i < 2; ++i) {
    if (end - p < 2 || p[0] != '\r' || p[1] != '\n') break;
    p += 2;
  }
  return p;
}

/// True when the bytes after the first `searched` may complete the head, or break it: an empty
/// line, or a control byte that is not part of a line end. Moves `searched` on when not.
template <class Scanner>
[[gnu::noinline]] bool worth_parsing(const char* data, std::size_t size,
                                     std::size_t& searched) noexcept {
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

/// The bytes to look at, and whether there is a reason to.
struct Window {
  const char* begin;
  const char* end;
};

// Offsets are 32 bits wide; a larger limit than this is nobody's intention.
constexpr std::size_t kMostBytes = 1U << 30;

/// A first look at bytes that are not the plain case: more after an earlier call, more than a head
/// may have, an empty line first. Nothing to parse: the window's begin is null.
template <class Scanner>
Window choose_window(const char* data, std::size_t size, std::size_t& searched,
                     const HTTPLimits& limits) noexcept {
  const std::size_t most = std::min(limits.max_header_size, kMostBytes);
  const std::size_t seen = std::min(size, most);
  const char* end = data + seen;
  const bool first_look = searched == 0;
  const bool line_limit_passed =
      searched <= limits.max_request_line && seen > limits.max_request_line;
  if (!first_look && !line_limit_passed && seen < most && end - data >= Scanner::kMinimumSize) {
    if (!worth_parsing<Scanner>(data, seen, searched)) return {nullptr, end};
  }
  return {skip_empty_lines(data, end), end};
}

ParseResult result_of(const char* head_end, const char* data, std::size_t size,
                      std::size_t& searched, const HTTPLimits& limits, HeadError error) {
  if (head_end != nullptr) {
    return {ParseStatus::kComplete, 0, static_cast<std::uint32_t>(head_end - data), ""};
  }
  searched = size;
  if (!error && size >= std::min(limits.max_header_size, kMostBytes)) {
    error = {431, "request head too large"};
  }
  if (!error) return {};
  return {ParseStatus::kError, static_cast<std::uint16_t>(error.status), 0, error.reason};
}

template <class Scanner>
[[gnu::noinline]] ParseResult parse_unusual(const char* data, std::size_t size,
                                            std::size_t& searched, const HTTPLimits& limits,
                                            RequestHead& head) {
  const auto [begin, end] = choose_window<Scanner>(data, size, searched, limits);
  if (begin == nullptr) return {};
  HeadError error;
  const char* head_end = end - begin >= Scanner::kMinimumSize
                             ? RequestParser<Scanner>(begin, end, limits, head, error).run()
                             : RequestParser<ScalarScanner>(begin, end, limits, head, error).run();
  return result_of(head_end, data, size, searched, limits, error);
}

template <class Scanner>
ParseResult parse_request(const char* data, std::size_t size, std::size_t& searched,
                          const HTTPLimits& limits, RequestHead& head) {
  if (searched != 0 || size < 16 || *data == '\r' ||
      size > std::min(limits.max_header_size, kMostBytes)) [[unlikely]] {
    return parse_unusual<Scanner>(data, size, searched, limits, head);
  }
  HeadError error;
  const char* head_end = RequestParser<Scanner>(data, data + size, limits, head, error).run();
  if (head_end == nullptr) [[unlikely]] {
    return result_of(nullptr, data, size, searched, limits, error);
  }
  return {ParseStatus::kComplete, 0, static_cast<std::uint32_t>(head_end - data), ""};
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
