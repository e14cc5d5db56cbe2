/// `SocketAddress`: where a socket is, or where it goes.
///
/// Layer: loop.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace coronado {

/// An IP address with a port, the path of a Unix socket, or nothing for channels without either.
/// Copies are cheap and allocate nothing.
struct SocketAddress {
  enum class Family : std::uint8_t { kNone, kIPv4, kIPv6, kUnix };

  std::array<std::uint8_t, 16> ip{};  ///< Network order; an IPv4 address takes the first four.
  std::uint32_t scope = 0;            ///< The interface of a link-local IPv6 address; zero: none.
  std::uint16_t port = 0;             ///< Host order.
  Family family = Family::kNone;
  /// Of `kUnix`, see `path`; null: unnamed.
  std::shared_ptr<const std::string> shared_path = nullptr;

  /// A numeric IPv4 or IPv6 address, the latter without brackets and perhaps with "%interface".
  /// Returns  Nothing when `text` is no such address; names are not looked up.
  static std::optional<SocketAddress> from_ip(std::string_view text, std::uint16_t port = 0);

  /// The address of a Unix socket.
  static SocketAddress from_path(std::string path);

  /// Of `kUnix`; a leading NUL is Linux's abstract name space. Empty: unnamed.
  const std::string& path() const noexcept;

  bool is_ip() const noexcept { return family == Family::kIPv4 || family == Family::kIPv6; }

  /// The address without the port: "127.0.0.1", "::1", "/run/app.sock"; empty for `kNone`.
  std::string host() const;

  bool operator==(const SocketAddress& other) const noexcept;
};

/// "127.0.0.1:80", "[::1]:80", "unix:/run/app.sock", "unix:@abstract"; empty for `kNone`.
std::string to_string(const SocketAddress& address);

}  // namespace coronado
