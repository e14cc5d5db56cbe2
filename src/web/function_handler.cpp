#include <coronado/web/function_handler.hpp>

#include "web/error_response.hpp"

namespace coronado::web::detail {
void send_text(HTTPExchange& exchange, std::string_view text) {
  if (exchange.started()) return;
  exchange.respond({.fields = "Content-Type: text/plain; charset=utf-8\r\n"}, text);
}

void send_response(HTTPExchange& exchange, const Response& response) {
  if (exchange.started()) return;
  constexpr int kServers =
      HeaderBlock::kContentLength | HeaderBlock::kConnection | HeaderBlock::kTransferEncoding;
  if (response.headers().contains(HeaderBlock::Known{kServers})) [[unlikely]] {
    Response cleaned = response;
    cleaned.headers().erase("Content-Length");
    take_connection_fields(cleaned.headers(), exchange);
    return send_response(exchange, cleaned);
  }
  ResponseHead head;
  head.status = response.status();
  head.fields = response.headers().wire();
  head.has_date = response.headers().contains(HeaderBlock::kDate);
  head.has_server = response.headers().contains(HeaderBlock::kServer);
  exchange.respond(head, response.body());
}

void send_nothing(HTTPExchange& exchange) {
  if (!exchange.started()) return exchange.respond({.status = 204}, {});
  if (!exchange.finished()) exchange.finish();
}

void send_error(WebExchange& exchange, const std::exception_ptr& error) noexcept {
  respond_with_error(exchange, error);
}

Task<> answer_error(WebExchange& exchange) noexcept {
  respond_with_error(exchange, std::current_exception());
  return {};
}

HandlerTask::~HandlerTask() {
  if (promise_ != nullptr) promise_->handle().destroy();
}

Task<> answer(WebExchange& exchange, HandlerTask task, SendReturned send) {
  std::exception_ptr error;
  try {
    PromiseBase& finished = co_await std::move(task);
    if (send != nullptr) send(exchange, finished);
  } catch (const Cancelled&) {
    throw;
  } catch (...) {
    error = std::current_exception();
  }
  if (error) send_error(exchange, error);
}

Task<> prepare_and_call(WebExchange& exchange, const PrepareArgument* prepares, std::size_t count,
                        HTTPEndpoint& endpoint, Task<> (*call)(HTTPEndpoint&, WebExchange&)) {
  std::exception_ptr error;
  try {
    for (std::size_t i = 0; i < count; ++i) {
      if (prepares[i] != nullptr) co_await prepares[i](exchange);
    }
  } catch (const Cancelled&) {
    throw;
  } catch (...) {
    error = std::current_exception();
  }
  if (error) co_return send_error(exchange, error);
  if (Task<> rest = call(endpoint, exchange)) co_await std::move(rest);
}

}  // namespace coronado::web::detail
