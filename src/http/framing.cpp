#include "http/framing.hpp"

#include <coronado/http/httputil.hpp>

#include <limits>

#include "http/ascii.hpp"
#include "http/char_class.hpp"

namespace coronado {

HeadError parse_content_length(std::string_view digits, std::uint64_t& length) noexcept {
  constexpr std::uint64_t kMost = std::numeric_limits<std::int64_t>::max();
  std::uint64_t value = 0;
  if (digits.empty()) return {400, "invalid Content-Length"};
  for (const char c : digits) {
    if (!is_in(c, kDigit)) return {400, "invalid Content-Length"};
    const auto digit = static_cast<std::uint64_t>(c - '0');
    if (value > (kMost - digit) / 10) return {400, "Content-Length out of range"};
    value = value * 10 + digit;
  }
  length = value;
  return {};
}

HeadError TransferCodings::add(std::string_view rest) {
  // RFC 9110 5.6.1 lets a recipient skip empty list elements; here they are refused.
  if (rest.ends_with(',')) return {400, "invalid Transfer-Encoding"};
  do {
    const std::string_view coding = next_element(rest, ',');
    // RFC 9112 7.1: chunked is applied once, and is the last.
    if (chunked_ || !is_token(coding)) return {400, "invalid Transfer-Encoding"};
    chunked_ = equals_ignoring_case(coding, "chunked");
    others_ = others_ || !chunked_;
  } while (!rest.empty());
  return {};
}

HeadError TransferCodings::finish() const noexcept {
  // RFC 9112 6.3 (4): without chunked at the end, nobody knows where the body ends.
  if (!chunked_) return {400, "Transfer-Encoding without chunked at its end"};
  // RFC 9112 6.1: a coding that is not understood.
  if (others_) return {501, "unsupported Transfer-Encoding"};
  return {};
}

void ConnectionOptions::add(std::string_view rest) noexcept {
  while (!rest.empty()) {
    const std::string_view option = next_element(rest, ',');
    close = close || equals_ignoring_case(option, "close");
    keep_alive = keep_alive || equals_ignoring_case(option, "keep-alive");
    upgrade = upgrade || equals_ignoring_case(option, "upgrade");
  }
}

}  // namespace coronado
