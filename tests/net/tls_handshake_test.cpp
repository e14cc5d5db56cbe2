// What a handshake agrees upon, and peers that do not shake hands.
#include <coronado/net/tls.hpp>

#include "tests/net/tls_fixture.hpp"

namespace coronado {
namespace {

using namespace tls_test;

// --- what is agreed upon -------------------------------------------------------------------------
TEST(TLS, ProtocolsAreNegotiated) {
  run_async([]() -> Task<> {
    const auto server_with = [](std::vector<std::string> alpn) {
      return TLSContext::server({.identities = {example()}, .alpn = std::move(alpn)});
    };
    const auto client_offering = [](std::vector<std::string> alpn) {
      return TLSContext::client({.trust = trusted(), .alpn = std::move(alpn)});
    };
    struct Case {
      std::vector<std::string> server;
      std::vector<std::string> client;
      std::string agreed;
    };
    // The server's order counts.
    for (const Case& each : {Case{{"h2", "http/1.1"}, {"http/1.1", "h2"}, "h2"},
                             Case{{"http/1.1"}, {"h2", "http/1.1"}, "http/1.1"},
                             Case{{"h2"}, {}, ""}, Case{{}, {"h2"}, ""}}) {
      Pair pair;
      co_await pair.connect(server_with(each.server), client_offering(each.client));
      pair.expect_success();
      EXPECT_EQ(pair.server.transport->alpn(), each.agreed);
      EXPECT_EQ(pair.client.transport->alpn(), each.agreed);
    }
    Pair pair;
    co_await pair.connect(server_with({"h2"}), client_offering({"http/1.1"}));
    pair.server.expect<TLSHandshakeError>("no ALPN protocol");
    pair.client.expect<TLSAlertError>("no application protocol");
  });
}

TEST(TLS, VersionsAndCiphersMustMeet) {
  run_async([]() -> Task<> {
    Pair versions;
    co_await versions.connect(
        TLSContext::server({.identities = {example()}, .min_version = TLSVersion::kTLS13}),
        TLSContext::client({.trust = trusted(), .max_version = TLSVersion::kTLS12}));
    versions.server.expect<TLSHandshakeError>("no TLS version that both sides allow");
    versions.client.expect<TLSAlertError>("protocol version");
    Pair ciphers;
    co_await ciphers.connect(
        TLSContext::server({.identities = {example()},
                            .max_version = TLSVersion::kTLS12,
                            .ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256"}),
        TLSContext::client({.trust = trusted(), .ciphers = "ECDHE-ECDSA-AES256-GCM-SHA384"}));
    ciphers.server.expect<TLSHandshakeError>("no cipher that both sides allow");
    ciphers.client.expect<TLSAlertError>("handshake failure");
  });
}

// --- peers that do not shake hands ---------------------------------------------------------------
/// A handshake with a peer that sends `bytes`, and then perhaps ends.
struct Stranger {
  explicit Stranger(std::string_view bytes) {
    auto ends = make_memory_transports(*IOLoop::current());
    ours = std::move(ends.first);
    theirs = std::move(ends.second);
    theirs->start(recorder);
    theirs->write(bytes);
  }
  Task<Outcome> meet(std::shared_ptr<TLSContext> context, TLSHandshakeOptions options = {}) {
    co_return co_await outcome_of(
        tls_handshake(std::move(ours), std::move(context), "example.com", options));
  }
  Recorder recorder;
  std::unique_ptr<Transport> ours;
  std::unique_ptr<Transport> theirs;
};

TEST(TLS, GarbageIsNamed) {
  run_async([]() -> Task<> {
    struct Case {
      std::string sent;
      std::string said;
    };
    for (const Case& each :
         {Case{"GET / HTTP/1.1\r\n\r\n", "plain HTTP (\"GET / HT\"...)"},
          Case{"OPTIONS * HTTP/1.1\r\n", "plain HTTP"},
          Case{"SSH-2.0-OpenSSH_9.2\r\n", "does not speak TLS (\"SSH-2.0-\"...)"},
          Case{std::string("\0\1\2\xff", 4), "does not speak TLS (\"....\"...)"}}) {
      Stranger stranger(each.sent);
      const Outcome outcome = co_await stranger.meet(example_server());
      outcome.expect<TLSGarbageError>(each.said, "127.0.0.1:40000");
    }
    Stranger server("HTTP/1.1 400 Bad Request\r\n\r\n");
    const Outcome outcome = co_await server.meet(usual_client());
    outcome.expect<TLSGarbageError>("plain HTTP", "example.com");
    // Looks like TLS at first.
    Stranger liar(std::string("\x16\x03\x01\x00\x05hello", 10));
    const Outcome lie = co_await liar.meet(example_server());
    lie.expect<TLSHandshakeError>("127.0.0.1:40000 failed: ", "127.0.0.1:40000");
  });
}

TEST(TLS, EndInTheMiddleOfTheHandshake) {
  run_async([]() -> Task<> {
    Stranger polite("\x16\x03\x01");
    polite.theirs->shutdown_write();
    const Outcome ended = co_await polite.meet(example_server());
    ended.expect<TLSTruncatedError>("the peer closed the connection", "127.0.0.1:40000");
    Stranger rude("");
    static_cast<MemoryTransport&>(*rude.theirs).reset();
    const Outcome broken = co_await rude.meet(usual_client());
    broken.expect<TLSTruncatedError>("broke: ", "example.com");
  });
}

TEST(TLS, SilentPeerTimesOut) {
  run_async([]() -> Task<> {
    const TimePoint begin = IOLoop::current()->now();
    Stranger silent("");
    const Outcome outcome = co_await silent.meet(example_server());
    outcome.expect<TLSTimeoutError>("10000 ms", "127.0.0.1:40000");
    EXPECT_GE(IOLoop::current()->now() - begin, 10s);
    EXPECT_LT(IOLoop::current()->now() - begin, 11s);
    co_await Pair::settle();
    EXPECT_EQ(silent.recorder.ends, 1);  // the connection is closed
    Stranger slow("");
    const Outcome sooner = co_await slow.meet(usual_client(), {.timeout = 50ms});
    sooner.expect<TLSTimeoutError>("50 ms", "example.com");
  });
}

TEST(TLS, HandshakeIsCancelled) {
  run_async([]() -> Task<> {
    for (const bool limited : {true, false}) {
      Stranger silent("");
      TLSHandshakeOptions options;
      if (!limited) options.timeout = Duration::zero();
      auto handle = IOLoop::current()->spawn(silent.meet(example_server(), options));
      co_await sleep(limited ? 5s : 2000s);
      EXPECT_FALSE(handle.done());
      handle.cancel();
      co_await moment();
      co_await moment();
      EXPECT_TRUE(handle.done());
      EXPECT_EQ(handle.context()->outcome(), TaskOutcome::kCancelled);
      co_await Pair::settle();
      EXPECT_EQ(silent.recorder.ends, 1);
    }
  });
}

TEST(TLS, HandshakeIsCancelledAtAnyMoment) {
  run_async([]() -> Task<> {
    const auto server = example_server();
    const auto client = usual_client();
    int finished = 0;
    int cancelled = 0;
    for (int turns = 0; turns < 25; ++turns) {
      auto ends = make_memory_transports(*IOLoop::current(), {.piece = 300});
      auto left =
          IOLoop::current()->spawn(outcome_of(tls_handshake(std::move(ends.first), server)));
      auto right = IOLoop::current()->spawn(
          outcome_of(tls_handshake(std::move(ends.second), client, "example.com")));
      for (int i = 0; i < turns; ++i) co_await next_turn();
      left.cancel();
      co_await Pair::settle();
      EXPECT_TRUE(left.done());
      EXPECT_TRUE(right.done());
      ++(left.context()->outcome() == TaskOutcome::kCancelled ? cancelled : finished);
    }
    EXPECT_GT(finished, 0);
    EXPECT_GT(cancelled, 2);
  });
}

// --- the budget ----------------------------------------------------------------------------------
TEST(TLS, HandshakeStormLeavesTurnsToOthers) {
  run_async([]() -> Task<> {
    constexpr int kStorm = 40;
    constexpr unsigned kSteps = 2;
    const auto server =
        TLSContext::server({.identities = {example()}, .handshake_steps_per_turn = kSteps});
    const auto client = TLSContext::client({.trust = trusted(), .handshake_steps_per_turn = 1000});
    struct Counts {
      int turns = 0;
      int done = 0;
    } counts;
    auto one = [](Counts& at, std::unique_ptr<Transport> transport,
                  std::shared_ptr<TLSContext> context) -> Task<> {
      const auto secure = co_await tls_handshake(std::move(transport), std::move(context));
      ++at.done;
    };
    auto count_turns = [](Counts& at) -> Task<> {
      while (at.done < kStorm) {
        ++at.turns;
        co_await next_turn();
      }
    };
    std::vector<TaskHandle<Outcome>> clients;
    std::vector<TaskHandle<>> servers;
    for (int i = 0; i < kStorm; ++i) {
      auto ends = make_memory_transports(*IOLoop::current());
      servers.push_back(IOLoop::current()->spawn(one(counts, std::move(ends.first), server)));
      clients.push_back(IOLoop::current()->spawn(
          outcome_of(tls_handshake(std::move(ends.second), client, "example.com"))));
    }
    co_await count_turns(counts);
    // Two steps a server's handshake: hello, and the client's answer.
    EXPECT_GE(counts.turns, kStorm * 2 / static_cast<int>(kSteps));
    EXPECT_LT(counts.turns, kStorm * 2);
    for (auto& each : clients) {
      const Outcome outcome = co_await each.join();
      EXPECT_FALSE(outcome.error);
    }
  });
}

}  // namespace
}  // namespace coronado
