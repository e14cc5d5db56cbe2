/// The error page of an application that shows what went wrong: for developers, not for the internet.
#pragma once

#include <coronado/web/exchange.hpp>

#include <exception>
#include <string>
#include <string_view>

namespace coronado::web {

/// The page for an error: the short one, or, with `Application::set_serve_traceback`, one that shows
/// the exception, the task it came from, and the request, whose secrets are left out.
std::string page_for_error(const WebExchange& exchange, int status, std::string_view reason,
                           const std::exception_ptr& error);

}  // namespace coronado::web
