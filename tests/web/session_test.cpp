#include <coronado/web/session.hpp>

#include <coronado/base/crypto.hpp>
#include <coronado/base/strings.hpp>
#include <coronado/web/security.hpp>
#include <coronado/web/standard_middleware.hpp>

#include <functional>

#include "tests/web/web_fixture.hpp"

namespace coronado::web_test {
namespace {

using web::CookieSecret;
using web::MemorySessionStore;
using web::Session;
using web::SessionFormat;
using web::SessionOptions;

// The time that these sessions know.
std::time_t clock_now = 1'700'000'000;
std::time_t read_clock() { return clock_now; }

/// Sessions of one kind, and a browser that keeps the cookie.
enum class Kind : unsigned char { kEncrypted, kSigned, kStore };

struct SessionBench : WebBench {
  using Script = std::function<void(Session&)>;

  explicit SessionBench(Kind kind = Kind::kStore, SessionOptions options = {}) {
    options.now = read_clock;
    if (kind == Kind::kSigned) options.format = SessionFormat::kSigned;
    if (kind == Kind::kStore) {
      use(web::sessions(store, options));
    } else {
      use(web::sessions(CookieSecret("secret"), options));
    }
  }
  void use(web::Middleware sessions) {
    static int number = 0;
    path = "/" + std::to_string(++number);
    app.get(path,
            [this](Session& session) {
              script(session);
              return web::text("done");
            },
            {.middleware = {std::move(sessions)}});
  }
  /// One request of the browser.
  RawResponse visit(Script run) {
    script = std::move(run);
    const RawResponse response =
        get(path, cookie.empty() ? "" : "Cookie: session=" + cookie + "\r\n");
    const std::string set = response.field("Set-Cookie");
    if (!set.empty()) cookie = set.substr(8, set.find(';') - 8);
    return response;
  }
  std::string read(std::string_view name) {
    std::string value;
    visit([&](Session& session) { value = session.get(name, "none").as_string(); });
    return value;
  }

