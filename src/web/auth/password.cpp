#include <coronado/web/auth/password.hpp>

#include <coronado/base/crypto.hpp>
#include <coronado/base/strings.hpp>
#include <coronado/loop/thread_pool.hpp>

#include <argon2.h>

#include <algorithm>
#include <new>
#include <stdexcept>
#include <utility>
#include <vector>

namespace coronado::web {
namespace {

constexpr std::size_t kSaltSize = 16;
constexpr std::size_t kHashSize = 32;

void require(int result) {
  if (result == ARGON2_OK) return;
  if (result == ARGON2_MEMORY_ALLOCATION_ERROR) throw std::bad_alloc();
  throw std::invalid_argument(std::string("a password cannot be hashed: ") +
                              argon2_error_message(result));
}

std::string hash_now(const std::string& password, const PasswordOptions& options) {
  if (password.size() > kMaxPasswordSize) {
    throw std::invalid_argument("a password of " + std::to_string(password.size()) +
                                " bytes is too long: at most " + std::to_string(kMaxPasswordSize));
  }
  const std::string salt = random_bytes(kSaltSize);
  std::string text(argon2_encodedlen(options.iterations, options.memory_kib, options.parallelism,
                                     kSaltSize, kHashSize, Argon2_id),
                   '\0');
  require(argon2id_hash_encoded(options.iterations, options.memory_kib, options.parallelism,
                                password.data(), password.size(), salt.data(), salt.size(),
                                kHashSize, text.data(), text.size()));
  text.resize(text.find('\0'));
  return text;
}

std::optional<argon2_type> type_of(std::string_view hash) noexcept {
  if (hash.starts_with("$argon2id$")) return Argon2_id;
  if (hash.starts_with("$argon2i$")) return Argon2_i;
  if (hash.starts_with("$argon2d$")) return Argon2_d;
  return std::nullopt;
}

bool verify_now(const std::string& password, const std::string& hash) {
  const std::optional<argon2_type> type = type_of(hash);
  if (!type) throw std::invalid_argument("a password is compared with what is no Argon2 hash");
  // The library compares in constant time.
  const int result = argon2_verify(hash.c_str(), password.data(), password.size(), *type);
  if (result == ARGON2_VERIFY_MISMATCH) return false;
  require(result);
  return true;
}

struct Parameters {
  std::uint32_t memory = 0;
  std::uint32_t iterations = 0;
};

/// Of "$argon2id$v=19$m=19456,t=2,p=1$...".
Parameters parameters_of(std::string_view hash) {
  Parameters found;
  const std::vector<std::string_view> parts = split(hash, '$');
  if (parts.size() != 6 || parts[2] != "v=19") return found;
  for (const std::string_view each : split(parts[3], ',')) {
    const std::uint32_t value =
        parse_int<std::uint32_t>(each.substr(std::min<std::size_t>(each.size(), 2))).value_or(0);
    if (each.starts_with("m=")) found.memory = value;
    if (each.starts_with("t=")) found.iterations = value;
  }
  return found;
}

}  // namespace

Task<std::string> hash_password(std::string password, PasswordOptions options) {
  const auto work = [&] { return hash_now(password, options); };
  std::string hash = co_await offload(work);
  co_return hash;
}

Task<bool> verify_password(std::string password, std::optional<std::string> hash,
                           PasswordOptions for_nobody) {
  if (password.size() > kMaxPasswordSize) {
    password.clear();
    hash.reset();
  }
  const auto work = [&] {
    if (hash) return verify_now(password, *hash);
    hash_now(password, for_nobody);
    return false;
  };
  const bool same = co_await offload(work);
  co_return same;
}

bool needs_rehash(std::string_view hash, const PasswordOptions& wanted) {
  if (type_of(hash) != Argon2_id) return true;
  const Parameters has = parameters_of(hash);
  return has.memory < wanted.memory_kib || has.iterations < wanted.iterations;
}

}  // namespace coronado::web
