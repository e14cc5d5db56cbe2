#include "net/tls_openssl_kernel.hpp"

#include <coronado/base/strings.hpp>

#include <linux/tls.h>
#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/rand.h>

#include <algorithm>
#include <cstring>

namespace coronado::tls {
namespace {

constexpr char kKeyUpdate = SSL3_MT_KEY_UPDATE;
constexpr char kFinished = SSL3_MT_FINISHED;
/// RFC 8446 4.6.3: new keys are sent, and asked for; they are sent only.
constexpr std::string_view kUpdateAndAsk("\x18\0\0\x01\x01", 5);
constexpr std::string_view kUpdateOnly("\x18\0\0\x01\0", 5);

using KDFPointer = std::unique_ptr<EVP_KDF_CTX, Free<::EVP_KDF_CTX_free>>;

OSSL_PARAM octets(const char* name, std::span<const unsigned char> bytes) {
  return ::OSSL_PARAM_construct_octet_string(name, const_cast<unsigned char*>(bytes.data()),
                                             bytes.size());
}
OSSL_PARAM octets(const char* name, std::string_view text) {
  return ::OSSL_PARAM_construct_octet_string(name, const_cast<char*>(text.data()), text.size());
}
OSSL_PARAM words(const char* name, const char* text) {
  return ::OSSL_PARAM_construct_utf8_string(name, const_cast<char*>(text), 0);
}

bool derive(const char* function, std::span<const OSSL_PARAM> parameters,
            std::span<unsigned char> to) {
  EVP_KDF* const kdf = ::EVP_KDF_fetch(nullptr, function, nullptr);
  const KDFPointer context(::EVP_KDF_CTX_new(kdf));
  ::EVP_KDF_free(kdf);
  const bool done =
      context && ::EVP_KDF_derive(context.get(), to.data(), to.size(), parameters.data()) == 1;
  if (!done) ::ERR_clear_error();
  return done;
}

/// HKDF-Expand-Label without a context.   Spec  RFC 8446 7.1
bool expand_label(const EVP_MD* digest, std::span<const unsigned char> secret,
                  std::string_view label, std::span<unsigned char> to) {
  const std::array parameters{words(OSSL_KDF_PARAM_MODE, "EXPAND_ONLY"),
                              words(OSSL_KDF_PARAM_DIGEST, ::EVP_MD_get0_name(digest)),
                              octets(OSSL_KDF_PARAM_KEY, secret),
                              octets(OSSL_KDF_PARAM_PREFIX, std::string_view("tls13 ")),
                              octets(OSSL_KDF_PARAM_LABEL, label),
                              ::OSSL_PARAM_construct_end()};
  return derive(OSSL_KDF_NAME_TLS1_3_KDF, parameters, to);
}

/// The key and the nonce's part that stays, of one direction.
struct Keys {
  std::array<unsigned char, 32> key{};
  std::array<unsigned char, 12> iv{};
  ~Keys() {
    ::OPENSSL_cleanse(key.data(), key.size());
    ::OPENSSL_cleanse(iv.data(), iv.size());
  }
};

/// RFC 5246 6.3: the client's key, the server's, the client's part of the nonce, the server's.
bool keys_of_tls12(SSL& ssl, const EVP_MD* digest, bool is_server, std::size_t key_size,
                   std::size_t iv_size, Keys& keys) {
  std::array<unsigned char, SSL_MAX_MASTER_KEY_LENGTH> master;
  std::array<unsigned char, 2 * SSL3_RANDOM_SIZE> randoms;
  std::array<unsigned char, 2 * (32 + 12)> block;
  const std::size_t master_size =
      ::SSL_SESSION_get_master_key(::SSL_get_session(&ssl), master.data(), master.size());
  ::SSL_get_server_random(&ssl, randoms.data(), SSL3_RANDOM_SIZE);
  ::SSL_get_client_random(&ssl, randoms.data() + SSL3_RANDOM_SIZE, SSL3_RANDOM_SIZE);
  const std::array parameters{
      words(OSSL_KDF_PARAM_DIGEST, ::EVP_MD_get0_name(digest)),
      octets(OSSL_KDF_PARAM_SECRET, std::span<const unsigned char>(master).first(master_size)),
      octets(OSSL_KDF_PARAM_SEED, std::string_view("key expansion")),
      octets(OSSL_KDF_PARAM_SEED, randoms), ::OSSL_PARAM_construct_end()};
  const std::span<unsigned char> all = std::span(block).first(2 * (key_size + iv_size));
  const bool done = derive(OSSL_KDF_NAME_TLS1_PRF, parameters, all);
  const std::size_t which = is_server ? 1 : 0;
  std::ranges::copy(all.subspan(which * key_size, key_size), keys.key.begin());
  std::ranges::copy(all.subspan(2 * key_size + which * iv_size, iv_size), keys.iv.begin());
  ::OPENSSL_cleanse(master.data(), master.size());
  ::OPENSSL_cleanse(block.data(), block.size());
  return done;
}

void put_number(std::uint64_t number, std::span<unsigned char> to) {
  for (std::size_t i = to.size(); i-- > 0; number >>= 8U) {
    to[i] = static_cast<unsigned char>(number);
  }
}

/// Fills in `Info`, one of the kernel's structures.
template <class Info>
std::string info_of(std::uint16_t cipher, bool is_tls13, const Keys& keys, std::uint64_t sequence) {
  Info info{};
  info.info.version = is_tls13 ? TLS_1_3_VERSION : TLS_1_2_VERSION;
  info.info.cipher_type = cipher;
  std::memcpy(info.key, keys.key.data(), sizeof info.key);
  constexpr std::size_t kSalt = 12 - sizeof info.iv;
  if constexpr (kSalt != 0) std::memcpy(info.salt, keys.iv.data(), kSalt);
  if (is_tls13 || kSalt == 0) {
    std::memcpy(info.iv, keys.iv.data() + kSalt, sizeof info.iv);
  } else {
    // RFC 5288 3: the part of the nonce that each record shows; the kernel counts on from here.
    // OpenSSL began its own at random, so that the two do not meet.
    ::RAND_bytes(info.iv, sizeof info.iv);
  }
  put_number(sequence, info.rec_seq);
  std::string bytes(reinterpret_cast<const char*>(&info), sizeof info);
  ::OPENSSL_cleanse(&info, sizeof info);
  return bytes;
}

}  // namespace

bool KernelSending::Record::updates_keys() const noexcept {
  return type == SSL3_RT_HANDSHAKE && content.starts_with(kKeyUpdate);
}

KernelSending::KernelSending(SSL& ssl, bool is_server) : ssl_(ssl), is_server_(is_server) {
  ::SSL_set_msg_callback(&ssl, on_message);
  SSL_set_msg_callback_arg(&ssl, this);
}

KernelSending::~KernelSending() {
  ::SSL_set_msg_callback(&ssl_, nullptr);
  ::OPENSSL_cleanse(secret_.data(), secret_.size());
}

/// "SERVER_TRAFFIC_SECRET_0 the-client's-random the-secret", the last two in hexadecimal.
void KernelSending::on_key_log(std::string_view line) {
  const std::string_view ours =
      is_server_ ? "SERVER_TRAFFIC_SECRET_0 " : "CLIENT_TRAFFIC_SECRET_0 ";
  if (!line.starts_with(ours)) return;
  const std::string_view digits = line.substr(line.rfind(' ') + 1);
  secret_size_ = std::min(digits.size() / 2, secret_.size());
  for (std::size_t i = 0; i < secret_size_; ++i) {
    secret_[i] =
        static_cast<unsigned char>(hex_value(digits[2 * i]) << 4 | hex_value(digits[2 * i + 1]));
  }
}

void KernelSending::on_message(int written, int version, int type, const void* bytes,
                               std::size_t size, SSL*, void* self) {
  auto& sending = *static_cast<KernelSending*>(self);
  const std::string_view content(static_cast<const char*>(bytes), size);
  if (written == 0) return sending.note_received(type, content);
  sending.note_sent(version, type, content);
}

/// OpenSSL would give the new keys that it is asked for with the next bytes that it sends: with none.
void KernelSending::note_received(int type, std::string_view content) {
  if (!in_charge_ || type != SSL3_RT_HANDSHAKE || content != kUpdateAndAsk) return;
  records.push_back({SSL3_RT_HANDSHAKE, std::string(kUpdateOnly)});
}

void KernelSending::note_sent(int version, int type, std::string_view content) {
  if (type == SSL3_RT_HEADER) {
    ++sent_;
  } else if (in_charge_) {
    const bool counts =
        type == SSL3_RT_ALERT || (type == SSL3_RT_HANDSHAKE && !content.starts_with(kKeyUpdate));
    if (counts) records.push_back({static_cast<unsigned char>(type), std::string(content)});
  } else if (type == SSL3_RT_HANDSHAKE && content.starts_with(kFinished)) {
    // It is the last with the keys of the handshake; in TLS 1.2 the first with those that stay.
    sent_ = version == TLS1_3_VERSION ? 0 : 1;
  }
}

std::size_t KernelSending::unsent() const noexcept {
  std::size_t size = 0;
  for (const Record& record : records) {
    if (record.type == SSL3_RT_APPLICATION_DATA) size += record.content.size();
  }
  return size;
}

std::string KernelSending::keys() const {
  const SSL_CIPHER* const cipher = ::SSL_get_current_cipher(&ssl_);
  const EVP_MD* const digest = ::SSL_CIPHER_get_handshake_digest(cipher);
  const int nid = ::SSL_CIPHER_get_cipher_nid(cipher);
  const bool is_chacha = nid == NID_chacha20_poly1305;
  const bool is_known = is_chacha || nid == NID_aes_128_gcm || nid == NID_aes_256_gcm;
  if (!is_known || digest == nullptr) return {};
  const std::size_t key_size = nid == NID_aes_128_gcm ? 16 : 32;
  const bool is_tls13 = ::SSL_version(&ssl_) == TLS1_3_VERSION;
  Keys keys;
  if (is_tls13) {
    const auto secret = std::span(secret_).first(secret_size_);
    const bool done = secret_size_ != 0 &&
                      expand_label(digest, secret, "key", std::span(keys.key).first(key_size)) &&
                      expand_label(digest, secret, "iv", keys.iv);
    if (!done) return {};
  } else if (!keys_of_tls12(ssl_, digest, is_server_, key_size, is_chacha ? 12 : 4, keys)) {
    return {};
  }
  if (is_chacha) {
    return info_of<tls12_crypto_info_chacha20_poly1305>(TLS_CIPHER_CHACHA20_POLY1305, is_tls13,
                                                        keys, sent_);
  }
  if (key_size == 16) {
    return info_of<tls12_crypto_info_aes_gcm_128>(TLS_CIPHER_AES_GCM_128, is_tls13, keys, sent_);
  }
  return info_of<tls12_crypto_info_aes_gcm_256>(TLS_CIPHER_AES_GCM_256, is_tls13, keys, sent_);
}

/// RFC 8446 7.2
void KernelSending::update_keys() {
  const EVP_MD* const digest = ::SSL_CIPHER_get_handshake_digest(::SSL_get_current_cipher(&ssl_));
  decltype(secret_) next{};
  const std::span<unsigned char> used = std::span(next).first(secret_size_);
  if (!expand_label(digest, std::span(secret_).first(secret_size_), "traffic upd", used)) {
    secret_size_ = 0;  // then there are no keys
  }
  secret_ = next;
  ::OPENSSL_cleanse(next.data(), next.size());
  sent_ = 0;
}

}  // namespace coronado::tls
