#include "net/proxy_protocol.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <optional>

namespace coronado {
namespace {

using Status = ProxyHeaderResult::Status;
using Family = SocketAddress::Family;

constexpr std::string_view kSignature1 = "PROXY ";
constexpr std::string_view kSignature2("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr std::size_t kMaxLine = 107;  // 2.1: with the line end
constexpr std::size_t kFixed2 = 16;    // 2.2: signature, command, family, length

ProxyHeaderResult bad(const char* reason) { return {.status = Status::kBad, .reason = reason}; }

ProxyHeaderResult done(std::size_t size, ProxyHeader header = {}) {
  return {.status = Status::kDone, .size = size, .header = std::move(header)};
}

/// Takes what stands before the next space; nothing when there is none.
std::optional<std::string_view> take_word(std::string_view& text) {
  const std::size_t space = text.find(' ');
  if (space == std::string_view::npos) return std::nullopt;
  const std::string_view word = text.substr(0, space);
  text.remove_prefix(space + 1);
  return word;
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  if (text.empty() || text.size() > 5 || (text.size() > 1 && text[0] == '0')) return std::nullopt;
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return port;
}

std::optional<SocketAddress> parse_ip(std::string_view text, Family family) {
  if (text.contains('%')) return std::nullopt;
  std::optional<SocketAddress> address = SocketAddress::from_ip(text);
  if (address && address->family != family) return std::nullopt;
  return address;
}

/// 2.1: "PROXY TCP4 source destination port port", single spaces, up to CRLF.
ProxyHeaderResult parse_version_1(std::string_view bytes) {
  const std::size_t newline = bytes.substr(0, kMaxLine).find('\n');
  if (newline == std::string_view::npos) {
    return bytes.size() >= kMaxLine ? bad("the line is too long") : ProxyHeaderResult{};
  }
  if (newline == 0 || bytes[newline - 1] != '\r') return bad("the line does not end with CR LF");
  std::string_view line = bytes.substr(kSignature1.size(), newline - 1 - kSignature1.size());
  const std::size_t size = newline + 1;
  // The rest of an unknown connection's line has no meaning.
  if (line == "UNKNOWN" || line.starts_with("UNKNOWN ")) return done(size);
  const auto protocol = take_word(line);
  if (protocol != "TCP4" && protocol != "TCP6") return bad("unknown protocol");
  const Family family = protocol == "TCP4" ? Family::kIPv4 : Family::kIPv6;
  const auto source = take_word(line);
  const auto destination = take_word(line);
  const auto source_port = take_word(line);
  if (!source_port) return bad("a field is missing");
  ProxyHeader header{.has_addresses = true};
  const auto from = parse_ip(*source, family);
  const auto to = parse_ip(*destination, family);
  const auto from_port = parse_port(*source_port);
  const auto to_port = parse_port(line);
  if (!from || !to) return bad("an address is wrong");
  if (!from_port || !to_port) return bad("a port is wrong");
  header.source = *from;
  header.source.port = *from_port;
  header.destination = *to;
  header.destination.port = *to_port;
  return done(size, std::move(header));
}

std::size_t number_at(std::string_view bytes, std::size_t at) {
  return static_cast<std::size_t>(static_cast<unsigned char>(bytes[at]) << 8 |
                                  static_cast<unsigned char>(bytes[at + 1]));
}

SocketAddress ip_at(std::string_view block, std::size_t at, std::size_t port_at, Family family) {
  SocketAddress address;
  address.family = family;
  std::memcpy(address.ip.data(), block.data() + at, family == Family::kIPv4 ? 4 : 16);
  address.port = static_cast<std::uint16_t>(number_at(block, port_at));
  return address;
}

SocketAddress path_at(std::string_view block, std::size_t at) {
  std::string_view path = block.substr(at, 108);
  if (path[0] == '\0') {  // abstract, or unnamed: the padding is not part of it
    path = path.substr(0, path.find_last_not_of('\0') + 1);
  } else {
    path = path.substr(0, path.find('\0'));
  }
  return SocketAddress::from_path(std::string(path));
}

/// 2.2: each extension is a type, a length of two bytes, and so many bytes.
bool well_formed_extensions(std::string_view bytes) {
  while (!bytes.empty()) {
    if (bytes.size() < 3) return false;
    const std::size_t size = 3 + number_at(bytes, 1);
    if (size > bytes.size()) return false;
    bytes.remove_prefix(size);
  }
  return true;
}

ProxyHeaderResult parse_version_2(std::string_view bytes) {
  if (bytes.size() < kFixed2) return {};
  const auto command = static_cast<unsigned char>(bytes[12]);
  const auto family = static_cast<unsigned char>(bytes[13]);
  const std::size_t length = number_at(bytes, 14);
  if (command != 0x20 && command != 0x21) return bad("unknown version or command");
  if (kFixed2 + length > kMaxProxyHeader) return bad("the header is too long");
  std::size_t addresses = 0;
  switch (family) {
    case 0x00: break;
    case 0x11: addresses = 12; break;
    case 0x21: addresses = 36; break;
    case 0x31: addresses = 216; break;
    default: return bad("no stream connection of a known family");
  }
  const bool local = command == 0x20;
  if (!local && length < addresses) return bad("the addresses are cut short");
  if (bytes.size() < kFixed2 + length) return {};
  const std::string_view block = bytes.substr(kFixed2, length);
  // 2.2: of a LOCAL command, and of an unspecified family, the receiver skips everything.
  if (local || family == 0x00) return done(kFixed2 + length);
  if (!well_formed_extensions(block.substr(addresses))) return bad("an extension is cut short");
  ProxyHeader header{.has_addresses = true};
  if (family == 0x11) {
    header.source = ip_at(block, 0, 8, Family::kIPv4);
    header.destination = ip_at(block, 4, 10, Family::kIPv4);
  } else if (family == 0x21) {
    header.source = ip_at(block, 0, 32, Family::kIPv6);
    header.destination = ip_at(block, 16, 34, Family::kIPv6);
  } else {
    header.source = path_at(block, 0);
    header.destination = path_at(block, 108);
  }
  return done(kFixed2 + length, std::move(header));
}

bool may_begin_with(std::string_view bytes, std::string_view signature) {
  const std::size_t size = std::min(bytes.size(), signature.size());
  return bytes.substr(0, size) == signature.substr(0, size);
}

}  // namespace

ProxyHeaderResult parse_proxy_header(std::string_view bytes) {
  if (may_begin_with(bytes, kSignature2)) {
    return bytes.size() < kSignature2.size() ? ProxyHeaderResult{} : parse_version_2(bytes);
  }
  if (may_begin_with(bytes, kSignature1)) {
    return bytes.size() < kSignature1.size() ? ProxyHeaderResult{} : parse_version_1(bytes);
  }
  return bad("no PROXY header");
}

}  // namespace coronado
