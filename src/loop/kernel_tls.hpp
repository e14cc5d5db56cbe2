/// TLS records made by the kernel (kTLS): its system calls, behind an interface that a test can stand
/// in for.
///
///     KernelTLS        the calls
///     kernel_tls       those of this thread
///     KernelTLSStandIn  puts others in their place, as long as it lives
#pragma once

#include <span>
#include <string_view>

namespace coronado {

class KernelTLS {
 public:
  /// Gives the socket the upper layer protocol "tls".   Returns  0 or an error.
  virtual int attach(int socket) noexcept = 0;
  /// Has what is sent from now on encrypted.   Returns  0 or an error.
  virtual int set_send_keys(int socket, std::span<const char> keys) noexcept = 0;
  /// Sends one record of a type that is not application data, without waiting.
  /// Returns  0 or an error; EAGAIN: not now.
  virtual int send_record(int socket, unsigned char type, std::string_view content) noexcept = 0;

 protected:
  ~KernelTLS() = default;
};

KernelTLS& kernel_tls() noexcept;

class KernelTLSStandIn {
 public:
  explicit KernelTLSStandIn(KernelTLS& calls) noexcept;
  ~KernelTLSStandIn();
  KernelTLSStandIn(const KernelTLSStandIn&) = delete;
  KernelTLSStandIn& operator=(const KernelTLSStandIn&) = delete;

 private:
  KernelTLS* before_;
};

/// Whether the socket takes more now. The kernel keeps the end of a record that the socket had no room
/// for, and what ends the connection would overtake it: there is none left when this is true.
bool takes_more(int socket) noexcept;

}  // namespace coronado
