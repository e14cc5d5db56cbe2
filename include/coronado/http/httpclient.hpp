/// `HTTPClient`: fetches URLs over connections that are kept and reused.
///
///     HTTPClient          one per loop
///     HTTPRequest         what to fetch, and how
///     HTTPClientResponse  what came
///     HTTPClientStream    a response whose body is read piece by piece
///     HTTPBodyWriter      what a body producer writes to
///     HTTPClientOptions   limits, proxies, cookies
///
///     HTTPClient client;
///     HTTPClientResponse page = co_await client.fetch("http://example.org/");
///     HTTPClientResponse made = co_await client.fetch(
///         {.url = "http://example.org/things", .method = "POST", .body = "a=1"});
///
/// Threads  The loop's thread only.
/// Layer: http.   Tornado  `tornado.httpclient`.
#pragma once

#include <coronado/base/clock.hpp>
#include <coronado/base/error.hpp>
#include <coronado/base/function.hpp>
#include <coronado/base/local_ptr.hpp>
#include <coronado/coro/task.hpp>
#include <coronado/http/headers.hpp>
#include <coronado/http/http_limits.hpp>
#include <coronado/http/http_proxies.hpp>

#include <cstddef>
#include <cstdint>
#include <ctime>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace coronado {

class ClientConnection;
class ClientCore;
class ClientFetch;
class Connector;
class CookieJar;
class Resolver;
class TLSContext;
struct ClientStreamState;

/// Where a body producer writes to. What it writes is sent as it comes.
class HTTPBodyWriter {
 public:
  /// Sends more of the body, and waits while the server does not take it.
  /// Throws   StreamClosedError  The connection is gone, or the server has answered already: there
  ///                             is no use in going on. Let it pass.
  ///          std::logic_error   More than the request's Content-Length.
  /// Cancel   Ends the wait.
  /// Lifetime `bytes` must stay until the task ends.
  Task<> write(std::string_view bytes);

  /// Adds a field that is sent behind the body.
  /// Throws   HTTPInputError         See `HTTPHeaders::add`.
  ///          std::invalid_argument  It must not come behind a body, such as Content-Length.
  ///          std::logic_error       The request has a Content-Length: it is not sent in chunks.
  /// Spec     RFC 9110 6.5.
  void add_trailer(std::string_view name, std::string_view value);

 private:
  friend class ClientFetch;
  HTTPBodyWriter(ClientConnection& connection, std::optional<std::uint64_t> length) noexcept
      : connection_(connection), left_(length.value_or(0)), chunked_(!length) {}
  ClientConnection& connection_;
  std::uint64_t left_;
  bool chunked_;
  HTTPHeaders trailers_;
};

/// How credentials are shown.
enum class HTTPAuth : std::uint8_t {
  kBasic,   ///< with the first request; anybody on the way can read them without TLS
  kDigest,  ///< when the server or proxy asks, as a hash of MD5 or SHA-256; RFC 7616
};

/// One request. Times of zero are no limit. `HTTPClient::request` makes one with the defaults of a
/// client.   Tornado  `httpclient.HTTPRequest`.
struct HTTPRequest {
  /// http or https. User information in it is used for Basic authentication.
  std::string url = {};
  std::string method = "GET";
  HTTPHeaders headers = {};

  /// What POST, PUT and PATCH must have, and others must not have. A POST without a Content-Type is
  /// sent as `application/x-www-form-urlencoded`.
  std::optional<std::string> body = std::nullopt;
  /// Writes the body while it is sent, instead of `body`: in chunks, or as long as a Content-Length
  /// in `headers` says. Called again when the request has to be sent again; one that cannot write
  /// the same again throws then. One that waits must be cancellable; it is cancelled when the
  /// response is complete.
  Function<Task<>(HTTPBodyWriter&)> body_producer = {};
  /// Ask before the body is sent; it is sent after a second without an answer. A server that does
  /// not understand that (417) is asked without.
  bool expect_100_continue = false;

