/// Hashes, message authentication, encryption, random bytes and base64.
///
///     Hasher, hash                    SHA-1, SHA-2, MD5
///     hmac                            keyed authentication of a message
///     derive_key                      a key for one purpose from a secret
///     encrypt, decrypt                AES-256-GCM
///     random_bytes, random_token      unpredictable bytes, and text made of them
///     constant_time_equal             comparison that tells nothing by its duration
///     base64_encode, base64_decode    and the alphabet of URLs
///
/// All may be called from any thread.
///
/// Layer: base.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace coronado {

/// MD5 and SHA-1 are broken as signatures; they are here for protocols that ask for them.
enum class HashAlgorithm : std::uint8_t { kMD5, kSHA1, kSHA256, kSHA384, kSHA512 };

/// A hash of bytes that come in pieces.
class Hasher {
 public:
  explicit Hasher(HashAlgorithm algorithm);
  Hasher(Hasher&& other) noexcept;
  Hasher& operator=(Hasher&& other) noexcept;
  ~Hasher();

  void update(std::string_view bytes);

  /// The digest, in binary. The hasher then begins anew.
  std::string finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// The digest of `bytes`, in binary; 32 bytes for SHA-256.
std::string hash(HashAlgorithm algorithm, std::string_view bytes);

/// The authentication code of `message` under `key`, in binary.   Spec  RFC 2104.
std::string hmac(HashAlgorithm algorithm, std::string_view key, std::string_view message);

/// A key for one purpose, so that a secret may serve several: HKDF with SHA-256 and without salt.
/// Params   secret   Of any length; it should have the entropy of 16 random bytes or more.
///          purpose  Other text, other key.
///          size     Bytes of the key, 1 to 8,160.
/// Throws   std::invalid_argument  Another size.
/// Spec     RFC 5869.
std::string derive_key(std::string_view secret, std::string_view purpose, std::size_t size = 32);

/// Encrypts and authenticates `plain` with AES-256-GCM under a random nonce.
///
/// Params   key      32 bytes. For not more than 2^32 messages: then the nonces may repeat.
///          context  Authenticated, not sent: `decrypt` must be given the same.
/// Returns  Nonce (12 bytes), ciphertext, tag (16 bytes).
/// Throws   std::invalid_argument  The key has another size.
/// Spec     NIST SP 800-38D.
std::string encrypt(std::string_view key, std::string_view plain, std::string_view context = {});

/// Undoes `encrypt`; nothing when the key or the context is another, or a bit was changed.
/// Throws   std::invalid_argument  The key has another size than 32 bytes.
std::optional<std::string> decrypt(std::string_view key, std::string_view sealed,
                                   std::string_view context = {});

/// `count` bytes nobody can predict, fit for keys.
/// Throws  std::runtime_error  The system gives none.
std::string random_bytes(std::size_t count);

/// Text nobody can predict, of letters, digits, '-' and '_', for ids and links: the base64 form of
/// `count` random bytes.   Throws  As `random_bytes`.
std::string random_token(std::size_t count = 32);

/// Whether two texts are equal, in a time that depends on their lengths only.
bool constant_time_equal(std::string_view a, std::string_view b) noexcept;

/// Which of the two alphabets of RFC 4648.
enum class Base64 : std::uint8_t {
  kStandard,  ///< with '+' and '/', padded with '=' (section 4)
  kURL,       ///< with '-' and '_', not padded (section 5)
};

std::string base64_encode(std::string_view bytes, Base64 alphabet = Base64::kStandard);

/// The bytes that the whole of `text` stands for; none when it is anything else: a character of the
/// other alphabet, white space, or, in the standard alphabet, wrong padding. In the alphabet of
/// URLs the padding may be there or not.
std::optional<std::string> base64_decode(std::string_view text,
                                         Base64 alphabet = Base64::kStandard);

}  // namespace coronado
