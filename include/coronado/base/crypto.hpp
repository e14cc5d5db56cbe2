/// Hashes, message authentication, random bytes and base64.
///
///     Hasher, hash                    SHA-1, SHA-2, MD5
///     hmac                            keyed authentication of a message
///     random_bytes                    unpredictable bytes
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

/// `count` bytes nobody can predict, fit for keys.
/// Throws  std::runtime_error  The system gives none.
std::string random_bytes(std::size_t count);

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
