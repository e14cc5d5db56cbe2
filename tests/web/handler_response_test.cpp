// What class handlers say about their responses: fields, cookies, statuses, trailers, entity tags.
#include <coronado/http/headers.hpp>
#include <coronado/http/httputil.hpp>

#include "tests/web/handler_fixture.hpp"

namespace coronado::web_test {
namespace {

using web::RequestHandler;

TEST(RequestHandler, DefaultHeaders) {
  HandlerBench bench;
  const RawResponse plain = bench.now([](RequestHandler& h) { h.write("x"); });
  EXPECT_EQ(plain.field("Content-Type"), "text/html; charset=UTF-8");
  EXPECT_EQ(plain.field("Server"), "Coronado");
  EXPECT_EQ(plain.field("Content-Length"), "1");
  bench.script.defaults = [](RequestHandler& h) {
    h.set_header("Server", "Mine");
    h.set_header("X-Default", "1");
  };
  const RawResponse own = bench.now([](RequestHandler& h) { h.set_header("content-type", "a/b"); });
  EXPECT_EQ(own.count("Server"), 1U);
  EXPECT_EQ(own.field("Server"), "Mine");
  EXPECT_EQ(own.count("Content-Type"), 1U);
  EXPECT_EQ(own.field("Content-Type"), "a/b");
  const RawResponse failed = bench.now([](RequestHandler&) { throw HTTPError(503); });
  EXPECT_EQ(failed.status, 503);
  EXPECT_EQ(failed.field("X-Default"), "1");
}

TEST(RequestHandler, HeadersAreReplacedAddedAndCleared) {
  HandlerBench bench;
  const RawResponse response = bench.now([](RequestHandler& h) {
    h.set_header("X-A", "1");
    h.set_header("x-a", "2");
    h.add_header("X-B", "1");
    h.add_header("X-B", "2");
    h.set_header("X-C", "3");
    h.clear_header("X-c");
    h.clear_header("Content-Type");
    h.set_header("X-N", std::int64_t{-5});
    h.set_header("Date", "today");
  });
  EXPECT_EQ(response.count("X-A"), 1U);
  EXPECT_EQ(response.field("X-A"), "2");
  EXPECT_EQ(response.count("X-B"), 2U);
  EXPECT_FALSE(response.has_field("X-C"));
  EXPECT_FALSE(response.has_field("Content-Type"));
  EXPECT_EQ(response.field("X-N"), "-5");
  EXPECT_EQ(response.count("Date"), 1U);
  EXPECT_EQ(response.field("Date"), "today");
}

TEST(RequestHandler, InjectionsAreRefused) {
  HandlerBench bench;
  const RawResponse response = bench.now([](RequestHandler& h) {
    for (const char* value : {"a\r\nX-Injected: 1", "a\nb", "a\rb", "a\x7f", "a\x01"}) {
      EXPECT_THROW(h.set_header("X-A", value), std::invalid_argument) << value;
      EXPECT_THROW(h.add_header("X-A", value), std::invalid_argument) << value;
    }
    EXPECT_THROW(h.set_header("X-A", std::string_view("a\0b", 3)), std::invalid_argument);
    for (const char* name : {"", "X A", "X:A", "X\r\nA", "X\xC3\xA9"}) {
      EXPECT_THROW(h.set_header(name, "a"), std::invalid_argument) << name;
    }
    EXPECT_THROW(h.set_cookie("a", "b\r\nX-Injected: 1"), std::invalid_argument);
    EXPECT_THROW(h.set_cookie("a;b", "c"), std::invalid_argument);
    EXPECT_THROW(h.set_cookie("a", "b", {.path = "/; Domain=x"}), std::invalid_argument);
    EXPECT_THROW(h.set_status(99), std::invalid_argument);
    EXPECT_THROW(h.set_status(1000), std::invalid_argument);
    h.write("fine");
  });
  EXPECT_EQ(response.body, "fine");
  EXPECT_FALSE(response.has_field("X-A"));
  EXPECT_FALSE(response.has_field("X-Injected"));
  const RawResponse redirect =
      bench.now([](RequestHandler& h) { h.redirect("/x\r\nX-Injected: 1"); });
  EXPECT_EQ(redirect.status, 500);
  EXPECT_FALSE(redirect.has_field("X-Injected"));
}

TEST(RequestHandler, UnsuitableReasonsBecomeUnknown) {
  HandlerBench bench;
  const auto reason = [&](std::string_view text) {
    return bench.now([text](RequestHandler& h) { h.set_status(200, text); }).reason;
  };
  EXPECT_EQ(reason("OK\r\nX-Injection:1"), "Unknown");
  EXPECT_EQ(reason("<script>"), "Unknown");
  EXPECT_EQ(reason("Very Fine"), "Very Fine");
  EXPECT_EQ(reason(""), "OK");
  EXPECT_EQ(bench.now([](RequestHandler& h) { h.set_status(799); }).reason, "Unknown");
}

TEST(RequestHandler, Cookies) {
  HandlerBench bench;
  const RawResponse response = bench.now(
      [](RequestHandler& h) {
        h.write(std::string(*h.get_cookie("foo")) + "|" + std::string(*h.get_cookie("bar")));
        EXPECT_FALSE(h.get_cookie("nope"));
        h.set_cookie("a", "b");
        h.set_cookie("c", "d", {.http_only = true});
        h.set_cookie("a", "e");
        h.clear_cookie("gone");
      },
      "/h", "Cookie: foo=\"a\\073b\"; bar=a\\073b; bar=last\r\n");
  EXPECT_EQ(response.body, "a;b|last");
  std::vector<std::string> cookies;
  for (const auto& [name, value] : response.fields) {
    if (name == "Set-Cookie") cookies.push_back(value);
  }
  ASSERT_EQ(cookies.size(), 3U);
  EXPECT_EQ(cookies[0], "c=d; HttpOnly; Path=/");
  EXPECT_EQ(cookies[1], "a=e; Path=/");
  EXPECT_TRUE(cookies[2].starts_with("gone=; expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/") ||
              cookies[2].starts_with("gone=\"\"; expires=Thu, 01 Jan 1970"))
      << cookies[2];
}

TEST(RequestHandler, CookiesLeaveWithARedirect) {
  HandlerBench bench;
  const RawResponse response = bench.now([](RequestHandler& h) {
    h.set_cookie("a", "b");
    h.redirect("/elsewhere?x=1");
  });
  EXPECT_EQ(response.status, 302);
  EXPECT_EQ(response.field("Location"), "/elsewhere?x=1");
  EXPECT_EQ(response.field("Set-Cookie"), "a=b; Path=/");
  EXPECT_EQ(bench.now([](RequestHandler& h) { h.redirect("/e", true); }).status, 301);
}

TEST(RequestHandler, StatusesWithoutABody) {
  HandlerBench bench;
  for (const int status : {204, 304}) {
    const RawResponse response = bench.now([status](RequestHandler& h) {
      h.set_status(status);
      h.write("never sent");
      h.set_header("X-A", "1");
    });
    EXPECT_EQ(response.status, status);
    EXPECT_EQ(response.field("X-A"), "1");
    for (const char* name : {"Content-Type", "Content-Length", "Transfer-Encoding"}) {
      EXPECT_FALSE(response.has_field(name)) << name;
    }
  }
  EXPECT_EQ(bench.now([](RequestHandler& h) { h.write("next"); }).body, "next");
}

TEST(RequestHandler, FramingIsTheServers) {
  HandlerBench bench;
  const RawResponse response = bench.now([](RequestHandler& h) {
    h.set_header("Content-Length", "400");
    h.set_header("Transfer-Encoding", "chunked");
    h.write("four");
  });
  EXPECT_EQ(response.count("Content-Length"), 1U);
  EXPECT_EQ(response.body, "four");
  EXPECT_FALSE(response.chunked);
  const RawResponse close =
      bench.now([](RequestHandler& h) { h.set_header("Connection", "close"); });
  EXPECT_EQ(close.count("Connection"), 1U);
  EXPECT_EQ(close.field("Connection"), "close");
  EXPECT_EQ(bench.loop.run_sync(bench.client().read_to_end()), "");
}

TEST(RequestHandler, HeadMayTellALength) {
  WebBench bench;
  struct Large : RequestHandler {
    Task<> get() override { refuse(); }
    [[noreturn]] void refuse() { throw HTTPError(500); }
    Task<> head() override {
      set_header("Content-Length", std::int64_t{123456});
      co_return;
    }
  };
  bench.app.add<Large>("/large");
  EXPECT_EQ(bench.request("HEAD", "/large").field("Content-Length"), "123456");
  EXPECT_EQ(bench.request("HEAD", "/large").status, 200);
}

TEST(RequestHandler, EarlyHints) {
  HandlerBench bench;
  const RawResponse hint = bench.now([](web::RequestHandler& handler) {
    handler.send_early_hints({"</a.css>; rel=preload; as=style", "</b.js>; rel=preload"});
    EXPECT_THROW(handler.send_early_hints({"a\nb"}), std::invalid_argument);
    handler.write("page");
    handler.flush();
    EXPECT_THROW(handler.send_early_hints({"</late.css>"}), std::logic_error);
  });
  EXPECT_EQ(hint.status, 103);
  EXPECT_EQ(hint.field("Link"), "</a.css>; rel=preload; as=style");
  EXPECT_EQ(hint.body, "");
  const RawResponse page =
      bench.loop.run_sync(bench.connection->read_response(RawRequestKind::kUsual), Duration(1h));
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(page.body, "page");
}

TEST(RequestHandler, TrailersFollowTheBody) {
  WebBench bench;
  struct Summed : RequestHandler {
    Task<> get() override {
      write("one");
      set_trailer("X-First", "1");
      EXPECT_THROW(set_trailer("Content-Type", "x"), std::invalid_argument);
      if (request().query() == "flush") {
        co_await flush();
        write("two");
        set_trailer("X-Second", "2");
      }
    }
  };
  bench.app.add<Summed>("/");
  RawResponse whole = bench.get("/", "TE: trailers\r\n");
  EXPECT_EQ(whole.body, "one");
  EXPECT_EQ(whole.field("Trailer"), "X-First");
  ASSERT_EQ(whole.trailers.size(), 1U);
  EXPECT_EQ(whole.trailers[0].second, "1");
  RawResponse pieces = bench.get("/?flush", "TE: trailers\r\n");
  EXPECT_EQ(pieces.body, "onetwo");
  EXPECT_EQ(pieces.trailers.size(), 2U);
  whole = bench.get("/");
  EXPECT_EQ(whole.body, "one");
  EXPECT_FALSE(whole.chunked);
  EXPECT_FALSE(whole.has_field("Trailer"));
  EXPECT_TRUE(bench.get("/?flush").trailers.empty());
}

struct TaggedPage : web::RequestHandler {
  Task<> get() override {
    set_header("Content-Language", "en");
    write("a page");
    if (!get_argument("flush", "").empty()) co_await flush();
    if (!get_argument("status", "").empty()) set_status(203);
  }
  Task<> post() override { return get(); }
};

TEST(RequestHandler, AutomaticEntityTags) {
  WebBench bench;
  bench.app.set_automatic_etags(true).add<TaggedPage>("/page");
  const RawResponse page = bench.get("/page");
  const std::string etag = page.field("ETag");
  EXPECT_EQ(etag, make_etag("a page"));
  for (const std::string& field : {etag, "W/" + etag, "\"other\", " + etag, std::string("*")}) {
    const RawResponse same = bench.get("/page", "If-None-Match: " + field + "\r\n");
    EXPECT_EQ(same.status, 304) << field;
    EXPECT_EQ(same.field("ETag"), etag);
    EXPECT_FALSE(same.has_field("Content-Language"));
    EXPECT_FALSE(same.has_field("Content-Length"));
    EXPECT_EQ(same.body, "");
  }
  EXPECT_EQ(bench.get("/page", "If-None-Match: \"other\"\r\n").body, "a page");
  EXPECT_EQ(bench.request("HEAD", "/page", "If-None-Match: " + etag + "\r\n").status, 304);
  // Not of what changes something, is no plain success, or has left already.
  EXPECT_FALSE(bench.request("POST", "/page", "", "x").has_field("ETag"));
  EXPECT_FALSE(bench.get("/page?status=203").has_field("ETag"));
  EXPECT_FALSE(bench.get("/page?flush=1").has_field("ETag"));
  bench.app.set_automatic_etags(false);
  EXPECT_FALSE(bench.get("/page").has_field("ETag"));
}

}  // namespace
}  // namespace coronado::web_test
