/// What the TLS tests share: an authority, contexts, and pairs of ends that have shaken hands.
#pragma once

#include <coronado/base/error.hpp>
#include <coronado/coro/combine.hpp>
#include <coronado/coro/future.hpp>
#include <coronado/coro/timeout.hpp>
#include <coronado/net/tls.hpp>
#include <coronado/testing/async_test.hpp>
#include <coronado/testing/memory_transport.hpp>
#include <coronado/testing/test_certificates.hpp>

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <tuple>
#include <utility>

namespace coronado::tls_test {

using namespace std::chrono_literals;

inline const TestAuthority& authority() {
  static const TestAuthority one("Test CA");
  return one;
}

inline TLSIdentity identity(const TestCertificate& certificate) {
  return {.certificate_pem = certificate.certificate_pem, .key_pem = certificate.key_pem};
}

inline TLSIdentity issue(const TestCertificateOptions& options) {
  return identity(authority().issue(options));
}

/// For "example.com", made once.
inline const TLSIdentity& example() {
  static const TLSIdentity one = issue({.common_name = "example", .dns_names = {"example.com"}});
  return one;
}

inline std::shared_ptr<TLSContext> example_server() {
  return TLSContext::server({.identities = {example()}});
}

inline TLSTrust trusted() { return {.ca_pem = authority().certificate_pem()}; }

inline std::shared_ptr<TLSContext> usual_client() {
  return TLSContext::client({.trust = trusted()});
}

/// Writes down what it is told.
struct Recorder final : TransportHandler {
  void on_receive(std::span<char> bytes) noexcept override {
    text.append(bytes.data(), bytes.size());
    ++pieces;
    if (on_bytes) on_bytes();
  }
  void on_receive_end(std::error_code code) noexcept override {
    ++ends;
    error = code;
    if (on_end) on_end();
  }
  void on_drained() noexcept override { ++drained; }

  std::string text;
  std::error_code error;
  std::function<void()> on_bytes;
  std::function<void()> on_end;
  int pieces = 0;
  int ends = 0;
  int drained = 0;
};

/// Waits until the loop has begun another turn; `moment` may come back in the same one.
inline Task<> next_turn() {
  Promise<> promise;
  Future<> turned = promise.future();
  IOLoop::current()->post([p = std::move(promise)]() mutable { p.set_value(); });
  co_await turned;
}

/// How one side's handshake ended.
struct Outcome {
  std::unique_ptr<TLSTransport> transport;
  std::exception_ptr error;

  /// Fails unless it is an `Error` whose message has `text` in it.
  template <class Error>
  void expect(const std::string& text, const std::string& subject = {}) const {
    ASSERT_TRUE(error) << "the handshake succeeded";
    try {
      std::rethrow_exception(error);
    } catch (const Error& caught) {
      EXPECT_NE(std::string(caught.what()).find(text), std::string::npos) << caught.what();
      if (!subject.empty()) EXPECT_EQ(caught.subject(), subject);
    } catch (const std::exception& caught) {
      ADD_FAILURE() << "another error: " << typeid(caught).name() << ": " << caught.what();
    }
  }
};

inline Task<Outcome> outcome_of(Task<std::unique_ptr<TLSTransport>> handshake) {
  Outcome outcome;
  try {
    outcome.transport = co_await std::move(handshake);
  } catch (const std::exception&) {
    outcome.error = std::current_exception();
  }
  co_return outcome;
}

/// Two ends. Declare it before nothing that it may call: the recorders outlive the transports.
struct Pair {
  Recorder at_server;
  Recorder at_client;
  Outcome server;
  Outcome client;
  MemoryTransport* server_wire = nullptr;
  MemoryTransport* client_wire = nullptr;

  /// Shakes hands and begins to receive where that succeeded.
  Task<> connect(std::shared_ptr<const TLSContext> server_context,
                 std::shared_ptr<const TLSContext> client_context, std::string host = "example.com",
                 MemoryTransportOptions options = {}) {
    co_await shake_hands(std::move(server_context), std::move(client_context), std::move(host),
                         options);
    start();
    co_await settle();
  }

  Task<> shake_hands(std::shared_ptr<const TLSContext> server_context,
                     std::shared_ptr<const TLSContext> client_context,
                     std::string host = "example.com", MemoryTransportOptions options = {}) {
    auto ends = make_memory_transports(*IOLoop::current(), options);
    server_wire = ends.first.get();
    client_wire = ends.second.get();
    auto both =
        co_await multi(outcome_of(tls_handshake(std::move(ends.first), std::move(server_context))),
                       outcome_of(tls_handshake(std::move(ends.second), std::move(client_context),
                                                std::move(host))));
    server = std::move(std::get<0>(both));
    client = std::move(std::get<1>(both));
  }

  void start() {
    if (server.transport) server.transport->start(at_server);
    if (client.transport) client.transport->start(at_client);
  }

  static Task<> settle() { co_await sleep(1s); }

  void expect_success() const {
    for (const Outcome* each : {&server, &client}) {
      if (!each->error) continue;
      try {
        std::rethrow_exception(each->error);
      } catch (const std::exception& error) {
        ADD_FAILURE() << error.what();
      }
    }
  }
};

inline std::shared_ptr<TLSContext> asking_server(TLSClientCertificates how) {
  return TLSContext::server(
      {.identities = {example()}, .client_certificates = how, .trust = trusted()});
}

inline std::shared_ptr<TLSContext> client_with(TLSIdentity identity) {
  return TLSContext::client({.trust = trusted(), .identity = std::move(identity)});
}

}  // namespace coronado::tls_test