  /// Longest time for looking up, connecting, and the handshakes of proxy and TLS.
  Duration connect_timeout = std::chrono::seconds(20);
  /// Longest time for everything: queue, connecting, redirects, the whole body. With `open`: until
  /// the head has come, and then for each piece of the body.
  Duration request_timeout = std::chrono::seconds(20);

  /// Ask for a compressed response and decompress it: gzip, deflate, Brotli, Zstandard. The
  /// response has the field X-Consumed-Content-Encoding then instead of Content-Encoding, and no
  /// Content-Length. An Accept-Encoding in `headers` is sent as it is; with a Range nothing is asked
  /// for. What has an unknown coding is left as it came.
  bool decompress_response = true;

  bool follow_redirects = true;
  /// With one more, the redirect itself is the response.
  unsigned max_redirects = 5;

  /// Whether a status other than 200 to 299 is thrown as `HTTPClientError`.
  bool raise_error = true;
  /// Send any method, with or without a body.
  bool allow_nonstandard_methods = false;

  /// Empty: the client's.
  std::string user_agent = {};
  /// Seconds since 1970, sent as If-Modified-Since.
  std::optional<std::time_t> if_modified_since = std::nullopt;

  std::string auth_username = {};
  std::string auth_password = {};
  HTTPAuth auth_mode = HTTPAuth::kBasic;
  /// Sent as `Authorization: Bearer`.   Spec  RFC 6750
  std::string bearer_token = {};

  /// Given the pieces of the body, which is empty in the response then. The next piece is read when
  /// the task has ended. Not called for redirects that are followed.
  Function<Task<>(std::string)> streaming_callback = {};
  /// Given the status line and each field, with their line ends, and an empty line. Not called for
  /// redirects that are followed.
  Function<void(std::string_view)> header_callback = {};

  /// Check the server's certificate.
  bool validate_cert = true;
  /// Files in PEM: authorities instead of the system's, and who we are.
  std::string ca_certs = {};
  std::string client_cert = {};
  std::string client_key = {};
  /// All of TLS, instead of those four.   Tornado  `ssl_options`.
  std::shared_ptr<const TLSContext> tls = nullptr;

  /// A proxy for this request: "http" by default. Empty: what the client's `proxies` say.
  std::string proxy_host = {};
  std::uint16_t proxy_port = 0;
  std::string proxy_username = {};
  std::string proxy_password = {};
  /// How the user is shown to an HTTP proxy, also to one of the client's `proxies`.
  HTTPAuth proxy_auth_mode = HTTPAuth::kBasic;

  /// What to connect from: an IP address of this machine, or the name of a network interface such
  /// as "eth0", whose address of the peer's family is taken.
  std::string network_interface = {};
  bool allow_ipv6 = true;
  /// Connect to this Unix socket, whatever the URL's host.
  std::string unix_socket = {};

  /// Given the `CURL*` of each request that is made for this one, just before it starts, to set what
  /// has no option here. What is set instead of ours, callbacks above all, is at your own risk. Only
  /// with `HTTPClientEngine::kCurl`.
  Function<void(void* easy)> prepare_curl_callback = {};
};

/// How long each part took. What did not happen, as on a reused connection, took nothing.
struct HTTPTimeInfo {
  Duration queue{};       ///< waiting for a place
  Duration namelookup{};  ///< until there was an address of the name to connect to
  Duration connect{};     ///< until TCP was connected, to whichever address answered first
  Duration appconnect{};  ///< handshakes of proxy and TLS
  Duration first_byte{};  ///< from the request sent to the head received
  Duration body{};        ///< receiving the body
  Duration redirect{};    ///< everything before the last request
  Duration total{};
  bool reused = false;  ///< the connection had been used before
};

/// What came.   Tornado  `httpclient.HTTPResponse`.
struct HTTPClientResponse {
  int code = 0;
  std::string reason = {};
  HTTPHeaders headers = {};
  /// Fields that came after a chunked body.
  HTTPHeaders trailers = {};
  std::string body = {};
  /// Where it came from, after redirects.
  std::string effective_url = {};
  std::string method = {};
  /// How many redirects were followed.
  unsigned redirects = 0;
  /// When the last request got its place, by the loop's clock.
  TimePoint start_time = {};
  HTTPTimeInfo time_info = {};

