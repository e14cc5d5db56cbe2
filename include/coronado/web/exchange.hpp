/// `WebExchange`: an exchange with what the router found out about it.
///
/// Layer: web.
#pragma once

#include <coronado/http/exchange.hpp>
#include <coronado/web/routing.hpp>

namespace coronado::web {

class Application;

class WebExchange final : public HTTPExchange {
 public:
  explicit WebExchange(const Application& application) noexcept : application_(application) {}

  const Application& application() const noexcept { return application_; }

  /// The parameters of the route, undecoded.
  const RouteParameters& parameters() const noexcept { return parameters_; }

  /// With a 405: the methods the path has, for `Allow`.
  MethodMask allowed() const noexcept { return allowed_; }

 private:
  friend class Application;
  void on_pinned() noexcept override { parameters_.rebase(request().path().data()); }

  const Application& application_;
  RouteParameters parameters_;
  MethodMask allowed_ = 0;
};

}  // namespace coronado::web
