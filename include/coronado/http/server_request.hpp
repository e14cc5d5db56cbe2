/// `HTTPServerRequest`: one request as a handler sees it, whatever the HTTP version.
///
/// Layer: http.   Tornado  `httputil.HTTPServerRequest`.
#pragma once

#include <coronado/base/clock.hpp>
#include <coronado/http/http_limits.hpp>
#include <coronado/http/httputil.hpp>
#include <coronado/http/request_head.hpp>
#include <coronado/loop/transport.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace coronado {

class HTTPHeaders;
struct ForwardedClient;
struct HTTPEndpointLimits;
struct HTTPFile;
struct MultipartForm;
class TLSTransport;

/// One request. Views stay valid until the response is finished and the handler has ended: the
/// bytes are pinned before a handler that may suspend begins.
///
/// Threads  The loop's thread only.
class HTTPServerRequest {
 public:
  HTTPServerRequest();
  ~HTTPServerRequest();
  HTTPServerRequest(const HTTPServerRequest&) = delete;
  HTTPServerRequest& operator=(const HTTPServerRequest&) = delete;

  /// The method as received, "GET".
  std::string_view method() const noexcept { return head_.method(); }
  Method method_id() const noexcept { return head_.method_id(); }

  /// The target as received: path and query.   Tornado  `uri`.
  std::string_view uri() const noexcept { return head_.target(); }
  /// The path, not decoded.
  std::string_view path() const noexcept { return head_.path(); }
  /// What follows the first "?", not decoded.
  std::string_view query() const noexcept { return head_.query(); }
  /// "HTTP/1.0" or "HTTP/1.1".
  std::string_view version() const noexcept;

  /// The first field of that name (in any case), if there is one.
  std::optional<std::string_view> header(std::string_view name) const noexcept {
    return head_.find(name);
  }
  std::optional<std::string_view> header(FieldId id) const noexcept { return head_.find(id); }
  /// All fields in the order received.
  RequestHead::FieldRange headers() const noexcept { return head_.fields(); }
  const RequestHead& head() const noexcept { return head_; }

  /// The body, for handlers that do not stream it.
  std::string_view body() const noexcept { return body_; }

  /// The fields that came behind a chunked body, complete when the body is: at once, or after the
  /// last piece was read. Those that must not come there are left out.   Spec  RFC 9110 6.5.
  const HTTPHeaders& trailers() const noexcept;

  /// True when the client wants the trailers of the response: `TE: trailers`.
  /// Spec  RFC 9110 10.1.4.
  bool accepts_trailers() const;

  /// The coding the server has taken off the body, for example "gzip", whose field the request does
  /// not have any more; else empty.   Tornado  The field `X-Consumed-Content-Encoding`.
  std::string_view consumed_content_encoding() const noexcept;

  /// Host and port as the client named them, perhaps on the word of a proxy that is trusted; "127.0.0.1"
  /// for an HTTP/1.0 request without Host.
  std::string_view host() const noexcept;
  /// The host without port, in lower case.
  std::string host_name() const;
  /// The client's address as text, perhaps on the word of a proxy that is trusted; "0.0.0.0" for
  /// channels without one.
  std::string remote_ip() const;
  /// The other end of the channel: the client, or the proxy before us.
  const SocketAddress& peer() const noexcept { return peer_; }
  /// "http" or "https", as the client asked; perhaps on the word of a proxy that is trusted.
  std::string_view protocol() const noexcept;
  /// The connection's TLS, with the client's certificate if it has shown one; null over plain HTTP.
  /// Include <coronado/net/tls.hpp> to use it.   Tornado  `get_ssl_certificate`.
  /// Lifetime  The connection's: until the request has been answered.
  const TLSTransport* tls() const noexcept { return tls_; }
  /// protocol://host + uri.
  std::string full_url() const;

  /// Since the head was complete.
  Duration request_time() const noexcept { return Clock::now() - started_; }

  /// Decoded arguments of the query.
  /// Throws  HTTPInputError  More than 1,000 arguments: answered with 400.
  const ArgumentList& query_arguments() const;

  /// The fields of a form in the body, urlencoded or multipart, for handlers that do not stream it;
  /// none when it is no form.
  /// Throws  HTTPInputError  The form is malformed or exceeds a limit: answered with 400.
  const ArgumentList& body_arguments() const;

  /// The files of a multipart form.
  /// Throws  HTTPInputError  As `body_arguments`.
  const std::vector<HTTPFile>& files() const;

  /// The limits for a multipart body, the route's or the server's, for handlers that read one as it
  /// arrives.
  MultipartLimits multipart_limits() const noexcept;

  /// The cookies, by name; of a repeated name the last counts. Malformed ones are left out.
  const ArgumentList& cookies() const;
  std::optional<std::string_view> cookie(std::string_view name) const;

 private:
  friend class HTTPExchange;
  friend class HTTP1Connection;
  struct Parsed;

  void clear() noexcept;
  void set_consumed_content_encoding(std::string coding);
  void set_forwarded(ForwardedClient client);
  void set_trailers(HTTPHeaders trailers);
  Parsed& parsed() const;
  const MultipartForm& form() const;

  RequestHead head_;
  std::string_view body_;
  const HTTPLimits* limits_;                             // the server's
  const HTTPEndpointLimits* endpoint_limits_ = nullptr;  // null: it was refused before it had one
  SocketAddress peer_;
  const TLSTransport* tls_ = nullptr;
  TimePoint started_{};
  mutable std::unique_ptr<Parsed> parsed_;  // what was asked for
};

}  // namespace coronado
