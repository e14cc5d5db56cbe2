#include <coronado/http/httpclient.hpp>

#include <coronado/coro/timeout.hpp>
#include <coronado/loop/ioloop.hpp>

#include "http/client_fetch.hpp"

namespace coronado {
namespace {

/// Puts the request's limit on a part of it.
template <class T>
Task<T> in_time(ClientFetch& fetch, Task<T> part) {
  const Duration limit = fetch.request().request_timeout;
  if (limit == Duration::zero()) co_return co_await std::move(part);
  const TimePoint until = detail::after(IOLoop::current()->now(), limit);
  try {
    co_return co_await with_timeout(until, std::move(part));
  } catch (const TimeoutError&) {
    fetch.on_timeout(until);
  }
}

/// Nothing but a URL: no request is made for it.
Task<HTTPClientResponse> fetch_plain(LocalPtr<ClientCore> core, std::string url) {
  HTTPClientResponse& response = co_await detail::make_result<HTTPClientResponse>();
  const auto fetch = std::make_unique<ClientFetch>(*core, core->plain_request, url,
                                                   ClientFetch::Mode::kWhole, response);
  const TimePoint begin = IOLoop::current()->now();
  const TimePoint until = begin + core->plain_request.request_timeout;
  try {
    co_await with_timeout(until, fetch->run(begin));
  } catch (const TimeoutError&) {
    fetch->on_timeout(until);
  }
  fetch->check_status();
  if (response.effective_url.empty()) response.effective_url = std::move(url);
  co_return detail::kResultMade;
}

}  // namespace

void HTTPClientResponse::rethrow() const {
  if (ok()) return;
  const std::string why = reason.empty() ? reason_phrase(code) : reason;
  throw HTTPClientError(
      code, effective_url,
      method + " " + effective_url + ": HTTP " + std::to_string(code) + ": " + why);
}

// --- HTTPClientStream --------------------------------------------------------------------------

HTTPClientStream::HTTPClientStream(std::unique_ptr<ClientStreamState> state) noexcept
    : state_(std::move(state)) {}
HTTPClientStream::HTTPClientStream(HTTPClientStream&&) noexcept = default;
HTTPClientStream& HTTPClientStream::operator=(HTTPClientStream&&) noexcept = default;
HTTPClientStream::~HTTPClientStream() = default;

const HTTPClientResponse& HTTPClientStream::response() const noexcept { return state_->response; }

Task<std::string> HTTPClientStream::read_some(std::size_t max_bytes) {
  return in_time(state_->fetch, state_->fetch.read_some(max_bytes));
}

Task<std::string> HTTPClientStream::read_all(std::size_t max_bytes) {
  std::string all;
  for (;;) {
    const std::string piece = co_await read_some();
    if (piece.empty()) co_return all;
    if (piece.size() > max_bytes - all.size()) {
      close();
      const HTTPClientResponse& head = response();
      throw HTTPResponseError(head.effective_url,
                              head.method + " " + head.effective_url + ": the body has more than " +
                                  std::to_string(max_bytes) + " bytes",
                              HTTPResponseError::Kind::kTooLarge);
    }
    all += piece;
  }
}

void HTTPClientStream::close() noexcept { state_->fetch.close(); }

// --- HTTPClient --------------------------------------------------------------------------------

HTTPClient::HTTPClient(HTTPClientOptions options, Function<void(HTTPRequest&)> defaults)
    : core_(make_local<ClientCore>(std::move(options), std::move(defaults))) {}

HTTPClient::~HTTPClient() { core_->pool.close(); }

bool HTTPClient::has_engine(HTTPClientEngine engine) noexcept {
  return engine == HTTPClientEngine::kOwn || CurlEngine::available();
}

HTTPRequest HTTPClient::request(std::string url) {
  HTTPRequest made;
  if (core_->defaults) core_->defaults(made);
  made.url = std::move(url);
  return made;
}

Task<HTTPClientResponse> HTTPClient::fetch(HTTPRequest request) {
  const LocalPtr<ClientCore> core = core_;  // the client may go
  HTTPClientResponse& response = co_await detail::make_result<HTTPClientResponse>();
  ClientFetch fetch(*core, request, ClientFetch::Mode::kWhole, response);
  co_await in_time(fetch, fetch.run());
  fetch.check_status();
  co_return detail::kResultMade;
}

Task<HTTPClientResponse> HTTPClient::fetch(std::string url) {
  if (core_->defaults) return fetch(request(std::move(url)));
  return fetch_plain(core_, std::move(url));
}

// Not a call of the first one: a request is large, and each call moves it.
Task<HTTPClientResponse> HTTPClient::fetch(std::string url, HTTPRequest request) {
  const LocalPtr<ClientCore> core = core_;
  request.url = std::move(url);
  HTTPClientResponse& response = co_await detail::make_result<HTTPClientResponse>();
  ClientFetch fetch(*core, request, ClientFetch::Mode::kWhole, response);
  co_await in_time(fetch, fetch.run());
  fetch.check_status();
  co_return detail::kResultMade;
}

Task<HTTPClientStream> HTTPClient::open(HTTPRequest request) {
  auto state = std::make_unique<ClientStreamState>(core_, std::move(request));
  co_await in_time(state->fetch, state->fetch.run());
  co_return HTTPClientStream(std::move(state));
}

void HTTPClient::close() noexcept { core_->pool.close(); }

HTTPClientStats HTTPClient::stats() const noexcept {
  const ClientCore& core = *core_;
  return {.busy = core.pool.busy(),
          .idle = core.pool.idle(),
          .waiting = core.pool.waiting(),
          .connects = core.curl ? core.curl->connects : core.connects,
          .reuses = core.curl ? core.curl->reuses : core.reuses,
          .retries = core.retries};
}

}  // namespace coronado
