#include <coronado/http/websocket_reconnect.hpp>

#include <coronado/coro/task_group.hpp>
#include <coronado/coro/timeout.hpp>

#include <memory>
#include <string>
#include <vector>

#include "tests/http/websocket_peer.hpp"

namespace coronado {
namespace {

using namespace client_test;
using http_test::close_payload;
using http_test::from_server;
using Opcode = WebSocketOpcode;

/// A host "peer" whose connections do what the script says.
void with_server(Peer::Script script, std::function<Task<>(SimNetwork&, Peer&)> body) {
  run_async([&]() -> Task<> {
    SimNetwork network(*IOLoop::current());
    SimHost& host = network.add_host("peer");
    Peer peer(host.address(80), std::move(script));
    co_await body(network, peer);
    co_await peer.close();
  });
}

/// Pauses of 1, 2, 4, ... seconds, so that a test is exact.
WebSocketReconnectOptions steady(SimNetwork& network) {
  WebSocketReconnectOptions options;
  options.connect.client.resolver = network.names();
  options.backoff = {.first = 1s, .longest = 60s, .jitter = Jitter::kNone};
  return options;
}

Task<std::string> next(ReconnectingWebSocket& feed) {
  const auto message = co_await feed.read();
  co_return message ? std::string(message->data) : "over";
}

Duration since(TimePoint begin) { return IOLoop::current()->now() - begin; }

TEST(ReconnectingWebSocket, ComesBackAndSubscribesAgain) {
  std::vector<std::string> subscribed;
  int number = 0;
  with_server(
      [&](IOStream& stream) -> Task<> {
        co_await upgrade(stream, kRight);
        std::string frame = co_await stream.read_bytes(2 + 4 + 3);  // "abc", masked
        apply_mask(std::span<char>(frame).subspan(6), {frame[2], frame[3], frame[4], frame[5]});
        subscribed.push_back(frame.substr(6));
        co_await stream.write(from_server(Opcode::kText, "message " + std::to_string(++number)));
        if (number == 3) co_await stream.read_until_close();
      },
      [&](SimNetwork& network, Peer& peer) -> Task<> {
        std::vector<WebSocketRetry> retries;
        WebSocketReconnectOptions options = steady(network);
        options.on_connect = [](WebSocket& socket) -> Task<> { co_await socket.send("abc"); };
        options.on_retry = [&](const WebSocketRetry& retry) { retries.push_back(retry); };
        ReconnectingWebSocket feed("ws://peer/", std::move(options));
        EXPECT_FALSE(feed.is_open());
        EXPECT_THROW(feed.send("x"), WebSocketClosedError);
        const TimePoint begin = IOLoop::current()->now();
        EXPECT_EQ(co_await next(feed), "message 1");
        EXPECT_TRUE(feed.is_open());
        EXPECT_EQ(co_await next(feed), "message 2");
        EXPECT_EQ(co_await next(feed), "message 3");
        EXPECT_EQ(feed.connects(), 3U);
        EXPECT_EQ(peer.accepted, 3);
        EXPECT_GE(since(begin), 3s);  // 1 and 2
        EXPECT_LT(since(begin), 4s);
        if (retries.size() == 2) {
          EXPECT_EQ(retries[1].failures, 2);
          EXPECT_EQ(retries[1].pause, Duration(2s));
          EXPECT_EQ(retries[1].close_code, 1006);
          EXPECT_EQ(retries[1].error, nullptr);
        } else {
          ADD_FAILURE() << retries.size();
        }
      });
  EXPECT_EQ(subscribed, std::vector<std::string>(3, "abc"));
}

TEST(ReconnectingWebSocket, AConnectionThatLastedBeginsAnew) {
  with_server(
      [](IOStream& stream) -> Task<> {
        co_await upgrade(stream, kRight);
        co_await sleep(10s);
      },
      [](SimNetwork& network, Peer& peer) -> Task<> {
        WebSocketReconnectOptions options = steady(network);
        options.max_failures = 2;
        int retries = 0;
        options.on_retry = [&](const WebSocketRetry& retry) {
          EXPECT_EQ(retry.failures, 1);
          EXPECT_EQ(retry.pause, Duration(1s));
          ++retries;
        };
        ReconnectingWebSocket feed("ws://peer/", std::move(options));
        bool timed_out = false;
        try {
          co_await with_timeout(100s, next(feed));
        } catch (const TimeoutError&) {
          timed_out = true;
        }
        EXPECT_TRUE(timed_out);
        EXPECT_EQ(retries, 9);
        EXPECT_EQ(peer.accepted, 10);
      });
}

TEST(ReconnectingWebSocket, GivesUpAfterSoManyFailures) {
  run_async([]() -> Task<> {
    SimNetwork network(*IOLoop::current());
    network.add_host("peer");  // nobody listens
    WebSocketReconnectOptions options = steady(network);
    options.max_failures = 4;
    int retries = 0;
    options.on_retry = [&](const WebSocketRetry& retry) {
      EXPECT_NE(retry.error, nullptr);
      ++retries;
    };
    ReconnectingWebSocket feed("ws://peer/", std::move(options));
    for (int i = 1; i <= 2; ++i) {  // who reads again begins anew
      const TimePoint begin = IOLoop::current()->now();
      bool failed = false;
      try {
        co_await feed.read();
      } catch (const HTTPConnectError&) {
        failed = true;
      }
      EXPECT_TRUE(failed);
      EXPECT_EQ(retries, 3 * i);
      EXPECT_GE(since(begin), 7s);
      EXPECT_LT(since(begin), 8s);
    }
  });
}

TEST(ReconnectingWebSocket, AServerThatClosesAtOnceIsAFailure) {
  with_server([](IOStream& stream) -> Task<> { co_await upgrade(stream, kRight); },
              [](SimNetwork& network, Peer& peer) -> Task<> {
                WebSocketReconnectOptions options = steady(network);
                options.max_failures = 3;
                ReconnectingWebSocket feed("ws://peer/", std::move(options));
                bool closed = false;
                try {
                  co_await feed.read();
                } catch (const WebSocketClosedError&) {
                  closed = true;
                }
                EXPECT_TRUE(closed);
                EXPECT_EQ(peer.accepted, 3);
                EXPECT_EQ(feed.socket(), nullptr);
              });
}

/// What another attempt would not help against comes through at once; what may pass is tried again.
TEST(ReconnectingWebSocket, WhichFailuresAreRetried) {
  struct Case {
    const char* answer;
    int attempts;
  };
  for (const Case& each :
       {Case{"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", 1},
        Case{"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 1},
        Case{"HTTP/1.1 101 S\r\nUpgrade: other\r\n\r\n", 1}, Case{"nothing of HTTP", 1},
        Case{"HTTP/1.1 429 Slow down\r\nContent-Length: 0\r\n\r\n", 3},
        Case{"HTTP/1.1 503 Not now\r\nContent-Length: 0\r\n\r\n", 3}, Case{"", 3}}) {
    SCOPED_TRACE(each.answer);
    with_server(answers(each.answer), [&](SimNetwork& network, Peer& peer) -> Task<> {
      WebSocketReconnectOptions options = steady(network);
      options.max_failures = 3;
      ReconnectingWebSocket feed("ws://peer/", std::move(options));
      bool failed = false;
      try {
        co_await feed.read();
      } catch (const HTTPClientError&) {
        failed = true;
      }
      EXPECT_TRUE(failed);
      EXPECT_EQ(peer.accepted, each.attempts);
    });
  }
  with_server(answers("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"),
              [](SimNetwork& network, Peer& peer) -> Task<> {
                WebSocketReconnectOptions options = steady(network);
                options.max_failures = 2;
                options.retry_if = retry_on<HTTPClientError>();
                ReconnectingWebSocket feed("ws://peer/", std::move(options));
                bool failed = false;
                try {
                  co_await feed.read();
                } catch (const HTTPClientError&) {
                  failed = true;
                }
                EXPECT_TRUE(failed);
                EXPECT_EQ(peer.accepted, 2);
              });
}

Peer::Script closes_with(int code) {
  return [code](IOStream& stream) -> Task<> {
    co_await upgrade(stream, kRight, from_server(Opcode::kClose, close_payload(code, "why")));
  };
}

TEST(ReconnectingWebSocket, ANormalCloseIsTheEnd) {
  with_server(closes_with(1000), [](SimNetwork& network, Peer& peer) -> Task<> {
    ReconnectingWebSocket feed("ws://peer/", steady(network));
    EXPECT_EQ(co_await next(feed), "over");
    EXPECT_EQ(co_await next(feed), "over");
    EXPECT_EQ(peer.accepted, 1);
  });
  with_server(closes_with(4001), [](SimNetwork& network, Peer& peer) -> Task<> {
    WebSocketReconnectOptions options = steady(network);
    std::string asked;
    options.retry_on_close = [&](std::uint16_t code, std::string_view reason) {
      asked += std::to_string(code) + " " + std::string(reason) + ";";
      return asked.size() < 20;
    };
    ReconnectingWebSocket feed("ws://peer/", std::move(options));
    EXPECT_EQ(co_await next(feed), "over");
    EXPECT_EQ(asked, "4001 why;4001 why;4001 why;");
    EXPECT_EQ(peer.accepted, 3);
  });
}

/// A cancelled read does not shorten the pause, nor begin it again.
TEST(ReconnectingWebSocket, CancellingEndsAPauseAndAnAttempt) {
  with_server(
      [](IOStream& stream) -> Task<> { co_await stream.read_until_close(); },  // never answers
      [](SimNetwork& network, Peer& peer) -> Task<> {
        WebSocketReconnectOptions options = steady(network);
        options.backoff.first = 10s;
        ReconnectingWebSocket feed(
            [] { return HTTPRequest{.url = "ws://peer/", .request_timeout = 5s}; },
            std::move(options));
        const TimePoint begin = IOLoop::current()->now();
        // 2 s of an attempt that is given up; then attempts from 2 s to 7 s and from 17 s to 22 s.
        for (const Duration limit : {Duration(2s), Duration(8s), Duration(8s)}) {
          bool timed_out = false;
          try {
            co_await with_timeout(limit, feed.read());
          } catch (const TimeoutError&) {
            timed_out = true;
          }
          EXPECT_TRUE(timed_out);
        }
        EXPECT_GE(since(begin), Duration(18s));
        EXPECT_LT(since(begin), Duration(19s));
        EXPECT_EQ(peer.accepted, 3);
        co_await sleep(1s);
        EXPECT_EQ(network.open_transports(), 0U);
      });
}

TEST(ReconnectingWebSocket, ClosingEndsWhateverGoesOn) {
  // A pause, an attempt, a connection that is read.
  const Peer::Script scripts[] = {
      answers("HTTP/1.1 503 Not now\r\nContent-Length: 0\r\n\r\n"),
      [](IOStream& stream) -> Task<> { co_await stream.read_until_close(); },
      upgrades(nullptr, kRight)};
  for (const Peer::Script& script : scripts) {
    with_server(script, [](SimNetwork& network, Peer& peer) -> Task<> {
      WebSocketReconnectOptions options = steady(network);
      options.backoff.first = 10s;
      ReconnectingWebSocket feed("ws://peer/", std::move(options));
      const auto wait = [](ReconnectingWebSocket& of) -> Task<std::string> {
        try {
          co_await of.connected();
        } catch (const WebSocketClosedError&) {
          co_return "closed";
        }
        co_return "connected";
      };
      const auto stop = [](ReconnectingWebSocket& of) -> Task<> {
        co_await sleep(3s);
        of.close(1001, "enough");
      };
      const TimePoint begin = IOLoop::current()->now();
      const auto all = co_await multi(next(feed), wait(feed), stop(feed));
      EXPECT_EQ(std::get<0>(all), "over");
      EXPECT_EQ(std::get<1>(all), feed.connects() == 0 ? "closed" : "connected");
      EXPECT_GE(since(begin), 3s);
      EXPECT_LT(since(begin), 4s);
      EXPECT_EQ(peer.accepted, 1);
      EXPECT_EQ(co_await next(feed), "over");
    });
  }
}

TEST(ReconnectingWebSocket, WhatOnConnectThrowsIsAFailure) {
  with_server(upgrades(nullptr, kRight), [](SimNetwork& network, Peer& peer) -> Task<> {
    WebSocketReconnectOptions options = steady(network);
    int calls = 0;
    options.on_connect = [&](WebSocket&) -> Task<> {
      if (++calls == 1) throw TimeoutError();
      throw std::runtime_error("no use");
    };
    ReconnectingWebSocket feed("ws://peer/", std::move(options));
    std::string why;
    try {
      co_await feed.read();
    } catch (const std::runtime_error& error) {
      why = error.what();
    }
    EXPECT_EQ(why, "no use");
    EXPECT_EQ(peer.accepted, 2);
    EXPECT_EQ(feed.connects(), 0U);
    EXPECT_EQ(feed.socket(), nullptr);
  });
}

TEST(ReconnectingWebSocket, OneTaskReads) {
  with_server(upgrades(nullptr, kRight), [](SimNetwork& network, Peer&) -> Task<> {
    ReconnectingWebSocket feed("ws://peer/", steady(network));
    const auto second = [](ReconnectingWebSocket& of) -> Task<> {
      bool refused = false;
      co_await sleep(1s);
      try {
        co_await of.read();
      } catch (const std::logic_error&) {
        refused = true;
      }
      EXPECT_TRUE(refused);
      of.close();
    };
    co_await multi(next(feed), second(feed));
  });
  WebSocketReconnectOptions wrong;
  wrong.max_failures = -1;
  EXPECT_THROW(ReconnectingWebSocket("ws://peer/", std::move(wrong)), std::invalid_argument);
}

}  // namespace
}  // namespace coronado
