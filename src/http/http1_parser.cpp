#include "http/http1_parser.hpp"

#include <algorithm>
#include <string_view>

#include "http/http1_lines.hpp"
#include "http/request_head_builder.hpp"

namespace coronado {
namespace {

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
    return at_line_end(line_end, end_)
               ? line_end
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

  /// Returns  The end of the line.
  [[gnu::always_inline]] const char* field_line(const char* name) {
    return parse_field_line(scan_, name, error_,
                            [this](FieldId id, const char* field_name, std::uint32_t name_size,
                                   const char* value, std::size_t value_size)
                                __attribute__((always_inline)) {
                                  return builder_.add_field(id, field_name, name_size, value,
                                                            value_size, limits_.max_header_count);
                                });
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

/// The bytes to look at, and whether there is a reason to.
struct Window {
  const char* begin;
  const char* end;
};

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
