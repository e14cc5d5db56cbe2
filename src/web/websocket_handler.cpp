#include <coronado/web/websocket_handler.hpp>

#include <coronado/http/exchange.hpp>
#include <coronado/http/header_block.hpp>

#include <algorithm>

#include "http/list_elements.hpp"
#include "http/websocket_connection.hpp"
#include "http/websocket_handshake.hpp"

namespace coronado::web {
namespace {

constexpr const char* kForeignOrigin = "Cross origin websockets not allowed";

/// The page that asks; nothing: it is no browser.
std::optional<std::string_view> origin_of(const HTTPServerRequest& request) {
  const auto origin = request.header("Origin");
  return origin ? origin : request.header("Sec-WebSocket-Origin");
}

/// Agrees with a client, and sets the fields of the answer.
template <class SetField>
WebSocketSetup agree(const HTTPServerRequest& request,
                     std::shared_ptr<const WebSocketOptions> options, std::string subprotocol,
                     SetField&& set_field) {
  WebSocketSetup setup{.options = std::move(options), .subprotocol = std::move(subprotocol)};
  set_field("Upgrade", "websocket");
  set_field("Sec-WebSocket-Accept", websocket_accept(*request.header("Sec-WebSocket-Key")));
  if (!setup.subprotocol.empty()) set_field("Sec-WebSocket-Protocol", setup.subprotocol);
  if (setup.options->compression) {
    std::string answer;
    setup.deflate = answer_deflate_offers(list_elements(request.head(), "Sec-WebSocket-Extensions"),
                                          *setup.options->compression, answer);
    if (setup.deflate) set_field("Sec-WebSocket-Extensions", answer);
  }
  return setup;
}

/// Runs a function as the whole life of a connection.
class FunctionListener final : public WebSocketListener {
 public:
  explicit FunctionListener(Function<Task<>(WebSocket&)> session) : session_(std::move(session)) {}
  Task<> opened(WebSocketConnection& connection) override { return run(connection); }
  Task<> received(const WebSocketMessage&) override { return {}; }

 private:
  Task<> run(WebSocketConnection& connection) {
    connection.release_request();  // its arguments were taken by value
    std::exception_ptr error;
    WebSocket socket(connection);
    try {
      if (Task<> session = session_(socket)) co_await std::move(session);
    } catch (const Cancelled&) {
      throw;
    } catch (...) {
      error = std::current_exception();
    }
    if (!error) co_return;
    connection.failed(error);
  }

  Function<Task<>(WebSocket&)> session_;
};

}  // namespace

/// Passes on what comes to a handler, and keeps it.
class HandlerListener final : public WebSocketListener, public coronado::detail::Pooled {
 public:
  Task<> opened(WebSocketConnection& connection) override {
    if (!handler_) return connection.cut(), Task<>();  // the request failed after the upgrade
    handler_->connection_ = &connection;
    return handler_->open();
  }
  Task<> received(const WebSocketMessage& message) override {
    return handler_->on_message(message);
  }
  void pinged(std::string_view data) override { handler_->on_ping(data); }
  void ponged(std::string_view data) override { handler_->on_pong(data); }
  void closed() override {
    if (handler_) handler_->on_close();
  }

  void keep(std::unique_ptr<WebSocketHandler> handler) noexcept { handler_ = std::move(handler); }

