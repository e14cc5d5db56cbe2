#include <coronado/net/tls_stream.hpp>

#include <coronado/coro/task_group.hpp>
#include <coronado/testing/sim_network.hpp>

#include "tests/net/tls_fixture.hpp"

namespace coronado {
namespace {

using namespace tls_test;

/// Two streams in memory.
std::pair<IOStream, IOStream> memory_streams(IOStreamOptions options = {}) {
  IOLoop& loop = *IOLoop::current();
  auto ends = make_memory_transports(loop, {.piece = 100});
  return {IOStream(loop, std::move(ends.first), options),
          IOStream(loop, std::move(ends.second), options)};
}

/// A mail server's way into TLS.
Task<> serve_mail(IOStream stream, std::shared_ptr<TLSContext> context) {
  const std::string command = co_await stream.read_until("\r\n");
  EXPECT_EQ(command, "STARTTLS\r\n");
  co_await stream.write("220 go ahead\r\n");
  TLSStream secure = co_await start_tls(std::move(stream), std::move(context));
  EXPECT_EQ(secure.tls().server_name(), "example.com");
  const std::string line = co_await secure.read_until("\r\n");
  co_await secure.write("250 " + line);
  const std::string rest = co_await secure.read_until_close();
  EXPECT_EQ(rest, "bye");
  co_await secure.shutdown();
}

Task<> send_mail(IOStream stream, std::shared_ptr<TLSContext> context) {
  co_await stream.write("STARTTLS\r\n");
  const std::string answer = co_await stream.read_until("\r\n");
  EXPECT_EQ(answer, "220 go ahead\r\n");
  TLSStream secure = co_await start_tls(std::move(stream), std::move(context), "example.com");
  EXPECT_EQ(secure.tls().peer_certificate()->common_name, "example");
  EXPECT_EQ(secure.peer().port, 40000);
  co_await secure.write("EHLO\r\n");
  const std::string line = co_await secure.read_until("\r\n");
  EXPECT_EQ(line, "250 EHLO\r\n");
  co_await secure.write("bye");
  co_await secure.shutdown();
  const std::string end = co_await secure.read_some();
  EXPECT_EQ(end, "");
}

TEST(TLSStream, BothRolesGoOverToTLS) {
  run_async([]() -> Task<> {
    auto streams = memory_streams();
    co_await multi(serve_mail(std::move(streams.first), example_server()),
                   send_mail(std::move(streams.second), usual_client()));
  });
}

TEST(TLSStream, LimitsGoOver) {
  run_async([]() -> Task<> {
    auto streams = memory_streams({.max_buffer_size = 1234});
    const auto both =
        co_await multi(start_tls(std::move(streams.first), example_server()),
                       start_tls(std::move(streams.second), usual_client(), "example.com"));
    EXPECT_EQ(std::get<0>(both).options().max_buffer_size, 1234U);
  });
}

TEST(TLSStream, BytesInTheClearDoNotPassForSecure) {
  run_async([]() -> Task<> {
    // CVE-2011-0411 and its kin: a command injected before the handshake must not count after it.
    auto streams = memory_streams();
    co_await streams.second.write("STARTTLS\r\nRCPT TO:<evil>\r\n");
    const std::string command = co_await streams.first.read_until("\r\n");
    EXPECT_EQ(command, "STARTTLS\r\n");
    bool refused = false;
    try {
      co_await start_tls(std::move(streams.first), example_server());
    } catch (const std::logic_error&) {
      refused = true;
    }
    EXPECT_TRUE(refused);
  });
}

TEST(TLSStream, ClosedStreamIsRefused) {
  run_async([]() -> Task<> {
    auto streams = memory_streams();
    streams.first.close();
    bool refused = false;
    try {
      co_await start_tls(std::move(streams.first), example_server());
    } catch (const StreamClosedError&) {
      refused = true;
    }
    EXPECT_TRUE(refused);
  });
}

TEST(TLSStream, FailureAndCancellationCloseTheConnection) {
  run_async([]() -> Task<> {
    auto streams = memory_streams();
    auto waiting = IOLoop::current()->spawn(start_tls(std::move(streams.first), example_server()));
    co_await sleep(1s);
    waiting.cancel();
    const std::string end = co_await streams.second.read_some();
    EXPECT_EQ(end, "");
    EXPECT_EQ(waiting.context()->outcome(), TaskOutcome::kCancelled);

    auto others = memory_streams();
    co_await others.second.write("GET / HTTP/1.1\r\n\r\n");
    bool named = false;
    try {
      // The bytes come after the stream was given up, and are the handshake's.
      co_await start_tls(std::move(others.first), example_server());
    } catch (const TLSGarbageError&) {
      named = true;
    }
    EXPECT_TRUE(named);
  });
}

TEST(TLSStream, TruncationHasItsCode) {
  run_async([]() -> Task<> {
    auto streams = memory_streams();
    auto both = co_await multi(start_tls(std::move(streams.first), example_server()),
                               start_tls(std::move(streams.second), usual_client(), "example.com"));
    TLSStream server = std::move(std::get<0>(both));
    {
      const TLSStream client = std::move(std::get<1>(both));
      co_await sleep(1s);
    }
    std::error_code code;
    try {
      co_await server.read_bytes(1);
    } catch (const StreamClosedError& error) {
      code = error.code();
    }
    EXPECT_EQ(code, TLSErrc::kTruncated);
  });
}

TEST(TLSStream, CancelledReadLosesNothing) {
  run_async([]() -> Task<> {
    auto streams = memory_streams();
    auto both = co_await multi(start_tls(std::move(streams.first), example_server()),
                               start_tls(std::move(streams.second), usual_client(), "example.com"));
    TLSStream server = std::move(std::get<0>(both));
    TLSStream client = std::move(std::get<1>(both));
    co_await client.write("half");
    bool late = false;
    try {
      co_await with_timeout(1s, server.read_bytes(8));
    } catch (const TimeoutError&) {
      late = true;
    }
    EXPECT_TRUE(late);
    co_await client.write("more");
    const std::string whole = co_await server.read_bytes(8);
    EXPECT_EQ(whole, "halfmore");
    const std::string big(3'000'000, 'x');
    auto writing = [](TLSStream& to, std::string bytes) -> Task<> {
      co_await to.write(bytes);
      co_await to.shutdown();
    };
    auto handle = IOLoop::current()->spawn(writing(client, big));
    const std::string all = co_await server.read_until_close();
    EXPECT_EQ(all, big);
    co_await handle.join();
  });
}

// --- connect_tls -------------------------------------------------------------------------------

/// A TLS server on a simulated network; a null context: it never answers.
class SecureDoor final : public AcceptHandler {
 public:
  SecureDoor(const SocketAddress& address, std::shared_ptr<TLSContext> context)
      : context_(std::move(context)),
        group_("door", TaskGroup::OnFailure::kHandle),
        acceptor_(IOLoop::current()->reactor().listen(address, {}, *this)) {}
  void on_accept(std::unique_ptr<Transport> transport) noexcept override {
    if (context_ == nullptr) {
      silent_.push_back(std::move(transport));
    } else {
      group_.spawn(serve(std::move(transport), context_));
    }
  }
  void on_accept_error(std::error_code) noexcept override {}
  Task<> close() {
    acceptor_.reset();
    group_.cancel();
    co_await group_.join();
  }

