#include "net/host_name.hpp"

#include <coronado/base/error.hpp>
#include <coronado/base/strings.hpp>

#include <algorithm>

namespace coronado {
namespace {

using Reason = ResolveError::Reason;

constexpr std::size_t kMaxName = 253;  // RFC 1035 2.3.4: 255 bytes on the wire
constexpr std::size_t kMaxLabel = 63;

// RFC 1123 2.1, and the underscore that service names and much of practice have.
bool is_name_character(char c) noexcept {
  return is_ascii_letter(c) || is_ascii_digit(c) || c == '-' || c == '_';
}

/// The name as it may stand in a message: one line of visible characters, not too long.
std::string printable(std::string_view host) {
  constexpr std::size_t kMost = 80;
  std::string text;
  for (const char c : host.substr(0, kMost)) {
    if (c > ' ' && c <= '~') {
      text += c;
    } else {
      text += "\\x";
      append_hex(text, std::string_view(&c, 1));
    }
  }
  if (host.size() > kMost) text += "...";
  return text;
}

[[noreturn]] void malformed(std::string_view host, std::string detail) {
  throw ResolveError(printable(host), Reason::kMalformed, std::move(detail));
}

/// What other parsers take for part of an IPv4 address: "12", "0x7f".
bool is_number(std::string_view label) noexcept {
  if (label.size() > 1 && label[0] == '0' && ascii_lower(label[1]) == 'x') {
    return std::ranges::all_of(label.substr(2), [](char c) { return hex_value(c) >= 0; });
  }
  return std::ranges::all_of(label, is_ascii_digit);
}

std::string_view without_final_dot(std::string_view host) noexcept {
  return host.ends_with('.') ? host.substr(0, host.size() - 1) : host;
}

/// True for `domain` and every name below it.
bool is_below(std::string_view host, std::string_view domain) noexcept {
  if (host.size() < domain.size()) return false;
  if (!equals_ignore_case(host.substr(host.size() - domain.size()), domain)) return false;
  return host.size() == domain.size() || host[host.size() - domain.size() - 1] == '.';
}

std::vector<SocketAddress> loopback(std::uint16_t port) {
  return {*SocketAddress::from_ip("::1", port), *SocketAddress::from_ip("127.0.0.1", port)};
}

}  // namespace

void check_host_name(const std::string& host) {
  const std::string_view name = without_final_dot(host);
  if (name.empty()) malformed(host, "empty");
  if (name.size() > kMaxName) malformed(host, "longer than 253 characters");
  std::string_view last;
  for_each_part(name, '.', [&](std::string_view label) {
    if (label.empty()) malformed(host, "an empty label");
    if (label.size() > kMaxLabel) malformed(host, "a label longer than 63 characters");
    for (const char c : label) {
      if (static_cast<unsigned char>(c) >= 0x80) {
        malformed(host, "names beyond ASCII are written in their xn-- form");
      }
      if (!is_name_character(c)) malformed(host, "a character that no host name has");
    }
    last = label;
  });
  // "127.1", "0x7f.1" and "999.1.1.1": other programs read addresses in them, and not all the same.
  if (is_number(last)) malformed(host, "no valid IPv4 address");
}

std::optional<Resolution> answer_without_asking(const ResolveRequest& request) {
  Resolution found;
  if (auto address = SocketAddress::from_ip(request.host, request.port)) {
    found.addresses.push_back(*address);
  } else {
    check_host_name(request.host);
    const std::string_view name = without_final_dot(request.host);
    // RFC 6761 6.4, RFC 7686 2: these exist nowhere, and asking would give the name away.
    if (is_below(name, "invalid") || is_below(name, "onion")) {
      throw ResolveError(request.host, Reason::kNoSuchName);
    }
    if (!is_below(name, "localhost")) return std::nullopt;
    found.addresses = loopback(request.port);  // RFC 6761 6.3 (3)
  }
  std::erase_if(found.addresses,
                [&](const SocketAddress& address) { return !is_wanted(request.family, address); });
  if (found.addresses.empty()) {
    throw ResolveError(request.host, Reason::kNoAddress, describe_missing(request.family));
  }
  return found;
}

bool is_wanted(AddressFamily family, const SocketAddress& address) noexcept {
  switch (family) {
    case AddressFamily::kAny: return true;
    case AddressFamily::kIPv4: return address.family == SocketAddress::Family::kIPv4;
    case AddressFamily::kIPv6: return address.family == SocketAddress::Family::kIPv6;
  }
  return false;
}

std::string describe_missing(AddressFamily family) {
  switch (family) {
    case AddressFamily::kAny: break;
    case AddressFamily::kIPv4: return "IPv4 asked for";
    case AddressFamily::kIPv6: return "IPv6 asked for";
  }
  return {};
}

}  // namespace coronado
