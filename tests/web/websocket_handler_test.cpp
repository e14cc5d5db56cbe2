#include <coronado/web/websocket_handler.hpp>

#include <coronado/coro/registry.hpp>
#include <coronado/coro/timeout.hpp>
#include <coronado/http/websocket_client.hpp>
#include <coronado/testing/sim_network.hpp>

#include <future>
#include <set>
#include <thread>

#include "tests/http/websocket_wire.hpp"
#include "tests/web/web_fixture.hpp"

namespace coronado::web_test {
namespace {

using http_test::close_payload;
using http_test::from_server;
using http_test::wire;
using Opcode = WebSocketOpcode;

constexpr const char* kAsk =
    "Connection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

/// Sends back what comes, and writes down what happens.
class Echo : public web::WebSocketHandler {
 public:
  explicit Echo(std::string* log) : log_(*log) {}
  ~Echo() override { log_ += "gone"; }

  Task<> prepare() override {
    if (get_query_argument("forbidden", "") == "yes") throw HTTPError(403);
    return {};
  }
  Task<> open() override {
    log_ += "open " + get_query_argument("name", "nobody") + " " + selected_subprotocol() + ";";
    co_await moment();
    release_request();
  }
  Task<> on_message(const WebSocketMessage& message) override {
    if (message.data == "throw") throw std::runtime_error("on purpose");
    if (message.data == "close") {
      close(4001, "as you wish");
      return {};
    }
    if (message.data == "ping") {
      ping("p");
      return {};
    }
    if (message.data == "later") return later();
    if (message.data == "as it is") {
      write_message(std::string(300, 'y'), false, false);
      return {};
    }
    write_message(message);
    return {};
  }
  void on_ping(std::string_view data) override { log_.append("ping ").append(data).append(";"); }
  void on_pong(std::string_view data) override { log_.append("pong ").append(data).append(";"); }
  void on_close() override {
    log_ += "close " + std::to_string(close_code()) + " " + close_reason() + ";";
  }
  std::string select_subprotocol(const std::vector<std::string>& offered) override {
    return offered.empty() ? "" : offered.back();
  }

 private:
  Task<> later() {
    co_await sleep(1s);
    write_message("now");
  }
  std::string& log_;
};

class Compressing : public Echo {
 public:
  using Echo::Echo;
  const WebSocketOptions& websocket_options() const override {
    static const WebSocketOptions options{.compression = WebSocketCompression{}};
    return options;
  }
};

struct Events {  // outlive the server
  std::string events;
};

struct SocketBench : Events, WebBench {
  SocketBench() {
    app.add<Echo>("/ws", &events);
    app.add<Compressing>("/packed", &events);
    app.get("/function/{name}", web::websocket([](WebSocket& socket, std::string name) -> Task<> {
              co_await socket.send("hello, " + name);
              while (const auto message = co_await socket.read()) {
                if (message->data == "throw") throw std::runtime_error("on purpose");
                if (message->data == "enough") co_return;
                co_await socket.send(*message);
              }
            }));
    app.get("/anywhere", web::websocket([](WebSocket&) -> Task<> { co_return; },
                                        {.any_origin = true, .subprotocols = {"b", "a"}}));
  }