 private:
  static Task<> serve(std::unique_ptr<Transport> transport, std::shared_ptr<TLSContext> context) {
    std::unique_ptr<TLSTransport> secure =
        co_await tls_handshake(std::move(transport), std::move(context));
    TLSStream stream(*IOLoop::current(), std::move(secure));
    co_await stream.write("hello " + stream.tls().server_name());
    co_await stream.shutdown();
  }

  std::shared_ptr<TLSContext> context_;
  TaskGroup group_;
  std::unique_ptr<Acceptor> acceptor_;
  std::vector<std::unique_ptr<Transport>> silent_;
};

struct SecureNetwork {
  explicit SecureNetwork(std::shared_ptr<TLSContext> context)
      : network(*IOLoop::current()),
        host(network.add_host("example.com")),
        door(host.address(443), std::move(context)),
        client(network.names()) {}

  SimNetwork network;
  SimHost& host;
  SecureDoor door;
  TCPClient client;
};

TEST(ConnectTLS, ConnectsAndKnowsThePeer) {
  run_async([]() -> Task<> {
    SecureNetwork fix(example_server());
    TLSStream stream = co_await connect_tls(fix.client, "example.com", 443, usual_client());
    EXPECT_EQ(stream.tls().peer_certificate()->common_name, "example");
    const std::string greeting = co_await stream.read_until_close();
    EXPECT_EQ(greeting, "hello example.com");
    stream.close();
    co_await fix.door.close();
  });
}

TEST(ConnectTLS, ErrorsNameThePhaseAndKeepTheirType) {
  run_async([]() -> Task<> {
    SecureNetwork fix(example_server());
    try {
      co_await connect_tls(
          fix.client, "example.com", 443,
          TLSContext::client({.trust = {.ca_pem = TestAuthority("Other").certificate_pem()}}));
      ADD_FAILURE() << "an untrusted certificate was accepted";
    } catch (const ConnectError& error) {
      EXPECT_EQ(error.phase(), ConnectError::Phase::kUpgrade);
      EXPECT_NE(std::string(error.what()).find("cannot connect to example.com:443: "),
                std::string::npos)
          << error.what();
      EXPECT_THROW(std::rethrow_exception(error.cause()), TLSUntrustedError);
    }
    try {
      co_await connect_tls(fix.client, "example.com", 444, usual_client());
      ADD_FAILURE() << "nobody listens there";
    } catch (const ConnectError& error) {
      EXPECT_EQ(error.phase(), ConnectError::Phase::kConnect);
      EXPECT_EQ(error.cause(), nullptr);
    }
    try {
      co_await connect_tls(fix.client, "nowhere", 443, usual_client());
      ADD_FAILURE() << "there is no such name";
    } catch (const ConnectError& error) {
      EXPECT_EQ(error.phase(), ConnectError::Phase::kResolve);
    }
    co_await fix.door.close();
  });
}

TEST(ConnectTLS, HandshakeHasItsLimitAndCanBeCancelled) {
  run_async([]() -> Task<> {
    SecureNetwork fix(nullptr);
    const TimePoint begin = IOLoop::current()->now();
    try {
      co_await connect_tls(fix.client, "example.com", 443, usual_client(), {.upgrade_timeout = 3s});
      ADD_FAILURE() << "nobody answers";
    } catch (const ConnectError& error) {
      EXPECT_EQ(error.code(), std::errc::timed_out);
      EXPECT_NE(std::string(error.what()).find("the handshake timed out after 3 s"),
                std::string::npos)
          << error.what();
    }
    EXPECT_LT(IOLoop::current()->now() - begin, 4s);
    const std::size_t open = fix.network.open_transports();
    bool late = false;
    try {
      co_await with_timeout(1s, connect_tls(fix.client, "example.com", 443, usual_client()));
    } catch (const TimeoutError&) {
      late = true;
    }
    EXPECT_TRUE(late);
    EXPECT_EQ(fix.network.open_transports(), open + 1);  // the server's end
    co_await fix.door.close();
  });
}

}  // namespace
}  // namespace coronado
