#include <coronado/net/listener.hpp>

#include <sys/stat.h>
#include <unistd.h>

#include <coronado/base/error.hpp>
#include <coronado/base/log.hpp>

#include <algorithm>
#include <map>
#include <stdexcept>

#include "net/proxy_transport.hpp"

namespace coronado {
namespace {

/// After "too many open files" accepting is tried again so much later.
constexpr Duration kAcceptPause = std::chrono::milliseconds(100);
/// Failures no further apart than this are one episode, and one line in the log.
constexpr Duration kSameEpisode = std::chrono::seconds(5);

/// What the connections of one peer have in common: the address, or the network of 64 bits.
SocketAddress counted_as(SocketAddress peer) {
  peer.port = 0;
  peer.scope = 0;
  if (peer.family == SocketAddress::Family::kIPv6) std::fill_n(peer.ip.begin() + 8, 8, 0);
  return peer;
}

struct LessAddress {
  bool operator()(const SocketAddress& left, const SocketAddress& right) const noexcept {
    if (left.family != right.family) return left.family < right.family;
    return left.ip < right.ip;
  }
};

/// The file of a Unix socket that was bound here.
struct SocketFile {
  std::string path;
  dev_t device = 0;
  ino_t inode = 0;

  explicit SocketFile(std::string file) : path(std::move(file)) {
    struct stat status{};
    if (::lstat(path.c_str(), &status) != 0) return;
    device = status.st_dev;
    inode = status.st_ino;
  }
  /// Not when another server has put its own there meanwhile.
  void remove() const noexcept {
    struct stat status{};
    if (::lstat(path.c_str(), &status) != 0) return;
    if (status.st_dev == device && status.st_ino == inode) ::unlink(path.c_str());
  }
};

}  // namespace

struct ConnectionSlot::Count {
  Listener::State* state;
  std::size_t connections = 0;
  SocketAddress peer = {};  // `kNone` for those that are not counted by their peer
};

struct Listener::State final : AcceptHandler, ProxyHeaderHandler {
  State(Listener& owner, IOLoop& owner_loop)
      : listener(owner), loop(owner_loop), uncounted{.state = this} {}

  void on_accept(std::unique_ptr<Transport> transport) noexcept override;
  void on_accept_error(std::error_code error) noexcept override;
  void on_proxy_header(ProxyTransport& transport, const char* problem) noexcept override;

  bool expects_proxy_header(const SocketAddress& peer) const noexcept;
  ConnectionSlot::Count* count_for(const SocketAddress& peer);
  void release(ConnectionSlot::Count& count) noexcept;
  void resume() noexcept;
  void drop_pending() noexcept;
  void refuse(const std::string& why) noexcept;

