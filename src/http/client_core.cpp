#include "http/client_core.hpp"

#include <coronado/coro/timeout.hpp>
#include <coronado/http/httputil.hpp>
#include <coronado/loop/ioloop.hpp>
#include <coronado/net/tls.hpp>

#include <stdexcept>
#include <utility>

#include "http/proxy_dialog.hpp"

namespace coronado {
namespace {

/// So many origins are kept in mind.
constexpr std::size_t kMostOrigins = 64;

}  // namespace

ClientCore::ClientCore(HTTPClientOptions wanted, Function<void(HTTPRequest&)> request_defaults)
    : options(std::move(wanted)),
      defaults(std::move(request_defaults)),
      pool({.max_clients = options.max_clients,
            .max_per_host = options.max_clients_per_host,
            .max_idle = options.max_idle,
            .idle_timeout = options.idle_timeout}),
      curl(options.engine == HTTPClientEngine::kCurl ? CurlEngine::make(options) : nullptr) {}

std::shared_ptr<const TLSContext> ClientCore::tls_for(const HTTPRequest& request) {
  if (request.tls != nullptr) return request.tls;
  std::string key = request.validate_cert ? "1" : "0";
  for (const std::string* file : {&request.ca_certs, &request.client_cert, &request.client_key}) {
    key.append("\n").append(*file);
  }
  std::shared_ptr<const TLSContext>& context = contexts_[key];
  if (context == nullptr) {
    TLSClientOptions wanted;
    wanted.verify = request.validate_cert ? TLSVerify::kFull : TLSVerify::kNone;
    wanted.trust.ca_file = request.ca_certs;
    wanted.identity.certificate_file = request.client_cert;
    wanted.identity.key_file = request.client_key;
    try {
      context = TLSContext::client(std::move(wanted));
    } catch (...) {
      contexts_.erase(key);
      throw;
    }
  }
  return context;
}

LocalPtr<ClientOrigin> ClientCore::find_origin(std::string_view url, bool& is_normal) {
  is_normal = false;
  for (std::size_t i = 0; i < origins_.size(); ++i) {
    const std::string& text = origins_[i]->text;
    if (url.size() <= text.size() || url[text.size()] != '/' || !url.starts_with(text)) continue;
    if (i != 0) std::swap(origins_[0], origins_[i]);
    is_normal = URL::is_normal_tail(url.substr(text.size()));
    return origins_[0];
  }
  return nullptr;
}

LocalPtr<ClientOrigin> ClientCore::keep_origin(const URL& url, std::string_view text) {
  LocalPtr<ClientOrigin> origin = make_local<ClientOrigin>();
  origin->text = url.origin();
  if (url.has_user() || !text.starts_with(origin->text)) return nullptr;
  for (const LocalPtr<ClientOrigin>& known : origins_) {
    if (known->text == origin->text) return known;
  }
  origin->url = url;
  origin->url.set_normal_tail("/");
  if (origins_.size() == kMostOrigins) origins_.pop_back();
  origins_.insert(origins_.begin(), origin);
  return origin;
}

bool ClientTarget::is_default_for(const HTTPRequest& request) noexcept {
  return request.proxy_host.empty() && request.proxy_auth_mode == HTTPAuth::kBasic &&
         request.unix_socket.empty() && request.network_interface.empty() && request.allow_ipv6 &&
         request.tls == nullptr && request.validate_cert && request.ca_certs.empty() &&
         request.client_cert.empty() && request.client_key.empty();
}

ClientTarget::ClientTarget(ClientCore& core, const HTTPRequest& request, const URL& url,
                           bool through_tunnel)
    : host(url.host),
      port(url.port),
      secure(url.secure()),
      proxy_auth(request.proxy_auth_mode),
      unix_socket(request.unix_socket),
      ipv6(request.allow_ipv6),
      tunnels(through_tunnel),
      key(url.origin()) {
  const auto add = [this](std::string_view name, std::string_view value) {
    key.append(1, ' ').append(name).append(1, '=').append(value);
  };
  if (!unix_socket.empty()) {
    add("unix", unix_socket);
  } else if (!request.proxy_host.empty()) {
    proxy = HTTPProxy::parse(request.proxy_host);
    if (request.proxy_port != 0) proxy->port = request.proxy_port;
    if (!request.proxy_username.empty()) {
      proxy->username = request.proxy_username;
      proxy->password = request.proxy_password;
    }
  } else if (const auto found = core.options.proxies.find(url)) {
    proxy = HTTPProxy::parse(*found);
  }
  if (proxy) {
    add(proxy->kind == HTTPProxy::Kind::kSOCKS5 ? "socks5" : "proxy", proxy->host);
    add("port", std::to_string(proxy->port));
    add("user", proxy->username + ":" + proxy->password);
    // It becomes part of a field.
    if (proxy_auth == HTTPAuth::kDigest && !is_field_value(proxy->username)) {
      throw std::invalid_argument("HTTPRequest: invalid user of the proxy " + proxy->host);
    }
  }
  if (secure) {
    tls = core.tls_for(request);
    // The address tells contexts apart as long as one is held: by the core, or by who gave it.
    add("tls", std::to_string(reinterpret_cast<std::uintptr_t>(tls.get())));
  }
  if (!request.network_interface.empty()) {
    const auto address = SocketAddress::from_ip(request.network_interface);
    if (address) {
      source = *address;
    } else {
      source_interface = request.network_interface;
    }
    add("from", request.network_interface);
  }
  if (!ipv6) add("family", "4");
}

/// Notes when the first addresses of the name were there: connecting begins with them.
class ClientConnect::TimingResolver final : public Resolver {
 public:
  TimingResolver(std::shared_ptr<Resolver> next, ClientConnect& connect) noexcept
      : next_(std::move(next)), connect_(connect) {}
  Task<Resolution> resolve(ResolveRequest request) override {
    if (request.on_first_family) {
      request.on_first_family = [this, tell = std::move(request.on_first_family)](
                                    const std::vector<SocketAddress>& addresses) mutable {
        note();
        tell(addresses);
      };
    }
    Resolution found = co_await next_->resolve(std::move(request));
    note();
    co_return found;
  }

