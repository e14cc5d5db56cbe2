/// What becomes of an exception that a handler throws: a status, a log line, a page.
#pragma once

#include <coronado/http/header_block.hpp>
#include <coronado/web/exchange.hpp>

#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace coronado::web {

/// The status and reason an exception is answered with: an `HTTPError`'s own, else 500.
std::pair<int, std::string> error_status(const std::exception_ptr& error);

/// The client went away, and the handler learned it: there is nothing to log, and nobody to answer.
bool is_client_gone(const HTTPExchange& exchange, const std::exception_ptr& error) noexcept;

/// Logs it: what the client did wrong goes into the request's line of the access log, anything else
/// is an error with the task's await trace.
void log_handler_exception(WebExchange& exchange, const std::exception_ptr& error);

/// "<html><title>404: Not Found</title>...", with the reason escaped, and what the client may know of
/// `error` in paragraphs.
std::string error_page(int status, std::string_view reason, const std::exception_ptr& error);

/// `reason`, or "Unknown" when it cannot be sent.
/// Spec  RFC 9112 4: HTAB, SP, visible characters; and, as Tornado, no "<" (reflected markup).
std::string_view safe_reason(std::string_view reason) noexcept;

/// Removes the fields that are the server's business: `Transfer-Encoding`, and `Connection`, of
/// which "close" is obeyed.
void take_connection_fields(HeaderBlock& headers, HTTPExchange& exchange);

/// Removes the length a handler has set, which is for the server to send; none without a valid one.
std::optional<std::uint64_t> take_content_length(HeaderBlock& headers);

/// Answers with an error page, or a problem in JSON for a client that would rather have that, and
/// `Allow` where that belongs. The head must not be out.
void respond_with_status(WebExchange& exchange, int status, std::string_view reason,
                         const std::exception_ptr& error = nullptr);

/// Answers a request whose function handler threw, or cuts the connection when the head is out.
void respond_with_error(WebExchange& exchange, const std::exception_ptr& error) noexcept;

}  // namespace coronado::web
