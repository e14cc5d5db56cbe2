// HTTPS: the server's part of it. What TLS itself does is tested in tests/net/tls_test.cpp.
#include <coronado/coro/registry.hpp>
#include <coronado/loop/file.hpp>
#include <coronado/net/tls.hpp>
#include <coronado/testing/temp_folder.hpp>
#include <coronado/testing/test_certificates.hpp>

#include <algorithm>

#include "tests/http/server_fixture.hpp"
#include "tests/loop/reactor_kinds.hpp"
#include "tests/net/emulated_kernel.hpp"

namespace coronado {
namespace {

using namespace http_test;

const TestAuthority& authority() {
  static const TestAuthority one("Test CA");
  return one;
}

TLSIdentity issue(const TestCertificateOptions& options) {
  const TestCertificate made = authority().issue(options);
  return {.certificate_pem = made.certificate_pem, .key_pem = made.key_pem};
}

HTTPServerOptions with_tls() {
  HTTPServerOptions options;
  options.tls = TLSContext::server({.identities = {issue({.dns_names = {"example.com"}})},
                                    .client_certificates = TLSClientCertificates::kOptional,
                                    .trust = {.ca_pem = authority().certificate_pem()}});
  return options;
}

struct SecureBench : ServerBench {
  explicit SecureBench(HTTPServerOptions options = with_tls(), Wire kind = Wire::kWhole)
      : ServerBench(kind, std::move(options)) {
    service.on("/who", [](HTTPExchange& exchange) -> Task<> {
      const HTTPServerRequest& request = exchange.request();
      std::string answer = request.full_url();
      if (request.tls() != nullptr) {
        const auto peer = request.tls()->peer_certificate();
        answer += peer ? " from " + peer->common_name : " from anybody";
      }
      respond_text(exchange, answer);
      co_return;
    });
  }

  /// The client's end of a connection on which nothing was sent.
  std::unique_ptr<Transport> connect_plain() {
    if (wire == Wire::kSockets) return connect_loopback(loop, server->port());
    auto [client, accepted] =
        make_memory_transports(loop, {.piece = wire == Wire::kBytes ? 1UZ : 64UZ * 1024});
    server->serve(std::move(accepted));
    return std::move(client);
  }

