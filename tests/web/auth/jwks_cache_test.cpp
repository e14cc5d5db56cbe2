#include <coronado/web/auth/jwks_cache.hpp>

#include <coronado/coro/combine.hpp>
#include <coronado/coro/timeout.hpp>
#include <coronado/web/auth/auth_error.hpp>
#include <coronado/web/json.hpp>

#include "tests/web/auth/jwt_vectors.hpp"
#include "tests/web/auth/login_fixture.hpp"

namespace coronado::web_test {
namespace {

using web::AuthError;
using web::JWKSCache;
using web::JWKSCacheOptions;
using web::JWKSet;
using web::JWTAlgorithm;
using web::JWTError;
using web::JWTKey;

struct KeyBench : LoginBench {
  explicit KeyBench(JWKSCacheOptions options = {})
      : cache(client, "http://provider.test/keys", options) {
    provider.get("/keys", [this]() -> Task<web::Response> {
      ++fetches;
      co_await sleep(100ms);
      if (broken) co_return web::text("no keys today", 503);
      co_return web::json(published.public_json());
    });
    published.add(JWTKey::from_pem(kP256Private, "one"));
  }
  static std::string token(std::string_view pem, std::string id) {
    return web::jwt_encode({{"sub", id}, {"exp", 4'000'000'000}},
                           JWTKey::from_pem(pem, std::move(id)), JWTAlgorithm::kES256);
  }
  Task<Json> decode(std::string text) {
    Json claims = co_await cache.decode(std::move(text), {.algorithms = {JWTAlgorithm::kES256}});
    co_return claims;
  }
  /// What decoding throws; empty: nothing.
  Task<std::string> failure(std::string text) {
    std::string what;
    try {
      co_await decode(std::move(text));
    } catch (const HTTPError& error) {
      what = error.what();
    }
    co_return what;
  }

  JWKSCache cache;
  JWKSet published;
  bool broken = false;
  int fetches = 0;
};

void with_keys(std::function<Task<>(KeyBench&)> body, JWKSCacheOptions options = {}) {
  run_async(
      [&]() -> Task<> {
        KeyBench bench(options);
        co_await body(bench);
        co_await bench.close();
      },
      {.time_limit = 48h});
}

TEST(JWKSCache, FetchesOnceAndKeeps) {
  with_keys([](KeyBench& bench) -> Task<> {
    const std::string token = bench.token(kP256Private, "one");
    EXPECT_EQ(bench.fetches, 0);
    for (int i = 0; i < 3; ++i) {
      const Json claims = co_await bench.decode(token);
      EXPECT_EQ(claims["sub"], "one");
    }
    EXPECT_EQ(bench.fetches, 1);
    co_await sleep(59min);
    co_await bench.decode(token);
    EXPECT_EQ(bench.fetches, 1);
    co_await sleep(2min);
    co_await bench.decode(token);
    EXPECT_EQ(bench.fetches, 2);
  });
}

TEST(JWKSCache, ManyWaitForOneFetch) {
  with_keys([](KeyBench& bench) -> Task<> {
    const std::string token = bench.token(kP256Private, "one");
    co_await multi(bench.decode(token), bench.decode(token), bench.decode(token));
    EXPECT_EQ(bench.fetches, 1);
  });
}

TEST(JWKSCache, ANewKeyIsFoundAndStrangersDoNotMakeUsFetch) {
  with_keys([](KeyBench& bench) -> Task<> {
    co_await bench.decode(bench.token(kP256Private, "one"));
    bench.published.add(JWTKey::from_pem(kP256Private, "two"));
    co_await sleep(31s);
    const Json claims = co_await bench.decode(bench.token(kP256Private, "two"));
    EXPECT_EQ(claims["sub"], "two");
    EXPECT_EQ(bench.fetches, 2);
    for (int i = 0; i < 10; ++i) {
      const std::string what =
          co_await bench.failure(bench.token(kP256Private, "stranger" + std::to_string(i)));
      EXPECT_NE(what.find("no key is called"), what.npos) << what;
    }
    EXPECT_EQ(bench.fetches, 2);
    co_await sleep(31s);
    co_await bench.failure(bench.token(kP256Private, "stranger"));
    EXPECT_EQ(bench.fetches, 3);
  });
}

TEST(JWKSCache, OldKeysServeWhileTheProviderIsAway) {
  with_keys([](KeyBench& bench) -> Task<> {
    const std::string token = bench.token(kP256Private, "one");
    co_await bench.decode(token);
    bench.broken = true;
    co_await sleep(2h);
    co_await bench.decode(token);
    co_await bench.decode(token);
    EXPECT_EQ(bench.fetches, 2);
    EXPECT_EQ(bench.log.count("the keys of http://provider.test/keys cannot be fetched: "), 1U);
    co_await sleep(23h);
    const std::string what = co_await bench.failure(token);
    EXPECT_TRUE(what.starts_with("HTTP 502: Bad Gateway (no keys from http://provider.test/keys: "))
        << what;
    bench.broken = false;
    co_await sleep(31s);
    co_await bench.decode(token);
  });
}

TEST(JWKSCache, WithoutKeysThereIsNoToken) {
  with_keys([](KeyBench& bench) -> Task<> {
    bench.broken = true;
    const std::string token = bench.token(kP256Private, "one");
    std::string what = co_await bench.failure(token);
    EXPECT_NE(what.find("503"), what.npos) << what;
    co_await bench.failure(token);
    EXPECT_EQ(bench.fetches, 1);  // a moment later nobody is asked
  });
}

TEST(JWKSCache, WhoGivesUpLeavesTheFetchToOthers) {
  with_keys([](KeyBench& bench) -> Task<> {
    const std::string token = bench.token(kP256Private, "one");
    bool late = false;
    try {
      co_await with_timeout(50ms, bench.decode(token));
    } catch (const TimeoutError&) {
      late = true;
    }
    EXPECT_TRUE(late);
    const Json claims = co_await bench.decode(token);
    EXPECT_EQ(claims["sub"], "one");
    EXPECT_EQ(bench.fetches, 2);
  });
}

}  // namespace
}  // namespace coronado::web_test
