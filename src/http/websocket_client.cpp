#include <coronado/http/websocket_client.hpp>

#include <coronado/base/crypto.hpp>
#include <coronado/base/strings.hpp>
#include <coronado/coro/timeout.hpp>
#include <coronado/http/httputil.hpp>
#include <coronado/loop/ioloop.hpp>

#include <algorithm>
#include <stdexcept>

#include "http/client_fetch.hpp"
#include "http/websocket_connection.hpp"

namespace coronado {
namespace {

/// ws and wss are http and https.
std::string to_http(std::string url) {
  for (const std::string_view scheme : {"ws://", "wss://"}) {
    if (equals_ignore_case(std::string_view(url).substr(0, scheme.size()), scheme)) {
      return "http" + url.substr(2);
    }
  }
  return url;
}

void prepare(HTTPRequest& request, const WebSocketConnectOptions& options, const std::string& key) {
  if (request.method != "GET" || request.body || request.body_producer) {
    throw std::invalid_argument("HTTPRequest: a WebSocket begins with GET, without a body");
  }
  request.url = to_http(std::move(request.url));
  request.follow_redirects = false;
  request.headers.set("Upgrade", "websocket");
  request.headers.set("Connection", "Upgrade");
  request.headers.set("Sec-WebSocket-Key", key);
  request.headers.set("Sec-WebSocket-Version", "13");
  std::string protocols;
  for (const std::string& each : options.subprotocols) {
    if (!is_token(each)) throw std::invalid_argument("not a subprotocol: " + each);
    protocols.append(protocols.empty() ? "" : ", ").append(each);
  }
  if (!protocols.empty()) request.headers.set("Sec-WebSocket-Protocol", protocols);
  if (const auto& wanted = options.socket.compression) {
    request.headers.set("Sec-WebSocket-Extensions", offer_deflate(*wanted));
  }
}

/// What a server answered, checked.
class Answer {
 public:
  Answer(const HTTPClientResponse& response, const WebSocketConnectOptions& options,
         const std::string& key)
      : response_(response) {
    if (response.code != 101) {
      throw HTTPClientError(
          response.code, response.effective_url,
          describe("no WebSocket: HTTP " + std::to_string(response.code) + " " + response.reason),
          std::make_shared<HTTPClientResponse>(response));
    }
    if (!has("Upgrade", "websocket") || !has("Connection", "upgrade")) {
      refuse("it does not upgrade to WebSocket");
    }
    const auto accept = response.headers.get("Sec-WebSocket-Accept");
    if (!accept || trim(*accept) != websocket_accept(key)) refuse("its accept value is wrong");
    choose_subprotocol(options.subprotocols);
    choose_deflate(options.socket.compression);
  }

  std::string subprotocol = {};
  std::optional<DeflateAgreement> deflate = std::nullopt;

 private:
  bool has(std::string_view name, std::string_view element) const {
    for (const std::string_view value : response_.headers.get_list(name)) {
      for (const std::string_view each : split(value, ',')) {
        if (equals_ignore_case(trim(each), element)) return true;
      }
    }
    return false;
  }

  void choose_subprotocol(const std::vector<std::string>& offered) {
    const auto chosen = response_.headers.get("Sec-WebSocket-Protocol");
    if (!chosen) return;
    subprotocol = *chosen;
    if (std::ranges::find(offered, subprotocol) == offered.end()) {
      refuse("it chose a subprotocol that was not offered: " + subprotocol);
    }
  }

  void choose_deflate(const std::optional<WebSocketCompression>& offered) {
    const auto chosen = response_.headers.get("Sec-WebSocket-Extensions");
    if (!chosen || trim(*chosen).empty()) return;
    if (offered) deflate = read_deflate_answer(*chosen, *offered);
    if (!deflate) refuse("it chose an extension that was not offered: " + std::string(*chosen));
  }

  std::string describe(const std::string& what) const {
    return "WebSocket " + response_.effective_url + ": " + what;
  }
  [[noreturn]] void refuse(const std::string& why) const {
    throw HTTPResponseError(response_.effective_url,
                            describe("the server's answer is wrong: " + why),
                            HTTPResponseError::Kind::kMalformed);
  }

  const HTTPClientResponse& response_;
};

Task<> run_in_time(ClientFetch& fetch) {
  const Duration limit = fetch.request().request_timeout;
  if (limit == Duration::zero()) co_return co_await fetch.run();
  try {
    co_return co_await with_timeout(limit, fetch.run());
  } catch (const TimeoutError&) {
  }
  throw fetch.out_of_time();
}

}  // namespace

Task<WebSocket> websocket_connect(HTTPRequest request, WebSocketConnectOptions options) {
  const std::string key = base64_encode(random_bytes(16));
  prepare(request, options, key);
  options.client.engine = HTTPClientEngine::kOwn;  // the connection is to be ours
  ClientCore core(std::move(options.client));
  HTTPClientResponse response;
  ClientFetch fetch(core, request, ClientFetch::Mode::kUpgrade, response);
  co_await run_in_time(fetch);
  Answer answer(response, options, key);
  WebSocketSetup setup{.is_server = false,
                       .options = std::make_shared<const WebSocketOptions>(options.socket),
                       .deflate = answer.deflate,
                       .subprotocol = std::move(answer.subprotocol)};
  auto connection = std::make_unique<WebSocketConnection>(std::move(setup), nullptr);
  std::string rest;
  bool ended = false;
  std::unique_ptr<Transport> transport = fetch.take_transport(rest, ended);
  WebSocketConnection& begun = *connection.release();  // it owns itself
  WebSocket socket(begun);
  begun.begin(*IOLoop::current(), std::move(transport), rest, ended);
  co_return std::move(socket);
}

}  // namespace coronado
