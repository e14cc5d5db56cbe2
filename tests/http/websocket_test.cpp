#include <coronado/http/websocket.hpp>

#include "http/websocket_connection.hpp"
#include "tests/http/server_fixture.hpp"
#include "tests/http/websocket_wire.hpp"

namespace coronado {
namespace {

using namespace std::chrono_literals;
using http_test::close_payload;
using http_test::from_server;
using http_test::wire;

/// The handle of a server's end, and a raw client.
class WebSocketTest : public testing::Test {
 protected:
  WebSocketTest() {
    auto [near, far] = make_memory_transports(loop);
    client = std::make_unique<RawClient>(std::move(near));
    auto* connection = new WebSocketConnection(
        {.options = std::make_shared<const WebSocketOptions>(), .subprotocol = "chat"}, nullptr);
    socket.emplace(*connection);
    far->pause_receive();
    connection->begin(loop, std::move(far), {});
  }
  template <class T>
  T run(Task<T> task) {
    return loop.run_sync(std::move(task), Duration(24h));
  }

  http_test::LogCatcher log;
  IOLoop loop{{.reactor = ReactorKind::kSim}};
  std::unique_ptr<RawClient> client;
  std::optional<WebSocket> socket;
};

TEST_F(WebSocketTest, SaysWhatItIs) {
  EXPECT_TRUE(socket->is_open());
  EXPECT_EQ(socket->subprotocol(), "chat");
  EXPECT_EQ(socket->close_code(), 0);
  EXPECT_EQ(socket->buffered_amount(), 0U);
}

TEST_F(WebSocketTest, ArgumentsAreChecked) {
  EXPECT_THROW(socket->send("caf\xe9"), std::invalid_argument);
  EXPECT_THROW(socket->ping(std::string(126, 'x')), std::invalid_argument);
  for (const int code : {0, 999, 1004, 1005, 1006, 1015, 2999, 5000}) {
    EXPECT_THROW(socket->close(static_cast<std::uint16_t>(code)), std::invalid_argument) << code;
  }
  EXPECT_THROW(socket->close(1000, std::string(124, 'x')), std::invalid_argument);
  EXPECT_THROW(socket->close(1000, "\xff"), std::invalid_argument);
  EXPECT_TRUE(socket->is_open());
  socket->close();
  EXPECT_THROW(socket->send("x"), WebSocketClosedError);
  EXPECT_THROW(socket->ping(), WebSocketClosedError);
  socket->close();  // again: nothing
}

TEST_F(WebSocketTest, TwoReadersAreAnError) {
  run([](WebSocket& socket) -> Task<> {
    co_await with_group([&](TaskGroup& group) -> Task<> {
      auto reader = group.spawn([](WebSocket& read) -> Task<> { co_await read.read(); }(socket));
      co_await moment();
      bool refused = false;
      try {
        co_await socket.read();
      } catch (const std::logic_error&) {
        refused = true;
      }
      EXPECT_TRUE(refused);
      reader.cancel();
    });
  }(*socket));
}

TEST_F(WebSocketTest, DroppingItClosesInOrder) {
  socket->send("last words");
  socket.reset();
  const std::string expected = from_server(WebSocketOpcode::kText, "last words") +
                               from_server(WebSocketOpcode::kClose, close_payload(1000));
  EXPECT_EQ(run(client->peek(expected.size())), expected);
  client->send(wire({.opcode = WebSocketOpcode::kClose, .payload = close_payload(1000)}));
  EXPECT_EQ(run(client->read_to_end()), expected);
}

TEST_F(WebSocketTest, OutlivesItsConnection) {
  client->close();
  run([](WebSocket& socket) -> Task<> { co_await socket.closed(); }(*socket));
  EXPECT_EQ(socket->close_code(), 1006);
  EXPECT_FALSE(socket->is_open());
  EXPECT_FALSE(run([](WebSocket& socket) -> Task<bool> {
    co_return (co_await socket.read()).has_value();
  }(*socket)));
}

TEST_F(WebSocketTest, IsMovedWithItsConnection) {
  WebSocket other = std::move(*socket);
  socket.reset();
  EXPECT_TRUE(other.is_open());
}

}  // namespace
}  // namespace coronado
