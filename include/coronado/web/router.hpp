/// `Router`: routes on their own, to be put into an application below a prefix or for a host.
///
///     web::Router users;
///     users.get("/", list).get("/{id:int}", show);
///     app.mount("/users", std::move(users));
///
///     RouteOptions   what a route may be told beside its pattern
///     RouteRegistry  the verbs by which routes are added; an `Application` has them, too
///     RouteSpec      one route
///     Router         several of them
///
/// Layer: web.   Tornado  `routing.RuleRouter`, `routing.Rule`, `routing.URLSpec`.
#pragma once

#include <coronado/base/clock.hpp>
#include <coronado/http/exchange.hpp>
#include <coronado/web/function_handler.hpp>
#include <coronado/web/middleware.hpp>
#include <coronado/web/request_handler.hpp>
#include <coronado/web/routing.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace coronado::web {

class Matcher;

/// What the OpenAPI document says of a route; see <coronado/web/openapi.hpp>.
struct OperationDocs {
  std::string summary = {};
  std::string description = {};
  std::vector<std::string> tags = {};
  /// What else may be answered: {404, "no such user"}.
  std::vector<std::pair<int, std::string>> responses = {};
  bool deprecated = false;
  bool hidden = false;  ///< not in the document
};

/// What a route may be told beside its pattern.
struct RouteOptions {
  /// For `reverse_url`. Empty: none.
  std::string name = {};
  /// Only for requests to this host; see <coronado/web/routing.hpp>.
  Pattern host = {};
  /// Only for requests that all of these match; include <coronado/web/matcher.hpp>.
  std::vector<std::shared_ptr<const Matcher>> matchers = {};
  /// The handler is called when the head is complete and reads the body itself, with
  /// `HTTPExchange::read_body`.
  bool stream_body = false;
  /// Most bytes of a request's body here, instead of the server's `max_body_size`.
  /// When exceeded: `413 Content Too Large`, then close.
  std::optional<std::uint64_t> max_body_size = std::nullopt;
  /// Longest pause between two pieces of a body, instead of the server's `body_timeout`.
  /// When it passes: `408 Request Timeout`, then close.
  std::optional<Duration> body_timeout = std::nullopt;
  /// Least bytes a second of a body, instead of the server's `min_body_rate`; zero for uploads that
  /// last and have long pauses.
  std::optional<std::uint32_t> min_body_rate = std::nullopt;
  /// Of a multipart body, instead of the server's limits: all three of them.
  /// When exceeded: `400 Bad Request`.
  std::optional<MultipartLimits> multipart = std::nullopt;
  /// Longest time for the handler, from its call to the end of the response. When it passes the
  /// handler is cancelled, and the answer is `503 Service Unavailable`, or the connection is cut
  /// when the head is out. Zero: no limit.
  Duration timeout = Duration::zero();
  /// What the OpenAPI document says beside what the handler's declaration does.
  OperationDocs docs = {};
  /// Around this route only, inside those of `Application::use`; the first is the outermost.
  std::vector<Middleware> middleware = {};
  /// False: requests need no XSRF token, for webhooks and the like. Only for function handlers; a
  /// class overrides `RequestHandler::check_xsrf_cookie`.
  bool check_xsrf = true;
};

