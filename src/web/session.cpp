#include <coronado/web/session.hpp>

#include <coronado/web/request_handler.hpp>

#include <stdexcept>

#include "web/session_manager.hpp"

namespace coronado::web {
namespace {

/// The extension by which handlers find the session.
struct SessionOfRequest {
  std::shared_ptr<Session> session;
};

Middleware make_sessions(std::shared_ptr<const detail::SessionManager> manager) {
  return [manager = std::move(manager)](WebExchange& exchange, Next next) -> Task<> {
    const std::shared_ptr<Session> session = manager->begin(exchange);
    exchange.set_extension(SessionOfRequest{session});
    exchange.edit_head([manager, session](int status, HeaderBlock& fields) {
      manager->edit_head(*session, status, fields);
    });
    // Whatever is thrown from here on is answered by somebody further out.
    struct Hold {
      WebExchange& exchange;
      ~Hold() { exchange.drop_response(); }
    } hold{exchange};
    co_await next(exchange);
    if (exchange.response_held() && exchange.status() < 500) co_await session->save();
    exchange.release_response();
  };
}

}  // namespace

Middleware sessions(CookieSecret secret, SessionOptions options) {
  return make_sessions(
      std::make_shared<const detail::SessionManager>(std::move(secret), std::move(options)));
}

Middleware sessions(std::shared_ptr<SessionStore> store, SessionOptions options) {
  return make_sessions(
      std::make_shared<const detail::SessionManager>(std::move(store), std::move(options)));
}

// --- Session -----------------------------------------------------------------------------------------

Session& Session::from_exchange(WebExchange& exchange) {
  const auto* found = exchange.extension<SessionOfRequest>();
  if (found == nullptr) {
    throw std::logic_error(
        "there is no session: put the middleware web::sessions around the route");
  }
  return *found->session;
}

Task<> Session::prepare(WebExchange& exchange) { return from_exchange(exchange).load(); }

Task<> Session::load() {
  if (!loaded_ && !manager_->load_now(*this)) co_await manager_->load_from_store(*this);
  exchange_->hold_response();
}

void Session::load_now() {
  if (!manager_->load_now(*this)) {
    throw std::logic_error(
        "the session has not been loaded from its store: take it as a parameter of the function, "
        "or "
        "await load_session() in prepare");
  }
  exchange_->hold_response();
}

Task<> Session::save() {
  if (!manager_->must_save(*this)) co_return;
  if (exchange_->started() && !exchange_->response_held()) {
    throw std::logic_error("the session cannot be saved: the head of the response has left");
  }
  co_await manager_->save(*this);
}

/// Before each change.
void Session::change() {
  if (!loaded_) load_now();
  if (exchange_->started() && !exchange_->response_held()) {
    throw std::logic_error("the session cannot be changed: the head of the response has left");
  }
  changed_ = true;
}

void Session::set(std::string_view name, Json value) {
  change();
  if (destroyed_) {
    destroyed_ = false;
    renewed_ = true;
  }
  values_[name] = std::move(value);
}

bool Session::erase(std::string_view name) {
  if (find(name) == nullptr) return false;
  change();
  return values_.as_object().erase(name);
}

void Session::clear() {
  change();
  values_ = Json::object();
}

void Session::renew() {
  change();
  renewed_ = true;
}

void Session::destroy() {
  clear();
  destroyed_ = true;
}

// --- RequestHandler ------------------------------------------------------------------------------------

Session& RequestHandler::session() { return Session::from_exchange(*exchange_); }
Task<> RequestHandler::load_session() { return session().load(); }

}  // namespace coronado::web
