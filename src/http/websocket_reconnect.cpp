#include <coronado/http/websocket_reconnect.hpp>

#include <coronado/base/log.hpp>
#include <coronado/coro/combine.hpp>
#include <coronado/loop/ioloop.hpp>

#include <stdexcept>
#include <utility>

#include "http/websocket_close_code.hpp"

namespace coronado {
namespace {

/// What may pass by itself.
bool passes(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const HTTPResponseError&) {  // it would answer the same again
    return false;
  } catch (const HTTPClientError& failure) {
    const int code = failure.code();
    return code == 408 || code == 425 || code == 429 || code >= 500;
  } catch (const StreamClosedError&) {
    return true;
  } catch (const WebSocketClosedError&) {
    return true;
  } catch (const TimeoutError&) {
    return true;
  } catch (...) {
    return false;
  }
}

}  // namespace

/// One task reads at a time.
class ReconnectingWebSocket::Turn {
 public:
  explicit Turn(ReconnectingWebSocket& of) : of_(of) {
    if (std::exchange(of_.reading_, true)) {
      throw std::logic_error("another task is reading this WebSocket");
    }
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  ~Turn() { of_.reading_ = false; }

 private:
  ReconnectingWebSocket& of_;
};

ReconnectingWebSocket::ReconnectingWebSocket(Function<HTTPRequest()> request,
                                             WebSocketReconnectOptions options)
    : request_(std::move(request)), options_(std::move(options)), backoff_(options_.backoff) {
  if (options_.max_failures < 0) {
    throw std::invalid_argument("ReconnectingWebSocket: max_failures must not be negative");
  }
}

ReconnectingWebSocket::ReconnectingWebSocket(std::string url, WebSocketReconnectOptions options)
    : ReconnectingWebSocket([url = std::move(url)] { return HTTPRequest{.url = url}; },
                            std::move(options)) {}

ReconnectingWebSocket::~ReconnectingWebSocket() = default;

Task<std::optional<WebSocketMessage>> ReconnectingWebSocket::read() {
  const Turn turn(*this);
  while (!closed_.is_set()) {
    if (!socket_) {
      // Whoever calls `close` ends the attempt.
      const auto first = co_await race(connect(), closed_.wait());
      if (first.index() == 1 || !socket_) continue;
    }
    if (const auto message = co_await socket_->read()) co_return message;
    lost();
  }
  socket_.reset();  // one that was made in the moment of `close`
  connected_.clear();
  co_return std::nullopt;
}

/// Makes one attempt, after the pause that is due. When it fails there is no socket, and a pause.
Task<> ReconnectingWebSocket::connect() {
  const TimePoint now = IOLoop::current()->now();
  if (not_before_ > now) co_await sleep(not_before_ - now);
  std::exception_ptr error;
  try {
    socket_.emplace(co_await make_connection());
    connected_at_ = IOLoop::current()->now();
    ++connects_;
    connected_.set();
    co_return;
  } catch (const Cancelled&) {
    throw;
  } catch (...) {
    error = std::current_exception();
  }
  if (!may_retry(error)) std::rethrow_exception(error);
  failed({.error = error});
}

Task<WebSocket> ReconnectingWebSocket::make_connection() {
  WebSocket socket = co_await websocket_connect(request_(), options_.connect);
  if (options_.on_connect) co_await options_.on_connect(socket);
  co_return std::move(socket);
}

/// The connection has ended.
void ReconnectingWebSocket::lost() {
  const std::uint16_t code = socket_->close_code();
  const std::string reason = socket_->close_reason();
  socket_.reset();
  connected_.clear();
  if (closed_.is_set()) return;
  const bool comes_back =
      options_.retry_on_close ? options_.retry_on_close(code, reason) : code != kCloseNormal;
  if (!comes_back) return closed_.set();
  if (IOLoop::current()->now() - connected_at_ >= options_.stable_after) {
    failures_ = 0;
    backoff_.reset();
  }
  failed({.close_code = code, .close_reason = reason});
}

/// Plans the next attempt.   Throws  What failed, when there is to be none.
void ReconnectingWebSocket::failed(WebSocketRetry what) {
  what.failures = ++failures_;
  if (options_.max_failures != 0 && failures_ >= options_.max_failures) {
    failures_ = 0;  // who reads again begins anew
    backoff_.reset();
    not_before_ = {};
    if (what.error != nullptr) std::rethrow_exception(what.error);
    throw WebSocketClosedError();
  }
  what.pause = backoff_.next();
  not_before_ = IOLoop::current()->now() + what.pause;
  if (options_.on_retry) options_.on_retry(what);
}

bool ReconnectingWebSocket::may_retry(const std::exception_ptr& error) {
  return options_.retry_if ? options_.retry_if(error) : passes(error);
}

WebSocket& ReconnectingWebSocket::present() {
  if (!socket_) throw WebSocketClosedError();
  return *socket_;
}

WebSocket::Sent ReconnectingWebSocket::send(std::string_view text, bool compress) {
  return present().send(text, compress);
}
WebSocket::Sent ReconnectingWebSocket::send_binary(std::string_view bytes, bool compress) {
  return present().send_binary(bytes, compress);
}

Task<> ReconnectingWebSocket::connected() {
  if (!closed_.is_set()) co_await race(connected_.wait(), closed_.wait());
  if (closed_.is_set()) throw WebSocketClosedError();
}

void ReconnectingWebSocket::close(std::uint16_t code, std::string_view reason) {
  if (socket_) socket_->close(code, reason);
  closed_.set();
}

WebSocket* ReconnectingWebSocket::socket() noexcept { return socket_ ? &*socket_ : nullptr; }
bool ReconnectingWebSocket::is_open() const noexcept { return socket_ && socket_->is_open(); }

}  // namespace coronado