namespace detail {

/// The verbs a handler class overrides, or its `kMethods`. One that cannot be named from here counts
/// as overridden.
template <class H>
constexpr MethodMask overridden_methods() {
  if constexpr (requires { H::kMethods; }) return H::kMethods;
  MethodMask methods = 0;
#define CORONADO_VERB(verb, bit)                                                     \
  if constexpr (requires { &H::verb; }) {                                            \
    if constexpr (!std::is_same_v<decltype(&H::verb), Task<> (RequestHandler::*)()>) \
      methods |= bit;                                                                \
  } else {                                                                           \
    methods |= bit;                                                                  \
  }
  CORONADO_VERB(get, kMethodGet)
  CORONADO_VERB(head, kMethodHead)
  CORONADO_VERB(post, kMethodPost)
  CORONADO_VERB(put, kMethodPut)
  CORONADO_VERB(patch, kMethodPatch)
  CORONADO_VERB(del, kMethodDelete)
  CORONADO_VERB(options, kMethodOptions)
  CORONADO_VERB(other_method, kMethodOther)
#undef CORONADO_VERB
  return methods;
}

/// Whether a handler class overrides `data_received`.
template <class H>
constexpr bool receives_data() {
  using Own = Task<> (RequestHandler::*)(std::string_view);
  if constexpr (requires { &H::data_received; }) {
    return !std::is_same_v<decltype(&H::data_received), Own>;
  } else {
    return true;  // it cannot be named from here
  }
}

/// Whether a handler class overrides `on_connection_close`.
template <class H>
constexpr bool hears_close() {
  if constexpr (requires { &H::on_connection_close; }) {
    return !std::is_same_v<decltype(&H::on_connection_close), void (RequestHandler::*)()>;
  } else {
    return true;  // it cannot be named from here
  }
}

template <class H, class... Args>
class ClassEndpoint final : public HTTPEndpoint {
 public:
  explicit ClassEndpoint(Args... arguments) : arguments_(std::move(arguments)...) {}
  Task<> handle(HTTPExchange& exchange) override {
    // Pointers to the bases, here and below: each further type of pointer costs who compiles it.
    std::unique_ptr<RequestHandler> handler;
    if constexpr (sizeof...(Args) == 0) {
      handler.reset(new H());
    } else {
      handler.reset(std::apply([](auto&... each) { return new H(each...); }, arguments_));
    }
    if constexpr (receives_data<H>()) RequestHandler::receive_data(*handler);
    if constexpr (hears_close<H>()) RequestHandler::hear_close(*handler);
    return RequestHandler::execute(static_cast<WebExchange&>(exchange), std::move(handler));
  }

 private:
  std::tuple<Args...> arguments_;
};

}  // namespace detail

/// One route.   Tornado  `routing.URLSpec`.
struct RouteSpec {
  MethodMask methods = 0;
  Pattern pattern = {};
  RouteOptions options = {};
  std::unique_ptr<HTTPEndpoint> endpoint = nullptr;
  /// How many parameters of the path the handler takes; none: it looks for itself.
  std::optional<std::size_t> parameters = std::nullopt;
  /// Says what the handler takes and returns; null: nobody knows.
  void (*describe)(Operation&) = nullptr;
};

namespace detail {

/// What a route is told that is told nothing.
const RouteOptions& no_route_options();

/// What adds routes, whatever their handlers are.
class RouteAdder {
 protected:
  RouteAdder() = default;
  ~RouteAdder() = default;
  RouteAdder(RouteAdder&&) = default;
  RouteAdder& operator=(RouteAdder&&) = default;

  // Both take over `endpoint`: a unique_ptr would be destroyed again in every route's code.
  void add_function(MethodMask methods, const Pattern& pattern, const RouteOptions& options,
                    HTTPEndpoint* endpoint, std::size_t parameters, void (*describe)(Operation&));
  void add_class(MethodMask methods, const Pattern& pattern, const RouteOptions& options,
                 HTTPEndpoint* endpoint, bool receives_data);

 private:
  virtual void add_route(RouteSpec&& route) = 0;
};

}  // namespace detail

/// How routes are added to a `Router` or an `Application`, which `Self` is. Once for each route: cold,
/// so that the compiler does not spend its time on them.
template <class Self>
class RouteRegistry : protected detail::RouteAdder {
 public:
  /// Routes to a class handler; each request constructs one from copies of `arguments`.
  /// Throws  UsageError  The pattern is malformed, or its name belongs to another one.
  template <class H, class... Args>
  [[gnu::cold]] Self& add(const Pattern& pattern, Args... arguments) {
    return add<H>(pattern, detail::no_route_options(), std::move(arguments)...);
  }
  template <class H, class... Args>
  [[gnu::cold]] Self& add(const Pattern& pattern, const RouteOptions& options, Args... arguments) {
    constexpr bool is_handler = std::is_base_of_v<RequestHandler, H>;
    constexpr bool constructible = std::is_constructible_v<H, Args&...>;
    static_assert(is_handler, "add<H>: H must derive from coronado::web::RequestHandler");
    static_assert(constructible || !is_handler,
                  "add<H>: H is not constructible from the arguments given after the pattern");
    if constexpr (is_handler && constructible) {
      constexpr MethodMask methods = detail::overridden_methods<H>();
      static_assert(methods != 0,
                    "add<H>: H overrides none of get, head, post, put, patch, del, options");
      add_class(methods, pattern, options,
                new detail::ClassEndpoint<H, Args...>(std::move(arguments)...),
                detail::receives_data<H>());
    }
    return self();
  }

