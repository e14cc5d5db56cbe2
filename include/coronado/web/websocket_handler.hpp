/// WebSockets in an application, as a class or as a function.
///
///     struct Echo : web::WebSocketHandler {
///       Task<> on_message(const WebSocketMessage& message) override {
///         write_message(message);
///         return {};
///       }
///     };
///     app.add<Echo>("/echo");
///
///     app.get("/echo2", web::websocket([](WebSocket& socket) -> Task<> {
///       while (const auto message = co_await socket.read()) co_await socket.send(*message);
///     }));
///
/// A request that does not ask for a WebSocket is answered with 400, or 426; a page from another
/// site with 403.
///
/// Threads  The loop's thread only.
/// Layer: web.   Spec  RFC 6455.   Tornado  `websocket.WebSocketHandler`.
#pragma once

#include <coronado/http/websocket.hpp>
#include <coronado/web/function_handler.hpp>
#include <coronado/web/request_handler.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace coronado::web {

class HandlerListener;

/// A WebSocket of a server, as a class. `prepare` and the verbs' rules hold until it is open.
class WebSocketHandler : public RequestHandler {
 public:
  // --- what you override -----------------------------------------------------------------------

  /// The connection is open. Messages come when the task has ended.
  /// Throws  Anything: logged, and the connection is closed with 1011. So of all these calls.
  /// Cancel  When the server closes.
  virtual Task<> open();

  /// A message came. The next one comes when the task has ended; return an empty task when there is
  /// nothing to wait for.
  /// Throws   See `open`.
  /// Cancel   When the server closes. Not when the peer goes away.
  /// Lifetime `message` lives until the task has ended.
  virtual Task<> on_message(const WebSocketMessage& message) = 0;

  /// The connection is closed: `close_code` and `close_reason` say why. Called once, also while a
  /// task of `on_message` still runs.
  virtual void on_close() {}

  /// A ping came; it has been answered.
  virtual void on_ping(std::string_view) {}
  virtual void on_pong(std::string_view) {}

  /// Whether a page from `origin` may connect. The default: from the same host and port only.
  virtual bool check_origin(std::string_view origin);

  /// Chooses one of the subprotocols that the client offers; empty: none.
  virtual std::string select_subprotocol(const std::vector<std::string>& offered);

  /// Limits, keep-alive, compression. The default: those of `WebSocketOptions`.
  /// Lifetime  What is returned must outlive the handler, or be part of it.
  /// Tornado   `get_compression_options` and the settings `websocket_...`.
  virtual const WebSocketOptions& websocket_options() const;

  // --- what you call ---------------------------------------------------------------------------

  /// Sends a message; see `WebSocket::send`, also for the errors.
  WebSocket::Sent write_message(std::string_view message, bool binary = false,
                                bool compress = true);
  WebSocket::Sent write_message(const WebSocketMessage& message);
  WebSocket::Sent write_message(const PreparedMessage& message);

  /// Hears `topic` as long as what is returned lives: keep it as a member.
  /// Throws  std::logic_error  The connection is not open yet.
  [[nodiscard("it ends with the subscription")]] WebSocketTopic::Subscription subscribe(
      WebSocketTopic& topic);

  /// See `WebSocket`.
  void ping(std::string_view data = {});
  void close(std::uint16_t code = 1000, std::string_view reason = {});
  bool is_open() const noexcept;
  std::uint16_t close_code() const noexcept;
  const std::string& close_reason() const noexcept;
  const std::string& selected_subprotocol() const noexcept;
  std::size_t buffered_amount() const noexcept;

  /// Sends small messages at once, which is the default.
  void set_nodelay(bool on) noexcept;

  /// Forgets the request, and with it half of the memory that an idle connection takes: from then
  /// on nothing may be called that looks at it, such as `request` and `get_argument`.
  void release_request() noexcept;

  /// The handshake.
  /// Throws  std::logic_error  `select_subprotocol` chose what was not offered.
  /// Cancel  It waits for nothing.
  Task<> get() final;

 private:
  friend class HandlerListener;
  void on_upgraded(std::unique_ptr<RequestHandler> self) noexcept final;
  WebSocketConnection& connection() const;

  WebSocketConnection* connection_ = nullptr;
  HandlerListener* keeper_ = nullptr;
};

/// How a function's WebSockets behave.
struct WebSocketSettings {
  WebSocketOptions options = {};
  /// Pages from everywhere may connect. False: from the same host and port only.
  bool any_origin = false;
  /// Those that the function speaks. The first that the client offers is agreed upon.
  std::vector<std::string> subprotocols = {};
};

namespace detail {

/// Answers a request: with 101, and has `session` run, or with an error.
void accept_websocket(HTTPExchange& exchange, std::shared_ptr<const WebSocketSettings> settings,
                      Function<Task<>(WebSocket&)> session);

template <class F, class Arguments>
class WebSocketFunction;

template <class F, class... Args>
class WebSocketFunction<F, ArgumentList<WebSocket&, Args...>> {
 public:
  static_assert(
      (!std::is_reference_v<Args> && ...) && (!std::is_same_v<Args, std::string_view> && ...),
      "a WebSocket's function outlives the request: it takes its other arguments by value, "
      "and std::string instead of std::string_view");

  WebSocketFunction(F function, WebSocketSettings settings)
      : function_(std::make_shared<F>(std::move(function))),
        settings_(std::make_shared<const WebSocketSettings>(std::move(settings))) {}

  void operator()(HTTPExchange& exchange, Args... arguments) const {
    accept_websocket(
        exchange, settings_,
        [function = function_,
         kept = std::tuple<Args...>(std::move(arguments)...)](WebSocket& socket) mutable {
          return std::apply([&](Args&... each) { return (*function)(socket, std::move(each)...); },
                            kept);
        });
  }

 private:
  std::shared_ptr<F> function_;
  std::shared_ptr<const WebSocketSettings> settings_;
};

}  // namespace detail

/// Makes a handler of a function that is given the open connection: `Task<>(WebSocket&, ...)`. What
/// else it takes is extracted from the request; see <coronado/web/function_handler.hpp>. When its
/// task ends, the connection is closed with 1000, or 1011 if it threw.
template <class F>
auto websocket(F function, WebSocketSettings settings = {}) {
  using Arguments = typename detail::Signature<F>::Arguments;
  return detail::WebSocketFunction<F, Arguments>(std::move(function), std::move(settings));
}

}  // namespace coronado::web
