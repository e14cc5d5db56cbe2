#include <coronado/http/websocket_client.hpp>

#include <coronado/coro/timeout.hpp>

#include "http/websocket_handshake.hpp"
#include "tests/http/client_fixture.hpp"
#include "tests/http/websocket_wire.hpp"

namespace coronado {
namespace {

using namespace client_test;
using http_test::from_server;

/// What the key in a request's head is to be answered with.
std::string accept_for(const std::string& head) {
  const std::string_view name = "Sec-Websocket-Key: ";
  std::size_t at = head.find("Sec-WebSocket-Key: ");
  if (at == std::string::npos) at = head.find(name);
  if (at == std::string::npos) return "no key";
  at += name.size();
  return websocket_accept(head.substr(at, head.find('\r', at) - at));
}

/// A server that answers 101 with these fields ("{accept}" stands for the right value) and these
/// bytes behind them, and keeps the request.
Peer::Script upgrades(std::string* asked, std::string fields, std::string behind = {}) {
  return [=](IOStream& stream) -> Task<> {
    const std::string head = co_await stream.read_until("\r\n\r\n");
    if (asked != nullptr) *asked = head;
    std::string text = "HTTP/1.1 101 Switching Protocols\r\n" + fields + "\r\n";
    if (const std::size_t at = text.find("{accept}"); at != text.npos) {
      text.replace(at, 8, accept_for(head));
    }
    co_await stream.write(text + behind);
    co_await stream.read_until_close();
  };
}

constexpr const char* kRight =
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n";

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

Task<WebSocket> connect(SimNetwork& network, WebSocketConnectOptions options = {},
                        HTTPRequest request = {}) {
  options.client.resolver = network.names();
  if (request.url.empty()) request.url = "ws://peer/chat?room=1";
  return websocket_connect(std::move(request), std::move(options));
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
       "client_max_window_bits=8",
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
