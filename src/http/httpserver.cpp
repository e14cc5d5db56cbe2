#include <coronado/http/httpserver.hpp>

#include <coronado/base/log.hpp>
#include <coronado/coro/timeout.hpp>

#include "http/httpserver_core.hpp"

namespace coronado {
namespace {

constexpr std::size_t kMostPooled = 256;

}  // namespace

/// Waits until the last connection of a server has gone.
class AllGone final : public Suspension {
 public:
  explicit AllGone(HTTPServer::Core& core) noexcept : core_(core) {}
  AllGone(AllGone&& other) noexcept : Suspension(), core_(other.core_) {}
  bool await_ready() const noexcept { return core_.connection_count == 0; }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> handle) {
    if (!park(handle.promise())) return false;
    core_.waiters.push_back(this);
    return true;
  }
  void await_resume() const { check(); }
  void cancel() noexcept override {
    std::erase(core_.waiters, this);
    cancelled_ = true;
    wake();
  }
  void all_gone() noexcept { wake(); }
  const char* what() const noexcept override { return "draining connections"; }

 private:
  HTTPServer::Core& core_;
};

// --- Core --------------------------------------------------------------------------------------

/// A place is given back when its handshake fails.
class HTTPServer::Core::Place {
 public:
  explicit Place(Core& core) noexcept : core_(&core) {}
  Place(Place&& other) noexcept : core_(std::exchange(other.core_, nullptr)) {}
  Place& operator=(Place&&) = delete;
  ~Place() {
    if (core_ != nullptr) core_->connection_gone();
  }
  void hand_over() noexcept { core_ = nullptr; }

 private:
  Core* core_;
};

void HTTPServer::Core::serve(std::unique_ptr<Transport> transport, ConnectionSlot slot) {
  if (draining) return;  // it came too late
  ++connection_count;
  if (options.tls) {
    handshakes.spawn(secure(Place(*this), std::move(transport), std::move(slot)), "TLS handshake");
  } else {
    begin(std::move(transport), nullptr, std::move(slot));
  }
}

Task<> HTTPServer::Core::secure(Place place, std::unique_ptr<Transport> transport,
                                ConnectionSlot slot) {
  const TLSHandshakeOptions how{.timeout = options.tls_handshake_timeout};
  try {
    std::unique_ptr<TLSTransport> done =
        co_await tls_handshake(std::move(transport), options.tls, {}, how);
    const TLSTransport* const tls = done.get();
    place.hand_over();
    begin(std::move(done), tls, std::move(slot));
  } catch (const TLSError& error) {
    general_log().info(error.what());
  } catch (const TLSTimeoutError& error) {
    general_log().info(error.what());
  }
}

void HTTPServer::Core::begin(std::unique_ptr<Transport> transport, const TLSTransport* tls,
                             ConnectionSlot slot) noexcept {
  auto connection =
      std::make_unique<HTTP1Connection>(*this, std::move(transport), tls, std::move(slot));
  connections.push_back(*connection);
  try {
    connection->open();
    connection.release();  // it destroys itself
  } catch (const std::exception& error) {
    general_log().error(std::string("a connection could not be served: ") + error.what());
  }
}

HTTPExchange& HTTPServer::Core::spare() {
  if (pool.empty()) pool.push_back(service.make_exchange());
  return *pool.back();
}

HTTPExchange* HTTPServer::Core::take_spare() noexcept {
  HTTPExchange* exchange = pool.back().release();
  pool.pop_back();
  return exchange;
}

void HTTPServer::Core::put_back(HTTPExchange* exchange) noexcept {
  std::unique_ptr<HTTPExchange> owned(exchange);
  if (pool.size() < kMostPooled) pool.push_back(std::move(owned));
}

void HTTPServer::Core::connection_gone() noexcept {
  --connection_count;
  if (connection_count != 0) return;
  for (AllGone* waiter : std::exchange(waiters, {})) waiter->all_gone();
}

void HTTPServer::Core::drain_connections() noexcept {
  connections.for_each([](HTTP1Connection& connection) { connection.drain(); });
  upgraded.for_each([](UpgradedConnection& connection) { connection.drain(); });
}

void HTTPServer::Core::cut_connections() noexcept {
  connections.for_each([](HTTP1Connection& connection) { connection.cut(); });
  upgraded.for_each([](UpgradedConnection& connection) { connection.cut(); });
}

void HTTPServer::Core::visit_streams(Visit& visit) const {
  connections.for_each([&](const HTTP1Connection& connection) { visit(connection.stream_info()); });
  upgraded.for_each([&](const UpgradedConnection& connection) { visit(connection.stream_info()); });
}

// --- HTTPServer --------------------------------------------------------------------------------

HTTPServer::HTTPServer(IOLoop& loop, HTTPService& service, HTTPServerOptions options)
    : core_(std::make_unique<Core>(loop, service, std::move(options))) {}

HTTPServer::~HTTPServer() {
  stop();
  core_->handshakes.cancel();
  core_->cut_connections();
  if (core_->connection_count == 0) return;
  general_log().error("an HTTPServer was destroyed while requests were running; they are lost");
  core_->note_end();
  core_.release();  // the tasks still refer to it
}

void HTTPServer::add_sockets(std::vector<Socket> sockets) {
  core_->listener.add_sockets(std::move(sockets));
}

void HTTPServer::listen(std::uint16_t port, const BindOptions& options) {
  core_->listener.listen(port, options);
}

void HTTPServer::listen_unix(const std::string& path, const UnixBindOptions& options) {
  core_->listener.listen_unix(path, options);
}

Listener& HTTPServer::listener() noexcept { return core_->listener; }

std::uint16_t HTTPServer::port() const { return core_->listener.port(); }

void HTTPServer::serve(std::unique_ptr<Transport> transport) {
  core_->listener.accept(std::move(transport));
}

void HTTPServer::stop() noexcept { core_->listener.stop(); }

Task<bool> HTTPServer::drain(TimePoint deadline) {
  stop();
  core_->draining = true;
  core_->handshakes.cancel();  // they have asked for nothing yet
  core_->drain_connections();
  bool clean = true;
  bool cancelled = false;
  try {
    co_await with_timeout(deadline, AllGone(*core_));
  } catch (const TimeoutError&) {
    clean = false;
  } catch (const Cancelled&) {
    cancelled = true;
  }
  if (!clean || cancelled) co_await close();
  if (cancelled) throw Cancelled{};
  co_return clean;
}

Task<> HTTPServer::close() {
  stop();
  core_->draining = true;
  core_->handshakes.cancel();
  core_->cut_connections();
  co_await shield(as_task(AllGone(*core_)));
}

std::size_t HTTPServer::connection_count() const noexcept { return core_->connection_count; }
std::uint64_t HTTPServer::request_count() const noexcept { return core_->request_count; }
const HTTPServerOptions& HTTPServer::options() const noexcept { return core_->options; }

}  // namespace coronado