  bool ok() const noexcept { return code >= 200 && code < 300; }
  Duration request_time() const noexcept { return time_info.total; }
  /// Throws  HTTPClientError  Unless it is `ok()`.
  void rethrow() const;
};

/// A response whose body has not been read: it comes as it is read, and the server is slowed down
/// otherwise. Destroying it before the end closes the connection.
class HTTPClientStream {
 public:
  HTTPClientStream(HTTPClientStream&&) noexcept;
  HTTPClientStream& operator=(HTTPClientStream&&) noexcept;
  ~HTTPClientStream();

  /// All but the body; the trailers are complete after the end.
  const HTTPClientResponse& response() const noexcept;

  /// The next piece of the body.
  /// Params   max_bytes  Most bytes to return, 1 or more.
  /// Returns  1 to `max_bytes` bytes; empty at the end, and only there.
  /// Throws   HTTPStreamClosedError  The connection ended before the body, or `close` was called.
  ///          HTTPResponseError      The body breaks the rules, or grows too much by decompressing.
  ///          HTTPTimeoutError       Nothing came for `request_timeout`.
  /// Cancel   At once; nothing is lost, and the read may be repeated.
  Task<std::string> read_some(std::size_t max_bytes = 64 * 1024);

  /// All that is left of the body.
  /// Throws   As `read_some`; `HTTPResponseError` when it is more than `max_bytes`.
  /// Cancel   At once; what was read is lost.
  Task<std::string> read_all(std::size_t max_bytes = 100 * 1024 * 1024);

  /// Gives the rest up, and the connection with it.
  void close() noexcept;

 private:
  friend class HTTPClient;
  explicit HTTPClientStream(std::unique_ptr<ClientStreamState> state) noexcept;
  std::unique_ptr<ClientStreamState> state_;
};

/// Who makes the connections, sends requests and receives responses.
enum class HTTPClientEngine : std::uint8_t {
  kOwn,   ///< this library
  kCurl,  ///< libcurl, where this library was built with it; see `HTTPClient`
};

/// How a client works.
struct HTTPClientOptions {
  /// Tornado  `AsyncHTTPClient.configure`.
  HTTPClientEngine engine = HTTPClientEngine::kOwn;

  /// Most requests at a time, in all and for one host; others wait in line, first come, first
  /// served. Zero: no limit.
  std::size_t max_clients = 100;
  std::size_t max_clients_per_host = 0;

  /// How long a connection is kept after a response. Zero: it is closed.
  Duration idle_timeout = std::chrono::seconds(60);
  /// Most connections kept; the one unused for the longest time goes first.
  std::size_t max_idle = 100;

  /// What a server may send: `max_header_size`, `max_header_count`, `max_body_size` (of bodies that
  /// are kept in memory, before and after they were decompressed), `max_decompression_ratio`, and
  /// those of chunks.
  HTTPLimits limits = {};

  /// Null: `Resolver::shared()`.
  std::shared_ptr<Resolver> resolver = nullptr;
  /// Null: the loop's sockets.
  std::shared_ptr<Connector> connector = nullptr;

  /// Keeps cookies and sends them back. Null: cookies are left to the caller.
  std::shared_ptr<CookieJar> cookies = nullptr;

  /// Which URLs are fetched through which proxy. Empty: none. `HTTPProxies::from_environment()` is
  /// what command line tools use.
  HTTPProxies proxies = {};

  std::string user_agent = "Coronado";
};

/// What a client has done.
struct HTTPClientStats {
  std::size_t busy = 0;        ///< requests in progress
  std::size_t idle = 0;        ///< connections kept; libcurl does not tell
  std::size_t waiting = 0;     ///< requests in line
  std::uint64_t connects = 0;  ///< connections made
  std::uint64_t reuses = 0;    ///< requests on a connection that had been used before
  std::uint64_t retries = 0;   ///< requests sent again since a kept connection was dead
};

