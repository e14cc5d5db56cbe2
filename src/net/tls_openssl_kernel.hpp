/// `KernelSending`: what the kernel must know to go on with the sending of a TLS connection (kTLS).
///
/// OpenSSL makes the handshake. When that is done, the keys of our direction are derived from its
/// secrets, which is all public interface: OpenSSL's own way to the kernel (SSL_OP_ENABLE_KTLS) needs
/// a library built for it, and a socket. What OpenSSL says from then on, such as alerts, is taken from
/// its message callback and sent as records by the kernel; what it encrypts is dropped. New keys that
/// the peer asks for are derived here. Receiving stays with OpenSSL.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>

#include "net/tls_openssl.hpp"

namespace coronado::tls {

class KernelSending {
 public:
  /// A record for the kernel to send.
  struct Record {
    unsigned char type;
    std::string content;
    /// After it we send with the next keys.   Spec  RFC 8446 4.6.3
    bool updates_keys() const noexcept;
  };

  /// Begins to watch the connection, whose handshake has not begun.
  KernelSending(SSL& ssl, bool is_server);
  ~KernelSending();
  KernelSending(const KernelSending&) = delete;
  KernelSending& operator=(const KernelSending&) = delete;

  /// A line of OpenSSL's key log.
  void on_key_log(std::string_view line);

  /// The keys for the next record, as the kernel wants them. Empty: the kernel knows no such cipher.
  std::string keys() const;
  /// The kernel has them: what OpenSSL says is kept in `records` from now on.
  void take_over() noexcept { in_charge_ = true; }
  bool in_charge() const noexcept { return in_charge_; }
  /// After a record that updates the keys: goes on to the next ones.
  void update_keys();

  /// To be sent. What the handler writes while others wait is behind them, as application data.
  std::deque<Record> records;
  /// Bytes of application data among them.
  std::size_t unsent() const noexcept;

 private:
  static void on_message(int written, int version, int type, const void* bytes, std::size_t size,
                         SSL* ssl, void* self);
  void note_received(int type, std::string_view content);
  void note_sent(int version, int type, std::string_view content);

  SSL& ssl_;
  std::array<unsigned char, EVP_MAX_MD_SIZE> secret_{};  // TLS 1.3: the traffic secret
  std::size_t secret_size_ = 0;
  std::uint64_t sent_ = 0;  // records, with the present keys
  bool is_server_;
  bool in_charge_ = false;
};

}  // namespace coronado::tls
