#include "net/tls_openssl_tickets.hpp"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <algorithm>
#include <span>

namespace coronado::tls {
namespace {

/// Looked up once: OpenSSL 3 searches its providers at every use of `EVP_aes_256_cbc()`.
const EVP_CIPHER* ticket_cipher() {
  static EVP_CIPHER* const cipher = ::EVP_CIPHER_fetch(nullptr, "AES-256-CBC", nullptr);
  return cipher;
}

}  // namespace

std::optional<TicketKeys::Key> TicketKeys::make_key(TimePoint now) {
  Key key{};
  key.made = now;
  if (::RAND_bytes(key.name.data(), static_cast<int>(key.name.size())) != 1 ||
      ::RAND_priv_bytes(key.cipher.data(), static_cast<int>(key.cipher.size())) != 1 ||
      ::RAND_priv_bytes(key.mac.data(), static_cast<int>(key.mac.size())) != 1) {
    return std::nullopt;
  }
  return key;
}

void TicketKeys::rotate() {
  const std::lock_guard lock(mutex_);
  if (const auto key = make_key(Clock::now())) previous_ = std::exchange(present_, key);
}

/// Makes the first key, and a new one when the present is too old. False: there is none.
bool TicketKeys::keep_fresh(TimePoint now) {
  if (present_ && now - present_->made < rotation_) return true;
  const auto key = make_key(now);
  if (!key) return present_.has_value();
  // After a long pause the present key is as old as a previous one may become.
  const bool too_old = present_ && now - present_->made >= 2 * rotation_;
  previous_ = too_old ? std::nullopt : present_;
  present_ = key;
  return true;
}

std::optional<std::pair<TicketKeys::Key, int>> TicketKeys::choose(const unsigned char* key_name,
                                                                  bool seal) {
  const std::lock_guard lock(mutex_);
  if (!keep_fresh(Clock::now())) return std::nullopt;
  if (seal) return std::pair(*present_, 1);
  const std::span<const unsigned char, 16> name(key_name, 16);
  if (std::ranges::equal(name, present_->name)) return std::pair(*present_, 1);
  if (previous_ && std::ranges::equal(name, previous_->name)) return std::pair(*previous_, 2);
  return std::nullopt;
}

int TicketKeys::prepare(unsigned char* key_name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
                        EVP_MAC_CTX* mac, bool seal) {
  auto chosen = choose(key_name, seal);
  if (!chosen) return seal ? -1 : 0;
  Key& key = chosen->first;
  if (seal) {
    std::ranges::copy(key.name, key_name);
    if (::RAND_bytes(iv, ::EVP_CIPHER_get_iv_length(ticket_cipher())) != 1) return -1;
  }
  char digest[] = "SHA256";
  const OSSL_PARAM parameters[] = {
      ::OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key.mac.data(), key.mac.size()),
      ::OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
      ::OSSL_PARAM_construct_end()};
  const bool ready = ::EVP_CipherInit_ex(cipher, ticket_cipher(), nullptr, key.cipher.data(), iv,
                                         seal ? 1 : 0) == 1 &&
                     ::EVP_MAC_CTX_set_params(mac, parameters) == 1;
  ::OPENSSL_cleanse(&key, sizeof key);
  return ready ? chosen->second : -1;
}

}  // namespace coronado::tls
