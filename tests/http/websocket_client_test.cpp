#include <coronado/http/websocket_client.hpp>

#include <coronado/coro/timeout.hpp>
#include <coronado/net/tls_context.hpp>
#include <coronado/testing/test_certificates.hpp>

#include <tuple>

#include "http/websocket_connection.hpp"
#include "tests/http/proxy_peers.hpp"
#include "tests/http/websocket_peer.hpp"

namespace coronado {
namespace {

using namespace client_test;
using http_test::from_server;

/// Connects to a peer with such a script at ws://peer/chat.
void with_peer(Peer::Script script, std::function<Task<>(SimNetwork&)> body) {
  run_async([&]() -> Task<> {
    SimNetwork network(*IOLoop::current());
    SimHost& host = network.add_host("peer");
    Peer peer(host.address(80), std::move(script));
    co_await body(network);
    co_await peer.close();
  });
}

TEST(WebSocketConnect, AsksAndReadsWhatComesAtOnce) {
  std::string asked;
  with_peer(upgrades(&asked, std::string(kRight) + "Sec-WebSocket-Protocol: b\r\n",
                     from_server(WebSocketOpcode::kText, "welcome")),
            [](SimNetwork& network) -> Task<> {
              WebSocketConnectOptions options{.subprotocols = {"a", "b"}};
              WebSocket socket =
                  co_await connect(network, std::move(options),
                                   {.url = "ws://peer/chat?room=1", .bearer_token = "secret"});
              EXPECT_EQ(socket.subprotocol(), "b");
              const auto message = co_await socket.read();
              EXPECT_TRUE(message && message->data == "welcome");
            });
  EXPECT_TRUE(asked.starts_with("GET /chat?room=1 HTTP/1.1\r\nHost: peer\r\n"));
  for (const char* field : {"Upgrade: websocket\r\n", "Connection: Upgrade\r\n", ": 13\r\n",
                            ": a, b\r\n", "Authorization: Bearer secret\r\n"}) {
    EXPECT_NE(asked.find(field), std::string::npos) << field << asked;
  }
}

/// A server that leaves right behind its answer is gone, with what it has said before.
TEST(WebSocketConnect, AServerThatLeavesAtOnceIsGone) {
  for (const bool says_something : {false, true}) {
    const std::string said = says_something ? from_server(WebSocketOpcode::kText, "bye") : "";
    with_peer([&](IOStream& stream) -> Task<> { co_await upgrade(stream, kRight, said); },
              [&](SimNetwork& network) -> Task<> {
                WebSocket socket = co_await connect(network);
                const auto message = co_await socket.read();
                EXPECT_EQ(message ? message->data : "", says_something ? "bye" : "");
                if (message) EXPECT_FALSE(co_await socket.read());
                co_await socket.closed();
                EXPECT_EQ(socket.close_code(), 1006);
              });
  }
}

struct Wrong {
  const char* name;
  const char* fields;
  const char* why;
};

TEST(WebSocketConnect, AWrongAnswerIsATypedError) {
  const Wrong cases[] = {
      {"no upgrade", "Connection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n",
       "does not upgrade"},
      {"another protocol",
       "Upgrade: h2c\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n",
       "does not upgrade"},
      {"wrong accept",
       "Upgrade: websocket\r\nConnection: Upgrade\r\n"
       "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n",
       "accept value"},
      {"no accept", "Upgrade: websocket\r\nConnection: Upgrade\r\n", "accept value"},
      {"subprotocol",
       "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n"
       "Sec-WebSocket-Protocol: chat\r\n",
       "subprotocol that was not offered: chat"},
      {"extension",
       "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n"
       "Sec-WebSocket-Extensions: permessage-deflate\r\n",
       "extension that was not offered"},
  };
  for (const Wrong& each : cases) {
    SCOPED_TRACE(each.name);
    with_peer(upgrades(nullptr, each.fields), [&](SimNetwork& network) -> Task<> {
      std::string why;
      try {
        co_await connect(network);
      } catch (const HTTPResponseError& error) {
        why = error.what();
      }
      EXPECT_THAT(why, HasSubstr(each.why));
      EXPECT_THAT(why, HasSubstr("http://peer/chat?room=1"));
    });
  }
}

TEST(WebSocketConnect, AnotherStatusIsAnErrorWithItsCode) {
  with_peer(answers("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno"),
            [](SimNetwork& network) -> Task<> {
              int code = 0;
              try {
                co_await connect(network);
              } catch (const HTTPClientError& error) {
                code = error.code();
                EXPECT_THAT(error.what(), HasSubstr("HTTP 403 Forbidden"));
              }
              EXPECT_EQ(code, 403);
            });
}

TEST(WebSocketConnect, AServerThatNeverAnswersIsOutOfTime) {
  with_peer([](IOStream& stream) -> Task<> { co_await stream.read_until_close(); },
            [](SimNetwork& network) -> Task<> {
              bool timed_out = false;
              try {
                co_await connect(network, {}, {.url = "ws://peer/", .request_timeout = 3s});
              } catch (const HTTPTimeoutError& error) {
                timed_out = error.phase() == HTTPPhase::kWait;
              }
              EXPECT_TRUE(timed_out);
            });
}

TEST(WebSocketConnect, CancellingItClosesTheConnection) {
  bool ended = false;
  with_peer(
      [&](IOStream& stream) -> Task<> {
        co_await stream.read_until_close();
        ended = true;
      },
      [](SimNetwork& network) -> Task<> {
        bool timed_out = false;
        try {
          co_await with_timeout(1s, connect(network));
        } catch (const TimeoutError&) {
          timed_out = true;
        }
        EXPECT_TRUE(timed_out);
        co_await sleep(1s);
      });
  EXPECT_TRUE(ended);
}

TEST(WebSocketConnect, WhatCannotBeAskedIsRefused) {
  with_peer(answers(""), [](SimNetwork& network) -> Task<> {
    int refused = 0;
    const std::pair<const char*, const char*> cases[] = {{"ftp://peer/", "GET"},
                                                         {"ws://peer/", "POST"}};
    for (const auto& [url, method] : cases) {
      try {
        co_await connect(network, {}, {.url = url, .method = method});
      } catch (const std::invalid_argument&) {
        ++refused;
      }
    }
    try {
      co_await connect(network, {.subprotocols = {"not a token"}});
    } catch (const std::invalid_argument&) {
      ++refused;
    }
    EXPECT_EQ(refused, 3);
  });
}

// --- TLS and proxies -----------------------------------------------------------------------------

/// Sends back what comes.
class EchoListener final : public WebSocketListener {
 public:
  Task<> opened(WebSocketConnection& socket) override {
    socket_ = &socket;
    return {};
  }
  Task<> received(const WebSocketMessage& message) override {
    socket_->send(message.is_text ? WebSocketOpcode::kText : WebSocketOpcode::kBinary, message.data,
                  true, true);
    return {};
  }