  /// Routes one method to a function.
  /// Throws  UsageError  The pattern is malformed, or has another number of parameters than the
  ///                     function takes.
  template <class F>
  [[gnu::cold]] Self& get(const Pattern& pattern, F function,
                          const RouteOptions& options = detail::no_route_options()) {
    return route(kMethodGet, pattern, std::move(function), options);
  }
  template <class F>
  [[gnu::cold]] Self& post(const Pattern& pattern, F function,
                           const RouteOptions& options = detail::no_route_options()) {
    return route(kMethodPost, pattern, std::move(function), options);
  }
  template <class F>
  [[gnu::cold]] Self& put(const Pattern& pattern, F function,
                          const RouteOptions& options = detail::no_route_options()) {
    return route(kMethodPut, pattern, std::move(function), options);
  }
  template <class F>
  [[gnu::cold]] Self& patch(const Pattern& pattern, F function,
                            const RouteOptions& options = detail::no_route_options()) {
    return route(kMethodPatch, pattern, std::move(function), options);
  }
  template <class F>
  [[gnu::cold]] Self& del(const Pattern& pattern, F function,
                          const RouteOptions& options = detail::no_route_options()) {
    return route(kMethodDelete, pattern, std::move(function), options);
  }
  /// Routes several methods to a function: `kMethodGet | kMethodPost`.
  template <class F>
  [[gnu::cold]] Self& route(MethodMask methods, const Pattern& pattern, F function,
                            const RouteOptions& options = detail::no_route_options()) {
    if constexpr (detail::check_handler<F>()) {
      using Endpoint = detail::FunctionEndpoint<F>;
      add_function(methods, pattern, options, new Endpoint(std::move(function)),
                   Endpoint::kPathParameters, Endpoint::describe_operation);
    }
    return self();
  }

 protected:
  RouteRegistry() = default;
  ~RouteRegistry() = default;
  RouteRegistry(RouteRegistry&&) = default;
  RouteRegistry& operator=(RouteRegistry&&) = default;

 private:
  Self& self() noexcept { return static_cast<Self&>(*this); }
};

/// Routes that are not in an application yet. Patterns are looked at when they are put into one.
class Router final : public RouteRegistry<Router> {
 public:
  /// Takes over the routes of `router`, below `prefix`, at this place of the order.
  ///
  /// A prefix is put before the pattern as it stands: "/users" and "/{id}" make "/users/{id}". It
  /// may have parameters, which come first. Before a regular expression it is literal, or one itself.
  ///
  /// Params   host  For routes that have none of their own.
  /// Throws   UsageError  A prefix with parameters cannot stand before a regular expression.
  Router& mount(const Pattern& prefix, Router router, const Pattern& host = {});

  /// Puts `middleware` around the routes that it has now, outside of their own.
  Router& use(const Middleware& middleware);

  /// Has the routes that it has now answer only what `matcher` matches, too. Include
  /// <coronado/web/matcher.hpp>.
  ///
  ///     app.mount("/api", std::move(second_version.match(std::make_shared<APIVersion>("2"))));
  ///
  /// Tornado  A rule with a matcher whose target is a list of rules.
  Router& match(const std::shared_ptr<const Matcher>& matcher);

  /// What it holds, in order.
  std::vector<RouteSpec> take_routes() &&;

 private:
  void add_route(RouteSpec&& route) override;

  std::vector<RouteSpec> routes_;
};

}  // namespace coronado::web
