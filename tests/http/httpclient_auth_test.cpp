// Basic, Bearer and Digest authentication.
#include <coronado/http/httpclient.hpp>

#include "tests/http/client_fixture.hpp"

namespace coronado {
namespace {

using namespace client_test;

TEST(HTTPClientAuth, BasicAndBearer) {
  with_fixture([](Fixture& fix) -> Task<> {
    const auto field = [&](HTTPRequest request) -> Task<std::string> {
      const std::string text = co_await fix.body_of(std::move(request));
      const std::size_t at = text.find("Authorization: ");
      if (at == std::string::npos) co_return "none";
      co_return text.substr(at + 15, text.find('\n', at) - at - 15);
    };
    const std::string url = "http://server/echo";
    EXPECT_EQ(co_await field({.url = url}), "none");
    EXPECT_EQ(
        co_await field({.url = url, .auth_username = "Aladdin", .auth_password = "open sesame"}),
        "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    EXPECT_EQ(
        co_await field({.url = "http://Aladdin:open%20sesame@server/echo", .auth_username = "x"}),
        "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    EXPECT_EQ(co_await field({.url = url, .bearer_token = "abc"}), "Bearer abc");
    EXPECT_EQ(
        co_await field({.url = url, .headers = {{"Authorization", "Own"}}, .auth_username = "x"}),
        "Own");
  });
}

/// Answers with a challenge, unless the request answers one.
void add_digest(Fixture& fix, std::string algorithm, int& asked) {
  fix.service.on("/digest", [algorithm, &asked](HTTPExchange& exchange) -> Task<> {
    ++asked;
    const std::string shown(exchange.request().header("Authorization").value_or(""));
    const bool right = shown.find("username=\"ada\"") != std::string::npos &&
                       shown.find("nonce=\"n1\"") != std::string::npos &&
                       shown.find("uri=\"/digest?x\"") != std::string::npos;
    if (right) {
      respond_text(exchange, shown);
    } else {
      const std::string fields =
          "WWW-Authenticate: Digest realm=\"r\", nonce=\"n1\", qop=\"auth\", "
          "algorithm=" +
          algorithm + "\r\n";
      exchange.respond({.status = 401, .fields = fields}, "who are you?");
    }
    co_return;
  });
}

TEST(HTTPClientAuth, DigestAnswersAChallengeOnce) {
  for (const char* algorithm : {"MD5", "SHA-256"}) {
    with_fixture([&](Fixture& fix) -> Task<> {
      int asked = 0;
      add_digest(fix, algorithm, asked);
      HTTPRequest request{.url = "http://server/digest?x",
                          .method = "POST",
                          .body = "sent twice",
                          .auth_username = "ada",
                          .auth_password = "p",
                          .auth_mode = HTTPAuth::kDigest};
      const std::string shown = co_await fix.body_of(std::move(request));
      EXPECT_THAT(shown, HasSubstr(std::string("algorithm=") + algorithm));
      EXPECT_EQ(asked, 2);
      EXPECT_EQ(fix.door->accepted, 1);
      const auto error = co_await failure_of<HTTPClientError>(fix.client.fetch(
          "http://server/digest?x",
          {.auth_username = "eve", .auth_password = "p", .auth_mode = HTTPAuth::kDigest}));
      EXPECT_EQ(error.code(), 401);
      EXPECT_EQ(asked, 4);
      // Without credentials, and with Basic ones, nobody tries.
      co_await failure_of<HTTPClientError>(fix.client.fetch("http://server/digest?x"));
      EXPECT_EQ(asked, 5);
    });
  }
}

/// Asks for Digest credentials, and is gone when the answer comes.
TEST(HTTPClientAuth, AnAnswerThatMayHaveBeenSeenIsNotSentAgain) {
  for (const std::string method : {"POST", "PUT"}) {
    for (const bool keyed : {false, true}) {
      with_fixture([&](Fixture& fix) -> Task<> {
        std::vector<std::string> asked;
        Peer peer(fix.host.address(81), [&](IOStream& stream) -> Task<> {
          asked.push_back(co_await stream.read_until("\r\n\r\nbody"));
          const bool right = asked.back().find("Authorization: Digest") != std::string::npos;
          co_await stream.write(right ? "HTTP/1.1 204 No Content\r\n\r\n"
                                      : "HTTP/1.1 401 Who?\r\nContent-Length: 0\r\n"
                                        "WWW-Authenticate: Digest nonce=\"n1\"\r\n\r\n");
          // The next one is read, perhaps acted upon, and never answered.
          asked.push_back("unanswered " + co_await stream.read_until("\r\n\r\nbody"));
        });
        HTTPRequest request{.url = "http://server:81/", .method = method, .body = "body"};
        request.auth_username = "ada";
        request.auth_mode = HTTPAuth::kDigest;
        if (keyed) request.headers.set("Idempotency-Key", "1");
        if (method == "PUT" || keyed) {
          EXPECT_EQ((co_await fix.client.fetch(std::move(request))).code, 204);
          EXPECT_EQ(asked.size(), 3U);
          EXPECT_EQ(fix.client.stats().retries, 1U);
        } else {
          const auto error =
              co_await failure_of<HTTPStreamClosedError>(fix.client.fetch(std::move(request)));
          EXPECT_EQ(error.phase(), HTTPPhase::kWait);
          EXPECT_EQ(asked.size(), 2U);
          EXPECT_EQ(fix.client.stats().retries, 0U);
        }
        EXPECT_TRUE(asked[1].starts_with("unanswered " + method + " "));
        co_await peer.close();
      });
    }
  }
}

/// Whoever asks for a connection for each request gets one also for the answer to a challenge.
TEST(HTTPClientAuth, ADigestAnswerOverAConnectionOfItsOwn) {
  with_fixture([](Fixture& fix) -> Task<> {
    int asked = 0;
    add_digest(fix, "MD5", asked);
    HTTPRequest request{.url = "http://server/digest?x",
                        .method = "POST",
                        .headers = {{"Connection", "close"}},
                        .body = "sent twice"};
    request.auth_username = "ada";
    request.auth_mode = HTTPAuth::kDigest;
    EXPECT_EQ((co_await fix.client.fetch(std::move(request))).code, 200);
    EXPECT_EQ(asked, 2);
    EXPECT_EQ(fix.door->accepted, 2);
  });
}

TEST(HTTPClientAuth, DigestIsNotAnsweredForAnotherOrigin) {
  with_fixture([](Fixture& fix) -> Task<> {
    Door other(fix.server, fix.host.address(81));
    int asked = 0;
    add_digest(fix, "MD5", asked);
    const auto error = co_await failure_of<HTTPClientError>(fix.client.fetch(
        "http://server/redirect?302+http://server:81/digest?x",
        {.auth_username = "ada", .auth_password = "p", .auth_mode = HTTPAuth::kDigest}));
    EXPECT_EQ(error.code(), 401);
    EXPECT_EQ(asked, 1);
  });
}

}  // namespace
}  // namespace coronado
