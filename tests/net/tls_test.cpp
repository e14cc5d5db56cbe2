#include <coronado/net/tls.hpp>

#include <algorithm>

#include "tests/net/tls_fixture.hpp"

namespace coronado {
namespace {

using namespace tls_test;

std::string pattern(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>(i * 131 + i / 251);
  return text;
}

// --- bytes ---------------------------------------------------------------------------------------
TEST(TLS, BytesTravelInBothDirections) {
  for (const TLSVersion version : {TLSVersion::kTLS12, TLSVersion::kTLS13}) {
    for (const std::size_t piece : {1UZ, 7UZ, 64UZ * 1024}) {
      SCOPED_TRACE(std::string(to_string(version)) + " in pieces of " + std::to_string(piece));
      run_async([&]() -> Task<> {
        Pair pair;
        const auto client = TLSContext::client(
            {.trust = trusted(), .min_version = version, .max_version = version});
        co_await pair.connect(example_server(), client, "example.com", {.piece = piece});
        pair.expect_success();
        if (!pair.client.transport || !pair.server.transport) co_return;
        EXPECT_EQ(pair.client.transport->version(), version);
        EXPECT_EQ(pair.server.transport->version(), version);
        EXPECT_NE(pair.client.transport->cipher(), "");
        EXPECT_EQ(pair.server.transport->cipher(), pair.client.transport->cipher());
        std::string expected;
        for (const std::size_t size : {1UZ, 0UZ, 100UZ, 16'384UZ, 16'385UZ, 40'000UZ}) {
          const std::string text = pattern(size);
          expected += text;
          pair.client.transport->write(text);
          pair.server.transport->write(text);
        }
        co_await Pair::settle();
        EXPECT_EQ(pair.at_server.text, expected);
        EXPECT_EQ(pair.at_client.text, expected);
        pair.client.transport->shutdown_write();
        pair.server.transport->shutdown_write();
        co_await Pair::settle();
        EXPECT_EQ(pair.at_server.ends, 1);
        EXPECT_EQ(pair.at_client.ends, 1);
        EXPECT_FALSE(pair.at_server.error) << pair.at_server.error.message();
        EXPECT_FALSE(pair.at_client.error) << pair.at_client.error.message();
      });
    }
  }
}

TEST(TLS, BytesThatCameWithTheHandshakeWaitForStart) {
  run_async([]() -> Task<> {
    Pair pair;
    co_await pair.shake_hands(example_server(), usual_client());
    pair.client.transport->start(pair.at_client);
    pair.client.transport->write("early");
    pair.client.transport->shutdown_write();
    co_await Pair::settle();
    pair.client.transport.reset();
    co_await Pair::settle();
    pair.server.transport->start(pair.at_server);
    EXPECT_EQ(pair.at_server.text, "");  // not from inside `start`
    co_await Pair::settle();
    EXPECT_EQ(pair.at_server.text, "early");
    EXPECT_EQ(pair.at_server.ends, 1);
    EXPECT_FALSE(pair.at_server.error);
  });
}

TEST(TLS, OneFlightIsOneWrite) {
  run_async([]() -> Task<> {
    Pair pair;
    co_await pair.connect(example_server(), usual_client());
    const std::string text = pattern(100'000);  // seven records
    pair.client.transport->write(text);
    co_await Pair::settle();
    EXPECT_EQ(pair.at_server.text, text);
    EXPECT_LE(pair.at_server.pieces, 4);  // decrypted 64 KiB at a time
  });
}

TEST(TLS, HalfCloseLeavesTheOtherDirection) {
  run_async([]() -> Task<> {
    Pair pair;
    co_await pair.connect(example_server(), usual_client());
    pair.client.transport->write("question");
    pair.client.transport->shutdown_write();
    pair.client.transport->write("lost");
    co_await Pair::settle();
    EXPECT_EQ(pair.at_server.text, "question");
    EXPECT_EQ(pair.at_server.ends, 1);
    EXPECT_EQ(pair.at_client.ends, 0);
    pair.server.transport->write("answer");
    co_await Pair::settle();
    EXPECT_EQ(pair.at_client.text, "answer");
    EXPECT_EQ(pair.at_client.ends, 0);
  });
}

TEST(TLS, BackPressureReachesTheWriter) {
  run_async([]() -> Task<> {
    Pair pair;
    co_await pair.connect(example_server(), usual_client(), "example.com", {.capacity = 4096});
    pair.server.transport->pause_receive();
    EXPECT_TRUE(pair.server_wire->receive_paused());
    const std::string text = pattern(300'000);
    pair.client.transport->write(text);
    co_await Pair::settle();
    EXPECT_GT(pair.client.transport->pending(), 200'000U);
    EXPECT_EQ(pair.at_server.text, "");
    EXPECT_EQ(pair.at_client.drained, 0);
    pair.server.transport->resume_receive();
    co_await Pair::settle();
    EXPECT_EQ(pair.at_server.text, text);
    EXPECT_EQ(pair.client.transport->pending(), 0U);
    EXPECT_EQ(pair.at_client.drained, 1);
  });
}

TEST(TLS, PausedInTheMiddleOfADelivery) {
  run_async([]() -> Task<> {
    Pair pair;
    co_await pair.connect(example_server(), usual_client());
    const std::string text = pattern(250'000);
    pair.at_server.on_bytes = [&] { pair.server.transport->pause_receive(); };
    pair.client.transport->write(text);
    pair.client.transport->shutdown_write();
    std::size_t before = 0;
    for (int i = 0; i < 20 && pair.at_server.ends == 0; ++i) {
      co_await Pair::settle();
      EXPECT_LE(pair.at_server.text.size() - before, 64U * 1024);
      // The end is not told while receiving is paused.
      EXPECT_EQ(pair.at_server.ends, pair.at_server.text.size() == before ? 1 : 0);
      before = pair.at_server.text.size();
      pair.server.transport->resume_receive();
      co_await moment();
    }
    co_await Pair::settle();
    EXPECT_EQ(pair.at_server.text, text);
    EXPECT_EQ(pair.at_server.ends, 1);
    EXPECT_FALSE(pair.at_server.error);
  });
}

TEST(TLS, PauseAndResumeInsideACallGoesOn) {
  run_async([]() -> Task<> {
    Pair pair;
    co_await pair.connect(example_server(), usual_client());
    pair.at_server.on_bytes = [&] {
      pair.server.transport->pause_receive();
      pair.server.transport->resume_receive();
    };
    const std::string text = pattern(200'000);
    pair.client.transport->write(text);
    co_await Pair::settle();
    EXPECT_EQ(pair.at_server.text, text);
    EXPECT_FALSE(pair.server_wire->receive_paused());
  });
}

TEST(TLS, HandlerMayDestroyTheTransport) {
  run_async([]() -> Task<> {
    {
      Pair pair;
      co_await pair.connect(example_server(), usual_client());
      pair.at_server.on_bytes = [&] { pair.server.transport.reset(); };
      pair.client.transport->write(pattern(200'000));
      co_await Pair::settle();
      EXPECT_EQ(pair.at_server.pieces, 1);
      EXPECT_EQ(pair.at_client.ends, 1);
    }
    {
      Pair pair;
      co_await pair.connect(example_server(), usual_client());
      pair.at_server.on_end = [&] { pair.server.transport.reset(); };
      pair.client.transport->shutdown_write();
      co_await Pair::settle();
      EXPECT_EQ(pair.at_server.ends, 1);
    }
  });
}

TEST(TLS, HandlerMayAnswerFromInsideACall) {
  run_async([]() -> Task<> {
    Pair pair;
    co_await pair.connect(example_server(), usual_client());
    pair.at_server.on_bytes = [&] { pair.server.transport->write(pair.at_server.text); };
    pair.client.transport->write("echo");
    co_await Pair::settle();
    EXPECT_EQ(pair.at_client.text, "echo");
  });
}

TEST(TLS, TLSCarriesTLS) {
  run_async([]() -> Task<> {
    Pair outer;
    co_await outer.shake_hands(example_server(), usual_client());
    const auto both = co_await multi(
        outcome_of(tls_handshake(std::move(outer.server.transport), example_server())),
        outcome_of(
            tls_handshake(std::move(outer.client.transport), usual_client(), "example.com")));
    EXPECT_FALSE(std::get<0>(both).error);
    EXPECT_FALSE(std::get<1>(both).error);
    Recorder at_server;
    Recorder at_client;
    std::get<0>(both).transport->start(at_server);
    std::get<1>(both).transport->start(at_client);
    const std::string text = pattern(200'000);
    std::get<1>(both).transport->write(text);
    co_await Pair::settle();
    EXPECT_EQ(at_server.text, text);
  });
}

// --- how it ends ---------------------------------------------------------------------------------
TEST(TLS, EndWithoutFarewellIsATruncation) {
  run_async([]() -> Task<> {
    Pair pair;
    co_await pair.connect(example_server(), usual_client());
    pair.client.transport->write("half of a mess");
    pair.client.transport.reset();
    co_await Pair::settle();
    EXPECT_EQ(pair.at_server.text, "half of a mess");
    EXPECT_EQ(pair.at_server.ends, 1);
    EXPECT_EQ(pair.at_server.error, TLSErrc::kTruncated);
    EXPECT_NE(pair.at_server.error.message().find("close_notify"), std::string::npos);
    EXPECT_NE(std::string(StreamClosedError(pair.at_server.error).what()).find("close_notify"),
              std::string::npos);
  });
}

TEST(TLS, ResetComesThroughAsItself) {
  run_async([]() -> Task<> {
    Pair pair;
    co_await pair.connect(example_server(), usual_client());
    pair.client_wire->reset();
    co_await Pair::settle();
    EXPECT_EQ(pair.at_server.error, std::errc::connection_reset);
  });
}

TEST(TLS, ForgedRecordBreaksTheConnection) {
  run_async([]() -> Task<> {
    Pair pair;
    co_await pair.connect(example_server(), usual_client());
    pair.client_wire->write(std::string("\x17\x03\x03\x00\x20", 5) + std::string(32, 'x'));
    co_await Pair::settle();
    EXPECT_EQ(pair.at_server.text, "");
    EXPECT_EQ(pair.at_server.ends, 1);
    EXPECT_EQ(pair.at_server.error, TLSErrc::kBadRecord);
    // The peer is told why.
    EXPECT_EQ(pair.at_client.ends, 1);
    EXPECT_EQ(pair.at_client.error.category(), tls_alert_category());
    EXPECT_NE(pair.at_client.error.message().find("bad record mac"), std::string::npos);
    pair.server.transport->write("dropped");
  });
}

}  // namespace
}  // namespace coronado