 private:
  WebSocketConnection* socket_ = nullptr;
};

void add_echo(Fixture& fix) {
  fix.service.on("/echo-socket", [](HTTPExchange& exchange) -> Task<> {
    const std::string accept =
        websocket_accept(exchange.request().header("Sec-WebSocket-Key").value());
    const std::string fields = "Upgrade: websocket\r\nSec-WebSocket-Accept: " + accept + "\r\n";
    exchange.upgrade({.status = 101, .fields = fields},
                     std::make_unique<WebSocketConnection>(
                         WebSocketSetup{.options = std::make_shared<const WebSocketOptions>()},
                         std::make_unique<EchoListener>()));
    co_return;
  });
}

/// The way to the server, with TLS and without.
struct Way {
  const char* name;
  const char* proxy;  // as `proxy_host`
};

class WebSocketConnectThrough : public testing::TestWithParam<std::tuple<Way, bool>> {};

INSTANTIATE_TEST_SUITE_P(
    Ways, WebSocketConnectThrough,
    testing::Combine(testing::Values(Way{"Nothing", ""}, Way{"Tunnel", "http://ada:pw@server:3128"},
                                     Way{"Socks", "socks5://ada:pw@server:1080"}),
                     testing::Bool()),
    [](const auto& info) {
      return std::get<0>(info.param).name + std::string(std::get<1>(info.param) ? "TLS" : "Plain");
    });

TEST_P(WebSocketConnectThrough, TalksAndCloses) {
  const auto& [way, secure] = GetParam();
  const TestAuthority authority("Test CA");
  HTTPServerOptions server;
  if (secure) {
    const TestCertificate made = authority.issue({.dns_names = {"far.example", "server"}});
    server.tls = TLSContext::server(
        {.identities = {{.certificate_pem = made.certificate_pem, .key_pem = made.key_pem}}});
  }
  const std::string host = *way.proxy == 0 ? "server" : "far.example";  // the proxy knows that one
  HTTPRequest request{.url = (secure ? "wss://" : "ws://") + host + ":80/echo-socket",
                      .proxy_host = way.proxy};
  if (secure) request.tls = TLSContext::client({.trust = {.ca_pem = authority.certificate_pem()}});
  std::string asked;
  with_fixture(
      [&](Fixture& fix) -> Task<> {
        add_echo(fix);
        Peer tunnels(fix.host.address(3128), tunnel(asked, fix.host.address(80)));
        Peer relays(fix.host.address(1080), socks(asked, fix.host.address(80), true));
        {
          WebSocketConnectOptions options;
          options.client.resolver = fix.network.names();
          WebSocket socket = co_await websocket_connect(std::move(request), std::move(options));
          for (const std::size_t size : {0, 5, 1'000, 100'000}) {
            socket.send(std::string(size, 's'));
            const auto answer = co_await socket.read();
            EXPECT_TRUE(answer && answer->data == std::string(size, 's')) << size;
          }
          socket.close(4000, "done");
          EXPECT_FALSE(co_await socket.read());
          co_await socket.closed();
          EXPECT_EQ(socket.close_code(), 4000);
        }
        EXPECT_EQ(tunnels.accepted + relays.accepted, *way.proxy == 0 ? 0 : 1);
        co_await tunnels.close();
        co_await relays.close();
      },
      {}, std::move(server));
  if (std::string_view(way.proxy).starts_with("http")) {
    EXPECT_EQ(asked,
              "CONNECT far.example:80 HTTP/1.1\r\nHost: far.example:80\r\n"
              "Proxy-Authorization: Basic YWRhOnB3\r\n\r\n");
  } else if (*way.proxy != 0) {
    EXPECT_EQ(asked, std::string("far.example\x00\x50", 13));
  }
}

/// The client's own proxies hold for ws and wss as for http and https; names may be excepted.
TEST(WebSocketConnect, ThroughTheProxiesOfTheClient) {
  std::string asked;
  with_fixture([&](Fixture& fix) -> Task<> {
    add_echo(fix);
    Peer proxy(fix.host.address(3128), tunnel(asked, fix.host.address(80)));
    for (const char* host : {"far.example", "server"}) {
      WebSocketConnectOptions options;
      options.client.resolver = fix.network.names();
      options.client.proxies = {.http = "http://server:3128", .except = {"server"}};
      HTTPRequest request{.url = std::string("ws://") + host + "/echo-socket"};
      WebSocket socket = co_await websocket_connect(std::move(request), std::move(options));
      socket.send("x");
      EXPECT_TRUE(co_await socket.read());
    }
    EXPECT_EQ(proxy.accepted, 1);
    co_await proxy.close();
  });
  EXPECT_THAT(asked, HasSubstr("CONNECT far.example:80 "));
}

std::string refusal(HTTPRequest request, HTTPServerOptions server = {}) {
  std::string why;
  std::string asked;
  with_fixture(
      [&](Fixture& fix) -> Task<> {
        add_echo(fix);
        Peer refuses(fix.host.address(3128),
                     answers("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"));
        Peer relays(fix.host.address(1080), socks(asked, fix.host.address(80), true));
        WebSocketConnectOptions options;
        options.client.resolver = fix.network.names();
        try {
          co_await websocket_connect(std::move(request), std::move(options));
        } catch (const HTTPConnectError& error) {
          EXPECT_EQ(error.code(), 599);
          why = error.what();
        }
        co_await refuses.close();
        co_await relays.close();
      },
      {}, std::move(server));
  return why;
}

TEST(WebSocketConnect, RefusalsOfProxiesAndCertificatesAreTold) {
  EXPECT_THAT(refusal({.url = "ws://far.example/", .proxy_host = "http://server:3128"}),
              HasSubstr("the proxy refused: 407 Proxy Authentication Required"));
  EXPECT_THAT(refusal({.url = "ws://far.example/", .proxy_host = "socks5://ada:xx@server:1080"}),
              HasSubstr("does not accept the user or the password"));
  const TestAuthority authority("Test CA");
  const TestCertificate made = authority.issue({.dns_names = {"other"}});
  const auto secure = [&] {
    HTTPServerOptions server;
    server.tls = TLSContext::server(
        {.identities = {{.certificate_pem = made.certificate_pem, .key_pem = made.key_pem}}});
    return server;
  };
  EXPECT_THAT(refusal({.url = "wss://server:80/"}, secure()), HasSubstr("not trusted"));
  HTTPRequest wrong_name{.url = "wss://server:80/"};
  wrong_name.tls = TLSContext::client({.trust = {.ca_pem = authority.certificate_pem()}});
  EXPECT_THAT(refusal(std::move(wrong_name), secure()), HasSubstr("is for other"));
}

struct DeflateAnswer {
  const char* answer;
  bool right;
};

TEST(ReadDeflateAnswer, MustBeWhatWasOffered) {
  const WebSocketCompression offered{
      .forget_own_window = false, .forget_peer_window = true, .peer_window_bits = 12};
  EXPECT_EQ(offer_deflate(offered),
            "permessage-deflate; server_no_context_takeover; server_max_window_bits=12; "
            "client_max_window_bits");
  const DeflateAnswer cases[] = {
      {"permessage-deflate; server_no_context_takeover; server_max_window_bits=12", true},
      {"permessage-deflate; server_no_context_takeover; server_max_window_bits=9; "
       "client_max_window_bits=10; client_no_context_takeover",
       true},
      {"permessage-deflate; server_max_window_bits=12", false},
      {"permessage-deflate; server_no_context_takeover", false},
      {"permessage-deflate; server_no_context_takeover; server_max_window_bits=13", false},
      {"permessage-deflate; server_no_context_takeover; server_max_window_bits=12; "
       "client_max_window_bits",
       false},
      {"permessage-deflate; server_no_context_takeover; server_max_window_bits=12; "
       "client_max_window_bits=7",
       false},
      {"permessage-deflate; server_no_context_takeover; server_max_window_bits=12; unknown", false},
      {"permessage-bzip2", false},
  };
  for (const DeflateAnswer& each : cases) {
    EXPECT_EQ(read_deflate_answer(each.answer, offered).has_value(), each.right) << each.answer;
  }
}

}  // namespace
}  // namespace coronado
