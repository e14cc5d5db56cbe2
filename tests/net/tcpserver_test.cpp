#include <coronado/net/tcpserver.hpp>

#include <coronado/base/error.hpp>
#include <coronado/coro/timeout.hpp>
#include <coronado/net/tls_stream.hpp>
#include <coronado/testing/async_test.hpp>
#include <coronado/testing/memory_transport.hpp>
#include <coronado/testing/raw_client.hpp>

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/net/tls_fixture.hpp"

namespace coronado {
namespace {

using namespace std::chrono_literals;

template <class Body>
void run(Body body, ReactorKind reactor = ReactorKind::kSim) {
  run_async(body, {.reactor = reactor});
}

Task<> echo(TCPStream stream) {
  for (;;) {
    const std::string bytes = co_await stream.read_some();
    if (bytes.empty()) co_return;
    co_await stream.write(bytes);
  }
}

/// A connection in memory.
IOStream connect(TCPServer& server) {
  IOLoop& loop = *IOLoop::current();
  auto [near, far] = make_memory_transports(loop);
  server.serve(std::move(near));
  return IOStream(loop, std::move(far));
}

TEST(TCPServer, ServesConnectionsSideBySide) {
  run(
      []() -> Task<> {
        IOLoop& loop = *IOLoop::current();
        TCPServer server(loop, echo);
        server.listen(0, {.address = "127.0.0.1"});
        std::vector<TCPStream> clients;
        for (int i = 0; i < 20; ++i) {
          clients.emplace_back(loop, connect_loopback(loop, server.port()));
          co_await clients.back().write(std::to_string(i) + "\n");
        }
        for (int i = 0; i < 20; ++i) {
          EXPECT_EQ(co_await clients[static_cast<std::size_t>(i)].read_until("\n"),
                    std::to_string(i) + "\n");
        }
        EXPECT_EQ(server.connection_count(), 20U);
        server.stop();
        co_await clients[0].write("after stop\n");
        EXPECT_EQ(co_await clients[0].read_until("\n"), "after stop\n");
        clients.clear();
        EXPECT_TRUE(co_await server.drain(loop.now() + 5s));
        EXPECT_EQ(server.connection_count(), 0U);
      },
      ReactorKind::kEpoll);
}

TEST(TCPServer, AClassMayOverrideTheHandler) {
  class Greeter final : public TCPServer {
   public:
    explicit Greeter(IOLoop& loop) : TCPServer(loop) {}

   private:
    Task<> handle_stream(TCPStream stream) override {
      co_await stream.write("hello " + to_string(stream.peer()));
      co_await stream.shutdown();
    }
  };
  run([]() -> Task<> {
    Greeter server(*IOLoop::current());
    IOStream client = connect(server);
    EXPECT_EQ(co_await client.read_until_close(), "hello 127.0.0.1:40000");
    co_await server.close();
  });
}

TEST(TCPServer, AFailureIsLoggedWithThePeerAndConcernsNobodyElse) {
  run([]() -> Task<> {
    TCPServer server(*IOLoop::current(), [](TCPStream stream) -> Task<> {
      const std::string word = co_await stream.read_until("\n");
      if (word == "fail\n") throw std::runtime_error("as you wish");
      co_await stream.read_bytes(1000);  // throws StreamClosedError, of which nobody is told
    });
    IOStream bad = connect(server);
    IOStream good = connect(server);
    co_await good.write("stay\n");
    ExpectLog log("error in the handler of 127.0.0.1:40000: as you wish");
    co_await bad.write("fail\n");
    EXPECT_EQ(co_await bad.read_some(), "");
    EXPECT_EQ(log.count(), 1U);
    EXPECT_EQ(server.connection_count(), 1U);
    good.close();
    co_await server.close();
  });
}

TEST(TCPServer, APeerThatExceedsALimitCostsOneWarning) {
  run([]() -> Task<> {
    TCPServer server(*IOLoop::current(), [](TCPStream stream) -> Task<> {
      co_await stream.read_until("\n", 10);
      co_await stream.write("a line\n");
    });
    IOStream bad = connect(server);
    IOStream good = connect(server);
    ExpectLog log(
        "warning coronado.general: 127.0.0.1:40000 sent more than it may: the delimiter did not "
        "come within max_bytes (10)");
    co_await bad.write("far too long\n");
    EXPECT_EQ(co_await bad.read_some(), "");
    while (server.connection_count() == 2) co_await moment();
    EXPECT_EQ(log.count(), 1U);
    co_await good.write("short\n");
    EXPECT_EQ(co_await good.read_until_close(), "a line\n");
    co_await server.close();
  });
}

TEST(TCPServer, DrainWaitsAndThenCancels) {
  run([]() -> Task<> {
    IOLoop& loop = *IOLoop::current();
    int cancelled = 0;
    TCPServer server(loop, [&cancelled](TCPStream stream) -> Task<> {
      try {
        co_await echo(std::move(stream));
      } catch (const Cancelled&) {
        ++cancelled;
        throw;
      }
    });
    IOStream one = connect(server);
    IOStream two = connect(server);
    co_await sleep(1s);
    loop.call_later(2s, [&one] { one.close(); });
    const TimePoint begin = loop.now();
    EXPECT_FALSE(co_await server.drain(loop.now() + 10s));
    EXPECT_GE(loop.now() - begin, 10s);
    EXPECT_LT(loop.now() - begin, 10s + 10ms);
    EXPECT_EQ(cancelled, 1);
    EXPECT_EQ(co_await two.read_some(), "");
    EXPECT_TRUE(co_await server.drain(loop.now()));
  });
}

TEST(TCPServer, ACancelledDrainCancelsTheHandlers) {
  run([]() -> Task<> {
    IOLoop& loop = *IOLoop::current();
    TCPServer server(loop, echo);
    IOStream client = connect(server);
    TaskHandle<bool> drain = loop.spawn(server.drain(loop.now() + 1h));
    co_await sleep(1s);
    drain.cancel();
    EXPECT_EQ(co_await client.read_some(), "");
    EXPECT_THROW((void)co_await drain.join(), Cancelled);
    EXPECT_EQ(server.connection_count(), 0U);
  });
}

TEST(TCPServer, CloseCancelsTheHandlers) {
  run([]() -> Task<> {
    IOLoop& loop = *IOLoop::current();
    TCPServer server(loop, echo);
    IOStream client = connect(server);
    co_await sleep(1s);
    EXPECT_EQ(server.connection_count(), 1U);
    co_await server.close();
    EXPECT_EQ(server.connection_count(), 0U);
    EXPECT_EQ(co_await client.read_some(), "");
  });
}

TEST(TCPServer, StreamsHaveTheLimitsAskedFor) {
  run([]() -> Task<> {
    TCPServer server(*IOLoop::current(),
                     [](TCPStream stream) -> Task<> { co_await stream.read_until("\n"); },
                     {.stream = {.max_buffer_size = 10}});
    IOStream client = connect(server);
    ExpectLog log("a read needs more than max_buffer_size (10)");
    co_await client.write("more than ten bytes");
    EXPECT_EQ(co_await client.read_some(), "");
    co_await server.close();
  });
}

// --- over TLS ------------------------------------------------------------------------------------

/// Says who TLS says the peer is, then echoes.
Task<> greet(TCPStream stream) {
  const TLSTransport* tls = tls_of(stream);
  const std::string who = tls == nullptr ? "nobody knows" : tls->server_name();
  co_await stream.write(who + " " + to_string(stream.peer()) + "\n");
  co_await echo(std::move(stream));
}

TCPServerOptions over_tls() { return {.tls = tls_test::example_server()}; }

Task<TLSStream> connect_tls(TCPServer& server) {
  return start_tls(connect(server), tls_test::usual_client(), "example.com");
}

TEST(TCPServer, HandlersGetStreamsWhoseHandshakeIsDone) {
  run([]() -> Task<> {
    TCPServer server(*IOLoop::current(), greet, over_tls());
    TLSStream client = co_await connect_tls(server);
    EXPECT_EQ(co_await client.read_until("\n"), "example.com 127.0.0.1:40000\n");
    co_await client.write("over TLS");
    EXPECT_EQ(co_await client.read_bytes(8), "over TLS");
    EXPECT_EQ(server.connection_count(), 1U);
    co_await server.close();
  });
}

TEST(TCPServer, WithoutTLSThereIsNothingToKnow) {
  run([]() -> Task<> {
    TCPServer server(*IOLoop::current(), greet);
    IOStream client = connect(server);
    EXPECT_EQ(co_await client.read_until("\n"), "nobody knows 127.0.0.1:40000\n");
    EXPECT_EQ(tls_of(client), nullptr);
    client.close();
    EXPECT_EQ(tls_of(client), nullptr);
    co_await server.close();
  });
}

TEST(TCPServer, AHandshakeThatFailsIsLoggedAndConcernsNobodyElse) {
  run([]() -> Task<> {
    TCPServerOptions options = over_tls();
    options.tls_handshake_timeout = 3s;
    TCPServer server(*IOLoop::current(), greet, std::move(options));
    IOStream silent = connect(server);
    TLSStream good = co_await connect_tls(server);
    {
      ExpectLog log("the peer does not speak TLS (\"hello, t\"...)");
      IOStream plain = connect(server);
      co_await plain.write("hello, this is no TLS\n");
      co_await plain.read_until_close();
      co_await sleep(1s);
      EXPECT_EQ(log.count(), 1U);
      EXPECT_TRUE(log.lines()[0].starts_with("info coronado.general: ")) << log.lines()[0];
      EXPECT_NE(log.lines()[0].find("127.0.0.1:40000"), std::string::npos) << log.lines()[0];
    }
    EXPECT_EQ(co_await good.read_until("\n"), "example.com 127.0.0.1:40000\n");
    EXPECT_EQ(server.connection_count(), 2U);  // the silent one counts
    ExpectLog log("was not done within 3000 ms");
    EXPECT_EQ(co_await silent.read_some(), "");
    co_await sleep(1s);
    EXPECT_EQ(log.count(), 1U);
    EXPECT_EQ(server.connection_count(), 1U);
    co_await server.close();
  });
}

TEST(TCPServer, HandshakesCountAsConnections) {
  run([]() -> Task<> {
    TCPServerOptions options = over_tls();
    options.listener.max_connections = 1;
    TCPServer server(*IOLoop::current(), greet, std::move(options));
    ExpectLog log("max_connections");
    IOStream silent = connect(server);
    IOStream refused = connect(server);
    EXPECT_EQ(co_await refused.read_some(), "");
    EXPECT_FALSE(silent.ended());
    co_await server.close();
  });
}

TEST(TCPServer, DrainGivesHandshakesUpAndWaitsForHandlers) {
  run([]() -> Task<> {
    IOLoop& loop = *IOLoop::current();
    TCPServer server(loop, greet, over_tls());
    IOStream silent = connect(server);
    TLSStream client = co_await connect_tls(server);
    co_await client.read_until("\n");
    TaskHandle<bool> drain = loop.spawn(server.drain(loop.now() + 1h));
    EXPECT_EQ(co_await silent.read_some(), "");  // it has asked for nothing yet
    co_await client.write("go on");
    EXPECT_EQ(co_await client.read_bytes(5), "go on");
    EXPECT_FALSE(drain.done());
    co_await client.shutdown();
    EXPECT_TRUE(co_await drain.join());
    EXPECT_EQ(server.connection_count(), 0U);
  });
}

TEST(TCPServer, CloseEndsHandshakesAndHandlers) {
  run([]() -> Task<> {
    TCPServer server(*IOLoop::current(), greet, over_tls());
    IOStream silent = connect(server);
    TLSStream client = co_await connect_tls(server);
    co_await client.read_until("\n");
    co_await server.close();
    EXPECT_EQ(server.connection_count(), 0U);
    EXPECT_EQ(co_await silent.read_some(), "");
  });
}

}  // namespace
}  // namespace coronado
