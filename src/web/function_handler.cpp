#include <coronado/web/function_handler.hpp>

#include <coronado/base/error.hpp>
#include <coronado/base/strings.hpp>

#include "web/arguments.hpp"
#include "web/error_response.hpp"

namespace coronado::web::detail {
namespace {

[[noreturn]] void refuse(std::string_view what, std::string_view text, const char* expected) {
  throw HTTPError(400, std::string(what) + ": expected " + expected + ", got \"" +
                           std::string(text.substr(0, 40)) + '"');
}

}  // namespace

std::int64_t to_signed(std::string_view text, std::int64_t least, std::int64_t most,
                       std::string_view what) {
  const std::optional<std::int64_t> value = parse_int<std::int64_t>(text);
  if (!value || *value < least || *value > most) refuse(what, text, "an integer");
  return *value;
}

std::uint64_t to_unsigned(std::string_view text, std::uint64_t most, std::string_view what) {
  const std::optional<std::uint64_t> value = parse_int<std::uint64_t>(text);
  if (!value || *value > most) refuse(what, text, "a number from 0 up");
  return *value;
}

double to_double(std::string_view text, std::string_view what) {
  const std::optional<double> value = parse_double(text);
  if (!value) refuse(what, text, "a number");
  return *value;
}

bool to_bool(std::string_view text, std::string_view what) {
  if (text == "true" || text == "1" || text == "on") return true;
  if (text == "false" || text == "0" || text == "off") return false;
  refuse(what, text, "true or false");
}

std::string to_text(std::string_view text, std::string_view what) {
  return checked_utf8(text, what);
}

std::optional<std::string> query_argument(const HTTPServerRequest& request, std::string_view name) {
  return last_argument(request.query_arguments(), name);
}

void throw_missing(std::string_view kind, std::string_view name) {
  if (kind == "argument") throw MissingArgumentError(std::string(name));
  throw HTTPError(400, "Missing " + std::string(kind) + " " + std::string(name));
}

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

}  // namespace coronado::web::detail
