/// `TicketKeys`: the keys that session tickets are sealed with, and their rotation.
#pragma once

#include <coronado/base/clock.hpp>

#include <array>
#include <mutex>
#include <optional>

#include "net/tls_openssl.hpp"

namespace coronado::tls {

/// Threads  Any.
class TicketKeys {
 public:
  explicit TicketKeys(Duration rotation) noexcept : rotation_(rotation) {}

  /// Makes a new key now; the present one becomes the previous.
  void rotate();

  /// OpenSSL's question for a key: prepares the cipher and the MAC of one ticket.
  /// Params   seal  A new ticket; else one that came.
  /// Returns  As `SSL_CTX_set_tlsext_ticket_key_evp_cb` says: 0 unknown, 1 good, 2 good but to be
  ///          replaced, -1 failure.
  int prepare(unsigned char* key_name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac,
              bool seal);

 private:
  struct Key {
    std::array<unsigned char, 16> name;
    std::array<unsigned char, 32> cipher;
    std::array<unsigned char, 32> mac;
    TimePoint made;
  };
  static std::optional<Key> make_key(TimePoint now);
  bool keep_fresh(TimePoint now);
  std::optional<std::pair<Key, int>> choose(const unsigned char* key_name, bool seal);

  const Duration rotation_;
  std::mutex mutex_;
  std::optional<Key> present_;   // guarded by mutex_
  std::optional<Key> previous_;  // guarded by mutex_
};

}  // namespace coronado::tls
