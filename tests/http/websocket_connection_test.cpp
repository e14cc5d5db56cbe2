#include "http/websocket_connection.hpp"

#include <coronado/coro/timeout.hpp>
#include <coronado/testing/virtual_time.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/http/server_fixture.hpp"
#include "tests/http/websocket_wire.hpp"
#include "tests/testing/sim_peers.hpp"

namespace coronado {
namespace {

using namespace std::chrono_literals;
using http_test::close_payload;
using http_test::from_server;
using http_test::LogCatcher;
using http_test::wire;
using Opcode = WebSocketOpcode;

/// A listener that does what the test says, and writes down what it is told.
class Script final : public WebSocketListener {
 public:
  Task<> opened(WebSocketConnection& socket) override {
    connection = &socket;
    return on_open ? on_open(socket) : Task<>();
  }
  Task<> received(const WebSocketMessage& message) override {
    log += message.is_text ? "[text " : "[binary ";
    log.append(message.data).append("]");
    return on_message ? on_message(*connection, message) : Task<>();
  }
  void pinged(std::string_view data) override { log.append("[ping ").append(data).append("]"); }
  void ponged(std::string_view data) override { log.append("[pong ").append(data).append("]"); }
  void closed() override {
    log += "[closed " + std::to_string(connection->close_code()) + " " +
           connection->close_reason() + "]";
  }

  std::function<Task<>(WebSocketConnection&)> on_open;
  std::function<Task<>(WebSocketConnection&, const WebSocketMessage&)> on_message;
  WebSocketConnection* connection = nullptr;
  std::string log;
};

/// Hands everything on to a `Script` that outlives the connection.
class Relay final : public WebSocketListener {
 public:
  explicit Relay(Script& script) : script_(script) {}
  Task<> opened(WebSocketConnection& socket) override { return script_.opened(socket); }
  Task<> received(const WebSocketMessage& message) override { return script_.received(message); }
  void pinged(std::string_view data) override { script_.pinged(data); }
  void ponged(std::string_view data) override { script_.ponged(data); }
  void closed() override { script_.closed(); }

 private:
  Script& script_;
};

Task<> echo(WebSocketConnection& socket, const WebSocketMessage& message) {
  socket.send(message.is_text ? Opcode::kText : Opcode::kBinary, message.data, true, true);
  return {};
}

/// A server's end, and a client that sends what the test says; bytes come in pieces.
class WebSocketServerEnd : public testing::TestWithParam<std::size_t> {
 protected:
  void begin(WebSocketOptions options = {}, std::optional<DeflateAgreement> deflate = std::nullopt,
             std::string_view first = "") {
    MemoryTransportOptions channel;
    channel.piece = piece;
    auto [near, far] = make_memory_transports(loop, channel);
    client = std::make_unique<RawClient>(std::move(near));
    auto* connection = new WebSocketConnection(
        {.options = std::make_shared<const WebSocketOptions>(options), .deflate = deflate},
        std::make_unique<Relay>(script));
    alive.push_back(*connection);
    std::string bytes(first);
    far->pause_receive();
    connection->begin(loop, std::move(far), bytes);
  }

  std::string answer_to(std::string_view bytes) {
    client->send(bytes);
    return run(client->read_to_end());
  }

  template <class T>
  T run(Task<T> task) {
    return loop.run_sync(std::move(task), Duration(24h));
  }
  void settle() {
    run([]() -> Task<> { co_await sleep(1ms); }());
  }

  ~WebSocketServerEnd() override {
    alive.for_each([](UpgradedConnection& each) { each.cut(); });
    settle();
  }

