/// `Matcher`: a condition of your own for routes, beside path, host and method.
///
///     Matcher      the interface
///     match_if     one made of a function
///
///     struct APIVersion : web::Matcher {
///       explicit APIVersion(std::string version) : version_(std::move(version)) {}
///       bool match(const HTTPServerRequest& request) const override {
///         return request.header("API-Version").value_or("1") == version_;
///       }
///       std::string version_;
///     };
///
///     app.get("/users", list_users_2, {.matchers = {std::make_shared<APIVersion>("2")}});
///     app.get("/users", list_users);                    // for all others
///
/// A route matches when its pattern, its host and all its matchers do; otherwise the search goes on
/// with the routes behind it, and ends in 404. One without a pattern of its own is `re(".*")`. A whole
/// router is made conditional by `Router::match`.
///
/// Layer: web.   Tornado  `routing.Matcher`.
#pragma once

#include <concepts>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

namespace coronado {
class HTTPServerRequest;
}

namespace coronado::web {

class WebExchange;

/// A condition for routes.
/// Threads  One that several workers share is called by all of them.
class Matcher {
 public:
  virtual ~Matcher() = default;

  /// Whether a route may answer the request. Only the head has come; the body is empty. It may be
  /// asked for routes that are not chosen in the end, and must not throw.
  virtual bool match(const HTTPServerRequest& request) const = 0;

  /// A route with this matcher has been chosen: keeps what it found out for the handler, such as
  /// `exchange.set_extension(Version{2})`. What it throws is answered like what a handler throws.
  /// Tornado  What `match` returns becomes arguments of the handler.
  virtual void matched(WebExchange&) const {}

  /// What `reverse_url` returns for a route with this matcher, whose pattern has given `url`: with an
  /// argument behind it that `match` looks for, say.
  virtual std::string reverse(std::string url) const { return url; }
};

namespace detail {
template <class F>
class FunctionMatcher final : public Matcher {
 public:
  explicit FunctionMatcher(F function) : function_(std::move(function)) {}
  bool match(const HTTPServerRequest& request) const override { return function_(request); }

 private:
  F function_;
};
}  // namespace detail

/// A matcher of a function `bool(const HTTPServerRequest&)`.
///
///     app.post("/notes", take_json, {.matchers = {web::match_if([](const HTTPServerRequest& request) {
///       return request.header("Content-Type").value_or("").starts_with("application/json");
///     })}});
template <class F>
  requires std::is_invocable_r_v<bool, const F&, const HTTPServerRequest&>
std::shared_ptr<const Matcher> match_if(F function) {
  return std::make_shared<detail::FunctionMatcher<F>>(std::move(function));
}

}  // namespace coronado::web
