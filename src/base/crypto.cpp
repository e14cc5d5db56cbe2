#include <coronado/base/crypto.hpp>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <stdexcept>

namespace coronado {
namespace {

const EVP_MD* digest_of(HashAlgorithm algorithm) noexcept {
  switch (algorithm) {
    case HashAlgorithm::kMD5: return EVP_md5();
    case HashAlgorithm::kSHA1: return EVP_sha1();
    case HashAlgorithm::kSHA256: return EVP_sha256();
    case HashAlgorithm::kSHA384: return EVP_sha384();
    case HashAlgorithm::kSHA512: return EVP_sha512();
  }
  return EVP_sha256();
}

void require(int result, const char* what) {
  if (result != 1) throw std::runtime_error(std::string(what) + " failed in OpenSSL");
}

const unsigned char* bytes_of(std::string_view text) noexcept {
  return reinterpret_cast<const unsigned char*>(text.data());
}

unsigned char* bytes_of(std::string& text) noexcept {
  return reinterpret_cast<unsigned char*>(text.data());
}

}  // namespace

// --- hashes ------------------------------------------------------------------------------------

struct Hasher::State {
  explicit State(HashAlgorithm algorithm)
      : digest(digest_of(algorithm)), context(EVP_MD_CTX_new()) {
    if (context == nullptr) throw std::bad_alloc();
    begin();
  }
  ~State() { EVP_MD_CTX_free(context); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  void begin() { require(EVP_DigestInit_ex(context, digest, nullptr), "a hash"); }

  const EVP_MD* digest;
  EVP_MD_CTX* context;
};

Hasher::Hasher(HashAlgorithm algorithm) : state_(std::make_unique<State>(algorithm)) {}
Hasher::Hasher(Hasher&& other) noexcept = default;
Hasher& Hasher::operator=(Hasher&& other) noexcept = default;
Hasher::~Hasher() = default;

void Hasher::update(std::string_view bytes) {
  require(EVP_DigestUpdate(state_->context, bytes.data(), bytes.size()), "a hash");
}

std::string Hasher::finish() {
  std::string digest(static_cast<std::size_t>(EVP_MD_get_size(state_->digest)), '\0');
  require(EVP_DigestFinal_ex(state_->context, bytes_of(digest), nullptr), "a hash");
  state_->begin();
  return digest;
}

std::string hash(HashAlgorithm algorithm, std::string_view bytes) {
  const EVP_MD* digest = digest_of(algorithm);
  std::string result(static_cast<std::size_t>(EVP_MD_get_size(digest)), '\0');
  require(EVP_Digest(bytes.data(), bytes.size(), bytes_of(result), nullptr, digest, nullptr),
          "a hash");
  return result;
}

std::string hmac(HashAlgorithm algorithm, std::string_view key, std::string_view message) {
  const EVP_MD* digest = digest_of(algorithm);
  std::string result(static_cast<std::size_t>(EVP_MD_get_size(digest)), '\0');
  unsigned int size = 0;
  const unsigned char* code = HMAC(digest, key.data(), static_cast<int>(key.size()),
                                   bytes_of(message), message.size(), bytes_of(result), &size);
  require(code != nullptr ? 1 : 0, "an authentication code");
  return result;
}

std::string derive_key(std::string_view secret, std::string_view purpose, std::size_t size) {
  constexpr std::size_t kBlock = 32;
  if (size == 0 || size > 255 * kBlock) {
    throw std::invalid_argument("a derived key has 1 to 8160 bytes, not " + std::to_string(size));
  }
  const std::string pseudorandom =  // RFC 5869 2.2, "if not provided, set to HashLen zeros"
      hmac(HashAlgorithm::kSHA256, std::string(kBlock, '\0'), secret);
  std::string key;
  std::string block;
  for (char counter = 1; key.size() < size; ++counter) {  // RFC 5869 2.3
    block = hmac(HashAlgorithm::kSHA256, pseudorandom, block.append(purpose) + counter);
    key += block;
  }
  key.resize(size);
  return key;
}

// --- encryption ----------------------------------------------------------------------------------

namespace {

constexpr std::size_t kNonceSize = 12;
constexpr std::size_t kTagSize = 16;

/// An EVP_CIPHER_CTX that is set up for AES-256-GCM and one message.
class GCM {
 public:
  enum class Way : bool { kDecrypt, kEncrypt };
  GCM(Way way, std::string_view key, std::string_view nonce, std::string_view context)
      : context_(EVP_CIPHER_CTX_new()) {
    if (context_ == nullptr) throw std::bad_alloc();
    int size = 0;
    bool ready = EVP_CipherInit_ex(context_, EVP_aes_256_gcm(), nullptr, bytes_of(key),
                                   bytes_of(nonce), way == Way::kEncrypt ? 1 : 0) == 1;
    ready = ready && EVP_CipherUpdate(context_, nullptr, &size, bytes_of(context),
                                      static_cast<int>(context.size())) == 1;
    if (ready) return;
    EVP_CIPHER_CTX_free(context_);
    throw std::runtime_error("AES-256-GCM failed in OpenSSL");
  }
  ~GCM() { EVP_CIPHER_CTX_free(context_); }
  GCM(const GCM&) = delete;
  GCM& operator=(const GCM&) = delete;

