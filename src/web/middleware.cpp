#include <coronado/web/middleware.hpp>

#include <coronado/base/error.hpp>
#include <coronado/http/httputil.hpp>
#include <coronado/web/exchange.hpp>

#include "web/error_response.hpp"
#include "web/middleware_chain.hpp"

namespace coronado::web {
namespace {

/// A task with nothing to do, for what has been answered at once.
Task<> done() { co_return; }

bool is_under(std::string_view path, std::string_view prefix) {
  return path.starts_with(prefix) && (path.size() == prefix.size() || path[prefix.size()] == '/');
}

}  // namespace

Task<> Next::operator()(WebExchange& exchange) const {
  Task<> task = chain_->run(at_, *endpoint_, exchange);
  return task ? std::move(task) : done();
}

namespace detail {

void MiddlewareChain::add(std::string prefix, Middleware middleware) {
  if (!prefix.empty() && (prefix.front() != '/' || prefix.back() == '/')) {
    throw UsageError("a middleware's prefix begins with a slash and does not end with one: \"" +
                     prefix + '"');
  }
  links_.push_back({std::move(prefix), std::move(middleware)});
}

Task<> MiddlewareChain::run(std::size_t at, HTTPEndpoint& endpoint, WebExchange& exchange) {
  for (; at < links_.size(); ++at) {
    const Link& link = links_[at];
    // Decoded, so that "/%61dmin" does not pass by what guards "/admin".
    if (!link.prefix.empty() &&
        !is_under(percent_decode(exchange.request().path(), PlusSign::kPlus), link.prefix)) {
      continue;
    }
    return link.middleware(exchange, Next(*this, at + 1, endpoint));
  }
  return endpoint.handle(exchange);
}

LayeredEndpoint::LayeredEndpoint(std::shared_ptr<MiddlewareChain> chain,
                                 std::unique_ptr<HTTPEndpoint> inner) noexcept
    : chain_(std::move(chain)), inner_(std::move(inner)) {
  describe(inner_->name(), inner_->streams_body());
}

Task<> LayeredEndpoint::handle(HTTPExchange& exchange) {
  return run(static_cast<WebExchange&>(exchange));
}

Task<> LayeredEndpoint::run(WebExchange& exchange) {
  std::exception_ptr error;
  try {
    co_await chain_->begin (*inner_)(exchange);
  } catch (const Cancelled&) {
    throw;
  } catch (...) {
    error = std::current_exception();
  }
  if (error) respond_with_error(exchange, error);
}

}  // namespace detail

}  // namespace coronado::web