  RawResponse open(std::string_view target, std::string_view fields = "") {
    return get(target, kAsk + std::string(fields));
  }
  std::string peek(std::size_t size) { return loop.run_sync(connection->peek(size), Duration(1h)); }
  /// All that comes until the server ends; then the client does, too.
  std::string rest() {
    std::string all = loop.run_sync(connection->read_to_end(), Duration(1h));
    connection->close();
    loop.run_sync([]() -> Task<> { co_await sleep(1ms); }());
    return all;
  }
};

TEST(WebSocketHandler, TheHandshake) {
  SocketBench bench;
  const RawResponse response =
      bench.open("/ws?name=Ann", "Sec-WebSocket-Protocol: chat, superchat\r\n");
  EXPECT_EQ(response.status, 101);
  EXPECT_EQ(response.field("Upgrade"), "websocket");
  EXPECT_EQ(response.field("Connection"), "Upgrade");
  EXPECT_EQ(response.field("Sec-WebSocket-Accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  EXPECT_EQ(response.field("Sec-WebSocket-Protocol"), "superchat");
  EXPECT_FALSE(response.has_field("Sec-WebSocket-Extensions"));
  EXPECT_FALSE(response.has_field("Content-Type"));
  EXPECT_FALSE(response.has_field("Content-Length"));
  bench.connection->send(wire({.payload = "hi"}) + wire({.payload = "later"}) +
                         wire({.opcode = Opcode::kPing, .payload = "x"}) +
                         wire({.opcode = Opcode::kClose, .payload = close_payload(1000, "bye")}));
  EXPECT_EQ(bench.rest(), from_server(Opcode::kText, "hi") + from_server(Opcode::kPong, "x") +
                              from_server(Opcode::kText, "now") +
                              from_server(Opcode::kClose, close_payload(1000)));
  EXPECT_EQ(bench.events, "open Ann superchat;ping x;close 1000 bye;gone");
}

struct Refused {
  const char* name;
  const char* method;
  const char* fields;
  int status;
  const char* body;
};

TEST(WebSocketHandler, RequestsThatAreNoneAreRefused) {
  const std::string origin = kAsk + std::string("Origin: http://evil.example\r\n");
  const std::string null_origin = kAsk + std::string("Origin: null\r\n");
  const Refused cases[] = {
      {"plain", "GET", "", 400, "Can \"Upgrade\" only to \"WebSocket\"."},
      {"not upgrade", "GET", "Upgrade: websocket\r\nConnection: close\r\n", 400,
       "\"Connection\" must be \"Upgrade\"."},
      {"no key", "GET",
       "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n", 400,
       "Missing/Invalid WebSocket headers"},
      {"short key", "GET",
       "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
       "Sec-WebSocket-Key: abcd\r\n",
       400, "Missing/Invalid WebSocket headers"},
      {"no version", "GET",
       "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: "
       "dGhlIHNhbXBsZSBub25jZQ==\r\n",
       400, "Missing/Invalid WebSocket headers"},
      {"version 12", "GET",
       "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 12\r\n"
       "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
       426, ""},
      {"foreign page", "GET", origin.c_str(), 403, "Cross origin websockets not allowed"},
      {"sandboxed page", "GET", null_origin.c_str(), 403, "Cross origin websockets not allowed"},
  };
  for (const char* path : {"/ws", "/function/x"}) {
    for (const Refused& each : cases) {
      SCOPED_TRACE(std::string(path) + " " + each.name);
      SocketBench bench;
      const RawResponse response = bench.request(each.method, path, each.fields);
      EXPECT_EQ(response.status, each.status);
      EXPECT_EQ(response.body, each.body);
      EXPECT_EQ(response.field("Sec-WebSocket-Version"), each.status == 426 ? "13" : "");
    }
  }
  SocketBench bench;
  EXPECT_EQ(bench.request("POST", "/ws", kAsk).status, 405);
  EXPECT_EQ(bench.open("/ws?forbidden=yes").status, 403);
}

TEST(WebSocketHandler, PagesOfTheSameHostMayConnect) {
  SocketBench bench;
  EXPECT_EQ(bench.open("/ws", "Origin: http://example.com:8080\r\n").status, 101);
  SocketBench another;
  EXPECT_EQ(another.open("/anywhere", "Origin: http://evil.example\r\n").status, 101);
}

TEST(WebSocketHandler, ExceptionsCloseWith1011) {
  for (const char* path : {"/ws", "/function/x"}) {
    SocketBench bench;
    bench.open(path);
    bench.connection->send(wire({.payload = "throw"}));
    const std::string hello =
        std::string_view(path) == "/ws" ? "" : from_server(Opcode::kText, "hello, x");
    const std::string expected = hello + from_server(Opcode::kClose, close_payload(1011));
    EXPECT_EQ(bench.peek(expected.size()), expected);
    EXPECT_EQ(bench.log.count("uncaught exception in a WebSocket's handler: on purpose"), 1U);
  }
}

TEST(WebSocketHandler, ClosesAndPings) {
  SocketBench bench;
  bench.open("/ws");
  bench.connection->send(wire({.payload = "ping"}) +
                         wire({.opcode = Opcode::kPong, .payload = "p"}) +
                         wire({.payload = "close"}));
  const std::string expected = from_server(Opcode::kPing, "p") +
                               from_server(Opcode::kClose, close_payload(4001, "as you wish"));
  EXPECT_EQ(bench.peek(expected.size()), expected);
  bench.connection->send(wire({.opcode = Opcode::kClose, .payload = close_payload(4001)}));
  EXPECT_EQ(bench.rest(), expected);
  EXPECT_EQ(bench.events, "open nobody ;pong p;close 4001 ;gone");
}

TEST(WebSocketHandler, NegotiatesCompression) {
  SocketBench bench;
  const RawResponse response = bench.open("/packed",
                                          "Sec-WebSocket-Extensions: foo, permessage-deflate; "
                                          "client_max_window_bits\r\n");
  EXPECT_EQ(response.field("Sec-WebSocket-Extensions"),
            "permessage-deflate; server_no_context_takeover");
  bench.connection->send(wire({.payload = std::string(1000, 'x')}) +
                         wire({.opcode = Opcode::kClose}));
  EXPECT_LT(bench.rest().size(), 100U);
}

TEST(WebSocketHandler, AMessageMayGoAsItIs) {
  SocketBench bench;
  bench.open("/packed", "Sec-WebSocket-Extensions: permessage-deflate\r\n");
  bench.connection->send(wire({.payload = "as it is"}));
  const std::string expected = from_server(Opcode::kText, std::string(300, 'y'));
  EXPECT_EQ(bench.peek(expected.size()), expected);
}

TEST(WebSocketHandler, IsShownAsAStream) {
  SocketBench bench;
  bench.open("/ws");
  bench.connection->send(wire({.payload = "hi"}));
  bench.peek(from_server(Opcode::kText, "hi").size());
  TaskSnapshot snapshot = snapshot_tasks(bench.loop);
  ASSERT_EQ(snapshot.streams.size(), 1U);  // between two messages there is no task
  EXPECT_EQ(snapshot.streams.at(0).protocol, "WebSocket");
  EXPECT_EQ(snapshot.streams.at(0).buffered + snapshot.streams.at(0).unsent, 0U);
  // One message is being dealt with, the next one waits, and half of a third one has come.
  bench.connection->send(wire({.payload = "later"}) + wire({.payload = "wait"}) +
                         wire({.payload = "third"}).substr(0, 5));
  bench.loop.run_sync([]() -> Task<> { co_await sleep(500ms); }());
  snapshot = snapshot_tasks(bench.loop);
  EXPECT_EQ(snapshot.streams.size(), 0U);
  ASSERT_EQ(snapshot.tasks.size(), 1U);
  ASSERT_EQ(snapshot.tasks.at(0).streams.size(), 1U);
  EXPECT_EQ(snapshot.tasks.at(0).name, "websocket");
  EXPECT_EQ(snapshot.tasks.at(0).streams.at(0).buffered, 9U);
}

TEST(WebSocketFunction, IsShownAsAStreamOfItsTask) {
  SocketBench bench;
  bench.open("/function/Bob");
  bench.peek(from_server(Opcode::kText, "hello, Bob").size());
  const TaskSnapshot snapshot = snapshot_tasks(bench.loop);
  EXPECT_EQ(snapshot.streams.size(), 0U);
  ASSERT_EQ(snapshot.tasks.size(), 1U);
  ASSERT_EQ(snapshot.tasks.at(0).streams.size(), 1U);
  EXPECT_EQ(snapshot.tasks.at(0).waits_for, "reading a WebSocket message");
  EXPECT_EQ(snapshot.tasks.at(0).streams.at(0).protocol, "WebSocket");
}

TEST(WebSocketHandler, TheServerEndsThemWhenItDrains) {
  SocketBench bench;
  bench.open("/ws");
  bench.loop.run_sync([](SocketBench& all) -> Task<> {
    co_await with_group([&](TaskGroup& group) -> Task<> {
      auto drained = group.spawn(all.server->drain(all.loop.now() + 1min));
      const std::string farewell =
          from_server(Opcode::kClose, close_payload(1001, "the server is shutting down"));
      EXPECT_EQ(co_await all.connection->peek(farewell.size()), farewell);
      all.connection->send(wire({.opcode = Opcode::kClose, .payload = close_payload(1001)}));
      EXPECT_TRUE(co_await drained.join());
    });
  }(bench));
  EXPECT_EQ(bench.server->connection_count(), 0U);
  EXPECT_TRUE(bench.events.ends_with("gone"));
}

TEST(WebSocketFunction, IsTheWholeLifeOfAConnection) {
  SocketBench bench;
  bench.open("/function/Bob");
  bench.connection->send(wire({.payload = "a"}) + wire({.payload = "enough"}));
  const std::string expected = from_server(Opcode::kText, "hello, Bob") +
                               from_server(Opcode::kText, "a") +
                               from_server(Opcode::kClose, close_payload(1000));
  EXPECT_EQ(bench.peek(expected.size()), expected);
}

TEST(WebSocketFunction, AgreesOnASubprotocol) {
  SocketBench bench;
  EXPECT_EQ(bench.open("/anywhere", "Sec-WebSocket-Protocol: a, c, b\r\n")
                .field("Sec-WebSocket-Protocol"),
            "b");
}

TEST(WebSocketFunction, ClosingTheServerCancelsIt) {
  SocketBench bench;
  bool cancelled = false;
  bench.app.get("/endless", web::websocket([&](WebSocket&) -> Task<> {
                  try {
                    co_await sleep(24h);
                  } catch (const Cancelled&) {
                    cancelled = true;
                    throw;
                  }
                }));
  bench.open("/endless");
  bench.loop.run_sync(bench.server->close());
  EXPECT_TRUE(cancelled);
}

// --- topics across workers -----------------------------------------------------------------------

/// Says to all what it hears, but tells its own client when it is there.
class Speaker : public web::WebSocketHandler {
 public:
  explicit Speaker(WebSocketTopic* room) : room_(*room) {}
  Task<> open() override {
    subscription_ = subscribe(room_);
    return {};
  }
  Task<> on_message(const WebSocketMessage& message) override {
    if (message.data == "there?") {
      write_message("yes");
    } else {
      room_.publish(PreparedMessage(message));
    }
    return {};
  }

 private:
  WebSocketTopic& room_;
  WebSocketTopic::Subscription subscription_;
};

/// A thread with a loop, an application and a server of its own.
class Worker {
 public:
  explicit Worker(WebSocketTopic& room)
      : thread_([this, &room] {
          IOLoop loop;  // here: one on io_uring belongs to the thread that has made it
          loop.run_sync(serve(loop, room));
        }),
        serving_(started_.get_future().get()) {}
  ~Worker() {
    serving_.loop->post([this] { stop_.set(); });
    thread_.join();
  }
  std::string url() const { return "ws://127.0.0.1:" + std::to_string(serving_.port) + "/"; }

 private:
  struct Serving {
    IOLoop* loop;
    std::uint16_t port;
  };

  Task<> serve(IOLoop& loop, WebSocketTopic& room) {
    web::Application app;
    app.add<Speaker>("/", &room);
    HTTPServer server(loop, app);
    server.listen(0);
    started_.set_value({&loop, server.port()});
    co_await stop_.wait();
    co_await server.close();
  }

  Event stop_;
  std::promise<Serving> started_;
  std::thread thread_;
  Serving serving_;
};

TEST(WebSocketTopic, HandlersOfAllWorkersHearEachOther) {
  constexpr int kWorkers = 3;
  WebSocketTopic room;
  std::vector<std::unique_ptr<Worker>> workers;
  for (int i = 0; i < kWorkers; ++i) workers.push_back(std::make_unique<Worker>(room));
  IOLoop loop;
  loop.run_sync([](WebSocketTopic& topic, auto& all) -> Task<> {
    const auto next = [](WebSocket& socket) -> Task<std::string> {
      const auto message = co_await socket.read();
      co_return message ? std::string(message->data) : "closed";
    };
    std::vector<WebSocket> sockets;
    for (const std::unique_ptr<Worker>& worker : all) {
      const std::string url = worker->url();
      for (int i = 0; i < 2; ++i) sockets.push_back(co_await websocket_connect({.url = url}));
    }
    for (WebSocket& socket : sockets) {
      co_await socket.send("there?");
      EXPECT_EQ(co_await next(socket), "yes");
    }
    EXPECT_EQ(topic.loops(), static_cast<std::size_t>(kWorkers));
    // Several say something at a time; all hear all of it, in one order.
    std::set<std::string> said;
    for (std::size_t i = 0; i < sockets.size(); ++i) {
      said.insert("from " + std::to_string(i));
      co_await sockets[i].send("from " + std::to_string(i));
    }
    std::vector<std::vector<std::string>> heard(sockets.size());
    for (std::size_t i = 0; i < sockets.size(); ++i) {
      for (std::size_t n = 0; n < said.size(); ++n) heard[i].push_back(co_await next(sockets[i]));
    }
    EXPECT_EQ(std::set(heard[0].begin(), heard[0].end()), said);
    for (const auto& each : heard) EXPECT_EQ(each, heard[0]);
  }(room, workers));
}

// --- both ends, negotiating ----------------------------------------------------------------------

class Packer : public web::WebSocketHandler {
 public:
  explicit Packer(const WebSocketOptions* options) : options_(*options) {}
  Task<> on_message(const WebSocketMessage& message) override {
    write_message(message);
    return {};
  }
  const WebSocketOptions& websocket_options() const override { return options_; }

 private:
  const WebSocketOptions& options_;
};

/// Whatever the two ends wish for, they agree upon something, and messages arrive.
TEST(WebSocketCompression, EveryWishOfBothEnds) {
  std::vector<std::optional<WebSocketCompression>> wishes = {std::nullopt};
  for (const bool own : {false, true}) {
    for (const bool peer : {false, true}) {
      for (const int bits : {9, 15}) {
        wishes.push_back(WebSocketCompression{.threshold = 1,
                                              .forget_own_window = own,
                                              .forget_peer_window = peer,
                                              .own_window_bits = bits,
                                              .peer_window_bits = 24 - bits});
      }
    }
  }
  std::string large;
  for (int i = 0; i < 3'000; ++i) large += std::to_string(i * i);
  for (const auto& of_server : wishes) {
    const LogCatcher log;
    IOLoop loop({.reactor = ReactorKind::kSim});
    SimNetwork network(loop);
    SimHost& host = network.add_host("server");
    const WebSocketOptions options{.compression = of_server};
    web::Application app;
    app.add<Packer>("/", &options);
    HTTPServer server(loop, app);
    loop.run_sync([&]() -> Task<> {
      struct Door final : AcceptHandler {
        explicit Door(HTTPServer& to) : server(to) {}
        void on_accept(std::unique_ptr<Transport> transport) noexcept override {
          server.serve(std::move(transport));
        }
        void on_accept_error(std::error_code) noexcept override {}
        HTTPServer& server;
      } door(server);
      const auto acceptor = loop.reactor().listen(host.address(80), {}, door);
      for (const auto& of_client : wishes) {
        WebSocketConnectOptions wanted{.socket = {.compression = of_client}};
        wanted.client.resolver = network.names();
        WebSocket socket = co_await websocket_connect({.url = "ws://server/"}, std::move(wanted));
        for (int round = 0; round < 2; ++round) {
          for (const std::string& each : {std::string("short"), large}) {
            socket.send(each);
            const auto answer = co_await socket.read();
            EXPECT_TRUE(answer && answer->data == each) << socket.close_reason();
          }
        }
        socket.close();
        co_await socket.closed();
      }
      co_await server.close();
    }());
  }
}

}  // namespace
}  // namespace coronado::web_test
