// Redirects: where they lead, what is sent again, and what never leaves its origin.
#include <coronado/http/httpclient.hpp>

#include "tests/http/client_fixture.hpp"

namespace coronado {
namespace {

using namespace client_test;

TEST(HTTPClientRedirect, IsFollowedToTheEnd) {
  with_fixture([](Fixture& fix) -> Task<> {
    const HTTPClientResponse page =
        co_await fix.client.fetch("http://server/redirect?302+/redirect?301+/there?x#y");
    EXPECT_EQ(page.body, "GET /there?x");
    EXPECT_EQ(page.effective_url, "http://server/there?x#y");
    EXPECT_EQ(page.redirects, 2U);
    EXPECT_EQ(fix.door->accepted, 1);
  });
}

TEST(HTTPClientRedirect, MethodsAndBodiesAfterEachStatus) {
  with_fixture([](Fixture& fix) -> Task<> {
    const auto lands = [&](int status, std::string method) -> Task<std::string> {
      HTTPRequest request{.url = "http://server/redirect?" + std::to_string(status) + "+/echo",
                          .method = method,
                          .headers = {{"Content-Language", "de"}, {"X-Kept", "1"}}};
      if (method == "POST" || method == "PUT") request.body = "b=1";
      const HTTPClientResponse response = co_await fix.client.fetch(std::move(request));
      EXPECT_THAT(response.method == "HEAD" ? "X-Kept: 1" : response.body, HasSubstr("X-Kept: 1"));
      const bool body = response.body.ends_with("\n\nb=1");
      EXPECT_EQ(response.body.find("Content-L") != std::string::npos, body || method == "GET")
          << response.body;
      co_return response.method + (body ? " body" : "");
    };
    for (const int status : {301, 302}) {
      EXPECT_EQ(co_await lands(status, "POST"), "GET");
      EXPECT_EQ(co_await lands(status, "PUT"), "PUT body");
      EXPECT_EQ(co_await lands(status, "GET"), "GET");
      EXPECT_EQ(co_await lands(status, "HEAD"), "HEAD");
    }
    EXPECT_EQ(co_await lands(303, "POST"), "GET");
    EXPECT_EQ(co_await lands(303, "PUT"), "GET");
    EXPECT_EQ(co_await lands(303, "HEAD"), "HEAD");
    for (const int status : {307, 308}) {
      EXPECT_EQ(co_await lands(status, "POST"), "POST body");
      EXPECT_EQ(co_await lands(status, "PUT"), "PUT body");
      EXPECT_EQ(co_await lands(status, "GET"), "GET");
    }
  });
}

TEST(HTTPClientRedirect, LoopsEnd) {
  with_fixture([](Fixture& fix) -> Task<> {
    int asked = 0;
    fix.service.on("/loop", [&](HTTPExchange& exchange) -> Task<> {
      ++asked;
      exchange.respond({.status = 302, .fields = "Location: /loop\r\n"}, "round and round");
      co_return;
    });
    const auto error = co_await failure_of<HTTPClientError>(fix.client.fetch("http://server/loop"));
    EXPECT_STREQ(error.what(), "GET http://server/loop: HTTP 302: Found (after 5 redirects)");
    EXPECT_EQ(asked, 6);
    EXPECT_EQ(error.response()->body, "round and round");
    const HTTPClientResponse none = co_await fix.client.fetch(
        "http://server/loop", {.follow_redirects = false, .raise_error = false});
    EXPECT_EQ(none.code, 302);
    EXPECT_EQ(none.headers.find("Location"), "/loop");
    const HTTPClientResponse zero =
        co_await fix.client.fetch("http://server/loop", {.max_redirects = 0, .raise_error = false});
    EXPECT_EQ(zero.redirects, 0U);
  });
}

TEST(HTTPClientRedirect, ToNowhereIsAnError) {
  with_fixture([](Fixture& fix) -> Task<> {
    for (const char* location : {"ftp://x/", "javascript:alert(1)", "http://a@b@c/", "//",
                                 "http:", "http://x:99999/", "http:///x"}) {
      const auto error = co_await failure_of<HTTPResponseError>(
          fix.client.fetch(std::string("http://server/redirect?302+") + location));
      EXPECT_THAT(error.what(), HasSubstr("redirected to nowhere: invalid URL"));
      EXPECT_THAT(error.what(), HasSubstr(location));
    }
    const HTTPClientResponse plain =
        co_await fix.client.fetch("http://server/status?304", {.raise_error = false});
    EXPECT_EQ(plain.code, 304);
    Peer lost(fix.host.address(81), answers("HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n"));
    co_await failure_of<HTTPClientError>(fix.client.fetch("http://server:81/"));
    co_await lost.close();
  });
}

/// What a Location may look like, in the wild.
TEST(HTTPClientRedirect, LocationsOfAllForms) {
  with_fixture([](Fixture& fix) -> Task<> {
    const std::pair<const char*, const char*> cases[] = {
        {"//server/a", "http://server/a"},
        {"b?c", "http://server:81/here/b?c"},
        {"../d", "http://server:81/d"},
        {"?e", "http://server:81/here/you?e"},
        {"#f", "http://server:81/here/you?are#f"},
        {"/g h?i j", "http://server:81/g%20h?i%20j"},
        {"/gr\xC3\xBC\xC3\x9F"
         "e",
         "http://server:81/gr%C3%BC%C3%9Fe"},
        {"HTTP://SERVER:80/k", "http://server/k"},
        {"  /l\t", "http://server:81/l"},
    };
    for (const auto& [location, url] : cases) {
      bool asked = false;
      Peer peer(fix.host.address(81), [&](IOStream& stream) -> Task<> {
        co_await stream.read_until("\r\n\r\n");
        const std::string first =
            "HTTP/1.1 302 Found\r\nLocation: " + std::string(location) + "\r\n";
        co_await stream.write((std::exchange(asked, true) ? "HTTP/1.1 200 OK\r\n" : first) +
                              "Connection: close\r\nContent-Length: 0\r\n\r\n");
      });
      const HTTPClientResponse page = co_await fix.client.fetch("http://server:81/here/you?are");
      EXPECT_EQ(page.effective_url, url) << location;
      EXPECT_EQ(page.redirects, 1U);
      co_await peer.close();
    }
  });
}

TEST(HTTPClientRedirect, CredentialsStayWithTheirOrigin) {
  with_fixture([](Fixture& fix) -> Task<> {
    Door other(fix.server, fix.host.address(81));
    const auto arrives = [&](std::string url, HTTPRequest request) -> Task<std::string> {
      const HTTPClientResponse response = co_await fix.client.fetch(url, std::move(request));
      co_return response.body;
    };
    const std::string here = "http://server/redirect?307+http://server/echo";
    const std::string away = "http://server/redirect?307+http://server:81/echo";
    const std::string back =
        "http://server/redirect?307+http://server:81/redirect?307+http://server/echo";
    const auto secrets = [] {
      return HTTPRequest{.headers = {{"Authorization", "Secret"},
                                     {"Cookie", "secret=1"},
                                     {"Proxy-Authorization", "secret"},
                                     {"Host", "secret.example"},
                                     {"X-Other", "1"}}};
    };
    const std::string kept = co_await arrives(here, secrets());
    for (const char* field :
         {"Authorization: Secret", "Cookie: secret=1", "Host: secret.example"}) {
      EXPECT_THAT(kept, HasSubstr(field));
    }
    for (const std::string& url : {away, back}) {
      const std::string text = co_await arrives(url, secrets());
      EXPECT_THAT(text, HasSubstr("X-Other: 1"));
      EXPECT_THAT(text, Not(HasSubstr("ecret"))) << text;
      EXPECT_THAT(co_await arrives(url, {.auth_username = "a", .auth_password = "b"}),
                  Not(HasSubstr("Authorization")));
      EXPECT_THAT(co_await arrives(url, {.bearer_token = "t"}), Not(HasSubstr("Authorization")));
      EXPECT_THAT(co_await arrives("http://u:p@" + url.substr(7), {}),
                  Not(HasSubstr("Authorization")));
    }
    EXPECT_THAT(co_await arrives(here, {.bearer_token = "t"}), HasSubstr("Bearer t"));
    EXPECT_THAT(co_await arrives("http://u:p@" + here.substr(7), {}), HasSubstr("Basic dTpw"));
    EXPECT_THAT(co_await arrives("http://server/redirect?307+/echo", {.bearer_token = "t"}),
                HasSubstr("Bearer t"));
    // What a server says about users is no matter.
    EXPECT_THAT(co_await arrives("http://server/redirect?307+http://x:y@server:81/echo", {}),
                Not(HasSubstr("Authorization")));
  });
}

TEST(HTTPClientRedirect, CallbacksHearOfTheLastResponseOnly) {
  with_fixture([](Fixture& fix) -> Task<> {
    std::string heads;
    std::string bodies;
    HTTPRequest request{.url = "http://server/redirect?302+/x"};
    request.header_callback = [&](std::string_view line) { heads += line; };
    request.streaming_callback = [&](std::string piece) -> Task<> {
      bodies += piece;
      co_return;
    };
    const HTTPClientResponse response = co_await fix.client.fetch(std::move(request));
    EXPECT_EQ(response.body, "");
    EXPECT_EQ(bodies, "GET /x");
    EXPECT_TRUE(heads.starts_with("HTTP/1.1 200 OK\r\n")) << heads;
    EXPECT_THAT(heads, HasSubstr("\r\nContent-Type: text/plain\r\n"));
    EXPECT_TRUE(heads.ends_with("\r\n\r\n")) << heads;
    EXPECT_EQ(heads.find("302"), std::string::npos);
  });
}

TEST(HTTPClientRedirect, ALargeBodyOfARedirectIsNotWaitedFor) {
  with_fixture([](Fixture& fix) -> Task<> {
    fix.service.on("/endless", [](HTTPExchange& exchange) -> Task<> {
      exchange.start({.status = 302, .fields = "Location: /x\r\n"}, std::nullopt);
      for (;;) {
        exchange.write(std::string(10'000, 'x'));
        co_await exchange.drain();
        co_await sleep(1ms);
      }
    });
    EXPECT_EQ(co_await fix.body_of({.url = "http://server/endless"}), "GET /x");
    EXPECT_EQ(fix.door->accepted, 2);
  });
}

}  // namespace
}  // namespace coronado