  std::size_t piece = GetParam();
  LogCatcher log;
  IOLoop loop{{.reactor = ReactorKind::kSim}};
  Script script;
  std::unique_ptr<RawClient> client;
  IntrusiveList<UpgradedConnection> alive;
};

INSTANTIATE_TEST_SUITE_P(Pieces, WebSocketServerEnd, testing::Values(1, 3, 65536));

TEST_P(WebSocketServerEnd, EchoesAndClosesInOrder) {
  script.on_message = echo;
  begin();
  const std::string bytes = wire({.payload = "hello"}) +
                            wire({.opcode = Opcode::kBinary, .payload = std::string(300, 'x')}) +
                            wire({.opcode = Opcode::kPing, .payload = "are you there"}) +
                            wire({.opcode = Opcode::kPong, .payload = "yes"}) +
                            wire({.opcode = Opcode::kClose, .payload = close_payload(1000, "bye")});
  EXPECT_EQ(answer_to(bytes), from_server(Opcode::kText, "hello") +
                                  from_server(Opcode::kBinary, std::string(300, 'x')) +
                                  from_server(Opcode::kPong, "are you there") +
                                  from_server(Opcode::kClose, close_payload(1000)));
  EXPECT_EQ(script.log, "[text hello][binary " + std::string(300, 'x') +
                            "][ping are you there][pong yes][closed 1000 bye]");
}

TEST_P(WebSocketServerEnd, WhatCameBehindTheRequestIsNotLost) {
  script.on_message = echo;
  begin({}, std::nullopt, wire({.payload = "early"}));
  EXPECT_EQ(answer_to(wire({.opcode = Opcode::kClose})),
            from_server(Opcode::kText, "early") + from_server(Opcode::kClose, ""));
  EXPECT_EQ(script.log, "[text early][closed 1005 ]");
}

TEST_P(WebSocketServerEnd, ControlFramesComeBetweenTheFragments) {
  script.on_message = echo;
  begin();
  const std::string bytes = wire({.payload = "one ", .final = false}) +
                            wire({.opcode = Opcode::kPing, .payload = "p"}) +
                            wire({.opcode = Opcode::kContinuation, .payload = "two"}) +
                            wire({.opcode = Opcode::kClose, .payload = close_payload(3000)});
  EXPECT_EQ(answer_to(bytes), from_server(Opcode::kPong, "p") +
                                  from_server(Opcode::kText, "one two") +
                                  from_server(Opcode::kClose, close_payload(3000)));
}

TEST_P(WebSocketServerEnd, MessagesAreDealtWithOneAfterTheOther) {
  int inside = 0;
  script.on_message = [&](WebSocketConnection& socket, const WebSocketMessage& message) -> Task<> {
    EXPECT_EQ(++inside, 1);
    co_await sleep(1s);
    socket.send(Opcode::kText, message.data, true, true);  // its bytes are still there
    --inside;
  };
  begin();
  std::string bytes;
  std::string expected;
  for (int i = 0; i < 20; ++i) {
    bytes += wire({.payload = "message " + std::to_string(i)});
    expected += from_server(Opcode::kText, "message " + std::to_string(i));
  }
  bytes += wire({.opcode = Opcode::kClose, .payload = close_payload(1000)});
  EXPECT_EQ(answer_to(bytes), expected + from_server(Opcode::kClose, close_payload(1000)));
}

TEST_P(WebSocketServerEnd, PingsAreAnsweredWhileAMessageIsBeingDealtWith) {
  script.on_message = [](WebSocketConnection&, const WebSocketMessage&) -> Task<> {
    co_await sleep(1h);
  };
  begin();
  const TimePoint started = loop.now();
  client->send(wire({.payload = "long work"}) + wire({.opcode = Opcode::kPing, .payload = "p"}));
  const std::string pong = from_server(Opcode::kPong, "p");
  EXPECT_EQ(run(client->peek(pong.size())), pong);
  EXPECT_LT(loop.now() - started, 1min);
}

TEST_P(WebSocketServerEnd, ABusyHandlerSlowsItsPeerDown) {
  piece = std::max<std::size_t>(piece, 100);  // so much in single bytes takes its time
  script.on_message = [](WebSocketConnection&, const WebSocketMessage&) -> Task<> {
    co_await sleep(1h);
  };
  begin();
  for (int i = 0; i < 30; ++i) client->send(wire({.payload = std::string(60'000, 'x')}));
  settle();
  // All but what two messages, a buffer and the channel hold stays with the client.
  EXPECT_GT(client->transport().pending(), 1'000'000U);
}

TEST_P(WebSocketServerEnd, ReadGivesMessagesToATask) {
  std::string read;
  script.on_open = [&](WebSocketConnection& connection) -> Task<> {
    WebSocket socket(connection);
    while (const auto message = co_await socket.read()) {
      read.append(message->data).append(" ");
      co_await socket.send(*message);
    }
    read += std::to_string(socket.close_code());
  };
  begin();
  EXPECT_EQ(answer_to(wire({.payload = "a"}) + wire({.payload = "b"}) + wire({.payload = "c"}) +
                      wire({.opcode = Opcode::kClose, .payload = close_payload(1001)})),
            from_server(Opcode::kText, "a") + from_server(Opcode::kText, "b") +
                from_server(Opcode::kText, "c") + from_server(Opcode::kClose, close_payload(1001)));
  EXPECT_EQ(read, "a b c 1001");
}

TEST_P(WebSocketServerEnd, WhoeverNeverReadsAgainIsToldOfACloseAfterAWhile) {
  TimePoint told{};
  script.on_open = [&](WebSocketConnection& connection) -> Task<> {
    WebSocket socket(connection);
    co_await socket.read();
    co_await socket.closed();
    told = loop.now();
  };
  begin({.close_timeout = 3s});
  const TimePoint started = loop.now();
  EXPECT_EQ(answer_to(wire({.payload = "subscribe"}) +
                      wire({.opcode = Opcode::kClose, .payload = close_payload(1000)})),
            from_server(Opcode::kClose, close_payload(1000)));
  EXPECT_GE(told - started, 3s);
}

TEST_P(WebSocketServerEnd, MessagesBeforeTheEndOfTheConnectionAreStillRead) {
  std::string read;
  script.on_open = [&](WebSocketConnection& connection) -> Task<> {
    WebSocket socket(connection);
    co_await sleep(1s);
    while (const auto message = co_await socket.read()) read.append(message->data).append(" ");
    read += std::to_string(socket.close_code());
  };
  begin();
  client->send(wire({.payload = "a"}) + wire({.payload = "b"}) + wire({.payload = "c"}));
  client->shutdown_write();
  EXPECT_EQ(run(client->read_to_end()), "");
  EXPECT_EQ(read, "a b c 1006");
}

TEST_P(WebSocketServerEnd, ACancelledReadLosesNothing) {
  std::string read;
  script.on_open = [&](WebSocketConnection& connection) -> Task<> {
    WebSocket socket(connection);
    bool timed_out = false;
    try {
      co_await with_timeout(1s, socket.read());
    } catch (const TimeoutError&) {
      timed_out = true;
    }
    EXPECT_TRUE(timed_out);
    const auto message = co_await socket.read();
    read = message->data;
  };
  begin();
  run([]() -> Task<> { co_await sleep(2s); }());
  const std::string farewell = from_server(Opcode::kClose, close_payload(1000));
  client->send(wire({.payload = "late"}));
  EXPECT_EQ(run(client->peek(farewell.size())), farewell);
  EXPECT_EQ(read, "late");
}

TEST_P(WebSocketServerEnd, ClosingWaitsForThePeer) {
  script.on_message = [](WebSocketConnection& socket, const WebSocketMessage&) -> Task<> {
    socket.close(4000, "enough");
    EXPECT_FALSE(socket.is_open());
    EXPECT_THROW(socket.send(Opcode::kText, "more", true, true), WebSocketClosedError);
    return {};
  };
  begin();
  const std::string farewell = from_server(Opcode::kClose, close_payload(4000, "enough"));
  client->send(wire({.payload = "x"}));
  EXPECT_EQ(run(client->peek(farewell.size())), farewell);
  // A message that was on its way is dropped; the answer ends it.
  client->send(wire({.payload = "y"}) +
               wire({.opcode = Opcode::kClose, .payload = close_payload(4000)}));
  EXPECT_EQ(run(client->read_to_end()), farewell);
  EXPECT_EQ(script.log, "[text x][closed 4000 ]");
}

TEST_P(WebSocketServerEnd, APeerThatDoesNotAnswerACloseIsCut) {
  script.on_open = [](WebSocketConnection& socket) -> Task<> {
    socket.close(1000, "");
    return {};
  };
  begin({.close_timeout = 7s});
  const TimePoint started = loop.now();
  EXPECT_EQ(run(client->read_to_end()), from_server(Opcode::kClose, close_payload(1000)));
  EXPECT_GE(loop.now() - started, 7s);
  EXPECT_LT(loop.now() - started, 8s);
}

TEST_P(WebSocketServerEnd, WhatAHandlerThrowsIsLoggedAndClosesWith1011) {
  for (const bool later : {false, true}) {
    script.log.clear();
    script.on_message = [later](WebSocketConnection&, const WebSocketMessage&) -> Task<> {
      if (later) {
        return []() -> Task<> {
          co_await moment();
          throw std::runtime_error("out of luck");
        }();
      }
      throw std::runtime_error("out of luck");
    };
    begin();
    const std::string farewell = from_server(Opcode::kClose, close_payload(1011));
    client->send(wire({.payload = "x"}));
    EXPECT_EQ(run(client->peek(farewell.size())), farewell);
    EXPECT_EQ(answer_to(wire({.opcode = Opcode::kClose})), farewell);
  }
  EXPECT_EQ(log.count("uncaught exception in a WebSocket's handler: out of luck"), 2U);
}

struct Violation {
  const char* name;
  std::string bytes;
  int code;
};

std::vector<Violation> violations() {
  const std::string control(126, 'x');
  return {
      {"unmasked", wire({.payload = "x", .masked = false}), 1002},
      {"reserved bit", wire({.payload = "x", .compressed = true}), 1002},
      {"reserved opcode", wire({.opcode = static_cast<Opcode>(3), .payload = "x"}), 1002},
      {"reserved control opcode", wire({.opcode = static_cast<Opcode>(11)}), 1002},
      {"long ping", wire({.opcode = Opcode::kPing, .payload = control}), 1002},
      {"fragmented ping", wire({.opcode = Opcode::kPing, .final = false}), 1002},
      {"continuation of nothing", wire({.opcode = Opcode::kContinuation, .payload = "x"}), 1002},
      {"message inside a message", wire({.payload = "x", .final = false}) + wire({.payload = "y"}),
       1002},
      {"half a close code", wire({.opcode = Opcode::kClose, .payload = "x"}), 1002},
      {"close code 999", wire({.opcode = Opcode::kClose, .payload = close_payload(999)}), 1002},
      {"close code 1005", wire({.opcode = Opcode::kClose, .payload = close_payload(1005)}), 1002},
      {"close code 5000", wire({.opcode = Opcode::kClose, .payload = close_payload(5000)}), 1002},
      {"reason is no text",
       wire({.opcode = Opcode::kClose, .payload = close_payload(1000, "\xff")}), 1007},
      {"text is no text", wire({.payload = "caf\xe9"}), 1007},
      {"text fails fast", wire({.payload = "\xce\xba\xe1\xbd\xb9\xf4\x90", .final = false}), 1007},
      {"too big", wire({.payload = std::string(1001, 'x')}), 1009},
      {"too big in fragments",
       wire({.payload = std::string(600, 'x'), .final = false}) +
           wire({.opcode = Opcode::kContinuation, .payload = std::string(600, 'x')}),
       1009},
  };
}

TEST_P(WebSocketServerEnd, RulesThatAreBrokenCloseWithTheirCode) {
  for (const Violation& each : violations()) {
    SCOPED_TRACE(each.name);
    script.log.clear();
    log.lines.clear();
    begin({.max_message_size = 1000});
    const std::string all = answer_to(each.bytes);
    // A fragment that is valid so far may have to be followed by the peer going on.
    ASSERT_GE(all.size(), 4U);
    EXPECT_EQ(all.substr(2, 2), close_payload(each.code));
    EXPECT_TRUE(script.log.starts_with("[closed " + std::to_string(each.code)));
    EXPECT_EQ(log.count("a WebSocket is closed with " + std::to_string(each.code)), 1U);
  }
}

TEST_P(WebSocketServerEnd, AnotherProtocolErrorAfterOurCloseIsNotAnswered) {
  script.on_message = [](WebSocketConnection& socket, const WebSocketMessage&) -> Task<> {
    socket.close(1000, "");
    return {};
  };
  begin();
  EXPECT_EQ(answer_to(wire({.payload = "x"}) + wire({.payload = "y", .masked = false})),
            from_server(Opcode::kClose, close_payload(1000)));
}

TEST_P(WebSocketServerEnd, SilenceIsAnsweredWithPingsAndThenTheEnd) {
  begin({.ping_interval = 10s, .ping_timeout = 4s});
  const TimePoint started = loop.now();
  const std::string ping = from_server(Opcode::kPing, "");
  EXPECT_EQ(run(client->peek(ping.size())), ping);
  EXPECT_GE(loop.now() - started, 10s);
  client->send(wire({.opcode = Opcode::kPong}));
  EXPECT_EQ(run(client->read_to_end()), ping + ping);
  // 10 s, answered; another 10 s of silence, and 4 s without an answer.
  EXPECT_GE(loop.now() - started, 24s);
  EXPECT_LT(loop.now() - started, 25s);
  EXPECT_EQ(script.log, "[pong ][closed 1006 ping timed out]");
}

TEST_P(WebSocketServerEnd, WhoeverTalksIsNotPinged) {
  script.on_message = echo;
  begin({.ping_interval = 10s});
  for (int i = 0; i < 10; ++i) {
    client->send(wire({.payload = "x"}));
    run([]() -> Task<> { co_await sleep(6s); }());
  }
  client->send(wire({.opcode = Opcode::kClose}));
  std::string expected;
  for (int i = 0; i < 10; ++i) expected += from_server(Opcode::kText, "x");
  EXPECT_EQ(run(client->read_to_end()), expected + from_server(Opcode::kClose, ""));
}

TEST_P(WebSocketServerEnd, DrainingSaysGoingAwayAndCuttingEndsTasks) {
  begin();
  script.connection->drain();
  const std::string farewell =
      from_server(Opcode::kClose, close_payload(1001, "the server is shutting down"));
  EXPECT_EQ(run(client->peek(farewell.size())), farewell);
  client->send(wire({.opcode = Opcode::kClose, .payload = close_payload(1001)}));
  EXPECT_EQ(run(client->read_to_end()), farewell);

  bool cancelled = false;
  script.on_open = [&](WebSocketConnection&) -> Task<> {
    try {
      co_await sleep(1h);
    } catch (const Cancelled&) {
      cancelled = true;
      throw;
    }
  };
  begin();
  script.connection->cut();
  EXPECT_EQ(run(client->read_to_end()), "");
  settle();
  EXPECT_TRUE(cancelled);
}

TEST_P(WebSocketServerEnd, SendersWaitForASlowPeer) {
  piece = std::max<std::size_t>(piece, 100);  // so much in single bytes takes its time
  std::size_t sent = 0;
  bool done = false;
  script.on_open = [&](WebSocketConnection& connection) -> Task<> {
    WebSocket socket(connection);
    for (; sent < 20; ++sent) co_await socket.send_binary(std::string(60'000, 'x'));
    done = true;
  };
  begin();
  client->transport().pause_receive();
  settle();
  EXPECT_GT(sent, 0U);
  EXPECT_LT(sent, 10U);
  client->transport().resume_receive();
  run(client->read_to_end());  // the task ends, and with it the connection
  EXPECT_TRUE(done);
  EXPECT_EQ(sent, 20U);
}

TEST_P(WebSocketServerEnd, WhoeverWaitsToSendIsToldOfTheEnd) {
  bool told = false;
  script.on_open = [&](WebSocketConnection& connection) -> Task<> {
    WebSocket socket(connection);
    try {
      for (;;) co_await socket.send_binary(std::string(60'000, 'x'));
    } catch (const WebSocketClosedError&) {
      told = true;
    }
  };
  begin();
  client->transport().pause_receive();
  settle();
  EXPECT_FALSE(told);
  client->close();
  settle();
  EXPECT_TRUE(told);
}

TEST_P(WebSocketServerEnd, TheQueueOfMessagesHasABound) {
  const auto fill = [](WebSocketConnection& socket) {
    for (int i = 0; i < 100 && socket.is_open(); ++i) {
      socket.send(Opcode::kBinary, std::string(10'000, 'x'), true, true);
    }
  };
  const auto begin_with = [&](WebSocketOverflow overflow) {
    script.log.clear();
    begin({.max_buffered = 50'000, .overflow = overflow});
    client->transport().pause_receive();
    for (int i = 0; i < 40; ++i) {  // what the channel itself holds
      script.connection->send(Opcode::kBinary, std::string(10'000, 'x'), true, true);
      if (script.connection->buffered_amount() > 40'000) break;
    }
  };
  begin_with(WebSocketOverflow::kThrow);
  EXPECT_THROW(fill(*script.connection), QueueFull);
  client->close();
  settle();
  begin_with(WebSocketOverflow::kDrop);
  fill(*script.connection);
  EXPECT_GT(script.connection->dropped(), 90U);
  client->close();
  settle();
  begin_with(WebSocketOverflow::kClose);
  fill(*script.connection);
  EXPECT_EQ(script.log, "");  // not from inside `send`
  settle();
  EXPECT_EQ(script.log, "[closed 1006 ]");
  EXPECT_EQ(log.count("does not keep up"), 1U);
}

/// RFC 6455 5.5.3: to answer the last of several pings is enough.
TEST_P(WebSocketServerEnd, WhoPingsAndDoesNotReadIsAnsweredOnceHeReads) {
  piece = std::max<std::size_t>(piece, 100);
  begin();
  client->transport().pause_receive();
  std::string pings;
  constexpr int kCount = 10'000;
  for (int i = 0; i < kCount; ++i) {
    std::string payload = std::to_string(i);
    payload.resize(125, '.');
    pings += wire({.opcode = Opcode::kPing, .payload = std::move(payload)});
  }
  client->send(pings);
  settle();
  EXPECT_NE(script.log.find("[ping 9999."), std::string::npos);
  EXPECT_LT(script.connection->buffered_amount(), 70'000U);
  client->transport().resume_receive();
  settle();
  script.connection->close(1000, {});
  const std::string answers = run(client->read_to_end());
  const std::size_t last = answers.find("9999.");
  EXPECT_NE(last, std::string::npos);
  EXPECT_EQ(last, answers.rfind('\x8a') + 2);  // and no other pong is behind it
  EXPECT_EQ(answers.find("9998."), std::string::npos);
}

// --- permessage-deflate ------------------------------------------------------------------------

TEST_P(WebSocketServerEnd, CompressesBothWays) {
  for (const bool forgets : {false, true}) {
    script.on_message = echo;
    begin({.compression = WebSocketCompression{.threshold = 10}},
          DeflateAgreement{.server_forgets = forgets, .client_forgets = forgets});
    auto deflate = make_compressor(Coding::kRawDeflate);
    auto inflate = make_decompressor(Coding::kRawDeflate);
    const std::string text(500, 'y');
    std::string expected = from_server(Opcode::kText, "short");
    client->send(wire({.payload = "short"}));
    for (int i = 0; i < 3; ++i) {
      std::string payload;
      deflate->append(text, Compressor::Flush::kSync, payload);
      payload.resize(payload.size() - 4);
      if (forgets) deflate->reset();
      const std::size_t half = payload.size() / 2;
      client->send(wire({.payload = payload.substr(0, half), .final = false, .compressed = true}) +
                   wire({.opcode = Opcode::kPing}) +
                   wire({.opcode = Opcode::kContinuation, .payload = payload.substr(half)}));
    }
    client->send(wire({.opcode = Opcode::kClose}));
    const std::string all = run(client->read_to_end());
    ASSERT_TRUE(all.starts_with(expected));
    // Three pongs, three compressed messages.
    std::size_t at = expected.size();
    int messages = 0;
    while (at < all.size()) {
      WebSocketFrameHead head;
      const auto result = read_frame_head(std::string_view(all).substr(at), head);
      ASSERT_EQ(result.status, WebSocketHeadResult::Status::kHead);
      if (head.opcode == Opcode::kText) {
        EXPECT_TRUE(head.compressed);
        EXPECT_LT(head.size, 100U);
        std::string payload = all.substr(at + result.consumed, head.size);
        payload.append("\0\0\xff\xff", 4);
        std::string decoded;
        inflate->append(payload, 10'000, decoded);
        EXPECT_EQ(decoded, text);
        if (forgets) inflate->reset();
        ++messages;
      }
      at += result.consumed + head.size;
    }
    EXPECT_EQ(messages, 3);
  }
}

TEST_P(WebSocketServerEnd, AMessageThatGrowsTooBigIsRefused) {
  begin({.max_message_size = 10'000, .compression = WebSocketCompression{}}, DeflateAgreement{});
  auto deflate = make_compressor(Coding::kRawDeflate);
  std::string payload;
  deflate->append(std::string(1'000'000, 'x'), Compressor::Flush::kSync, payload);
  payload.resize(payload.size() - 4);
  ASSERT_LT(payload.size(), 2'000U);
  const std::string all = answer_to(wire({.payload = payload, .compressed = true}));
  ASSERT_GE(all.size(), 4U);
  EXPECT_EQ(all.substr(2, 2), close_payload(1009));
}

// --- both ends -----------------------------------------------------------------------------------

TEST(WebSocketEnds, AClientMasksAndTheServerUnderstands) {
  const LogCatcher log;
  IOLoop loop({.reactor = ReactorKind::kSim});
  auto [near, far] = make_memory_transports(loop, {.piece = 7});
  Script script;
  script.on_message = echo;
  const auto options = std::make_shared<const WebSocketOptions>(
      WebSocketOptions{.compression = WebSocketCompression{.threshold = 30}});
  const DeflateAgreement deflate{.client_window_bits = 10};
  auto* server = new WebSocketConnection({.options = options, .deflate = deflate},
                                         std::make_unique<Relay>(script));
  far->pause_receive();
  server->begin(loop, std::move(far), {});
  auto* end = new WebSocketConnection({.is_server = false, .options = options, .deflate = deflate},
                                      nullptr);
  WebSocket client(*end);
  near->pause_receive();
  end->begin(loop, std::move(near), {});

  loop.run_sync([](WebSocket& socket) -> Task<> {
    for (const std::size_t size : {0, 1, 125, 126, 65535, 65536, 200'000}) {
      std::string text(size, 'z');
      for (std::size_t i = 0; i < size; i += 3) text[i] = static_cast<char>('a' + i % 23);
      socket.send(text);
      const auto answer = co_await socket.read();
      EXPECT_TRUE(answer && answer->data == text && answer->is_text) << size;
    }
    socket.close(1000, "done");
    EXPECT_FALSE(co_await socket.read());
    co_await socket.closed();
    EXPECT_EQ(socket.close_code(), 1000);
  }(client));
  EXPECT_TRUE(script.log.ends_with("[closed 1000 done]"));
}

// Whether a channel has a descriptor says nothing about whether it can hold small frames back.
TEST(WebSocketEnds, NodelayReachesASimulatedConnection) {
  const LogCatcher log;
  Script script;
  sim_test::Net net({.link = {.latency = 10ms}});
  sim_test::Listener listener(net, net.server, 80);
  std::unique_ptr<Transport> transport = net.connect(net.server.address(80));
  auto* end = new WebSocketConnection({.options = std::make_shared<const WebSocketOptions>()},
                                      std::make_unique<Relay>(script));
  transport->pause_receive();
  end->begin(net.loop, std::move(transport), {});
  settle(net.loop);
  const std::string& came = listener.accepted.at(0)->received;
  const std::string one = from_server(Opcode::kText, "one");
  const std::string two = from_server(Opcode::kText, "two");

  end->set_nodelay(false);
  for (const char* text : {"one", "two"}) end->send(Opcode::kText, text, false, true);
  run_for(net.loop, 11ms);
  EXPECT_EQ(came, one);
  run_for(net.loop, 10ms);  // the acknowledgement comes back
  EXPECT_EQ(came, one);
  run_for(net.loop, 10ms);
  EXPECT_EQ(came, one + two);
  run_for(net.loop, 20ms);

  end->set_nodelay(true);
  for (const char* text : {"one", "two"}) end->send(Opcode::kText, text, false, true);
  run_for(net.loop, 11ms);
  EXPECT_EQ(came, one + two + one + two);
  end->cut();
}

TEST(WebSocketEnds, NobodyHoldsItAnyMoreAndItsLoopCloses) {
  const LogCatcher log;
  Script script;
  for (const Duration timeout : {Duration(5s), Duration(0)}) {
    script.log.clear();
    {
      IOLoop loop({.reactor = ReactorKind::kSim});
      auto [near, far] = make_memory_transports(loop, {});  // the far one never answers
      auto* end = new WebSocketConnection({.is_server = false,
                                           .options = std::make_shared<const WebSocketOptions>(
                                               WebSocketOptions{.close_timeout = timeout})},
                                          std::make_unique<Relay>(script));
      near->pause_receive();
      loop.run_sync(
          [](WebSocketConnection& of, IOLoop& on, std::unique_ptr<Transport> by) -> Task<> {
            const WebSocket socket(of);
            of.begin(on, std::move(by), {});
            co_return;
          }(*end, loop, std::move(near)));
      EXPECT_EQ(script.log, "");
    }
    EXPECT_EQ(script.log, "[closed 1000 ]");
  }
}

}  // namespace
}  // namespace coronado
