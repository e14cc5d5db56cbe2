/// Handlers that need no code of yours.
///
///     RedirectHandler  sends the client elsewhere
///     ErrorHandler     answers with a status
///     FallbackHandler  has another application answer
///
///     app.add<web::RedirectHandler>("/old/{id:int}", "/new/{0}");
///     app.add<web::ErrorHandler>("/gone/{rest:path}", 410);
///     app.add<web::FallbackHandler>("/{rest:path}", std::make_shared<web::Application>(...));
///
/// Layer: web.
#pragma once

#include <coronado/web/request_handler.hpp>

#include <memory>
#include <string>

namespace coronado::web {

/// Redirects GET and HEAD. In the URL `{0}`, `{1}`, ... stand for the parameters of the route, and
/// `{name}` for one by its name, as they came, not decoded; `{{` and `}}` for a brace. The arguments
/// of the request's query are added.
///
/// A URL that begins with one slash never becomes that of another host: then the answer is 404.
/// Tornado  `web.RedirectHandler`.
class RedirectHandler : public RequestHandler {
 public:
  /// Params  permanent  301 instead of 302.
  explicit RedirectHandler(std::string url, bool permanent = true)
      : url_(std::move(url)), permanent_(permanent) {}

  /// Throws  HTTPError   404, see above.
  ///         UsageError  The URL names a parameter that the route has not.
  /// Cancel  It waits for nothing.
  Task<> get() override;

 private:
  std::string url_;
  bool permanent_;
};

/// Answers every method with an error page.   Tornado  `web.ErrorHandler`.
class ErrorHandler : public RequestHandler {
 public:
  static constexpr MethodMask kMethods = kAnyMethod;

  explicit ErrorHandler(int status) noexcept : status_(status) {}

  /// Throws  HTTPError  With the status.
  /// Cancel  It waits for nothing.
  Task<> prepare() override;

 private:
  int status_;
};

/// Has another application answer, with the whole path. What that one does not know it answers
/// itself, with its own 404.   Tornado  `web.FallbackHandler`.
class FallbackHandler : public RequestHandler {
 public:
  static constexpr MethodMask kMethods = kAnyMethod;

  explicit FallbackHandler(std::shared_ptr<Application> fallback) noexcept
      : fallback_(std::move(fallback)) {}

  /// Throws  As the handler that the other application finds.
  /// Cancel  Passed on to it.
  Task<> prepare() override;

 private:
  std::shared_ptr<Application> fallback_;
};

}  // namespace coronado::web
