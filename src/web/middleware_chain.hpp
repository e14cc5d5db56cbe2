/// The middleware of an application around one of its endpoints.
#pragma once

#include <coronado/http/exchange.hpp>
#include <coronado/web/middleware.hpp>

#include <deque>
#include <memory>
#include <string>
#include <utility>

namespace coronado::web::detail {

/// Middleware in the order in which it was registered: the first is the outermost.
class MiddlewareChain {
 public:
  /// Params  prefix  Only for paths that are `prefix` or begin with it and a slash. Empty: for all.
  void add(std::string prefix, Middleware middleware);
  bool empty() const noexcept { return links_.empty(); }

  /// What runs for a request of `endpoint`, from the outermost on.
  Next begin(HTTPEndpoint& endpoint) noexcept { return Next(*this, 0, endpoint); }

  /// Calls the first from `at` on that is for this request, or `endpoint`.
  Task<> run(std::size_t at, HTTPEndpoint& endpoint, WebExchange& exchange);

 private:
  struct Link {
    std::string prefix;
    Middleware middleware;
  };
  std::deque<Link> links_;  // stay where they are when one is added
};

/// An endpoint in its onion.
class LayeredEndpoint final : public HTTPEndpoint {
 public:
  /// Params  chain  The application's, shared by its endpoints; or a route's own.
  LayeredEndpoint(std::shared_ptr<MiddlewareChain> chain,
                  std::unique_ptr<HTTPEndpoint> inner) noexcept;

  Task<> handle(HTTPExchange& exchange) override;

 private:
  Task<> run(WebExchange& exchange);

  std::shared_ptr<MiddlewareChain> chain_;
  std::unique_ptr<HTTPEndpoint> inner_;
};

}  // namespace coronado::web::detail
