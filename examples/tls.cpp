// TLS on both sides, without HTTP: the listings of docs/guide/tls.md.
//
//     tls serve CERT.pem KEY.pem        an echo server on a free port; prints "listening PORT"
//     tls ask HOST PORT CA.pem LINE     sends a line, prints what comes back until the end
#include <coronado/coro/future.hpp>
#include <coronado/net/tls_stream.hpp>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <string>
#include <string_view>

using namespace std::chrono_literals;
using coronado::IOLoop;
using coronado::IOStream;
using coronado::SocketAddress;
using coronado::Task;
using coronado::TLSContext;
using coronado::TLSStream;
using coronado::Transport;

namespace {

// Awaits a connection.
class Dial final : coronado::ConnectHandler {
 public:
  Task<std::unique_ptr<Transport>> to(IOLoop& loop, SocketAddress address) {
    coronado::Future<std::unique_ptr<Transport>> made = promise_.future();
    connecting_ = loop.reactor().connect(address, {}, *this);
    co_return co_await made;
  }

 private:
  void on_connect(std::unique_ptr<Transport> transport) noexcept override {
    promise_.set_value(std::move(transport));
  }
  void on_connect_error(std::error_code error) noexcept override {
    promise_.set_exception(std::make_exception_ptr(std::system_error(error, "cannot connect")));
  }
  coronado::Promise<std::unique_ptr<Transport>> promise_;
  std::unique_ptr<coronado::Connecting> connecting_;
};

// [client]
Task<> ask(IOStream stream, std::string host, std::string ca_file, std::string line) {
  const auto context = TLSContext::client({.trust = {.ca_file = ca_file}});
  TLSStream secure = co_await start_tls(std::move(stream), context, host);
  co_await secure.write(line + "\n");
  co_await secure.shutdown();  // we have said all
  const std::string answer = co_await secure.read_until_close();
  std::printf("%s", answer.c_str());
}
// [/client]

// [server]
Task<> serve(IOStream stream, std::shared_ptr<const TLSContext> context) {
  try {
    TLSStream secure = co_await start_tls(std::move(stream), context);
    for (;;) {
      const std::string bytes = co_await secure.read_some();
      if (bytes.empty()) break;  // the client has said all
      co_await secure.write(bytes);
    }
    co_await secure.shutdown();
  } catch (const coronado::TLSError& error) {
    std::fprintf(stderr, "%s\n", error.what());  // "TLS handshake with 127.0.0.1:4711 failed: ..."
  } catch (const coronado::StreamClosedError& error) {
    std::fprintf(stderr, "%s\n", error.what());
  }
}
// [/server]

class Server final : coronado::AcceptHandler {
 public:
  Server(IOLoop& loop, std::shared_ptr<TLSContext> context)
      : loop_(loop),
        context_(std::move(context)),
        acceptor_(loop.reactor().listen(*SocketAddress::from_ip("127.0.0.1"), {}, *this)) {
    std::printf("listening %u\n", static_cast<unsigned>(acceptor_->local().port));
    std::fflush(stdout);
  }

 private:
  void on_accept(std::unique_ptr<Transport> transport) noexcept override {
    loop_.spawn(serve(IOStream(loop_, std::move(transport)), context_), "connection");
  }
  void on_accept_error(std::error_code) noexcept override {}

  IOLoop& loop_;
  std::shared_ptr<TLSContext> context_;
  std::unique_ptr<coronado::Acceptor> acceptor_;
};

int run_server(const char* certificate, const char* key) {
  // [context]
  const auto context =
      TLSContext::server({.identities = {{.certificate_file = certificate, .key_file = key}}});
  // [/context]
  IOLoop loop;
  const Server server(loop, context);
  loop.add_signal_handler(SIGTERM, [&] { loop.stop(); });
  // [reload]
  loop.add_signal_handler(SIGHUP, [&] {
    try {
      context->reload();
    } catch (const coronado::TLSError& error) {
      std::fprintf(stderr, "the old certificates stay: %s\n", error.what());
    }
  });
  // [/reload]
  loop.run();
  loop.close();
  return 0;
}

Task<> dial_and_ask(IOLoop& loop, std::string host, std::uint16_t port, std::string ca_file,
                    std::string line) {
  Dial dial;
  auto transport = co_await dial.to(loop, *SocketAddress::from_ip("127.0.0.1", port));
  co_await ask(IOStream(loop, std::move(transport)), host, ca_file, line);
}

int run_client(std::string host, std::uint16_t port, std::string ca_file, std::string line) {
  IOLoop loop;
  loop.run_sync(dial_and_ask(loop, host, port, ca_file, line), 20s);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view verb = argc > 1 ? argv[1] : "";
  try {
    if (verb == "serve" && argc == 4) return run_server(argv[2], argv[3]);
    if (verb == "ask" && argc == 6) {
      const int port = std::atoi(argv[3]);
      return run_client(argv[2], static_cast<std::uint16_t>(port), argv[4], argv[5]);
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  std::fprintf(stderr, "usage: tls serve CERT KEY | tls ask HOST PORT CA LINE\n");
  return 2;
}
