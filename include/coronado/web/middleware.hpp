/// Middleware: what happens around the handlers of many routes.
///
///     Middleware    a function around a request: it runs before the handler, after it, or instead
///     Next          the rest of the onion: the middleware further in, then the handler
///
///     app.use([](web::WebExchange& exchange, web::Next next) -> Task<> {
///       const TimePoint begin = Clock::now();
///       co_await next(exchange);
///       note(exchange.request().path(), exchange.status(), Clock::now() - begin);
///     });
///
/// The first that is registered is the outermost. It sees each request that has been routed, also the
/// ones that end in 404 or 405, and works for handlers of both kinds. It may
///
///     let pass          return next(exchange), with no coroutine and at no cost to speak of
///     answer itself     exchange.respond(...), and not call `next`
///     refuse            throw HTTPError(403, "why, for the log")
///     change the head   exchange.edit_head(...) before `next`: fields of whatever will be sent
///     change the body   exchange.transform_output(...) before `next`, or `output_transform`
///     hand on a value   exchange.set_extension(User{...}), which handlers take as
///                       web::Extension<User>
///     limit or time     co_await with_timeout(5s, next(exchange))
///
/// When `next` returns, the response has been handed to the server, errors included: what a handler
/// throws is answered inside, so that `exchange.status()` tells how it went. Only `Cancelled` comes
/// through, when the client has gone.
///
/// <coronado/web/standard_middleware.hpp> has those that most programs need.
///
/// Threads  The loop's thread only.
/// Layer: web.
#pragma once

#include <coronado/base/function.hpp>
#include <coronado/coro/task.hpp>

#include <concepts>
#include <cstddef>
#include <memory>
#include <type_traits>
#include <utility>

namespace coronado {
class HTTPEndpoint;
}

namespace coronado::web {

class Next;
class WebExchange;

namespace detail {
class MiddlewareChain;
}

/// The rest of the onion. A value; call it at most once for a request.
class Next {
 public:
  /// Runs what is further in.
  /// Returns A task that ends when the response has been handed over. It must be awaited, or returned.
  /// Throws  What middleware further in throws; the handler's errors have been answered.
  /// Cancel  Passed on.
  Task<> operator()(WebExchange& exchange) const;

 private:
  friend class detail::MiddlewareChain;
  Next(detail::MiddlewareChain& chain, std::size_t at, HTTPEndpoint& endpoint) noexcept
      : chain_(&chain), at_(at), endpoint_(&endpoint) {}

  detail::MiddlewareChain* chain_;
  std::size_t at_;
  HTTPEndpoint* endpoint_;
};

/// A function around requests, as the head of this file says. Copies share it, and so what it keeps.
///
/// Lifetime  The function lives as long as the application, and may be called again before an earlier
///           call has ended: a coroutine lambda with captures is fine here.
class Middleware {
 public:
  using Signature = Task<>(WebExchange& exchange, Next next);

  template <class F>
    requires(!std::same_as<std::remove_cvref_t<F>, Middleware> &&
             std::is_invocable_r_v<Task<>, std::remove_cvref_t<F>&, WebExchange&, Next>)
  Middleware(F&& function)
      : function_(std::make_shared<Function<Signature>>(std::forward<F>(function))) {}

  /// Runs it.   Throws  What it throws.   Cancel  Passed on.
  Task<> operator()(WebExchange& exchange, Next next) const { return (*function_)(exchange, next); }

 private:
  std::shared_ptr<Function<Signature>> function_;
};

}  // namespace coronado::web