  void update(unsigned char* out, std::string_view in) {
    int size = 0;
    require(EVP_CipherUpdate(context_, out, &size, bytes_of(in), static_cast<int>(in.size())),
            "AES-256-GCM");
  }
  /// False: it is not authentic.
  bool finish() {
    unsigned char none[kTagSize];
    int size = 0;
    return EVP_CipherFinal_ex(context_, none, &size) == 1;
  }
  void get_tag(unsigned char* tag) {
    require(EVP_CIPHER_CTX_ctrl(context_, EVP_CTRL_GCM_GET_TAG, kTagSize, tag), "AES-256-GCM");
  }
  void set_tag(std::string tag) {
    require(EVP_CIPHER_CTX_ctrl(context_, EVP_CTRL_GCM_SET_TAG, kTagSize, tag.data()),
            "AES-256-GCM");
  }

 private:
  EVP_CIPHER_CTX* context_;
};

void check_key(std::string_view key) {
  if (key.size() == 32) return;
  throw std::invalid_argument("a key of AES-256 has 32 bytes, not " + std::to_string(key.size()));
}

}  // namespace

std::string encrypt(std::string_view key, std::string_view plain, std::string_view context) {
  check_key(key);
  std::string sealed = random_bytes(kNonceSize);
  GCM cipher(GCM::Way::kEncrypt, key, sealed, context);
  sealed.resize(kNonceSize + plain.size() + kTagSize);
  cipher.update(bytes_of(sealed) + kNonceSize, plain);
  require(cipher.finish() ? 1 : 0, "AES-256-GCM");
  cipher.get_tag(bytes_of(sealed) + kNonceSize + plain.size());
  return sealed;
}

std::optional<std::string> decrypt(std::string_view key, std::string_view sealed,
                                   std::string_view context) {
  check_key(key);
  if (sealed.size() < kNonceSize + kTagSize) return std::nullopt;
  GCM cipher(GCM::Way::kDecrypt, key, sealed.substr(0, kNonceSize), context);
  cipher.set_tag(std::string(sealed.substr(sealed.size() - kTagSize)));
  sealed = sealed.substr(kNonceSize, sealed.size() - kNonceSize - kTagSize);
  std::string plain(sealed.size(), '\0');
  cipher.update(bytes_of(plain), sealed);
  if (!cipher.finish()) return std::nullopt;
  return plain;
}

// --- random bytes, comparison --------------------------------------------------------------------

std::string random_bytes(std::size_t count) {
  std::string bytes(count, '\0');
  require(RAND_bytes(bytes_of(bytes), static_cast<int>(count)), "the random generator");
  return bytes;
}

std::string random_token(std::size_t count) {
  return base64_encode(random_bytes(count), Base64::kURL);
}

bool constant_time_equal(std::string_view a, std::string_view b) noexcept {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

// --- base64 --------------------------------------------------------------------------------------

std::string base64_encode(std::string_view bytes, Base64 alphabet) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');  // OpenSSL adds a NUL
  const int size = EVP_EncodeBlock(bytes_of(text), bytes_of(bytes), static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(size));
  if (alphabet == Base64::kStandard) return text;
  text.resize(std::min(text.find('='), text.size()));
  std::ranges::replace(text, '+', '-');
  std::ranges::replace(text, '/', '_');
  return text;
}

std::optional<std::string> base64_decode(std::string_view text, Base64 alphabet) {
  const bool is_url = alphabet == Base64::kURL;
  std::string padded(text);
  if (is_url) {
    if (padded.find_first_of("+/") != padded.npos) return std::nullopt;
    std::ranges::replace(padded, '-', '+');
    std::ranges::replace(padded, '_', '/');
    if (!padded.contains('=')) padded.append((4 - padded.size() % 4) % 4, '=');
  }
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const std::size_t end = padded.find_last_not_of('=') + 1;
  const std::size_t padding = padded.size() - end;
  // OpenSSL skips white space at the ends and takes any padding, so the form is checked here.
  if (padded.size() % 4 != 0 || padding > 2) return std::nullopt;
  if (padded.find_first_not_of(kAlphabet) < end) return std::nullopt;
  std::string bytes(padded.size() / 4 * 3, '\0');
  const int size =
      EVP_DecodeBlock(bytes_of(bytes), bytes_of(padded), static_cast<int>(padded.size()));
  if (size < 0) return std::nullopt;
  bytes.resize(static_cast<std::size_t>(size) - padding);
  return bytes;
}

}  // namespace coronado