 private:
  std::unique_ptr<WebSocketHandler> handler_;
};

// --- WebSocketHandler ----------------------------------------------------------------------------

Task<> WebSocketHandler::open() { return {}; }

bool WebSocketHandler::check_origin(std::string_view origin) {
  return is_same_origin(origin, request().host());
}

std::string WebSocketHandler::select_subprotocol(const std::vector<std::string>&) { return {}; }

const WebSocketOptions& WebSocketHandler::websocket_options() const {
  static const WebSocketOptions defaults;
  return defaults;
}

Task<> WebSocketHandler::get() {
  const auto refuse = [this](int status, const char* why) {
    set_status(status);
    set_header("Content-Type", "text/plain; charset=utf-8");
    finish(why);
  };
  if (const auto refusal = check_websocket_request(request().head())) {
    if (refusal->status == 426) set_header("Sec-WebSocket-Version", "13");
    refuse(refusal->status, refusal->reason);
    return {};
  }
  const auto origin = origin_of(request());
  if (origin && !check_origin(*origin)) {
    refuse(403, kForeignOrigin);
    return {};
  }
  const std::vector<std::string> offered =
      list_elements(request().head(), "Sec-WebSocket-Protocol");
  std::string subprotocol = select_subprotocol(offered);
  if (!subprotocol.empty() && std::ranges::find(offered, subprotocol) == offered.end()) {
    throw std::logic_error("select_subprotocol chose one that was not offered: " + subprotocol);
  }
  // The handler keeps them, and the connection the handler.
  std::shared_ptr<const WebSocketOptions> options(std::shared_ptr<void>(), &websocket_options());
  WebSocketSetup setup =
      agree(request(), std::move(options), std::move(subprotocol),
            [this](const char* name, std::string_view value) { set_header(name, value); });
  auto listener = std::make_unique<HandlerListener>();
  keeper_ = listener.get();
  auto connection = std::make_unique<WebSocketConnection>(std::move(setup), std::move(listener));
  upgrade(std::move(connection));
  return {};
}

void WebSocketHandler::on_upgraded(std::unique_ptr<RequestHandler> self) noexcept {
  keeper_->keep(std::unique_ptr<WebSocketHandler>(static_cast<WebSocketHandler*>(self.release())));
}

WebSocketConnection& WebSocketHandler::connection() const {
  if (connection_ == nullptr) throw std::logic_error("the WebSocket is not open yet");
  return *connection_;
}

WebSocket::Sent WebSocketHandler::write_message(std::string_view message, bool binary,
                                                bool compress) {
  connection().send(binary ? WebSocketOpcode::kBinary : WebSocketOpcode::kText, message, compress,
                    false);
  return WebSocket::Sent(*connection_);
}

WebSocket::Sent WebSocketHandler::write_message(const WebSocketMessage& message) {
  return write_message(message.data, !message.is_text);
}

WebSocket::Sent WebSocketHandler::write_message(const PreparedMessage& message) {
  connection().send(message);
  return WebSocket::Sent(*connection_);
}

WebSocketTopic::Subscription WebSocketHandler::subscribe(WebSocketTopic& topic) {
  return connection().subscribe(topic);
}

void WebSocketHandler::ping(std::string_view data) { connection().ping(data); }
void WebSocketHandler::close(std::uint16_t code, std::string_view reason) {
  connection().close(code, reason);
}
bool WebSocketHandler::is_open() const noexcept {
  return connection_ != nullptr && connection_->is_open();
}
std::uint16_t WebSocketHandler::close_code() const noexcept {
  return connection_ != nullptr ? connection_->close_code() : std::uint16_t{0};
}
const std::string& WebSocketHandler::close_reason() const noexcept {
  static const std::string none;
  return connection_ != nullptr ? connection_->close_reason() : none;
}
const std::string& WebSocketHandler::selected_subprotocol() const noexcept {
  static const std::string none;
  return connection_ != nullptr ? connection_->subprotocol() : none;
}
std::size_t WebSocketHandler::buffered_amount() const noexcept {
  return connection_ != nullptr ? connection_->buffered_amount() : 0;
}
void WebSocketHandler::set_nodelay(bool on) noexcept {
  if (connection_ != nullptr) connection_->set_nodelay(on);
}
void WebSocketHandler::release_request() noexcept {
  if (connection_ != nullptr) connection_->release_request();
}

// --- functions -----------------------------------------------------------------------------------

void detail::accept_websocket(HTTPExchange& exchange,
                              std::shared_ptr<const WebSocketSettings> settings,
                              Function<Task<>(WebSocket&)> session) {
  const HTTPServerRequest& request = exchange.request();
  const auto refuse = [&](int status, std::string_view why) {
    std::string fields = "Content-Type: text/plain; charset=utf-8\r\n";
    if (status == 426) fields += "Sec-WebSocket-Version: 13\r\n";
    exchange.respond({.status = status, .fields = fields}, why);
  };
  if (const auto refusal = check_websocket_request(request.head())) {
    return refuse(refusal->status, refusal->reason);
  }
  const auto origin = origin_of(request);
  if (origin && !settings->any_origin && !is_same_origin(*origin, request.host())) {
    return refuse(403, kForeignOrigin);
  }
  const std::vector<std::string> offered = list_elements(request.head(), "Sec-WebSocket-Protocol");
  const auto spoken = std::ranges::find_if(settings->subprotocols, [&](const std::string& each) {
    return std::ranges::find(offered, each) != offered.end();
  });
  HeaderBlock fields;
  std::shared_ptr<const WebSocketOptions> options(settings, &settings->options);
  WebSocketSetup setup = agree(
      request, std::move(options), spoken == settings->subprotocols.end() ? std::string() : *spoken,
      [&](const char* name, std::string_view value) { fields.set(name, value); });
  exchange.upgrade({.status = 101, .fields = fields.wire()},
                   std::make_unique<WebSocketConnection>(
                       std::move(setup), std::make_unique<FunctionListener>(std::move(session))));
}

}  // namespace coronado::web
