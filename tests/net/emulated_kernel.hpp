/// A kernel that makes TLS records, for machines whose own does not.
///
/// `EmulatedKernel` stands between a socket of ours and its peer. It takes the keys that the real
/// kernel would get, and does with the socket's output what that does: encrypts it, record by
/// record, counting sequence numbers and nonces on. A peer that decrypts everything has proved them
/// right. What comes from the peer passes as it is.
#pragma once

#include <coronado/loop/ioloop.hpp>

#include <gtest/gtest.h>
#include <linux/tls.h>
#include <openssl/evp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "loop/kernel_tls.hpp"

namespace coronado::tls_test {

/// One direction's cipher as the kernel keeps it.
class RecordSealer {
 public:
  /// Returns  0, or the kernel's error for what it would not take.
  int set(std::span<const char> keys) {
    tls_crypto_info info{};
    if (keys.size() < sizeof info) return EINVAL;
    std::memcpy(&info, keys.data(), sizeof info);
    if (info.version != TLS_1_2_VERSION && info.version != TLS_1_3_VERSION) return EINVAL;
    is_tls13_ = info.version == TLS_1_3_VERSION;
    switch (info.cipher_type) {
      case TLS_CIPHER_AES_GCM_128:
        return take<tls12_crypto_info_aes_gcm_128>(keys, ::EVP_aes_128_gcm());
      case TLS_CIPHER_AES_GCM_256:
        return take<tls12_crypto_info_aes_gcm_256>(keys, ::EVP_aes_256_gcm());
      case TLS_CIPHER_CHACHA20_POLY1305:
        return take<tls12_crypto_info_chacha20_poly1305>(keys, ::EVP_chacha20_poly1305());
      default: return EINVAL;
    }
  }

  explicit operator bool() const noexcept { return cipher_ != nullptr; }
  std::uint64_t sequence() const noexcept { return sequence_; }

  /// A record.   Spec  RFC 8446 5.2, RFC 5246 6.2.3.3, RFC 5288 3, RFC 7905 2
  std::string seal(unsigned char type, std::string_view content) {
    const bool shows_nonce = !is_tls13_ && salt_size_ != 0;
    std::string plain(content);
    if (is_tls13_) plain += static_cast<char>(type);
    const std::size_t size = plain.size() + 16 + (shows_nonce ? 8 : 0);
    std::string record{static_cast<char>(is_tls13_ ? 23 : type), 3, 3, static_cast<char>(size >> 8),
                       static_cast<char>(size)};
    std::string additional = record;
    if (!is_tls13_) {
      additional =
          big_endian(sequence_) + record.substr(0, 3) +
          std::string{static_cast<char>(plain.size() >> 8), static_cast<char>(plain.size())};
    }
    std::array<unsigned char, 12> nonce = nonce_;
    if (shows_nonce) {
      record.append(reinterpret_cast<const char*>(nonce_.data()) + 4, 8);
    } else {
      const std::string number = big_endian(sequence_);
      for (std::size_t i = 0; i < 8; ++i) nonce[4 + i] ^= static_cast<unsigned char>(number[i]);
    }
    record += encrypt(nonce, additional, plain);
    ++sequence_;
    for (std::size_t i = 12; shows_nonce && i-- > 4 && ++nonce_[i] == 0;) {
    }
    return record;
  }

 private:
  static std::string big_endian(std::uint64_t number) {
    std::string bytes(8, '\0');
    for (std::size_t i = 8; i-- > 0; number >>= 8) bytes[i] = static_cast<char>(number);
    return bytes;
  }

  template <class Info>
  int take(std::span<const char> keys, const EVP_CIPHER* cipher) {
    Info info;
    if (keys.size() != sizeof info) return EINVAL;
    std::memcpy(&info, keys.data(), sizeof info);
    cipher_ = cipher;
    key_.assign(std::begin(info.key), std::end(info.key));
    salt_size_ = 12 - sizeof info.iv;
    if constexpr (sizeof info.iv == 8) std::memcpy(nonce_.data(), info.salt, 4);
    std::memcpy(nonce_.data() + salt_size_, info.iv, sizeof info.iv);
    sequence_ = 0;
    for (const unsigned char digit : info.rec_seq) sequence_ = sequence_ << 8 | digit;
    return 0;
  }

  std::string encrypt(const std::array<unsigned char, 12>& nonce, std::string_view additional,
                      std::string_view plain) const {
    const std::unique_ptr<EVP_CIPHER_CTX, decltype(&::EVP_CIPHER_CTX_free)> context(
        ::EVP_CIPHER_CTX_new(), ::EVP_CIPHER_CTX_free);
    const auto bytes = [](std::string_view text) {
      return reinterpret_cast<const unsigned char*>(text.data());
    };
    std::string sealed(plain.size() + 16, '\0');
    auto* const to = reinterpret_cast<unsigned char*>(sealed.data());
    int size = 0;
    ::EVP_EncryptInit_ex(context.get(), cipher_, nullptr, key_.data(), nonce.data());
    ::EVP_EncryptUpdate(context.get(), nullptr, &size, bytes(additional),
                        static_cast<int>(additional.size()));
    ::EVP_EncryptUpdate(context.get(), to, &size, bytes(plain), static_cast<int>(plain.size()));
    ::EVP_EncryptFinal_ex(context.get(), to + size, &size);
    ::EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, 16, to + plain.size());
    return sealed;
  }

