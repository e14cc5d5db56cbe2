#include <coronado/web/middleware.hpp>

#include <coronado/coro/timeout.hpp>
#include <coronado/http/header_block.hpp>

#include "tests/web/web_fixture.hpp"

namespace coronado::web_test {
namespace {

/// Writes `name` on the way in, and again on the way out.
web::Middleware note(std::string& notes, std::string name) {
  return [&notes, name = std::move(name)](web::WebExchange& exchange, web::Next next) -> Task<> {
    notes += name + '(';
    co_await next(exchange);
    notes += std::to_string(exchange.status()) + ')';
  };
}

struct Page : web::RequestHandler {
  Task<> get() override {
    write("page");
    co_return;
  }
};

struct Slow : web::RequestHandler {
  explicit Slow(std::string& said) : notes(said) {}
  Task<> get() override {
    try {
      co_await sleep(10s);
    } catch (const Cancelled&) {
      notes += "cancelled";
      throw;
    }
  }
  std::string& notes;
};

TEST(Middleware, TheFirstIsTheOutermostForHandlersOfBothKinds) {
  WebBench bench;
  std::string notes;
  bench.app.add<Page>("/class");  // before `use`: it is in the onion all the same
  bench.app.use(note(notes, "a")).use(note(notes, "b"));
  bench.app.get("/function", [] { return "f"; });
  EXPECT_EQ(bench.get("/class").body, "page");
  EXPECT_EQ(notes, "a(b(200)200)");
  notes.clear();
  EXPECT_EQ(bench.get("/function").body, "f");
  EXPECT_EQ(notes, "a(b(200)200)");
}

TEST(Middleware, SeesWhatNoHandlerAnswers) {
  WebBench bench;
  std::string notes;
  bench.app.get("/a", [] { return "a"; });
  bench.app.use(note(notes, "m"));
  EXPECT_EQ(bench.get("/nowhere").status, 404);
  EXPECT_EQ(bench.request("POST", "/a").status, 405);
  EXPECT_EQ(bench.request("OPTIONS", "/a").status, 204);
  EXPECT_EQ(notes, "m(404)m(405)m(204)");
}

TEST(Middleware, SeesTheStatusOfWhatAHandlerThrows) {
  WebBench bench;
  std::string notes;
  bench.app.use(note(notes, "m"));
  bench.app.get("/http", []() -> std::string { throw HTTPError(418); });
  bench.app.get("/bug", []() -> Task<std::string> {
    co_await sleep(1s);
    throw std::runtime_error("broken");
  });
  EXPECT_EQ(bench.get("/http").status, 418);
  EXPECT_EQ(bench.get("/bug").status, 500);
  EXPECT_EQ(notes, "m(418)m(500)");
  EXPECT_EQ(bench.log.count("broken"), 1U);
}

TEST(Middleware, MayAnswerItselfOrRefuse) {
  WebBench bench;
  bool reached = false;
  bench.app.use("/cache", [](web::WebExchange& exchange, web::Next) -> Task<> {
    exchange.respond({.fields = "Content-Type: text/plain\r\n"}, "cached");
    return {};
  });
  bench.app.use("/private", [](web::WebExchange&, web::Next) -> Task<> {
    throw HTTPError(403, "not for you");
  });
  bench.app.use("/broken", [](web::WebExchange&, web::Next) -> Task<> {
    co_await sleep(1s);
    throw std::runtime_error("the middleware is broken");
  });
  for (const char* path : {"/cache", "/private", "/broken"}) {
    bench.app.get(path, [&reached] { reached = true; });
  }
  EXPECT_EQ(bench.get("/cache").body, "cached");
  EXPECT_EQ(bench.get("/private").status, 403);
  EXPECT_EQ(bench.log.count("not for you"), 1U);
  EXPECT_EQ(bench.get("/broken").status, 500);
  EXPECT_EQ(bench.log.count("the middleware is broken"), 1U);
  EXPECT_FALSE(reached);
}

TEST(Middleware, APrefixIsWholeSegmentsOfTheDecodedPath) {
  WebBench bench;
  std::string notes;
  bench.app.use("/admin", note(notes, "guard"));
  bench.app.get("/{any:path}", [](std::string) { return "ok"; });
  for (const char* path : {"/admin", "/admin/", "/admin/users", "/%61dmin/users", "/adm%69n"}) {
    notes.clear();
    EXPECT_EQ(bench.get(path).status, 200) << path;
    EXPECT_EQ(notes, "guard(200)") << path;
  }
  for (const char* path : {"/", "/administration", "/x/admin"}) {
    notes.clear();
    EXPECT_EQ(bench.get(path).status, 200) << path;
    EXPECT_EQ(notes, "") << path;
  }
  EXPECT_THROW(bench.app.use("admin", note(notes, "x")), UsageError);
  EXPECT_THROW(bench.app.use("/admin/", note(notes, "x")), UsageError);
}

TEST(Middleware, OfARouteIsInsideThatOfTheApplication) {
  WebBench bench;
  std::string notes;
  const web::Middleware shared = note(notes, "shared");
  bench.app.get("/a", [] { return "a"; }, {.middleware = {note(notes, "first"), shared}});
  bench.app.get("/b", [] { return "b"; }, {.middleware = {shared}});
  bench.app.use(note(notes, "app"));
  EXPECT_EQ(bench.get("/a").body, "a");
  EXPECT_EQ(notes, "app(first(shared(200)200)200)");
  notes.clear();
  EXPECT_EQ(bench.get("/b").body, "b");
  EXPECT_EQ(notes, "app(shared(200)200)");
}

TEST(Middleware, EditsTheHeadOfPagesAndErrors) {
  WebBench bench;
  for (const char* value : {"outer", "inner"}) {
    bench.app.use([value](web::WebExchange& exchange, web::Next next) -> Task<> {
      exchange.edit_head([value](int status, HeaderBlock& fields) {
        fields.add("X-Layer", std::string(value) + ' ' + std::to_string(status));
        fields.set("Server", "edited");
      });
      return next(exchange);
    });
  }
  bench.app.add<Page>("/page");
  for (const auto& [path, status] : {std::pair("/page", "200"), std::pair("/nowhere", "404")}) {
    const RawResponse response = bench.get(path);
    EXPECT_EQ(response.field("X-Layer"), std::string("inner ") + status);
    EXPECT_EQ(response.count("X-Layer"), 2U);
    EXPECT_EQ(response.field("Server"), "edited");
  }
  // The next request of the connection begins without them.
  bench.app.get("/plain", [](HTTPExchange& exchange) {
    exchange.respond({.fields = "X-Own: 1\r\n"}, "plain");
  });
  EXPECT_EQ(bench.get("/plain").field("X-Layer"), "inner 200");
}

TEST(Middleware, AnEditorReplacesWhatTheHandlerHasSet) {
  WebBench bench;
  bench.app.use([](web::WebExchange& exchange, web::Next next) -> Task<> {
    exchange.edit_head([](int, HeaderBlock& fields) { fields.set("Content-Type", "a/b"); });
    return next(exchange);
  });
  bench.app.get("/", [] { return "text"; });
  bench.app.add<Page>("/page");
  for (const char* path : {"/", "/page"}) {
    const RawResponse response = bench.get(path);
    EXPECT_EQ(response.field("Content-Type"), "a/b") << path;
    EXPECT_EQ(response.count("Content-Type"), 1U) << path;
  }
}

TEST(Middleware, AnEditorThatThrowsEndsInAnErrorPage) {
  WebBench bench;
  bench.app.use([](web::WebExchange& exchange, web::Next next) -> Task<> {
    exchange.edit_head([](int, HeaderBlock& fields) { fields.set("X-Bad", "line\nbreak"); });
    return next(exchange);
  });
  bench.app.get("/", [] { return "page"; });
  EXPECT_EQ(bench.get("/").status, 500);
  EXPECT_EQ(bench.log.count("X-Bad"), 1U);
}

TEST(Middleware, HandsValuesOnUntilTheRequestIsDone) {
  struct User {
    std::string name;
  };
  WebBench bench;
  bench.app.use("/u", [](web::WebExchange& exchange, web::Next next) -> Task<> {
    EXPECT_EQ(exchange.extension<User>(), nullptr);
    exchange.set_extension(User{"nobody"});
    exchange.set_extension(User{"ada"});
    exchange.set_extension(7);
    return next(exchange);
  });
  bench.app.get("/u", [](HTTPExchange& exchange) {
    auto& web = static_cast<web::WebExchange&>(exchange);
    exchange.respond({}, web.extension<User>()->name + std::to_string(*web.extension<int>()));
  });
  bench.app.get("/other", [](HTTPExchange& exchange) {
    const auto& web = static_cast<web::WebExchange&>(exchange);
    exchange.respond({}, web.extension<User>() == nullptr ? "none" : "left over");
  });
  EXPECT_EQ(bench.get("/u").body, "ada7");
  EXPECT_EQ(bench.get("/u").body, "ada7");
  EXPECT_EQ(bench.get("/other").body, "none");
}

TEST(Middleware, TheClientGoesAwayAndTheOnionUnwinds) {
  WebBench bench;
  std::string notes;
  bench.app.use([&notes](web::WebExchange& exchange, web::Next next) -> Task<> {
    try {
      co_await next(exchange);
    } catch (const Cancelled&) {
      notes += " seen";
      throw;
    }
  });
  bench.app.add<Slow>("/slow", std::ref(notes));
  auto talk = [](WebBench& b) -> Task<> {
    b.client().send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n");
    co_await sleep(1s);
    b.client().close();
    co_await sleep(1s);
  };
  bench.loop.run_sync(talk(bench), Duration(1h));
  EXPECT_EQ(notes, "cancelled seen");
}

}  // namespace
}  // namespace coronado::web_test