/// Fetches URLs.
///
/// A connection is used for one request at a time, and kept for the next one to the same server
/// with the same TLS, proxy and address settings. A request that does no harm when it is sent twice
/// (GET, HEAD, PUT, DELETE, OPTIONS, or any with an Idempotency-Key) is sent again when a kept
/// connection turns out to be dead before a byte of the response has come. Redirects are followed;
/// credentials (Authorization, Cookie, `auth_username`, `bearer_token`) never reach another origin
/// than that of `url`, and no body goes from https to http.
///
/// With `HTTPClientEngine::kCurl` libcurl does what happens on the wire, on the same loop; redirects,
/// credentials, cookies, decompression, times and errors are the same. Not for it are
/// `HTTPRequest::body_producer`, `HTTPRequest::tls` and `HTTPClientOptions::connector`
/// (`std::invalid_argument`). Other requests take a connection each, since libcurl would send them
/// twice when a kept one is dead; the limits of chunks are its own, and it is less strict.
///
/// Lifetime  It may go while a fetch is in progress; that goes on.
/// Spec      RFC 9110, RFC 9112.
/// Tornado   `AsyncHTTPClient`. Differs: connections are kept; cancelling ends the request; there is
///           no shared instance.
/// Code      src/http/httpclient.cpp, tests/http/httpclient_test.cpp
class HTTPClient {
 public:
  /// Params  defaults  Sets fields of the requests that the client makes: in `request`, and in
  ///                   `fetch` of nothing but a URL. Other requests are sent as they are.
  /// Throws  std::logic_error       `engine` is not part of this build.
  ///         std::invalid_argument  An option is not for that engine.
  /// Tornado  `defaults`.
  explicit HTTPClient(HTTPClientOptions options = {}, Function<void(HTTPRequest&)> defaults = {});
  ~HTTPClient();
  /// Whether this build has it.
  static bool has_engine(HTTPClientEngine engine) noexcept;
  HTTPClient(const HTTPClient&) = delete;
  HTTPClient& operator=(const HTTPClient&) = delete;

  /// A request with the client's defaults, to be given the rest: `fetch` and `open` take it.
  /// Throws   What the function throws that sets them.
  HTTPRequest request(std::string url);

  /// Fetches a URL, and keeps the body in memory.
  /// Throws   HTTPClientError        The status is not 200 to 299; `code()` and `response()` tell.
  ///          HTTPTimeoutError       Out of time; `phase()` tells in what.
  ///          HTTPConnectError       No connection could be made.
  ///          HTTPStreamClosedError  The connection ended before the response did.
  ///          HTTPResponseError      The response breaks HTTP's rules, or a limit.
  ///          ClosedError            The client is closed.
  ///          TLSConfigError         The certificate files cannot be used.
  ///          std::invalid_argument  The request is none that can be sent.
  ///          What the body producer and the callbacks throw.
  /// Cancel   At once; the connection is closed.
  /// Tornado  `AsyncHTTPClient.fetch`.
  Task<HTTPClientResponse> fetch(HTTPRequest request);

  /// The same for a URL, and for one with what else is to be said.
  /// Throws   As above.   Cancel  As above.
  Task<HTTPClientResponse> fetch(std::string url);
  Task<HTTPClientResponse> fetch(std::string url, HTTPRequest request);

  /// Sends a request and returns when the head of the response has come. Its status is for the
  /// caller to look at: none is thrown, as if `raise_error` were false.
  /// Throws   As `fetch`, but for the status.
  /// Cancel   At once; the connection is closed.
  Task<HTTPClientStream> open(HTTPRequest request);

  /// Closes the connections that are kept, and refuses further requests, also those in line. What
  /// is in progress goes on.
  void close() noexcept;

  HTTPClientStats stats() const noexcept;

 private:
  friend class EventSource;
  LocalPtr<ClientCore> core_;
};

}  // namespace coronado