  const EVP_CIPHER* cipher_ = nullptr;
  std::vector<unsigned char> key_;
  std::array<unsigned char, 12> nonce_{};
  std::size_t salt_size_ = 0;
  std::uint64_t sequence_ = 0;
  bool is_tls13_ = false;
};

class EmulatedKernel final : public KernelTLS {
 public:
  explicit EmulatedKernel(IOLoop& loop) : loop_(loop) {
    std::array<int, 2> near{};
    std::array<int, 2> far{};
    constexpr int kKind = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
    EXPECT_EQ(::socketpair(AF_UNIX, kKind, 0, near.data()), 0);
    EXPECT_EQ(::socketpair(AF_UNIX, kKind, 0, far.data()), 0);
    ours = near[0];
    inside_.fd = near[1];
    outside_.fd = far[0];
    peers = far[1];
    for (Side* side : {&inside_, &outside_}) {
      loop_.add_handler(
          side->fd, [this, side](int, unsigned events) { on_ready(*side, events); },
          Reactor::kRead);
    }
  }
  ~EmulatedKernel() {
    for (const Side* side : {&inside_, &outside_}) {
      loop_.remove_handler(side->fd);
      ::close(side->fd);
    }
  }

  /// Takes nothing out of the socket any more, so that it fills; or takes all of it again.
  void stall(bool on) {
    inside_.reads = !on;
    watch(inside_);
  }
  /// Sends our side something that the peer did not.
  void forge(std::string_view bytes) const {
    EXPECT_EQ(::send(inside_.fd, bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }

  int ours = -1;   // the socket of the side whose kernel this is; who adopts it closes it
  int peers = -1;  // the same for the peer
  int attach_error = 0;
  int update_error = 0;  // for keys that are not the first
  int attached = 0;
  int keys_set = 0;
  std::uint64_t first_sequence = 0;  // of the first keys
  std::size_t encrypted = 0;         // bytes of application data
  std::vector<unsigned char> types;  // of other records

 private:
  // KernelTLS
  int attach(int socket) noexcept override {
    EXPECT_EQ(socket, ours);
    ++attached;
    return attach_error;
  }
  int set_send_keys(int socket, std::span<const char> keys) noexcept override {
    EXPECT_EQ(socket, ours);
    take_output();  // what was sent before goes as it was to go
    if (keys_set > 0 && update_error != 0) return update_error;
    const int error = sealer_.set(keys);
    if (error != 0) return error;
    if (keys_set++ == 0) first_sequence = sealer_.sequence();
    return 0;
  }
  int send_record(int socket, unsigned char type, std::string_view content) noexcept override {
    EXPECT_EQ(socket, ours);
    EXPECT_TRUE(sealer_);
    take_output();
    types.push_back(type);
    put(outside_, sealer_.seal(type, content));
    return 0;
  }

  /// The end of a socket pair that is not given away.
  struct Side {
    int fd = -1;
    std::string waiting;  // to be sent to the other end
    bool reads = true;
    bool ends = false;  // when it has been sent
  };

  void on_ready(Side& side, unsigned events) {
    if ((events & Reactor::kWrite) != 0) put(side, {});
    if (!side.reads) return;
    if (&side == &inside_) {
      take_output();
    } else {
      std::string bytes;
      while (!(bytes = take(outside_, 65536)).empty()) put(inside_, bytes);
    }
  }
  void take_output() {
    std::string bytes;
    while (!(bytes = take(inside_, 16384)).empty()) {  // a record's worth
      if (sealer_) encrypted += bytes.size();
      put(outside_, sealer_ ? sealer_.seal(23, bytes) : bytes);
    }
  }
  std::string take(Side& from, std::size_t most) {
    std::string bytes(most, '\0');
    const ssize_t n = ::recv(from.fd, bytes.data(), bytes.size(), 0);
    bytes.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
    const bool failed = n < 0 && errno != EAGAIN;
    if (from.reads && (n == 0 || failed)) {
      from.reads = false;
      watch(from);
      Side& to = &from == &inside_ ? outside_ : inside_;
      to.ends = true;
      put(to, {});
    }
    return bytes;
  }
  void put(Side& to, std::string_view bytes) {
    to.waiting.append(bytes);
    const ssize_t n = ::send(to.fd, to.waiting.data(), to.waiting.size(), MSG_NOSIGNAL);
    if (n > 0) to.waiting.erase(0, static_cast<std::size_t>(n));
    if (n < 0 && errno != EAGAIN) to.waiting.clear();  // nobody reads it
    if (to.waiting.empty() && to.ends) ::shutdown(to.fd, SHUT_WR);
    watch(to);
  }
  void watch(const Side& side) {
    loop_.update_handler(side.fd, (side.reads ? unsigned{Reactor::kRead} : 0U) |
                                      (side.waiting.empty() ? 0U : unsigned{Reactor::kWrite}));
  }

  IOLoop& loop_;
  RecordSealer sealer_;
  Side inside_;   // what our socket sends comes out here
  Side outside_;  // and goes to the peer from here
};

}  // namespace coronado::tls_test
