#include <coronado/web/session.hpp>

#include <coronado/base/crypto.hpp>
#include <coronado/base/strings.hpp>
#include <coronado/web/security.hpp>

#include <atomic>
#include <functional>
#include <thread>

#include "tests/web/web_fixture.hpp"

namespace coronado::web_test {
namespace {

using web::CookieSecret;
using web::MemorySessionStore;
using web::Session;
using web::SessionFormat;
using web::SessionHandler;
using web::SessionManager;
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
      use(std::make_shared<SessionManager>(store, options));
    } else {
      use(std::make_shared<SessionManager>(CookieSecret("secret"), options));
    }
  }
  void use(std::shared_ptr<const SessionManager> sessions) {
    static int number = 0;
    path = "/" + std::to_string(++number);
    app.get(path, web::with_session(std::move(sessions), [this](Session& session) {
              script(session);
              return web::text("done");
            }));
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
  other.use(std::make_shared<SessionManager>(CookieSecret("another secret"),
                                             SessionOptions{.now = read_clock}));
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
    bench.use(std::make_shared<SessionManager>(CookieSecret({{1, "old"}}, 1), options));
    bench.visit([](Session& session) { session.set("name", "Ada"); });
    const std::string old = bench.cookie;
    bench.use(std::make_shared<SessionManager>(CookieSecret({{1, "old"}, {2, "new"}}, 2), options));
    EXPECT_EQ(bench.read("name"), "Ada");
    EXPECT_NE(bench.cookie, old);  // written with the new key
    bench.use(std::make_shared<SessionManager>(CookieSecret({{2, "new"}}, 2), options));
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
  const SessionManager sessions(CookieSecret("secret"),
                                {.cookie_name = "__Host-session",
                                 .cookie = {.secure = true, .http_only = true},
                                 .persistent = true});
  IOLoop loop({.reactor = ReactorKind::kSim});
  web::Response response = web::text("x");
  loop.run_sync([](const SessionManager& manager, web::Response& to) -> Task<> {
    Session session;
    session.set("name", "Ada");
    co_await manager.save(session, to);
  }(sessions, response));
  const std::string set(*response.headers().find("Set-Cookie"));
  EXPECT_TRUE(set.starts_with("__Host-session=0.")) << set;
  EXPECT_TRUE(set.ends_with("; HttpOnly; Max-Age=7200; Path=/; Secure")) << set;
}

TEST(SessionManager, RefusesWhatCannotWork) {
  EXPECT_THROW(SessionManager(CookieSecret{}), UsageError);
  EXPECT_THROW(SessionManager(std::shared_ptr<web::SessionStore>()), UsageError);
  EXPECT_THROW(SessionManager(CookieSecret("a"), {.idle_timeout = std::chrono::seconds(0)}),
               UsageError);
}

// --- the store -----------------------------------------------------------------------------------------

struct StoreBench {
  explicit StoreBench(std::size_t max = 3) : loop({.reactor = ReactorKind::kSim}), store(max) {}
  void save(std::string key, int seconds = 100) {
    loop.run_sync(store.save(std::move(key), {}, std::chrono::seconds(seconds)));
  }
  bool has(std::string key) { return loop.run_sync(store.load(std::move(key))).has_value(); }
  void wait(Duration span) { loop.run_sync(pause(span)); }
  static Task<> pause(Duration span) { co_await sleep(span); }
  IOLoop loop;
  MemorySessionStore store;
};

TEST(MemorySessionStore, IsBounded) {
  StoreBench bench;
  for (const char* key : {"a", "b", "c"}) bench.save(key);
  EXPECT_TRUE(bench.has("a"));  // used last
  bench.save("d");
  EXPECT_EQ(bench.store.size(), 3U);
  EXPECT_TRUE(bench.has("a"));
  EXPECT_FALSE(bench.has("b"));
  bench.save("a");  // again: nobody goes
  EXPECT_TRUE(bench.has("c"));
}

TEST(MemorySessionStore, ForgetsWhatHasExpired) {
  StoreBench bench(10);
  bench.save("a", 10);
  bench.save("b", 20);
  bench.wait(10s);
  EXPECT_FALSE(bench.has("a"));
  EXPECT_TRUE(bench.has("b"));
  bench.wait(10s);
  bench.save("c", 10);  // sweeps
  EXPECT_EQ(bench.store.size(), 1U);
  bench.loop.run_sync(bench.store.remove("c"));
  bench.loop.run_sync(bench.store.remove("nobody"));
  EXPECT_EQ(bench.store.size(), 0U);
}

