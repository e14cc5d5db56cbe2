// Names and connections: what docs/guide/resolving.md shows. Looks up a name, then connects to it.
//
//     resolving [host [port]]      default: localhost 8888
#include <coronado/base/error.hpp>
#include <coronado/coro/timeout.hpp>
#include <coronado/loop/ioloop.hpp>
#include <coronado/net/resolver.hpp>
#include <coronado/net/tcpclient.hpp>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

using namespace std::chrono_literals;
using coronado::Resolution, coronado::ResolveError, coronado::Resolver, coronado::ResolveRequest;
using coronado::Task, coronado::TCPClient;

namespace {

// [resolve]
Task<> look_up(std::string host, std::uint16_t port) {
  const Resolution found = co_await Resolver::shared()->resolve(host, port);
  for (const coronado::SocketAddress& address : found.addresses) {
    std::printf("%s is %s\n", host.c_str(), to_string(address).c_str());
  }
}
// [/resolve]

// [error]
Task<> explain(std::string host) {
  try {
    co_await look_up(host, 443);
  } catch (const ResolveError& error) {
    std::printf("%s\n", error.what());
    if (error.temporary()) std::printf("it may be worth trying again\n");
  }
}
// [/error]

// [configure]
std::shared_ptr<Resolver> make_resolver() {
  coronado::AresOptions servers;
  servers.timeout = 500ms;
  servers.tries = 2;
  coronado::CacheOptions cache;
  cache.max_ttl = 10min;
  return std::make_shared<coronado::CachingResolver>(
      std::make_shared<coronado::AresResolver>(servers), cache);
}
// [/configure]

// [override]
std::shared_ptr<Resolver> with_staging(std::shared_ptr<Resolver> next) {
  return std::make_shared<coronado::OverrideResolver>(
      next,
      std::vector<coronado::HostOverride>{
          {.host = "api.example.org", .to_host = "127.0.0.1"},
          {.host = "db.example.org", .port = 5432, .to_host = "localhost", .to_port = 15432}});
}
// [/override]

// [own]
/// Finds services in a table of our own, and everything else as before.
class Registry final : public Resolver {
 public:
  explicit Registry(std::shared_ptr<Resolver> next) : next_(std::move(next)) {}

  using Resolver::resolve;
  Task<Resolution> resolve(ResolveRequest request) override {
    if (!request.host.ends_with(".service")) co_return co_await next_->resolve(std::move(request));
    Resolution found;
    found.addresses.push_back(*coronado::SocketAddress::from_ip("10.0.0.7", request.port));
    found.ttl = 5s;
    co_return found;
  }

 private:
  std::shared_ptr<Resolver> next_;
};
// [/own]

// [connect]
Task<> greet(TCPClient& client, std::string host, std::uint16_t port) {
  coronado::TCPStream stream = co_await client.connect(host, port, {.timeout = 5s});
  std::printf("connected to %s\n", to_string(stream.peer()).c_str());
}
// [/connect]

// [connect-error]
Task<> try_to_greet(TCPClient& client, std::string host, std::uint16_t port) {
  try {
    co_await greet(client, host, port);
  } catch (const coronado::ConnectError& error) {
    std::printf("%s\n", error.what());
    for (const coronado::FailedAttempt& attempt : error.attempts()) {
      std::printf("  %s: %s\n", attempt.address.c_str(), attempt.reason.c_str());
    }
  }
}
// [/connect-error]

Task<> run(std::string host, std::uint16_t port) {
  // [shared]
  Resolver::set_shared(with_staging(std::make_shared<Registry>(make_resolver())));
  // [/shared]
  TCPClient client;
  co_await explain("web.service");
  co_await explain("api.example.org");
  co_await explain("nothing.invalid");
  co_await explain(host);
  co_await try_to_greet(client, host, port);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string host = argc > 1 ? argv[1] : "localhost";
  const int port = argc > 2 ? std::atoi(argv[2]) : 8888;
  coronado::IOLoop loop;
  loop.run_sync(run(host, static_cast<std::uint16_t>(port)));
  return 0;
}
