#include <coronado/net/tcpclient.hpp>

#include <coronado/coro/timeout.hpp>
#include <coronado/loop/ioloop.hpp>

#include <stdexcept>

#include "net/connect_race.hpp"

namespace coronado {
namespace {

/// Awaits the reactor's connect.
class ConnectAwaiter final : public Suspension, private ConnectHandler {
 public:
  ConnectAwaiter(const SocketAddress& to, const ConnectOptions& options) noexcept
      : to_(to), options_(options) {}

  bool await_ready() const noexcept { return false; }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> handle) {
    return begin(handle.promise());
  }
  std::unique_ptr<Transport> await_resume() {
    check();
    if (error_) throw std::system_error(error_);
    return std::move(transport_);
  }
  void cancel() noexcept override {
    cancelled_ = true;
    connecting_.reset();
    wake();
  }
  const char* what() const noexcept override { return "connecting"; }

 private:
  bool begin(PromiseBase& promise) {
    if (!promise.context()->interrupted()) {
      auto& loop = static_cast<IOLoop&>(promise.context()->executor());
      connecting_ = loop.reactor().connect(to_, options_, *this);
    }
    return park(promise);
  }
  void on_connect(std::unique_ptr<Transport> transport) noexcept override {
    transport_ = std::move(transport);
    connecting_.reset();
    wake();
  }
  void on_connect_error(std::error_code error) noexcept override {
    error_ = error;
    connecting_.reset();
    wake();
  }

  const SocketAddress& to_;
  const ConnectOptions& options_;
  std::unique_ptr<Connecting> connecting_;
  std::unique_ptr<Transport> transport_;
  std::error_code error_;
};

class ReactorConnector final : public Connector {
 public:
  Task<std::unique_ptr<Transport>> connect(SocketAddress to, ConnectOptions options) override {
    return connect_to(std::move(to), std::move(options));
  }
};

void check_options(const TCPConnectOptions& options) {
  const auto refuse = [](const char* what) { throw std::invalid_argument(what); };
  for (const Duration span : {options.timeout, options.resolve_timeout, options.attempt_timeout,
                              options.upgrade_timeout, options.resolution_delay}) {
    if (span < Duration::zero()) refuse("TCPConnectOptions: a time must not be negative");
  }
  // RFC 8305 5: the minimum, so that a host with many addresses is not hit by all of them at once.
  if (options.attempt_delay < std::chrono::milliseconds(10)) {
    refuse("TCPConnectOptions::attempt_delay must be at least 10 ms");
  }
  if (options.source.family == SocketAddress::Family::kUnix) {
    refuse("TCPConnectOptions::source must be an IP address");
  }
  if (options.source.is_ip() && !options.source_interface.empty()) {
    refuse("TCPConnectOptions: either source or source_interface");
  }
}

std::string describe_target(const std::string& host, std::uint16_t port) {
  if (const auto address = SocketAddress::from_ip(host, port)) return to_string(*address);
  return host + ":" + std::to_string(port);
}

Task<std::unique_ptr<Transport>> connect_and_upgrade(ConnectRace& race,
                                                     Task<std::unique_ptr<Transport>> connecting,
                                                     TransportUpgrade* upgrade, std::string host) {
  std::unique_ptr<Transport> transport = co_await std::move(connecting);
  if (upgrade == nullptr) co_return transport;
  co_return co_await race.upgrade(std::move(transport), std::move(host));
}

/// Puts the limit on everything around it.
Task<std::unique_ptr<Transport>> with_limit(ConnectRace& race, Duration timeout,
                                            Task<std::unique_ptr<Transport>> task) {
  if (timeout == Duration::zero()) co_return co_await std::move(task);
  try {
    co_return co_await with_timeout(timeout, std::move(task));
  } catch (const TimeoutError&) {
    throw race.out_of_time();
  }
}

}  // namespace

Task<std::unique_ptr<Transport>> connect_to(SocketAddress to, ConnectOptions options) {
  std::error_code code;
  try {
    co_return co_await ConnectAwaiter(to, options);
  } catch (const std::system_error& error) {
    code = error.code();
  }
  throw std::system_error(code, "cannot connect to " + to_string(to));
}

TCPClient::TCPClient(std::shared_ptr<Resolver> resolver, std::shared_ptr<Connector> connector)
    : resolver_(resolver == nullptr ? Resolver::shared() : std::move(resolver)),
      connector_(connector == nullptr ? std::make_shared<ReactorConnector>()
                                      : std::move(connector)) {}

Task<TCPStream> TCPClient::connect(std::string host, std::uint16_t port,
                                   TCPConnectOptions options) {
  std::unique_ptr<Transport> transport = co_await connect_transport(std::move(host), port, options);
  co_return TCPStream(*IOLoop::current(), std::move(transport), options.stream);
}

Task<TCPStream> TCPClient::connect(SocketAddress address, TCPConnectOptions options) {
  std::unique_ptr<Transport> transport = co_await connect_transport(std::move(address), options);
  co_return TCPStream(*IOLoop::current(), std::move(transport), options.stream);
}

Task<std::unique_ptr<Transport>> TCPClient::connect_transport(std::string host, std::uint16_t port,
                                                              TCPConnectOptions options) {
  check_options(options);
  ConnectRace race(*connector_, options, describe_target(host, port));
  auto connecting = race.run(*resolver_, host, port);
  auto task = connect_and_upgrade(race, std::move(connecting), options.upgrade, host);
  co_return co_await with_limit(race, options.timeout, std::move(task));
}

Task<std::unique_ptr<Transport>> TCPClient::connect_transport(SocketAddress address,
                                                              TCPConnectOptions options) {
  check_options(options);
  ConnectRace race(*connector_, options, to_string(address));
  auto connecting = race.run(std::move(address));
  auto task = connect_and_upgrade(race, std::move(connecting), options.upgrade, "");
  co_return co_await with_limit(race, options.timeout, std::move(task));
}

}  // namespace coronado
