/// What the fetches of one `HTTPClient` share, and how its connections are made.
///
///     ClientCore     options, places, kept connections, TLS contexts
///     ClientOrigin   what is the same for all URLs of an origin
///     ClientTarget   where a request is sent, by which way
///     ClientConnect  makes a connection to a target
///
/// Layer: http.
#pragma once

#include <coronado/base/local_ptr.hpp>
#include <coronado/http/httpclient.hpp>
#include <coronado/net/tcpclient.hpp>
#include <coronado/net/tls_context.hpp>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/client_pool.hpp"
#include "http/curl_engine.hpp"
#include "http/digest_auth.hpp"

namespace coronado {

class ClientCore;

/// Where a request is sent, by which way.
struct ClientTarget {
  /// Throws  std::invalid_argument  The proxy or an address is none.
  ///         TLSConfigError         A certificate file cannot be used.
  /// Params  tunnels  A proxy is only to connect us, even without TLS.
  ClientTarget(ClientCore& core, const HTTPRequest& request, const URL& url, bool tunnels = false);

  /// Whether a request says nothing about its way, so that its target is that of its origin.
  static bool is_default_for(const HTTPRequest& request) noexcept;

  std::string host;
  std::uint16_t port;
  bool secure;
  std::optional<HTTPProxy> proxy;
  HTTPAuth proxy_auth;
  std::shared_ptr<const TLSContext> tls;
  SocketAddress source;
  std::string source_interface;
  std::string unix_socket;
  bool ipv6;
  bool tunnels;
  /// All of the above as one text.
  std::string key;

  /// The proxy is given the whole URL, instead of a tunnel being made.
  bool absolute_form() const noexcept {
    return proxy && proxy->kind == HTTPProxy::Kind::kHTTP && !secure && !tunnels;
  }
};

/// What is the same for all URLs of an origin, and for requests that have nothing of their own.
struct ClientOrigin : LocallyShared {
  std::string text;  ///< how its URLs begin: "http://example.org:8080"
  URL url;           ///< with the path "/"
  /// The way to it that the client's options say.
  std::unique_ptr<const ClientTarget> target;
  /// What a GET of nothing but a URL sends behind its target; empty: not known yet.
  std::string plain_head;
};

class ClientCore : public LocallyShared {
 public:
  explicit ClientCore(HTTPClientOptions wanted, Function<void(HTTPRequest&)> request_defaults = {});

  HTTPClientOptions options;
  Function<void(HTTPRequest&)> defaults;
  ClientPool pool;
  /// Null: the connections are ours.
  std::unique_ptr<CurlEngine> curl;
  std::uint64_t connects = 0;
  std::uint64_t reuses = 0;
  std::uint64_t retries = 0;
  /// What is fetched by nothing but a URL.
  HTTPRequest plain_request;
  /// Where heads are written before they are sent.
  std::string head_text;

  /// The origin of a URL whose text begins as those of an origin that was asked before, followed by
  /// a path; null: there is none.
  /// Params  is_normal  Set to whether the URL is in its normal form; false without an origin.
  LocalPtr<ClientOrigin> find_origin(std::string_view url, bool& is_normal);
  /// Keeps the origin of `url` in mind, when URLs in their normal form begin as `text` does.
  LocalPtr<ClientOrigin> keep_origin(const URL& url, std::string_view text);

  /// The context for a request; made once for the same files.
  /// Throws  TLSConfigError  A file cannot be used.
  std::shared_ptr<const TLSContext> tls_for(const HTTPRequest& request);

 private:
  std::map<std::string, std::shared_ptr<const TLSContext>> contexts_;
  std::vector<LocalPtr<ClientOrigin>> origins_;  // the one used last first
};

/// Makes one connection: TCP, the proxy's dialog, TLS.
class ClientConnect final : private TransportUpgrade {
 public:
  ClientConnect(ClientCore& core, const ClientTarget& target, HTTPTimeInfo& times) noexcept
      : core_(core), target_(target), times_(times) {}

  /// Throws   ConnectError  It cannot be made, or not in time.
  /// Cancel   Ends all of it, and completes when it has ended.
  Task<std::unique_ptr<Transport>> run(Duration timeout);

 private:
  class TimingResolver;
  Task<std::unique_ptr<Transport>> connect(Duration timeout);
  Task<std::unique_ptr<Transport>> upgrade(std::unique_ptr<Transport> transport,
                                           std::string host) override;

  ClientCore& core_;
  const ClientTarget& target_;
  HTTPTimeInfo& times_;
  DigestLogin login_;  // to a proxy that makes a tunnel
  TimePoint begin_{};
  TimePoint resolved_{};
  TimePoint connected_{};
};

}  // namespace coronado
