#include "web/debug_page.hpp"

#include <coronado/base/error.hpp>
#include <coronado/base/escape.hpp>
#include <coronado/base/strings.hpp>
#include <coronado/coro/await_trace.hpp>
#include <coronado/coro/registry.hpp>
#include <coronado/http/httputil.hpp>
#include <coronado/web/application.hpp>

#include <cxxabi.h>

#include <array>
#include <cstdlib>
#include <memory>
#include <typeinfo>

#include "web/error_response.hpp"

namespace coronado::web {
namespace {

constexpr std::string_view kStyle = R"css(
:root { --paper: #f3f6f7; --card: #fff; --ink: #10222f; --muted: #4d616f; --line: #d3dde2; --hot: #b23c12; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #0e161d; --card: #141f28; --ink: #e3ebef; --muted: #9db0bc; --line: #263642; --hot: #ff9b73; }
}
body { margin: 0; background: var(--paper); color: var(--ink); font: 400 1rem/1.6 system-ui, sans-serif; }
main { width: min(62rem, 100% - 2.5rem); margin: 2.5rem auto; }
h1 { font-size: 1.5rem; line-height: 1.3; margin: 0 0 0.4rem; }
h2 { font-size: 1rem; color: var(--muted); margin: 1.8rem 0 0.4rem; }
.type { color: var(--hot); font-weight: 600; }
pre, table { background: var(--card); border: 1px solid var(--line); border-radius: 6px; }
pre { padding: 0.7rem 0.9rem; overflow: auto; white-space: pre-wrap; overflow-wrap: anywhere; font-size: 0.9rem; }
table { border-collapse: collapse; width: 100%; font-size: 0.9rem; }
th, td { text-align: left; vertical-align: top; padding: 0.3rem 0.9rem; border-bottom: 1px solid var(--line);
  overflow-wrap: anywhere; }
th { font-weight: 600; white-space: nowrap; width: 1%; }
.note { color: var(--muted); font-size: 0.9rem; }
)css";

std::string type_name_of(const std::exception& error) {
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> name(
      abi::__cxa_demangle(typeid(error).name(), nullptr, nullptr, &status), std::free);
  return name ? name.get() : typeid(error).name();
}

struct Thrown {
  std::string type;
  std::string message;
};

Thrown describe_error(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& exception) {
    return {type_name_of(exception), exception.what()};
  } catch (...) {
    return {"an exception that is no std::exception", ""};
  }
}

/// Fields whose values are nobody's business but the client's.
bool is_secret(std::string_view field) {
  constexpr std::array<std::string_view, 4> kSecrets{"Authorization", "Cookie",
                                                     "Proxy-Authorization", "X-XSRFToken"};
  for (const std::string_view secret : kSecrets) {
    if (equals_ignore_case(field, secret)) return true;
  }
  return false;
}

void append_row(std::string& page, std::string_view name, std::string_view value) {
  page += "<tr><th scope=\"row\">" + xhtml_escape(name) + "</th><td>" +
          xhtml_escape(replace_invalid_utf8(value)) + "</td></tr>\n";
}

void append_request(std::string& page, const WebExchange& exchange) {
  const HTTPServerRequest& request = exchange.request();
  page += "<h2>Request</h2>\n<table>\n";
  append_row(page, request.method(), request.uri());
  append_row(page, "from", request.remote_ip());
  for (std::size_t i = 0; i < exchange.parameters().size(); ++i) {
    const std::string_view name = exchange.parameters().name(i);
    append_row(page, name.empty() ? "parameter" : name, exchange.parameters()[i]);
  }
  for (const auto& field : request.headers()) {
    append_row(page, field.name, is_secret(field.name) ? "(left out)" : field.value);
  }
  page += "</table>\n";
}

std::string debug_page(const WebExchange& exchange, int status, std::string_view reason,
                       const std::exception_ptr& error) {
  const Thrown thrown = describe_error(error);
  const std::string line =
      std::to_string(status) + ": " +
      xhtml_escape(reason.empty() ? std::string_view(reason_phrase(status)) : safe_reason(reason));
  std::string page = "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n";
  page += "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n";
  page.append("<title>").append(line).append("</title>\n<style>").append(kStyle);
  page.append("</style></head>\n<body><main>\n<h1>").append(line).append("</h1>\n");
  page += "<p class=\"type\">" + xhtml_escape(thrown.type) + "</p>\n<pre>" +
          xhtml_escape(replace_invalid_utf8(thrown.message)) + "</pre>\n";
  const Executor* executor = Executor::current();
  if (executor != nullptr && executor->running() != nullptr) {
    page += "<h2>Task</h2>\n<pre>" + xhtml_escape(describe_task(*executor->running())) + "</pre>\n";
  }
  if (const std::string trace = to_text(await_trace(error)); !trace.empty()) {
    page += "<h2>Await trace</h2>\n<pre class=\"trace\">" + xhtml_escape(trace) + "</pre>\n";
  }
  append_request(page, exchange);
  page +=
      "<p class=\"note\">This page is shown because the application serves tracebacks. Turn that "
      "off before strangers can reach it.</p>\n</main></body></html>\n";
  return page;
}

}  // namespace

std::string page_for_error(const WebExchange& exchange, int status, std::string_view reason,
                           const std::exception_ptr& error) {
  if (error && exchange.application().serves_traceback()) {
    return debug_page(exchange, status, reason, error);
  }
  return error_page(status, reason, error);
}

}  // namespace coronado::web