  std::shared_ptr<MemorySessionStore> store = std::make_shared<MemorySessionStore>();
  std::string path;
  std::string cookie;
  Script script;
};

class EverySession : public ::testing::TestWithParam<Kind> {};
INSTANTIATE_TEST_SUITE_P(Kinds, EverySession,
                         ::testing::Values(Kind::kEncrypted, Kind::kSigned, Kind::kStore),
                         [](const auto& each) {
                           return each.param == Kind::kEncrypted ? "Encrypted"
                                  : each.param == Kind::kSigned  ? "Signed"
                                                                 : "Store";
                         });

TEST_P(EverySession, ValuesComeBack) {
  SessionBench bench(GetParam());
  const RawResponse first = bench.visit([](Session& session) {
    EXPECT_TRUE(session.is_new());
    session.set("name", "Ada");
    session.set("cart", Json::array({1, 2}));
  });
  EXPECT_NE(first.field("Set-Cookie").find("; HttpOnly; Path=/; SameSite=Lax"), std::string::npos)
      << first.head;
  const RawResponse second = bench.visit([](Session& session) {
    EXPECT_FALSE(session.is_new());
    EXPECT_EQ(session.get("name"), Json("Ada"));
    EXPECT_EQ(session.get("cart"), Json::array({1, 2}));
    EXPECT_EQ(session.find("other"), nullptr);
  });
  EXPECT_FALSE(second.has_field("Set-Cookie"));  // nothing has changed
  bench.visit([](Session& session) {
    EXPECT_TRUE(session.erase("name"));
    EXPECT_FALSE(session.erase("name"));
  });
  EXPECT_EQ(bench.read("name"), "none");
  bench.visit([](Session& session) { session.clear(); });
  bench.visit([](Session& session) { EXPECT_TRUE(session.values().empty()); });
}

TEST_P(EverySession, VisitorsWithoutValuesGetNoCookie) {
  SessionBench bench(GetParam());
  EXPECT_FALSE(bench.visit([](Session&) {}).has_field("Set-Cookie"));
  EXPECT_FALSE(bench.visit([](Session& session) { session.destroy(); }).has_field("Set-Cookie"));
  EXPECT_EQ(bench.store->size(), 0U);
}

TEST_P(EverySession, EndsWhenIdle) {
  SessionBench bench(GetParam(), {.idle_timeout = std::chrono::seconds(1000)});
  bench.visit([](Session& session) { session.set("name", "Ada"); });
  clock_now += 1000;
  EXPECT_EQ(bench.read("name"), "Ada");  // which makes it live on
  clock_now += 1000;
  EXPECT_EQ(bench.read("name"), "Ada");
  clock_now += 1001;
  EXPECT_EQ(bench.read("name"), "none");
  EXPECT_EQ(bench.log.count("cookie session refused: it has expired (GET "), 1U);
}

TEST_P(EverySession, EndsAfterItsTime) {
  SessionBench bench(GetParam(), {.idle_timeout = std::chrono::seconds(1000),
                                  .absolute_timeout = std::chrono::seconds(2500)});
  bench.visit([](Session& session) { session.set("name", "Ada"); });
  for (int i = 0; i < 3; ++i) {
    clock_now += 800;
    EXPECT_EQ(bench.read("name"), "Ada");
  }
  clock_now += 200;
  EXPECT_EQ(bench.read("name"), "none");
}

TEST_P(EverySession, TheCookieIsNotWrittenForEachVisit) {
  SessionBench bench(GetParam(), {.idle_timeout = std::chrono::seconds(1000)});
  bench.visit([](Session& session) { session.set("name", "Ada"); });
  clock_now += 100;
  EXPECT_FALSE(bench.visit([](Session&) {}).has_field("Set-Cookie"));
  clock_now += 1;
  EXPECT_TRUE(bench.visit([](Session&) {}).has_field("Set-Cookie"));
  clock_now += 100;
  EXPECT_FALSE(bench.visit([](Session&) {}).has_field("Set-Cookie"));
}

TEST_P(EverySession, EndsAtLogOut) {
  SessionBench bench(GetParam());
  bench.visit([](Session& session) { session.set("name", "Ada"); });
  const std::string before = bench.cookie;
  const RawResponse out = bench.visit([](Session& session) { session.destroy(); });
  EXPECT_EQ(out.field("Set-Cookie"),
            "session=\"\"; expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; Path=/; SameSite=Lax");
  EXPECT_EQ(bench.read("name"), "none");
  bench.cookie = before;  // a copy
  EXPECT_EQ(bench.read("name"), GetParam() == Kind::kStore ? "none" : "Ada");
}

TEST_P(EverySession, ChangedAndForeignCookiesAreNewSessions) {
  SessionBench bench(GetParam());
  bench.visit([](Session& session) { session.set("name", "Ada"); });
  const std::string good = bench.cookie;
  const std::string quote = good.starts_with('"') ? "\"" : "";
  std::size_t refused = 0;
  for (std::size_t i = quote.size(); i < good.size() - quote.size(); i += 7) {
    bench.cookie = good;
    bench.cookie[i] = bench.cookie[i] == 'A' ? 'B' : 'A';
    EXPECT_EQ(bench.read("name"), "none") << i;
    bench.cookie = good.substr(0, i) + quote;
    if (i > quote.size()) EXPECT_EQ(bench.read("name"), "none") << i;
    ++refused;
  }
  EXPECT_GE(bench.log.count("cookie session refused: "), refused);
  for (const char* text : {"x", "0.", "0.AAAA", ".", "9.AAAA", "2|", "-1.AAAA"}) {
    bench.cookie = text;
    EXPECT_EQ(bench.read("name"), "none");
  }
  SessionBench other(GetParam());
  other.use(web::sessions(CookieSecret("another secret"), SessionOptions{.now = read_clock}));
  other.cookie = good;
  EXPECT_EQ(other.read("name"), "none");
}

TEST_P(EverySession, ADateInTheFutureIsRefused) {
  SessionBench bench(GetParam());
  clock_now += 1000;
  bench.visit([](Session& session) { session.set("name", "Ada"); });
  clock_now -= 1000;
  EXPECT_EQ(bench.read("name"), "none");
  EXPECT_EQ(bench.log.count("it is dated in the future"), 1U);
}

TEST_P(EverySession, RenewBeginsTheTimeAnew) {
  SessionBench bench(GetParam(), {.absolute_timeout = std::chrono::seconds(1000)});
  bench.visit([](Session& session) { session.set("name", "Ada"); });
  clock_now += 900;
  const std::string before = bench.cookie;
  bench.visit([](Session& session) { session.renew(); });
  EXPECT_NE(bench.cookie, before);
  clock_now += 900;
  EXPECT_EQ(bench.read("name"), "Ada");
}

TEST(SessionInCookie, OnlyTheEncryptedOneHidesItsValues) {
  for (const Kind kind : {Kind::kEncrypted, Kind::kSigned}) {
    SessionBench bench(kind);
    bench.visit([](Session& session) { session.set("name", "Ada"); });
    const std::size_t at = bench.cookie.rfind(':') + 1;
    const auto plain = base64_decode(bench.cookie.substr(at, bench.cookie.rfind('|') - at));
    EXPECT_EQ(plain && plain->contains(R"("name":"Ada")"), kind == Kind::kSigned);
    EXPECT_FALSE(bench.cookie.contains("Ada"));
  }
}

TEST(SessionInCookie, KeysCanBeChanged) {
  for (const SessionFormat format : {SessionFormat::kEncrypted, SessionFormat::kSigned}) {
    const SessionOptions options{.format = format, .now = read_clock};
    SessionBench bench;
    bench.use(web::sessions(CookieSecret({{1, "old"}}, 1), options));
    bench.visit([](Session& session) { session.set("name", "Ada"); });
    const std::string old = bench.cookie;
    bench.use(web::sessions(CookieSecret({{1, "old"}, {2, "new"}}, 2), options));
    EXPECT_EQ(bench.read("name"), "Ada");
    EXPECT_NE(bench.cookie, old);  // written with the new key
    bench.use(web::sessions(CookieSecret({{2, "new"}}, 2), options));
    EXPECT_EQ(bench.read("name"), "Ada");
    bench.cookie = old;
    EXPECT_EQ(bench.read("name"), "none");
    EXPECT_EQ(bench.log.count("with a key that is not in use"), 1U);
  }
}

TEST(SessionInCookie, OneThatIsTooLargeIsAnError) {
  SessionBench bench(Kind::kEncrypted);
  const auto fill = [](std::size_t size) {
    return [size](Session& session) { session.set("x", std::string(size, 'x')); };
  };
  EXPECT_EQ(bench.visit(fill(2'500)).status, 200);
  EXPECT_EQ(bench.visit(fill(4'000)).status, 500);
  EXPECT_EQ(bench.log.count("does not fit into a cookie: keep it in a SessionStore"), 1U);
  SessionBench stored(Kind::kStore);
  EXPECT_EQ(stored.visit(fill(60'000)).status, 200);
  EXPECT_EQ(stored.visit(fill(70'000)).status, 500);
}

TEST(SessionInStore, AnIdFromBeforeTheLoginIsWorthNothing) {
  SessionBench bench;
  bench.visit([](Session& session) { session.set("cart", "tea"); });
  const std::string planted = bench.cookie;
  bench.visit([](Session& session) {
    session.renew();
    session.set("name", "Ada");
  });
  EXPECT_NE(bench.cookie, planted);
  EXPECT_EQ(bench.read("cart"), "tea");
  EXPECT_EQ(bench.store->size(), 1U);
  bench.cookie = planted;
  EXPECT_EQ(bench.read("name"), "none");
}

TEST(SessionInStore, AnIdThatAClientMadeUpIsNotUsed) {
  SessionBench bench;
  bench.cookie = "my-own-id";
  bench.visit([](Session& session) { session.set("name", "Ada"); });
  EXPECT_NE(bench.cookie, "my-own-id");
  EXPECT_EQ(bench.cookie.size(), 43U);
  EXPECT_EQ(bench.log.count("cookie session refused: it is unknown, or has expired"), 1U);
}

TEST(SessionInStore, TheStoreDoesNotKnowTheIds) {
  SessionBench bench;
  bench.visit([](Session& session) { session.set("name", "Ada"); });
  EXPECT_FALSE(bench.loop.run_sync(bench.store->load(bench.cookie)));
  const std::string key = base64_encode(hash(HashAlgorithm::kSHA256, bench.cookie), Base64::kURL);
  EXPECT_EQ(bench.loop.run_sync(bench.store->load(key))->values, (Json{{"name", "Ada"}}));
}

TEST(SessionCookie, OverTLSAndKept) {
  WebBench bench;
  bench.app.use(
      web::sessions(CookieSecret("secret"), {.cookie_name = "__Host-session",
                                             .cookie = {.secure = true, .http_only = true},
                                             .persistent = true}));
  bench.app.get("/", [](Session& session) {
    session.set("name", "Ada");
    return "set";
  });
  const std::string set = bench.get("/").field("Set-Cookie");
  EXPECT_TRUE(set.starts_with("__Host-session=0.")) << set;
  EXPECT_TRUE(set.ends_with("; HttpOnly; Max-Age=7200; Path=/; Secure")) << set;
}

TEST(SessionCookie, RefusesWhatCannotWork) {
  EXPECT_THROW(web::sessions(CookieSecret{}), UsageError);
  EXPECT_THROW(web::sessions(std::shared_ptr<web::SessionStore>()), UsageError);
  EXPECT_THROW(web::sessions(CookieSecret("a"), {.idle_timeout = std::chrono::seconds(0)}),
               UsageError);
}

// --- handlers ------------------------------------------------------------------------------------------

Task<> pause(Duration span) { co_await sleep(span); }

/// A store that takes its time, and fails when it is told to.
class SlowStore final : public web::SessionStore {
 public:
  Task<std::optional<web::StoredSession>> load(std::string key) override {
    events += "load ";
    co_await sleep(10ms);
    auto found = co_await inner.load(std::move(key));
    co_return found;
  }
  Task<> save(std::string key, web::StoredSession session, std::chrono::seconds lifetime) override {
    events += "save ";
    co_await sleep(10ms);
    if (fail) throw std::runtime_error("the store is full");
    co_await inner.save(std::move(key), std::move(session), lifetime);
    events += "saved ";
  }
  Task<> remove(std::string key) override { return inner.remove(std::move(key)); }

  MemorySessionStore inner;
  bool fail = false;
  std::string events;
};

struct Visits : web::RequestHandler {
  explicit Visits(std::string* events) : events_(events) {}
  Task<> prepare() override { return load_session(); }
  Task<> get() override {
    const std::int64_t count = session().get("count", 0).as_int() + 1;
    const std::string how = get_argument("how", "write");
    if (how == "late") {
      finish("late");
      session().set("count", count);
      throw std::runtime_error("after the end");
    }
    session().set("count", count);
    if (how == "throw") throw std::runtime_error("oops");
    if (how == "refuse") throw HTTPError(403, "no");
    if (how == "flush") {
      co_await session().save();
      write("flushed ");
      co_await flush();
    }
    if (how == "unsaved") co_await flush();
    if (how == "change") {
      co_await session().save();
      co_await flush();
      session().set("count", 0);
    }
    if (how == "redirect") {
      redirect("/elsewhere");
      *events_ += "after ";
      co_return;
    }
    write(std::to_string(count));
  }

 private:
  std::string* events_;
};

struct HandlerBench : WebBench {
  explicit HandlerBench(bool stored = true) {
    app.use(stored ? web::sessions(store) : web::sessions(CookieSecret("secret")));
    app.add<Visits>("/", &store->events);
  }
  RawResponse visit(const std::string& how = "write", std::string_view method = "GET") {
    const RawResponse response =
        request(method, "/?how=" + how, cookie.empty() ? "" : "Cookie: " + cookie + "\r\n");
    const std::string set = response.field("Set-Cookie");
    if (!set.empty()) cookie = set.substr(0, set.find(';'));
    return response;
  }
  std::shared_ptr<SlowStore> store = std::make_shared<SlowStore>();
  std::string cookie;
};

TEST(SessionInHandler, IsSavedBeforeTheResponse) {
  HandlerBench bench;
  EXPECT_EQ(bench.visit().body, "1");
  EXPECT_EQ(bench.store->events, "save saved ");
  EXPECT_EQ(bench.visit().body, "2");
  bench.store->events.clear();
  const RawResponse away = bench.visit("redirect");
  EXPECT_EQ(away.status, 302);
  EXPECT_EQ(away.field("Location"), "/elsewhere");
  EXPECT_EQ(bench.store->events, "load after save saved ");
  EXPECT_EQ(bench.visit("flush").body, "flushed 4");
  const RawResponse head = bench.visit("write", "HEAD");
  EXPECT_EQ(head.field("Content-Length"), "1");
  EXPECT_EQ(head.body, "");
  EXPECT_EQ(bench.visit().body, "6");
}

TEST(SessionInHandler, ErrorsKeepItUnlessTheyAreOurs) {
  for (const bool stored : {true, false}) {
    HandlerBench bench(stored);
    EXPECT_EQ(bench.visit("refuse").status, 403);
    EXPECT_EQ(bench.visit("throw").status, 500);
    EXPECT_EQ(bench.visit().body, "2");
    EXPECT_EQ(bench.visit("late").body, "late");
    EXPECT_EQ(bench.log.count("after the end"), 1U);
    EXPECT_EQ(bench.visit().body, "4");
  }
}

TEST(SessionInHandler, AStoreThatFailsIsAServerError) {
  HandlerBench bench;
  bench.store->fail = true;
  const RawResponse failed = bench.visit();
  EXPECT_EQ(failed.status, 500);
  EXPECT_FALSE(failed.has_field("Set-Cookie"));
  EXPECT_EQ(bench.log.count("the store is full"), 1U);
  bench.store->fail = false;
  EXPECT_EQ(bench.visit().body, "1");
}

TEST(SessionInHandler, AResponseInPiecesWaitsForNobody) {
  HandlerBench bench;
  EXPECT_EQ(bench.visit("unsaved").status, 500);
  EXPECT_EQ(bench.log.count("co_await session.save() before the first piece"), 1U);
  EXPECT_EQ(bench.visit().body, "1");
  EXPECT_TRUE(bench.visit("change").truncated);
  EXPECT_EQ(bench.log.count("cannot be changed: the head of the response has left"), 1U);
  HandlerBench in_cookie(false);  // it needs no wait
  EXPECT_EQ(in_cookie.visit("unsaved").body, "1");
  EXPECT_EQ(in_cookie.visit().body, "2");
}

TEST(SessionInHandler, AClientThatGoesAwayLosesNoSession) {
  HandlerBench bench;
  RawClient& client = bench.client();
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  bench.loop.run_sync(pause(5ms));
  client.close();
  bench.loop.run_sync(pause(1s));
  EXPECT_EQ(bench.store->events, "save saved ");
}

TEST(SessionInHandler, IsLoadedOnlyWhereItIsAskedFor) {
  HandlerBench bench;
  bench.visit();
  bench.store->events.clear();
  bench.app.get("/plain", [] { return "plain"; });
  bench.app.get("/lazy", [](web::WebExchange& exchange) {
    Session::from_exchange(exchange).get("count");
    return "unreachable";
  });
  const std::string fields = "Cookie: " + bench.cookie + "\r\n";
  EXPECT_EQ(bench.get("/plain", fields).body, "plain");
  EXPECT_EQ(bench.store->events, "");
  EXPECT_EQ(bench.get("/lazy", fields).status, 500);
  EXPECT_EQ(bench.log.count("the session has not been loaded from its store"), 1U);
}

TEST(SessionInHandler, NeedsTheMiddleware) {
  WebBench bench;
  bench.app.get("/", [](Session&) { return "unreachable"; });
  EXPECT_EQ(bench.get("/").status, 500);
  EXPECT_EQ(bench.log.count("put the middleware web::sessions around the route"), 1U);
}

TEST(SessionInHandler, CoroutinesAndOtherArguments) {
  WebBench bench;
  bench.app.use(web::sessions(CookieSecret("secret")));
  bench.app.get(
      "/{name}",
      [](std::string name, Session& session, web::Query<"age", int> age) -> Task<std::string> {
        co_await sleep(1ms);
        session.set(name, *age);
        co_return json_encode(session.values());
      });
  EXPECT_EQ(bench.get("/ada?age=36").body, R"({"ada":36})");
  EXPECT_EQ(bench.get("/ada?age=x").status, 400);
}

TEST(SessionInHandler, WhatIsSetAfterDestroyIsANewSession) {
  for (const bool stored : {true, false}) {
    HandlerBench bench(stored);
    bench.app.get("/logout", [](Session& session) {
      session.destroy();
      session.set("note", "goodbye");
      return "";
    });
    bench.app.get("/values", [](Session& session) { return json_encode(session.values()); });
    bench.visit();
    const std::string before = bench.cookie;
    const std::string fields = "Cookie: " + before + "\r\n";
    const std::string set = bench.get("/logout", fields).field("Set-Cookie");
    const std::string after = set.substr(0, set.find(';'));
    EXPECT_NE(after, before);
    EXPECT_EQ(bench.get("/values", "Cookie: " + after + "\r\n").body, R"({"note":"goodbye"})");
    if (stored) EXPECT_EQ(bench.get("/values", fields).body, "{}");
  }
}

TEST(SessionInHandler, TimeLimitsOutsideOfItAnswer) {
  HandlerBench bench;
  WebBench limited;
  auto store = std::make_shared<SlowStore>();
  limited.app.use(web::time_limit(5ms)).use(web::sessions(store));
  limited.app.add<Visits>("/", &store->events);
  EXPECT_EQ(limited.get("/").status, 503);  // while it was being saved
  EXPECT_EQ(store->events, "save ");
  EXPECT_EQ(limited.get("/?how=refuse").status, 503);
}

}  // namespace
}  // namespace coronado::web_test
