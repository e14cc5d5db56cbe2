/// `XSRFEndpoint`: a function handler behind the check for forged requests.
#pragma once

#include <coronado/web/application.hpp>
#include <coronado/web/xsrf.hpp>

#include <memory>
#include <utility>

#include "web/error_response.hpp"

namespace coronado::web {

class XSRFEndpoint final : public HTTPEndpoint {
 public:
  explicit XSRFEndpoint(std::unique_ptr<HTTPEndpoint> inner) : inner_(std::move(inner)) {
    suspends_ = inner_->suspends();
  }

  Task<> handle(HTTPExchange& base) override {
    auto& exchange = static_cast<WebExchange&>(base);
    const Method method = exchange.request().method_id();
    if (method != Method::kGet && method != Method::kHead && method != Method::kOptions) {
      try {
        check_xsrf(exchange.request(),
                   xsrf_cookie_of(exchange.request(), exchange.application().security()));
      } catch (...) {
        respond_with_error(exchange, std::current_exception());
        return {};
      }
    }
    return inner_->handle(base);
  }

 private:
  std::unique_ptr<HTTPEndpoint> inner_;
};

}  // namespace coronado::web