TEST(MemorySessionStore, ThreadsShareOne) {
  MemorySessionStore store(50);
  std::atomic<int> found{0};
  std::vector<std::thread> threads;
  for (int id = 0; id < 4; ++id) {
    threads.emplace_back([&store, &found] {
      IOLoop loop({.reactor = ReactorKind::kSim});
      for (int i = 0; i < 200; ++i) {
        const std::string key = std::to_string(i % 60);
        loop.run_sync(store.save(key, {}, std::chrono::seconds(100)));
        found += loop.run_sync(store.load(std::to_string((i + 1) % 60))).has_value() ? 1 : 0;
        if (i % 7 == 0) loop.run_sync(store.remove(key));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_GT(found, 0);
  EXPECT_LE(store.size(), 50U);
}

// --- class handlers ------------------------------------------------------------------------------------

/// A store that takes its time, and fails when it is told to.
class SlowStore final : public web::SessionStore {
 public:
  Task<std::optional<web::StoredSession>> load(std::string key) override {
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

struct Visits : SessionHandler {
  Visits(std::shared_ptr<const SessionManager> sessions, std::string* events)
      : SessionHandler(std::move(sessions)), events_(events) {}
  Task<> get() override {
    const std::int64_t count = session().get("count", 0).as_int() + 1;
    session().set("count", count);
    const std::string how = get_argument("how", "write");
    if (how == "throw") throw std::runtime_error("oops");
    if (how == "refuse") throw HTTPError(403, "no");
    if (how == "flush") {
      co_await save_session();
      write("flushed ");
      co_await flush();
    }
    if (how == "redirect") {
      redirect("/elsewhere");
      *events_ += "after ";
      co_return;
    }
    if (how == "late") {
      finish("late");
      throw std::runtime_error("after the end");
    }
    write(std::to_string(count));
  }

 private:
  std::string* events_;
};

struct HandlerBench : WebBench {
  HandlerBench() { app.add<Visits>("/", std::make_shared<SessionManager>(store), &store->events); }
  RawResponse visit(const std::string& how = "write") {
    const RawResponse response =
        get("/?how=" + how, cookie.empty() ? "" : "Cookie: " + cookie + "\r\n");
    const std::string set = response.field("Set-Cookie");
    if (!set.empty()) cookie = set.substr(0, set.find(';'));
    return response;
  }
  std::shared_ptr<SlowStore> store = std::make_shared<SlowStore>();
  std::string cookie;
};

TEST(SessionHandler, SavesBeforeTheResponse) {
  HandlerBench bench;
  EXPECT_EQ(bench.visit().body, "1");
  EXPECT_EQ(bench.store->events, "save saved ");
  EXPECT_EQ(bench.visit().body, "2");
  const RawResponse away = bench.visit("redirect");
  EXPECT_EQ(away.status, 302);
  EXPECT_EQ(away.field("Location"), "/elsewhere");
  EXPECT_EQ(bench.store->events, "save saved save saved after save saved ");
  EXPECT_EQ(bench.visit("flush").body, "flushed 4");
  EXPECT_EQ(bench.visit().body, "5");
}

TEST(SessionHandler, ErrorsKeepTheSessionUnlessTheyAreOurs) {
  HandlerBench bench;
  EXPECT_EQ(bench.visit("refuse").status, 403);
  EXPECT_EQ(bench.visit("throw").status, 500);
  EXPECT_EQ(bench.visit().body, "2");
  EXPECT_EQ(bench.visit("late").body, "late");
  EXPECT_EQ(bench.log.count("after the end"), 1U);
  EXPECT_EQ(bench.visit().body, "4");
}

TEST(SessionHandler, AStoreThatFailsIsAServerError) {
  HandlerBench bench;
  bench.store->fail = true;
  const RawResponse failed = bench.visit();
  EXPECT_EQ(failed.status, 500);
  EXPECT_FALSE(failed.has_field("Set-Cookie"));
  EXPECT_EQ(bench.log.count("the store is full"), 1U);
  bench.store->fail = false;
  EXPECT_EQ(bench.visit().body, "1");
}

TEST(SessionHandler, AClientThatGoesAwayEndsTheSaving) {
  HandlerBench bench;
  RawClient& client = bench.client();
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  bench.loop.run_sync(StoreBench::pause(5ms));
  client.close();
  bench.loop.run_sync(StoreBench::pause(1s));
  EXPECT_EQ(bench.store->events, "save ");
}

TEST(SessionHandler, HasNoneBeforePrepare) {
  struct Early : SessionHandler {
    using SessionHandler::SessionHandler;
    Task<> prepare() override {
      session();
      return {};
    }
    Task<> get() override { co_return; }
  };
  WebBench bench;
  bench.app.add<Early>("/", std::make_shared<SessionManager>(CookieSecret("secret")));
  EXPECT_EQ(bench.get("/").status, 500);
  EXPECT_EQ(bench.log.count("there is no session before SessionHandler::prepare has run"), 1U);
}

}  // namespace
}  // namespace coronado::web_test
