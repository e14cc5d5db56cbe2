/// `Authenticated<H>`: a handler for those who have logged in.
///
///     app.add<web::Authenticated<Profile>>("/profile");
///
/// Layer: web.   Tornado  The decorator `web.authenticated`.
#pragma once

#include <coronado/coro/task.hpp>
#include <coronado/web/request_handler.hpp>

#include <utility>

namespace coronado::web {

/// `H`, whose verbs are called for nobody else; see `RequestHandler::authenticated`. Its `prepare`
/// runs first, and may set the user.
template <class H>
class Authenticated : public H {
 public:
  using H::H;

  Task<> prepare() override {
    if (Task<> own = H::prepare()) co_await std::move(own);
    if (this->finished()) co_return;
    const bool known = co_await this->authenticated();
    static_cast<void>(known);  // if not, the response is finished
  }
};

}  // namespace coronado::web