  std::unique_ptr<RawClient> connect_secure(TLSIdentity identity = {}) {
    const auto context = TLSContext::client(
        {.trust = {.ca_pem = authority().certificate_pem()}, .identity = std::move(identity)});
    return std::make_unique<RawClient>(run(tls_handshake(connect_plain(), context, "example.com")));
  }
};

TEST(HTTPServerTLS, RequestsKnowTheyAreSecure) {
  for (const Wire wire : {Wire::kWhole, Wire::kBytes, Wire::kSockets}) {
    SecureBench bench(with_tls(), wire);
    auto client = bench.connect_secure();
    EXPECT_EQ(bench.run(ask(*client, get("/who"))).body, "https://x/who from anybody");
    EXPECT_EQ(bench.run(ask(*client, get("/who"))).body, "https://x/who from anybody");
    auto ada = bench.connect_secure(issue({.common_name = "Ada"}));
    EXPECT_EQ(bench.run(ask(*ada, get("/who"))).body, "https://x/who from Ada");
  }
  SecureBench plain{HTTPServerOptions{}};
  auto client = plain.connect();
  EXPECT_EQ(plain.run(ask(*client, get("/who"))).body, "http://x/who");
}

/// Both kinds of connection: a request that waits, half a body, a quiet one.
TEST(HTTPServerTLS, ConnectionsAreShownWithTheirTasks) {
  for (const bool secure : {false, true}) {
    SecureBench bench(secure ? with_tls() : HTTPServerOptions{}, Wire::kSockets);
    bench.service.on("/wait", [](HTTPExchange& exchange) -> Task<> {
      exchange.start({}, std::nullopt, std::string(8'000'000, 'x'));  // more than a socket takes
      co_await sleep(1h);
    });
    const auto connect = [&] { return secure ? bench.connect_secure() : bench.connect(); };
    auto waits = connect();
    waits->transport().pause_receive();
    waits->send(get("/wait") + "GET /behind");
    auto half = connect();
    half->send("POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabcd");
    auto quiet = connect();
    EXPECT_EQ(bench.run(ask(*quiet, get("/"))).status, 200);
    TaskSnapshot snapshot;
    bench.run([&]() -> Task<> {
      do {
        co_await sleep(1ms);
        snapshot = snapshot_tasks(bench.loop);
      } while (snapshot.streams.size() != 2 || snapshot.streams.at(0).buffered != 4);
    }());
    const auto task = std::ranges::find(snapshot.tasks, std::string("request"), &TaskInfo::name);
    ASSERT_NE(task, snapshot.tasks.end());
    ASSERT_EQ(task->streams.size(), 1U);
    const std::string security = secure ? "TLS 1.3, TLS_AES_256_GCM_SHA384" : "";
    EXPECT_EQ(task->streams.at(0).peer, to_string(waits->transport().local()));
    EXPECT_EQ(task->streams.at(0).protocol, "HTTP");
    EXPECT_EQ(task->streams.at(0).security, security);
    EXPECT_EQ(task->streams.at(0).buffered, 11U);
    EXPECT_GT(task->streams.at(0).unsent, 0U);
    EXPECT_EQ(snapshot.streams.at(0).peer, to_string(half->transport().local()));
    EXPECT_EQ(snapshot.streams.at(1).peer, to_string(quiet->transport().local()));
    EXPECT_EQ(snapshot.streams.at(1).security, security);
    EXPECT_EQ(snapshot.streams.at(1).buffered + snapshot.streams.at(1).unsent, 0U);
    const std::string text = to_text(snapshot);
    EXPECT_NE(text.find("   has a stream with " + task->streams.at(0).peer + " (HTTP"),
              std::string::npos);
    EXPECT_NE(
        text.find("a stream that no task uses, with " + snapshot.streams.at(0).peer +
                  (secure ? " (HTTP, " + security + "), " : " (HTTP), ") + "4 bytes buffered"),
        std::string::npos);
  }
}

TEST(HTTPServerTLS, LargeBodiesInBothDirections) {
  for (const Wire wire : {Wire::kWhole, Wire::kSockets}) {
    SecureBench bench(with_tls(), wire);
    auto client = bench.connect_secure();
    const std::string body(700'000, 'b');
    const RawResponse response =
        bench.run(ask(*client, "POST /stream HTTP/1.1\r\nHost: x\r\nContent-Length: " +
                                   std::to_string(body.size()) + "\r\n\r\n" + body));
    EXPECT_EQ(response.body, body);
  }
}

TEST(HTTPServerTLS, ClosesWithAFarewell) {
  SecureBench bench;
  auto client = bench.connect_secure();
  const RawResponse response = bench.run(ask(*client, get("/who", "Connection: close\r\n")));
  EXPECT_EQ(response.status, 200);
  bench.run(client->read_to_end());
  EXPECT_FALSE(client->error()) << client->error().message();
  auto idle = bench.connect_secure();
  bench.run(idle->read_to_end());  // after the idle timeout
  EXPECT_FALSE(idle->error()) << idle->error().message();
  auto first = bench.connect_secure();
  first->shutdown_write();
  bench.run(first->read_to_end());
  EXPECT_FALSE(first->error()) << first->error().message();
}

TEST(HTTPServerTLS, ResponseThatBreaksOffIsTruncated) {
  SecureBench bench;
  bench.service.on("/break", [](HTTPExchange& exchange) -> Task<> {
    exchange.start({}, std::nullopt, "half");
    co_await moment();
    throw std::runtime_error("broken");
  });
  auto client = bench.connect_secure();
  client->send("GET /break HTTP/1.0\r\n\r\n");
  bench.run(client->read_to_end());
  EXPECT_EQ(client->error(), TLSErrc::kTruncated);
}

TEST(HTTPServerTLS, FailedHandshakeIsOneLineAndFreesItsPlace) {
  HTTPServerOptions options = with_tls();
  options.max_connections = 1;
  SecureBench bench(std::move(options));
  RawClient plain(bench.connect_plain());
  plain.send(get("/who"));
  bench.run(plain.read_to_end());
  EXPECT_EQ(bench.log.count("the peer speaks plain HTTP"), 1U);
  EXPECT_EQ(bench.log.lines.size(), 1U);
  EXPECT_EQ(bench.server->connection_count(), 0U);
  RawClient silent(bench.connect_plain());
  EXPECT_EQ(bench.server->connection_count(), 1U);
  RawClient refused(bench.connect_plain());  // handshakes count
  bench.run(refused.read_to_end());
  EXPECT_EQ(bench.log.count("max_connections"), 1U);
  bench.run(silent.read_to_end());
  EXPECT_EQ(bench.log.count("was not done within 10000 ms"), 1U);
  EXPECT_EQ(bench.server->connection_count(), 0U);
  auto client = bench.connect_secure();
  EXPECT_EQ(bench.run(ask(*client, get("/who"))).status, 200);
}

TEST(HTTPServerTLS, DrainDoesNotWaitForHandshakes) {
  SecureBench bench;
  RawClient silent(bench.connect_plain());
  auto client = bench.connect_secure();
  const TimePoint begin = bench.loop.now();
  EXPECT_TRUE(bench.run(bench.server->drain(begin + 5s)));
  EXPECT_LT(bench.loop.now() - begin, 1s);
  bench.run(silent.read_to_end());
  bench.run(client->read_to_end());
  EXPECT_FALSE(client->error());
  EXPECT_EQ(bench.log.lines.size(), 0U);
}

TEST(HTTPServerTLS, CloseEndsHandshakesThatHaveNotBegun) {
  SecureBench bench;
  RawClient silent(bench.connect_plain());
  bench.run(bench.server->close());
  EXPECT_EQ(bench.server->connection_count(), 0U);
}

// --- the kernel encrypts -------------------------------------------------------------------------

/// HTTPS on a socket whose kernel makes the records; see emulated_kernel.hpp.
class HTTPServerKernelTLS : public testing::TestWithParam<ReactorKind> {
 protected:
  static HTTPServerOptions options() {
    HTTPServerOptions options;
    options.tls = TLSContext::server(
        {.identities = {issue({.dns_names = {"example.com"}})}, .kernel_tls = true});
    return options;
  }

  HTTPServerKernelTLS() {
    bench_.service.on("/who-encrypts", [](HTTPExchange& exchange) -> Task<> {
      respond_text(exchange, exchange.request().tls()->kernel_tls() ? "the kernel" : "OpenSSL");
      co_return;
    });
    bench_.server->serve(bench_.loop.reactor().adopt(kernel_.ours));
    const auto context = TLSContext::client({.trust = {.ca_pem = authority().certificate_pem()}});
    client_.emplace(bench_.run(
        tls_handshake(bench_.loop.reactor().adopt(kernel_.peers), context, "example.com")));
  }
  ~HTTPServerKernelTLS() override { bench_.run(bench_.server->close()); }

  RawResponse ask(std::string bytes) {
    return bench_.run(http_test::ask(*client_, std::move(bytes)));
  }

  ServerBench bench_{Wire::kSockets, options(), GetParam()};
  tls_test::EmulatedKernel kernel_{bench_.loop};
  KernelTLSStandIn stand_in_{kernel_};
  std::optional<RawClient> client_;
};

INSTANTIATE_TEST_SUITE_P(Reactors, HTTPServerKernelTLS, real_reactors(), ReactorName());

TEST_P(HTTPServerKernelTLS, RequestsAreAnsweredAsEver) {
  EXPECT_EQ(ask(get("/who-encrypts")).body, "the kernel");
  const std::string body(300'000, 'b');
  EXPECT_EQ(ask("POST /stream HTTP/1.1\r\nHost: x\r\nContent-Length: " +
                std::to_string(body.size()) + "\r\n\r\n" + body)
                .body,
            body);
  client_->send(get("/later?1") + get("/plain?2") + get("/later?3"));  // pipelined
  for (const char* expected : {"/later?1", "GET /plain?2", "/later?3"}) {
    EXPECT_EQ(bench_.run(client_->read_response()).body, expected);
  }
  const std::size_t before = kernel_.encrypted;
  EXPECT_EQ(ask(get("/last", "Connection: close\r\n")).body, "GET /last");
  EXPECT_GT(kernel_.encrypted, before);
  EXPECT_EQ(bench_.run(client_->read_to_end()), "");
  EXPECT_FALSE(client_->error()) << "no farewell: " << client_->error().message();
}

TEST_P(HTTPServerKernelTLS, AFileIsPartOfTheBody) {
  std::string content(2'000'000, '\0');
  for (std::size_t i = 0; i < content.size(); ++i) {
    content[i] = static_cast<char>(i * 7 + i / 251);
  }
  const TempFolder folder;
  folder.write("file", content);
  const auto file = OpenFile::open(folder.at("file"));
  bench_.service.on("/file", [&](HTTPExchange& exchange) -> Task<> {
    exchange.start({}, content.size() - 98, "[");
    co_await exchange.write_file(file, 100, content.size() - 100);
    exchange.write("]");
    exchange.finish();
  });
  for (int round = 0; round < 2; ++round) {
    const std::size_t before = kernel_.encrypted;
    EXPECT_TRUE(ask(get("/file")).body == "[" + content.substr(100) + "]");
    EXPECT_GE(kernel_.encrypted - before, content.size() - 100);
  }
  EXPECT_EQ(ask(get("/who-encrypts")).body, "the kernel");
}

}  // namespace
}  // namespace coronado
