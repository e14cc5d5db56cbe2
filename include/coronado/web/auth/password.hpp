/// Passwords as hashes: Argon2id, which takes an attacker time and memory for each guess.
///
///     hash_password     the text to keep
///     verify_password   whether a password is the one that was hashed
///     needs_rehash      whether the text was made with less effort than is wanted now
///
///     const std::optional<std::string> kept = co_await find_hash(name);
///     if (!co_await web::verify_password(password, kept)) throw HTTPError(403);
///     if (web::needs_rehash(*kept)) co_await keep(name, co_await web::hash_password(password));
///
/// The work is done in a thread (`offload`): the loop goes on.
///
/// Layer: web.   Spec  RFC 9106; the texts have the PHC string format,
/// "$argon2id$v=19$m=19456,t=2,p=1$salt$hash".
#pragma once

#include <coronado/coro/task.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace coronado::web {

/// How much work a guess is. The defaults are the least that OWASP recommends: about 20 ms.
struct PasswordOptions {
  std::uint32_t memory_kib = 19'456;  ///< at least 8 for each of `parallelism`
  std::uint32_t iterations = 2;
  std::uint32_t parallelism = 1;
};

/// Longest password, in bytes.
inline constexpr std::size_t kMaxPasswordSize = 4'096;

/// A text to keep instead of the password, different each time.
/// Throws  std::invalid_argument  The password is too long, or the options are out of range.
///         std::bad_alloc         There is no memory for it.
///         QueueFull              Too many jobs wait for a thread.
/// Cancel  A hash that has begun is finished, and dropped.
Task<std::string> hash_password(std::string password, PasswordOptions options = {});

/// Whether `password` is the one that `hash` was made of.
///
/// Params  hash        What `hash_password` returned, or another program with Argon2. None: there is no
///                     such user; then a hash is made in vain, so that nobody learns by the time it
///                     takes who is registered.
///         for_nobody  With which effort that is: as for the others.
/// Throws  std::invalid_argument  `hash` is no Argon2 hash.
///         std::bad_alloc, QueueFull  As `hash_password`.
/// Cancel  As `hash_password`.
Task<bool> verify_password(std::string password, std::optional<std::string> hash,
                           PasswordOptions for_nobody = {});

/// True when `hash` is not Argon2id's, or was made with less memory or iterations than `wanted`.
bool needs_rehash(std::string_view hash, const PasswordOptions& wanted = {});

}  // namespace coronado::web
