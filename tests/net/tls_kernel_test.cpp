// kTLS: the kernel encrypts what is sent. Where this machine's kernel does not, an emulated one does.
#include <coronado/coro/registry.hpp>
#include <coronado/loop/file.hpp>
#include <coronado/net/tls_stream.hpp>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>

#include "tests/loop/nameless_file.hpp"
#include "tests/loop/reactor_kinds.hpp"
#include "tests/net/emulated_kernel.hpp"
#include "tests/net/tcp_pair.hpp"
#include "tests/net/tls_fixture.hpp"

namespace coronado {
namespace {

using namespace tls_test;

constexpr unsigned char kAlert = 21;
constexpr unsigned char kHandshake = 22;

struct Kind {
  const char* name;
  ReactorKind reactor;
  const char* cipher;
  TLSVersion version;
};

std::vector<Kind> kinds() {
  std::vector<Kind> all;
  for (const ReactorKind reactor : {ReactorKind::kEpoll, ReactorKind::kUring}) {
    all.push_back({"AES128", reactor, "TLS_AES_128_GCM_SHA256", TLSVersion::kTLS13});
    all.push_back({"AES256", reactor, "TLS_AES_256_GCM_SHA384", TLSVersion::kTLS13});
    all.push_back({"ChaCha", reactor, "TLS_CHACHA20_POLY1305_SHA256", TLSVersion::kTLS13});
    all.push_back({"AES128Old", reactor, "ECDHE-ECDSA-AES128-GCM-SHA256", TLSVersion::kTLS12});
    all.push_back({"AES256Old", reactor, "ECDHE-ECDSA-AES256-GCM-SHA384", TLSVersion::kTLS12});
    all.push_back({"ChaChaOld", reactor, "ECDHE-ECDSA-CHACHA20-POLY1305", TLSVersion::kTLS12});
  }
  return all;
}

void PrintTo(const Kind& kind, std::ostream* out) { *out << kind.name; }

std::string pattern(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>(i * 131 + i / 251);
  return text;
}

std::shared_ptr<const OpenFile> file_of(const std::string& content) {
  return std::make_shared<const OpenFile>(open_nameless_file(content));
}

/// Lets the loop turn until `done`.
template <class Done>
Task<> until(Done done) {
  for (int i = 0; i < 100'000 && !done(); ++i) co_await sleep(10us);
  EXPECT_TRUE(done());
}

/// A connection between a side whose output the emulated kernel encrypts, and an ordinary one.
struct Line {
  explicit Line(IOLoop& wanted) : loop(wanted), kernel(wanted), stand_in(kernel) {}

  /// Shakes hands; `ours` and `theirs` are contexts of opposite roles.
  Task<> connect(std::shared_ptr<const TLSContext> ours, std::shared_ptr<const TLSContext> theirs) {
    const bool is_server = ours->role() == TLSContext::Role::kServer;
    auto both = co_await multi(
        outcome_of(tls_handshake(loop.reactor().adopt(kernel.ours), std::move(ours),
                                 is_server ? "" : "example.com")),
        outcome_of(tls_handshake(loop.reactor().adopt(kernel.peers), std::move(theirs),
                                 is_server ? "example.com" : "")));
    for (const Outcome* each : {&std::get<0>(both), &std::get<1>(both)}) {
      if (each->error) std::rethrow_exception(each->error);
    }
    here = std::move(std::get<0>(both).transport);
    there = std::move(std::get<1>(both).transport);
    here->start(at_us);
    there->start(at_peer);
  }

  Recorder at_us;
  Recorder at_peer;
  IOLoop& loop;
  EmulatedKernel kernel;
  KernelTLSStandIn stand_in;
  std::unique_ptr<TLSTransport> here;
  std::unique_ptr<TLSTransport> there;
};

class KernelTLSTest : public testing::TestWithParam<Kind> {
 protected:
  static TLSServerOptions server_options(bool kernel) {
    TLSServerOptions options{.identities = {example()}, .kernel_tls = kernel};
    choose(options);
    return options;
  }
  static TLSClientOptions client_options(bool kernel) {
    TLSClientOptions options{.trust = trusted(), .kernel_tls = kernel};
    choose(options);
    return options;
  }
  static std::shared_ptr<TLSContext> server(bool kernel) {
    return TLSContext::server(server_options(kernel));
  }
  static std::shared_ptr<TLSContext> client(bool kernel) {
    return TLSContext::client(client_options(kernel));
  }
  static bool is_tls13() { return GetParam().version == TLSVersion::kTLS13; }

  template <class Body>
  static void run(Body body) {
    run_async(std::move(body), {.reactor = GetParam().reactor});
  }

  static void choose(auto& options) {
    options.min_version = options.max_version = GetParam().version;
    (is_tls13() ? options.ciphersuites : options.ciphers) = GetParam().cipher;
  }
};

INSTANTIATE_TEST_SUITE_P(Ciphers, KernelTLSTest, testing::ValuesIn(kinds()),
                         [](const testing::TestParamInfo<Kind>& info) {
                           return info.param.name + name_of(info.param.reactor);
                         });

TEST_P(KernelTLSTest, ThePeerDecryptsWhatTheKernelEncrypts) {
  run([]() -> Task<> {
    Line line(*IOLoop::current());
    co_await line.connect(server(true), client(false));
    EXPECT_TRUE(line.here->kernel_tls());
    EXPECT_FALSE(line.there->kernel_tls());
    EXPECT_EQ(line.here->cipher(), GetParam().cipher);
    EXPECT_EQ(line.kernel.attached, 1);
    EXPECT_EQ(line.kernel.keys_set, 1);
    // Two session tickets; in TLS 1.2 the last message of the handshake.
    EXPECT_EQ(line.kernel.first_sequence, is_tls13() ? 2U : 1U);
    std::string expected;
    for (const std::size_t size : {1UZ, 0UZ, 100UZ, 16'384UZ, 16'385UZ, 70'000UZ, 1'000'000UZ}) {
      const std::string text = pattern(size);
      expected += text;
      line.here->write(text);
      co_await until([&] { return line.at_peer.text.size() == expected.size(); });
    }
    EXPECT_TRUE(line.at_peer.text == expected);
    EXPECT_EQ(line.kernel.encrypted, expected.size());
    line.there->write("and back");
    co_await until([&] { return line.at_us.text == "and back"; });
    line.here->shutdown_write();
    co_await until([&] { return line.at_peer.ends == 1; });
    EXPECT_FALSE(line.at_peer.error) << line.at_peer.error.message();
    EXPECT_EQ(line.kernel.types, std::vector<unsigned char>{kAlert});
    line.there->shutdown_write();
    co_await until([&] { return line.at_us.ends == 1; });
    EXPECT_FALSE(line.at_us.error) << line.at_us.error.message();
  });
}

TEST_P(KernelTLSTest, AClientsKernelEncryptsToo) {
  run([]() -> Task<> {
    Line line(*IOLoop::current());
    co_await line.connect(client(true), server(false));
    EXPECT_TRUE(line.here->kernel_tls());
    EXPECT_EQ(line.kernel.first_sequence, is_tls13() ? 0U : 1U);
    const std::string text = pattern(100'000);
    line.here->write(text);
    line.there->write(text);
    co_await until([&] { return line.at_peer.text == text && line.at_us.text == text; });
    EXPECT_EQ(line.kernel.encrypted, text.size());
    line.here->shutdown_write();
    co_await until([&] { return line.at_peer.ends == 1; });
    EXPECT_FALSE(line.at_peer.error);
  });
}

TEST_P(KernelTLSTest, AResumedSessionHasItsOwnNumberOfTickets) {
  run([]() -> Task<> {
    const auto ours = server(true);
    const auto theirs = client(false);
    for (const bool again : {false, true}) {
      Line line(*IOLoop::current());
      co_await line.connect(ours, theirs);
      EXPECT_EQ(line.here->resumed(), again);
      EXPECT_EQ(line.kernel.first_sequence, again || !is_tls13() ? 1U : 2U);
      line.here->write("hello");
      co_await until([&] { return line.at_peer.text == "hello"; });
      line.here->shutdown_write();
      line.there->shutdown_write();
      co_await until([&] { return line.at_peer.ends == 1 && line.at_us.ends == 1; });
    }
  });
}

TEST_P(KernelTLSTest, AFileLeavesWithoutPassingThroughTheProgram) {
  run([]() -> Task<> {
    Line line(*IOLoop::current());
    co_await line.connect(server(true), client(false));
    const std::string content = pattern(2'000'000);
    const auto file = file_of(content);
    line.here->write("head");
    std::size_t at = 0;
    while (at < content.size()) {
      const auto sent = line.here->send_file(file->native_handle(), at, content.size() - at);
      EXPECT_TRUE(sent.has_value());
      if (!sent) co_return;
      at += *sent;
      const int drained = line.at_us.drained;
      if (line.here->pending() == 0) continue;
      co_await until([&] { return line.at_us.drained > drained; });
      EXPECT_EQ(line.here->pending(), 0U);
    }
    line.here->write("tail");
    co_await until([&] { return line.at_peer.text.ends_with("tail"); });
    EXPECT_TRUE(line.at_peer.text == "head" + content + "tail");
    EXPECT_EQ(line.kernel.encrypted, content.size() + 8);
  });
}

TEST_P(KernelTLSTest, AStreamSendsAFileAndItsFarewell) {
  run([]() -> Task<> {
    IOLoop& loop = *IOLoop::current();
    Line line(loop);
    co_await line.connect(server(true), client(false));
    const std::string content = pattern(1'500'000);
    TLSStream stream(loop, std::move(line.here));
    EXPECT_TRUE(stream.tls().kernel_tls());
    const TaskSnapshot snapshot = snapshot_tasks(loop);
    EXPECT_EQ(snapshot.tasks.at(0).streams.size(), 1U);
    EXPECT_TRUE(snapshot.tasks.at(0).streams.at(0).kernel_tls);
    EXPECT_NE(to_text(snapshot).find(GetParam().cipher + std::string(", by the kernel)")),
              std::string::npos);
    co_await stream.write("head");
    co_await stream.send_file(file_of(content), 1000, content.size() - 1000);
    co_await stream.write("tail");
    co_await stream.shutdown();
    co_await until([&] { return line.at_peer.ends == 1; });
    EXPECT_TRUE(line.at_peer.text == "head" + content.substr(1000) + "tail");
    EXPECT_FALSE(line.at_peer.error);
    EXPECT_EQ(line.kernel.encrypted, content.size() - 1000 + 8);
  });
}

TEST_P(KernelTLSTest, AFarewellWaitsForAFullSocket) {
  run([]() -> Task<> {
    Line line(*IOLoop::current());
    co_await line.connect(server(true), client(false));
    line.kernel.stall(true);
    const std::string text = pattern(1'000'000);
    line.here->write(text);
    EXPECT_GT(line.here->pending(), 0U);
    line.here->shutdown_write();
    line.here->write("lost");
    EXPECT_TRUE(line.kernel.types.empty());
    line.kernel.stall(false);
    co_await until([&] { return line.at_peer.ends == 1; });
    EXPECT_TRUE(line.at_peer.text == text);
    EXPECT_FALSE(line.at_peer.error) << line.at_peer.error.message();
    EXPECT_EQ(line.here->pending(), 0U);
  });
}

TEST_P(KernelTLSTest, AnAlertOfOpenSSLIsARecordOfTheKernel) {
  run([]() -> Task<> {
    Line line(*IOLoop::current());
    co_await line.connect(server(true), client(false));
    line.here->write("before");
    line.kernel.forge(std::string("\x17\x03\x03\x00\x28", 5) + std::string(40, 'x'));
    co_await until([&] { return line.at_peer.ends == 1 && line.at_us.ends == 1; });
    EXPECT_EQ(line.at_us.error, TLSErrc::kBadRecord);
    EXPECT_EQ(line.at_peer.text, "before");
    EXPECT_EQ(line.at_peer.error.category(), tls_alert_category());
    EXPECT_EQ(line.kernel.types, std::vector<unsigned char>{kAlert});
  });
}

// --- new keys ------------------------------------------------------------------------------------

/// A client of OpenSSL alone, which can ask for new keys.
class BareClient {
 public:
  BareClient(IOLoop& loop, int socket) : loop_(loop), socket_(socket) {
    context_ = ::SSL_CTX_new(::TLS_client_method());
    ::SSL_CTX_set_min_proto_version(context_, TLS1_3_VERSION);
    ssl_ = ::SSL_new(context_);
    ::SSL_set_fd(ssl_, socket);
    ::SSL_set_connect_state(ssl_);
    loop_.add_handler(socket, [this](int, unsigned) { go_on(); }, Reactor::kRead);
    go_on();
  }
  ~BareClient() {
    loop_.remove_handler(socket_);
    ::SSL_free(ssl_);
    ::SSL_CTX_free(context_);
    ::close(socket_);
  }
  BareClient(const BareClient&) = delete;
  BareClient& operator=(const BareClient&) = delete;

  /// Sends new keys and asks for the other side's.
  void ask_for_keys() {
    EXPECT_EQ(::SSL_key_update(ssl_, SSL_KEY_UPDATE_REQUESTED), 1);
    EXPECT_EQ(::SSL_do_handshake(ssl_), 1);
  }
  void write(std::string_view bytes) {
    EXPECT_EQ(::SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size())),
              static_cast<int>(bytes.size()));
  }

  std::string text;
  int error = SSL_ERROR_NONE;

 private:
  void go_on() {
    ::ERR_clear_error();
    std::array<char, 16384> buffer;
    int n = 0;
    while ((n = ::SSL_read(ssl_, buffer.data(), buffer.size())) > 0) {
      text.append(buffer.data(), static_cast<std::size_t>(n));
    }
    const int why = ::SSL_get_error(ssl_, n);
    if (why == SSL_ERROR_WANT_READ) return;
    error = why;
    loop_.remove_handler(socket_);
  }

  IOLoop& loop_;
  int socket_;
  SSL_CTX* context_;
  SSL* ssl_;
};

class KernelTLSUpdate : public KernelTLSTest {};
INSTANTIATE_TEST_SUITE_P(Reactors, KernelTLSUpdate,
                         testing::Values(kinds()[1], kinds()[2], kinds()[7]),
                         [](const testing::TestParamInfo<Kind>& info) {
                           return info.param.name + name_of(info.param.reactor);
                         });

TEST_P(KernelTLSUpdate, TheKernelIsGivenTheKeysThatFollow) {
  run([]() -> Task<> {
    IOLoop& loop = *IOLoop::current();
    Line line(loop);
    BareClient client(loop, line.kernel.peers);
    const auto here =
        co_await tls_handshake(loop.reactor().adopt(line.kernel.ours), server(true), "");
    here->start(line.at_us);
    EXPECT_TRUE(here->kernel_tls());
    std::string expected;
    for (int round = 1; round <= 3; ++round) {
      const std::string text = pattern(40'000 + static_cast<std::size_t>(round));
      expected += text;
      here->write(text);
      co_await until([&] { return client.text.size() == expected.size(); });
      client.ask_for_keys();
      client.write("new");
      co_await until([&] { return line.at_us.text.size() == 3U * static_cast<unsigned>(round); });
      EXPECT_EQ(line.kernel.keys_set, 1 + round);
    }
    expected += "end";
    here->write("end");
    co_await until([&] { return client.text.size() == expected.size(); });
    EXPECT_TRUE(client.text == expected);
    EXPECT_EQ(line.kernel.types, std::vector<unsigned char>(3, kHandshake));
    here->shutdown_write();
    co_await until([&] { return client.error != SSL_ERROR_NONE; });
    EXPECT_EQ(client.error, SSL_ERROR_ZERO_RETURN);  // close_notify, with the last keys
  });
}

TEST_P(KernelTLSUpdate, WhatIsWrittenBehindAnUpdateThatWaitsFollowsIt) {
  run([]() -> Task<> {
    IOLoop& loop = *IOLoop::current();
    Line line(loop);
    BareClient client(loop, line.kernel.peers);
    const auto here =
        co_await tls_handshake(loop.reactor().adopt(line.kernel.ours), server(true), "");
    here->start(line.at_us);
    line.kernel.stall(true);
    const std::string text = pattern(1'000'000);
    here->write(text);
    client.ask_for_keys();
    client.write("new");
    co_await until([&] { return line.at_us.text == "new"; });
    EXPECT_EQ(line.kernel.keys_set, 1);
    const std::size_t before = here->pending();
    here->write("behind");
    EXPECT_EQ(here->pending(), before + 6);
    here->shutdown_write();
    line.kernel.stall(false);
    co_await until([&] { return client.error != SSL_ERROR_NONE; });
    EXPECT_EQ(client.error, SSL_ERROR_ZERO_RETURN);
    EXPECT_TRUE(client.text == text + "behind");
    EXPECT_EQ(line.kernel.keys_set, 2);
    EXPECT_EQ(line.at_us.drained, 1);
  });
}

TEST_P(KernelTLSUpdate, AKernelThatKeepsItsKeysEndsTheConnection) {
  run([]() -> Task<> {
    IOLoop& loop = *IOLoop::current();
    Line line(loop);
    line.kernel.update_error = EBUSY;
    BareClient client(loop, line.kernel.peers);
    const auto here =
        co_await tls_handshake(loop.reactor().adopt(line.kernel.ours), server(true), "");
    here->start(line.at_us);
    client.ask_for_keys();
    co_await until([&] { return line.at_us.ends == 1 && client.error != SSL_ERROR_NONE; });
    EXPECT_EQ(line.at_us.error, std::errc::not_supported);
    EXPECT_NE(client.error, SSL_ERROR_ZERO_RETURN);  // cut, and it knows
    here->write("dropped");
    EXPECT_EQ(here->pending(), 0U);
    EXPECT_EQ(client.text, "");
  });
}

// --- where the kernel does not ------------------------------------------------------------------

class KernelTLSAbsent : public KernelTLSTest {};
INSTANTIATE_TEST_SUITE_P(Reactors, KernelTLSAbsent, testing::Values(kinds()[1], kinds()[7]),
                         [](const testing::TestParamInfo<Kind>& info) {
                           return info.param.name + name_of(info.param.reactor);
                         });

/// Bytes in both directions, and farewells.
Task<> talk(Line& line) {
  const std::string text = pattern(100'000);
  line.here->write(text);
  line.there->write(text);
  co_await until([&] { return line.at_peer.text == text && line.at_us.text == text; });
  line.here->shutdown_write();
  line.there->shutdown_write();
  co_await until([&] { return line.at_peer.ends == 1 && line.at_us.ends == 1; });
  EXPECT_FALSE(line.at_peer.error);
  EXPECT_FALSE(line.at_us.error);
}

TEST_P(KernelTLSAbsent, OpenSSLGoesOnWithALineForDebugging) {
  run([]() -> Task<> {
    general_log().set_level(LogLevel::kDebug);
    Line line(*IOLoop::current());
    line.kernel.attach_error = ENOENT;
    {
      ExpectLog expected("debug coronado.general: TLS with ");
      co_await line.connect(server(true), client(false));
      EXPECT_EQ(expected.count(), 1U);
    }
    general_log().set_level(LogLevel::kInfo);
    EXPECT_FALSE(line.here->kernel_tls());
    EXPECT_EQ(line.kernel.keys_set, 0);
    const auto file = file_of("file");
    EXPECT_EQ(line.here->send_file(file->native_handle(), 0, 4), std::nullopt);
    co_await talk(line);
    EXPECT_EQ(line.kernel.encrypted, 0U);
  });
}

TEST_P(KernelTLSAbsent, ACipherThatIsNotOfferedToTheKernel) {
  run([]() -> Task<> {
    TLSServerOptions ours = server_options(true);
    TLSClientOptions theirs = client_options(false);
    ours.ciphersuites = theirs.ciphersuites = "TLS_AES_128_CCM_SHA256";
    Line line(*IOLoop::current());
    co_await line.connect(TLSContext::server(ours), TLSContext::client(theirs));
    EXPECT_FALSE(line.here->kernel_tls());
    EXPECT_EQ(line.kernel.attached, 0);
    co_await talk(line);
  });
}

TEST_P(KernelTLSAbsent, NothingIsOfferedUnlessAskedFor) {
  run([]() -> Task<> {
    Line line(*IOLoop::current());
    co_await line.connect(server(false), client(false));
    EXPECT_FALSE(line.here->kernel_tls());
    EXPECT_EQ(line.kernel.attached, 0);
    co_await talk(line);
  });
}

TEST_P(KernelTLSAbsent, ThisMachinesKernelEncryptsExactlyWhenItOffersTo) {
  run([]() -> Task<> {
    IOLoop& loop = *IOLoop::current();
    const auto [one, other] = tcp_pair();
    auto both =
        co_await multi(tls_handshake(loop.reactor().adopt(one), server(true), ""),
                       tls_handshake(loop.reactor().adopt(other), client(false), "example.com"));
    EXPECT_EQ(std::get<0>(both)->kernel_tls(), kernel_offers_tls());
    TLSStream here(loop, std::move(std::get<0>(both)));
    TLSStream there(loop, std::move(std::get<1>(both)));
    const std::string content = pattern(3'000'000);
    const auto ends = co_await multi(
        [](TLSStream& to, std::string bytes) -> Task<> {
          co_await to.write("head");
          co_await to.send_file(file_of(bytes), 0, bytes.size());
          co_await to.write("tail");
          co_await to.shutdown();
        }(here, content),
        [](TLSStream& from) -> Task<std::string> {
          co_return co_await from.read_until_close();
        }(there));
    EXPECT_TRUE(std::get<1>(ends) == "head" + content + "tail");
  });
}

}  // namespace
}  // namespace coronado
