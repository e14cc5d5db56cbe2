/// Why a handshake failed, as the exception that says so.
#pragma once

#include <exception>

#include "net/tls_openssl_context.hpp"

namespace coronado::tls {

/// Who a handshake is made with, for messages.
struct Counterpart {
  std::string name;  // the host, or the peer's address
  bool is_client;    // the peer is the client
};

/// The exception for OpenSSL's present complaint; empties its queue.
std::exception_ptr handshake_error(const Counterpart& peer, const VerifyFailure& failure);

/// The peer's first bytes begin no TLS record.
std::exception_ptr garbage_error(const Counterpart& peer, std::string_view first_bytes);

/// The connection ended in the middle of the handshake.
/// Params  code  Why; empty for an orderly end.
std::exception_ptr truncated_error(const Counterpart& peer, std::error_code code);

std::exception_ptr timeout_error(const Counterpart& peer, Duration limit);

/// True for the first byte of a handshake or an alert.
constexpr bool begins_tls(char first) noexcept { return first == 0x16 || first == 0x15; }

/// What broke a connection after its handshake, from OpenSSL's queue, which is emptied.
std::error_code stream_error() noexcept;

}  // namespace coronado::tls