 private:
  void note() {
    if (std::exchange(noted_, true)) return;
    connect_.resolved_ = IOLoop::current()->now();
  }

  std::shared_ptr<Resolver> next_;
  ClientConnect& connect_;
  bool noted_ = false;
};

Task<std::unique_ptr<Transport>> ClientConnect::run(Duration timeout) {
  const TimePoint until = detail::after(IOLoop::current()->now(), timeout);
  for (;;) {
    bool again = false;
    try {
      co_return co_await connect(timeout);
    } catch (const ConnectError& error) {
      // A proxy has asked for credentials and closed the connection: they go over another one.
      again = login_.unanswered() && error.code() != std::errc::timed_out;
      if (!again) throw;
    }
    if (timeout != Duration::zero()) {
      // What is left; zero would be no limit.
      timeout = std::max(until - IOLoop::current()->now(), Duration(1));
    }
  }
}

Task<std::unique_ptr<Transport>> ClientConnect::connect(Duration timeout) {
  begin_ = resolved_ = connected_ = IOLoop::current()->now();
  TCPConnectOptions how;
  how.timeout = timeout;
  // The limit is for all together.
  how.resolve_timeout = how.attempt_timeout = how.upgrade_timeout = Duration::zero();
  how.family = target_.ipv6 ? AddressFamily::kAny : AddressFamily::kIPv4;
  how.source = target_.source;
  how.source_interface = target_.source_interface;
  how.upgrade = this;
  auto resolver = core_.options.resolver == nullptr ? Resolver::shared() : core_.options.resolver;
  TCPClient client(std::make_shared<TimingResolver>(std::move(resolver), *this),
                   core_.options.connector);
  std::unique_ptr<Transport> transport;
  if (!target_.unix_socket.empty()) {
    transport =
        co_await client.connect_transport(SocketAddress::from_path(target_.unix_socket), how);
  } else if (target_.proxy) {
    transport = co_await client.connect_transport(target_.proxy->host, target_.proxy->port, how);
  } else {
    transport = co_await client.connect_transport(target_.host, target_.port, how);
  }
  times_.namelookup = resolved_ - begin_;
  times_.connect = connected_ - std::max(begin_, resolved_);
  times_.appconnect = IOLoop::current()->now() - connected_;
  ++core_.connects;
  co_return transport;
}

Task<std::unique_ptr<Transport>> ClientConnect::upgrade(std::unique_ptr<Transport> transport,
                                                        std::string) {
  connected_ = IOLoop::current()->now();
  if (target_.proxy && target_.proxy->kind == HTTPProxy::Kind::kSOCKS5) {
    transport =
        co_await socks5_connect(std::move(transport), target_.host, target_.port, *target_.proxy);
  } else if (target_.proxy && !target_.absolute_form()) {
    transport =
        co_await http_connect(std::move(transport), target_.host, target_.port, *target_.proxy,
                              target_.proxy_auth == HTTPAuth::kDigest ? &login_ : nullptr);
  }
  if (target_.secure) {
    transport = co_await tls_handshake(std::move(transport), target_.tls, target_.host,
                                       {.timeout = Duration::zero()});
  }
  co_return transport;
}

}  // namespace coronado