  Listener& listener;  // may be gone before the last slot is released
  IOLoop& loop;
  ConnectionSlot::Count uncounted;
  std::map<SocketAddress, ConnectionSlot::Count, LessAddress> peers;
  std::vector<IPNetwork> trusted;
  bool trusts_unix = false;
  std::vector<std::unique_ptr<Acceptor>> acceptors;
  std::vector<SocketFile> files;
  std::uint16_t port = 0;
  IntrusiveList<ProxyTransport> pending;  // whose header has not come
  std::size_t pending_count = 0;
  std::size_t slots = 0;
  TimeoutHandle accept_again;  // after accepting has failed
  bool failing = false;        // accepting is paused
  TimePoint failed_at = TimePoint::min();
  TimePoint refused_at = TimePoint::min();  // when that was logged last
};

// --- ConnectionSlot ------------------------------------------------------------------------------

ConnectionSlot::ConnectionSlot(std::shared_ptr<Count> count) noexcept : count_(std::move(count)) {
  ++count_->connections;
  ++count_->state->slots;
}

void ConnectionSlot::release() noexcept { count_->state->release(*count_); }

// --- accepting -----------------------------------------------------------------------------------

void Listener::State::on_accept(std::unique_ptr<Transport> transport) noexcept {
  if (slots + pending_count >= listener.options_.max_connections) {
    return refuse(std::to_string(slots + pending_count) + " are open already (max_connections)");
  }
  if (listener.options_.proxy.mode == ProxyProtocolOptions::Mode::kOff) {
    return listener.admit(std::move(transport));
  }
  try {
    if (!expects_proxy_header(transport->peer())) return listener.admit(std::move(transport));
    auto proxied = std::make_unique<ProxyTransport>(loop, std::move(transport), *this,
                                                    listener.options_.proxy.timeout);
    pending.push_back(*proxied.release());
    ++pending_count;
  } catch (const std::exception& error) {
    general_log().error(std::string("a connection could not be served: ") + error.what());
  }
}

/// A flood of connections must not become a flood of lines.
void Listener::State::refuse(const std::string& why) noexcept {
  const TimePoint now = loop.turn_time();
  if (refused_at != TimePoint::min() && now - refused_at < kSameEpisode) return;
  refused_at = now;
  general_log().warning("connection refused: " + why);
}

void Listener::State::on_accept_error(std::error_code error) noexcept {
  const TimePoint now = loop.now();
  if (failed_at == TimePoint::min() || now - failed_at > kSameEpisode) {
    general_log().warning("accepting connections failed, trying again soon: " + error.message());
  }
  failed_at = now;
  failing = true;
  for (auto& acceptor : acceptors) acceptor->pause();
  loop.remove_timeout(accept_again);
  accept_again = loop.call_later(kAcceptPause, [this] { resume(); });
}

void Listener::State::resume() noexcept {
  if (!std::exchange(failing, false)) return;
  failed_at = loop.now();
  for (auto& acceptor : acceptors) acceptor->resume();
}

void Listener::State::release(ConnectionSlot::Count& count) noexcept {
  --slots;
  if (--count.connections == 0 && &count != &uncounted) peers.erase(peers.find(count.peer));
  if (!failing) return;
  // A descriptor is about to be free.
  loop.remove_timeout(accept_again);
  accept_again = loop.call_later(Duration::zero(), [this] { resume(); });
}

/// Returns  Null when the peer has as many connections as it may.
ConnectionSlot::Count* Listener::State::count_for(const SocketAddress& peer) {
  const std::size_t limit = listener.options_.max_connections_per_peer;
  if (limit == 0 || !peer.is_ip()) return &uncounted;
  const SocketAddress key = counted_as(peer);
  const auto [found, created] = peers.try_emplace(key, ConnectionSlot::Count{.state = this});
  found->second.peer = key;
  return found->second.connections < limit ? &found->second : nullptr;
}

// --- the PROXY protocol --------------------------------------------------------------------------

bool Listener::State::expects_proxy_header(const SocketAddress& peer) const noexcept {
  if (listener.options_.proxy.mode == ProxyProtocolOptions::Mode::kRequired) return true;
  if (peer.family == SocketAddress::Family::kUnix) return trusts_unix;
  return std::ranges::any_of(trusted, [&](const IPNetwork& each) { return each.contains(peer); });
}

void Listener::State::on_proxy_header(ProxyTransport& transport, const char* problem) noexcept {
  transport.unlink();
  --pending_count;
  std::unique_ptr<Transport> owned(&transport);
  if (problem == nullptr) return listener.admit(std::move(owned));
  general_log().info("PROXY protocol, connection from " + to_string(owned->peer()) + ": " +
                     problem);
}

void Listener::State::drop_pending() noexcept {
  while (!pending.empty()) delete &pending.pop_front();
  pending_count = 0;
}

// --- Listener ------------------------------------------------------------------------------------

Listener::Listener(IOLoop& loop, ListenerOptions options, Handler handler)
    : options_(std::move(options)),
      handler_(std::move(handler)),
      state_(std::make_shared<State>(*this, loop)) {
  for (const std::string& text : options_.proxy.trusted) {
    if (text == "unix") {
      state_->trusts_unix = true;
      continue;
    }
    const std::optional<IPNetwork> network = IPNetwork::from_text(text);
    if (!network) throw UsageError("trusted proxies: \"" + text + "\" is no network");
    state_->trusted.push_back(*network);
  }
}

Listener::~Listener() { stop(); }

void Listener::listen(std::uint16_t port, const BindOptions& options) {
  add_sockets(bind_sockets(port, options));
}

void Listener::listen_unix(const std::string& path, const UnixBindOptions& options) {
  Socket socket = bind_unix_socket(path, options);
  if (!path.starts_with('\0')) state_->files.emplace_back(path);
  std::vector<Socket> sockets;
  sockets.push_back(std::move(socket));
  add_sockets(std::move(sockets));
}

void Listener::add_sockets(std::vector<Socket> sockets) {
  for (Socket& socket : sockets) {
    auto acceptor = state_->loop.reactor().accept_from(socket.release(), *state_);
    if (state_->port == 0) state_->port = acceptor->local().port;
    state_->acceptors.push_back(std::move(acceptor));
  }
}

void Listener::add_filter(Filter filter) { filters_.push_back(std::move(filter)); }

void Listener::accept(std::unique_ptr<Transport> transport) noexcept {
  state_->on_accept(std::move(transport));
}

/// The last steps of a connection's way.
void Listener::admit(std::unique_ptr<Transport> transport) noexcept {
  SocketAddress peer;
  try {
    peer = transport->peer();
    ConnectionSlot::Count* count = state_->count_for(peer);
    if (count == nullptr) {
      return state_->refuse(std::to_string(options_.max_connections_per_peer) +
                            " are open already from " + counted_as(peer).host() +
                            " (max_connections_per_peer)");
    }
    ConnectionSlot slot(std::shared_ptr<ConnectionSlot::Count>(state_, count));
    for (Filter& filter : filters_) {
      transport = filter(std::move(transport));
      if (transport == nullptr) return;
    }
    handler_(std::move(transport), std::move(slot));
  } catch (const std::exception& error) {
    general_log().error("a connection from " + to_string(peer) +
                        " could not be served: " + error.what());
  }
}

void Listener::stop() noexcept {
  state_->loop.remove_timeout(state_->accept_again);
  state_->failing = false;
  state_->acceptors.clear();
  state_->drop_pending();
  for (const SocketFile& file : state_->files) file.remove();
  state_->files.clear();
}

std::vector<SocketAddress> Listener::addresses() const {
  std::vector<SocketAddress> all;
  for (const auto& acceptor : state_->acceptors) all.push_back(acceptor->local());
  return all;
}

std::uint16_t Listener::port() const {
  if (state_->port == 0) throw std::logic_error("the server does not listen on a port");
  return state_->port;
}

std::size_t Listener::connection_count() const noexcept {
  return state_->slots + state_->pending_count;
}

}  // namespace coronado
