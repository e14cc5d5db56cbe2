#include <coronado/web/auth/password.hpp>

#include <coronado/coro/timeout.hpp>
#include <coronado/testing/async_test.hpp>

#include <gtest/gtest.h>

#include <stdexcept>

namespace coronado::web_test {
namespace {

using web::hash_password;
using web::needs_rehash;
using web::PasswordOptions;
using web::verify_password;

constexpr PasswordOptions kCheap{.memory_kib = 64, .iterations = 1};

bool verify(std::string password, std::optional<std::string> hash) {
  bool same = false;
  run_async([&]() -> Task<> { same = co_await verify_password(password, hash); });
  return same;
}
std::string hash_of(std::string password, PasswordOptions options = kCheap) {
  std::string hash;
  run_async([&]() -> Task<> { hash = co_await hash_password(password, options); });
  return hash;
}

TEST(PasswordOffload, RoundTrips) {
  const std::string hash = hash_of("correct horse");
  EXPECT_TRUE(hash.starts_with("$argon2id$v=19$m=64,t=1,p=1$")) << hash;
  EXPECT_TRUE(verify("correct horse", hash));
  EXPECT_FALSE(verify("correct horsf", hash));
  EXPECT_FALSE(verify("", hash));
  EXPECT_NE(hash_of("correct horse"), hash);  // another salt
  const std::string zeros("a\0b", 3);
  EXPECT_TRUE(verify(zeros, hash_of(zeros)));
  EXPECT_FALSE(verify("a", hash_of(zeros)));
}

// Made by the reference implementation's test program (test.c).
TEST(PasswordOffload, KnownHashes) {
  EXPECT_TRUE(verify("password",
                     "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$"
                     "nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"));
  EXPECT_TRUE(verify("password",
                     "$argon2i$v=19$m=256,t=2,p=1$c29tZXNhbHQ$"
                     "iekCn0Y3spW+sCcFanM2xBT63UP2sghkUoHLIUpWRS8"));
}

TEST(PasswordOffload, NobodyTakesAsLongAsSomebody) {
  EXPECT_FALSE(verify("password", std::nullopt));
  EXPECT_FALSE(verify(std::string(web::kMaxPasswordSize + 1, 'x'), hash_of("x")));
}

TEST(PasswordOffload, WhatCannotBeUsedIsAnError) {
  run_async([]() -> Task<> {
    for (const char* hash : {"", "plain", "$2b$12$abc", "$argon2id$v=19$m=64,t=1,p=1$x"}) {
      bool refused = false;
      try {
        co_await verify_password("x", hash);
      } catch (const std::invalid_argument&) {
        refused = true;
      }
      EXPECT_TRUE(refused) << hash;
    }
    for (const PasswordOptions options :
         {PasswordOptions{.memory_kib = 1}, PasswordOptions{.iterations = 0},
          PasswordOptions{.parallelism = 0}}) {
      bool refused = false;
      try {
        co_await hash_password("x", options);
      } catch (const std::invalid_argument&) {
        refused = true;
      }
      EXPECT_TRUE(refused);
    }
    bool too_long = false;
    try {
      co_await hash_password(std::string(web::kMaxPasswordSize + 1, 'x'));
    } catch (const std::invalid_argument&) {
      too_long = true;
    }
    EXPECT_TRUE(too_long);
  });
}

TEST(PasswordOffload, CancelledHashesAreDropped) {
  run_async([]() -> Task<> {
    bool late = false;
    try {
      co_await with_timeout(Duration(0), hash_password("x", kCheap));
    } catch (const TimeoutError&) {
      late = true;
    }
    EXPECT_TRUE(late);
  });
}

TEST(NeedsRehash, WhenMoreIsWanted) {
  const std::string hash = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$AAAA";
  EXPECT_FALSE(needs_rehash(hash));
  EXPECT_TRUE(needs_rehash(hash, {.memory_kib = 20'000}));
  EXPECT_TRUE(needs_rehash(hash, {.iterations = 3}));
  EXPECT_TRUE(needs_rehash("$argon2i$v=19$m=99999,t=9,p=1$c29tZXNhbHQ$AAAA"));
  EXPECT_TRUE(needs_rehash("$argon2id$v=16$m=99999,t=9,p=1$c29tZXNhbHQ$AAAA"));
  EXPECT_TRUE(needs_rehash("$argon2id$"));
  EXPECT_TRUE(needs_rehash("$2b$12$abc"));
}

}  // namespace
}  // namespace coronado::web_test
