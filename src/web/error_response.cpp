#include "web/error_response.hpp"

#include <coronado/base/error.hpp>
#include <coronado/base/escape.hpp>
#include <coronado/base/log.hpp>
#include <coronado/base/strings.hpp>
#include <coronado/coro/await_trace.hpp>
#include <coronado/coro/registry.hpp>
#include <coronado/http/httputil.hpp>
#include <coronado/web/application.hpp>

#include "web/debug_page.hpp"
#include "web/problem.hpp"

namespace coronado::web {
namespace {

std::string describe_request(const HTTPExchange& exchange) {
  const HTTPServerRequest& request = exchange.request();
  std::string text(request.method());
  text.append(" ").append(request.uri()).append(" (").append(request.remote_ip()).append(")");
  return text;
}

/// What a client has sent may be in a message, and must not begin a line of the log.
std::string in_one_line(std::string_view message) {
  std::string line;
  for (const char c : message) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte != 0x7f) {
      line += c;
    } else {
      line += "\\x";
      append_hex(line, std::string_view(&c, 1));
    }
  }
  return line;
}

}  // namespace

std::pair<int, std::string> error_status(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const HTTPError& http) {
    return {http.status(), http.reason()};
  } catch (const HTTPInputError&) {
    return {400, ""};
  } catch (...) {
    return {500, ""};
  }
}

bool is_client_gone(const HTTPExchange& exchange, const std::exception_ptr& error) noexcept {
  if (!exchange.client_gone()) return false;
  try {
    std::rethrow_exception(error);
  } catch (const StreamClosedError&) {
    return true;
  } catch (...) {
    return false;
  }
}

void log_handler_exception(WebExchange& exchange, const std::exception_ptr& error) {
  std::string what;
  try {
    std::rethrow_exception(error);
  } catch (const HTTPError& http) {
    // What is wrong with a body stands there already.
    const std::string& message = http.log_message();
    if (!message.empty() && message != exchange.body_error_reason()) {
      exchange.set_log_message(in_one_line(message));
    }
    return;
  } catch (const HTTPInputError& input) {
    return exchange.set_log_message(in_one_line(input.what()));
  } catch (const std::exception& exception) {
    what = in_one_line(exception.what());
  } catch (...) {
    what = "an exception that is not a std::exception";
  }
  what = "uncaught exception " + describe_request(exchange) + ": " + what;
  const Executor* executor = Executor::current();
  if (executor != nullptr && executor->running() != nullptr) {
    what += "\n  in " + describe_task(*executor->running());
  }
  if (const std::string trace = to_text(await_trace(error), "  "); !trace.empty()) {
    what.append("\n").append(trace, 0, trace.size() - 1);
  }
  app_log().error(what);
}

std::string_view safe_reason(std::string_view reason) noexcept {
  const bool safe = is_field_value(reason) && reason.find('<') == std::string_view::npos;
  return safe ? reason : "Unknown";
}

void take_connection_fields(HeaderBlock& headers, HTTPExchange& exchange) {
  if (headers.contains(HeaderBlock::kTransferEncoding)) headers.erase("Transfer-Encoding");
  if (!headers.contains(HeaderBlock::kConnection)) return;
  if (equals_ignore_case(*headers.find("Connection"), "close")) exchange.close_after_response();
  headers.erase("Connection");
}

std::optional<std::uint64_t> take_content_length(HeaderBlock& headers) {
  if (!headers.contains(HeaderBlock::kContentLength)) return std::nullopt;
  const auto length = parse_int<std::uint64_t>(*headers.find("Content-Length"));
  headers.erase("Content-Length");
  return length;
}

std::string error_page(int status, std::string_view reason, const std::exception_ptr& error) {
  const std::string line =
      std::to_string(status) + ": " +
      xhtml_escape(reason.empty() ? std::string_view(reason_phrase(status)) : safe_reason(reason));
  std::string page = "<html><title>" + line + "</title><body>" + line;
  const auto add_paragraph = [&](const std::string& text) {
    page += "<p>" + xhtml_escape(replace_invalid_utf8(text)) + "</p>";
  };
  const PublicReason told = public_reason(error);
  if (!told.detail.empty()) {
    add_paragraph(told.detail);
  } else {
    for (const JsonFieldError& each : told.errors) {
      add_paragraph(each.path.empty() ? each.message : each.path + ": " + each.message);
    }
  }
  return page + "</body></html>";
}

void respond_with_status(WebExchange& exchange, int status, std::string_view reason,
                         const std::exception_ptr& error) {
  const bool problem = wants_problem(exchange.request(), error);
  HeaderBlock headers;
  headers.set("Content-Type", problem ? kProblemType : "text/html; charset=UTF-8");
  if (status == 405) headers.set("Allow", exchange.application().allowed_methods(exchange));
  ResponseHead head;
  head.status = status;
  head.reason = safe_reason(reason);
  head.fields = headers.wire();
  exchange.respond(head, problem ? problem_json(status, reason, error)
                                 : page_for_error(exchange, status, reason, error));
}

void respond_with_error(WebExchange& exchange, const std::exception_ptr& error) noexcept {
  try {
    const bool gone = is_client_gone(exchange, error);
    if (!gone) log_handler_exception(exchange, error);
    if (exchange.finished()) return;
    if (exchange.started() || gone) return exchange.abort();
    const auto [status, reason] = error_status(error);
    respond_with_status(exchange, status, reason, error);
    forget_await_trace(error);
  } catch (const std::exception& again) {
    app_log().error(std::string("an error page could not be sent: ") + again.what());
    if (!exchange.finished()) exchange.abort();
  }
}

}  // namespace coronado::web
