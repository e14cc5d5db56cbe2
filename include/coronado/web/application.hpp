/// `Application`: the routes of a program and what answers them.
///
///     web::Application app;
///     app.add<Hello>("/");                                               // a class
///     app.get("/users/{id:int}", [](long id) { return web::text(...); });  // a function
///
/// Class handlers and function handlers are two faces of one router; see <coronado/web/routing.hpp>
/// for patterns and <coronado/web/function_handler.hpp> for what a function may take and return.
///
/// HEAD is answered by GET without its body, OPTIONS with the methods of the path, an unknown
/// method of a known path with 405 and `Allow`.
///
/// Threads  An application belongs to one loop; workers have one each.
/// Layer: web.   Tornado  `web.Application`.
#pragma once

#include <coronado/http/exchange.hpp>
#include <coronado/web/function_handler.hpp>
#include <coronado/web/middleware.hpp>
#include <coronado/web/request_handler.hpp>
#include <coronado/web/routing.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace coronado::web {

class BaseLoader;
class TemplateNamespace;

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

/// One route, as it was registered.
struct RouteDescription {
  Pattern pattern;
  MethodMask methods = 0;
  OperationDocs docs;
  /// Null for a class handler.
  void (*describe)(Operation&) = nullptr;
};

/// What a route may be told beside its pattern.
struct RouteOptions {
  /// For `reverse_url`. Empty: none.
  std::string name = {};
  /// Only for requests to this host; see <coronado/web/routing.hpp>.
  Pattern host = {};
  /// The handler is called when the head is complete and reads the body itself, with
  /// `HTTPExchange::read_body`.
  bool stream_body = false;
  /// What the OpenAPI document says beside what the handler's declaration does.
  OperationDocs docs = {};
  /// Around this route only, inside those of `Application::use`; the first is the outermost.
  std::vector<Middleware> middleware = {};
};

namespace detail {

/// The verbs a handler class overrides. One that cannot be named from here counts as overridden.
template <class H>
constexpr MethodMask overridden_methods() {
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
#undef CORONADO_VERB
  return methods;
}

template <class H, class... Args>
class ClassEndpoint final : public HTTPEndpoint {
 public:
  explicit ClassEndpoint(Args... arguments) : arguments_(std::move(arguments)...) {}
  Task<> handle(HTTPExchange& exchange) override {
    auto handler =
        std::apply([](auto&... each) { return std::make_unique<H>(each...); }, arguments_);
    return RequestHandler::execute(static_cast<WebExchange&>(exchange), std::move(handler));
  }

 private:
  std::tuple<Args...> arguments_;
};

}  // namespace detail

class Application final : public HTTPService {
 public:
  Application();
  ~Application() override;
  Application(Application&&) noexcept;
  Application& operator=(Application&&) noexcept;

  /// Routes to a class handler; each request constructs one from copies of `arguments`.
  /// Throws  UsageError  The pattern is malformed, or its name belongs to another one.
  template <class H, class... Args>
  Application& add(Pattern pattern, Args... arguments) {
    return add<H>(std::move(pattern), RouteOptions{}, std::move(arguments)...);
  }
  template <class H, class... Args>
  Application& add(Pattern pattern, RouteOptions options, Args... arguments) {
    constexpr bool is_handler = std::is_base_of_v<RequestHandler, H>;
    constexpr bool constructible = std::is_constructible_v<H, Args&...>;
    static_assert(is_handler, "add<H>: H must derive from coronado::web::RequestHandler");
    static_assert(constructible || !is_handler,
                  "add<H>: H is not constructible from the arguments given after the pattern");
    if constexpr (is_handler && constructible) {
      constexpr MethodMask methods = detail::overridden_methods<H>();
      static_assert(methods != 0,
                    "add<H>: H overrides none of get, head, post, put, patch, del, options");
      add_endpoint(methods, std::move(pattern), std::move(options),
                   std::make_unique<detail::ClassEndpoint<H, Args...>>(std::move(arguments)...));
    }
    return *this;
  }

  /// Routes one method to a function.
  /// Throws  UsageError  The pattern is malformed, or has another number of parameters than the
  ///                     function takes.
  template <class F>
  Application& get(Pattern pattern, F function, RouteOptions options = {}) {
    return route(kMethodGet, std::move(pattern), std::move(function), std::move(options));
  }
  template <class F>
  Application& post(Pattern pattern, F function, RouteOptions options = {}) {
    return route(kMethodPost, std::move(pattern), std::move(function), std::move(options));
  }
  template <class F>
  Application& put(Pattern pattern, F function, RouteOptions options = {}) {
    return route(kMethodPut, std::move(pattern), std::move(function), std::move(options));
  }
  template <class F>
  Application& patch(Pattern pattern, F function, RouteOptions options = {}) {
    return route(kMethodPatch, std::move(pattern), std::move(function), std::move(options));
  }
  template <class F>
  Application& del(Pattern pattern, F function, RouteOptions options = {}) {
    return route(kMethodDelete, std::move(pattern), std::move(function), std::move(options));
  }
  /// Routes several methods to a function: `kMethodGet | kMethodPost`.
  template <class F>
  Application& route(MethodMask methods, Pattern pattern, F function, RouteOptions options = {}) {
    if constexpr (detail::check_handler<F>()) {
      using Endpoint = detail::FunctionEndpoint<F>;
      check_parameters(pattern, Endpoint::kPathParameters);
      add_endpoint(methods, std::move(pattern), std::move(options),
                   std::make_unique<Endpoint>(std::move(function)), Endpoint::describe_operation);
    }
    return *this;
  }

  /// Answers what no route matches, instead of the 404 page.
  template <class F>
  Application& not_found(F function) {
    static_assert(detail::FunctionEndpoint<F>::kPathParameters == 0,
                  "not_found: the function takes no path parameters");
    set_not_found(std::make_unique<detail::FunctionEndpoint<F>>(std::move(function)));
    return *this;
  }

  /// Puts `middleware` around every request, those of routes that were added before as well.
  ///
  ///     app.use(web::request_id()).use("/api", web::rate_limit({.tokens = 100, .span = 1s}));
  ///
  /// Params  prefix  Only for paths that are `prefix` or below it, percent-decoded: "/api" is for
  ///                 "/api" and "/api/users", not for "/apiary".
  /// Throws  UsageError  `prefix` does not begin with a slash, or ends with one.
  Application& use(Middleware middleware);
  Application& use(std::string prefix, Middleware middleware);

  /// Keeps a value for handlers, which take it as `web::State<T>`: a pool, a client, settings. One of
  /// each type; a later one replaces it.
  template <class T>
  Application& set_state(std::shared_ptr<T> value) {
    put_state(&kTypeKey<T>, std::move(value));
    return *this;
  }
  /// The value of that type; null if there is none.
  template <class T>
  T* state() const noexcept {
    return static_cast<T*>(find_state(&kTypeKey<T>));
  }

  /// Where `RequestHandler::render` finds templates.
  ///
  ///     app.set_template_loader(std::make_shared<web::Loader>("templates"));
  ///
  /// Tornado  The settings `template_path`, `template_loader`, `autoescape`, `template_whitespace`.
  Application& set_template_loader(std::shared_ptr<BaseLoader> loader);
  /// Null if there is none.
  BaseLoader* template_loader() const noexcept;

  /// Functions for `{% module Name(...) %}`: each returns HTML, which is not escaped.
  ///
  ///     app.ui_modules().set("Entry", [](const Entry& entry) { return ...; });
  ///
  /// Tornado  The setting `ui_modules`. Differs: a module is a function.
  TemplateNamespace& ui_modules();
  const TemplateNamespace& ui_modules() const noexcept;

  /// Called for each request when its response is complete or was cut, instead of the line in the
  /// access log.
  /// Tornado  The setting `log_function`.
  void set_log_function(Function<void(const HTTPExchange&)> function);

  /// The path of the route called `name`, with the arguments percent-encoded.
  /// Throws  UsageError  No such name, the wrong number of arguments, or a pattern that cannot be
  ///                     reversed; the message names it.
  std::string reverse_url(std::string_view name,
                          const std::vector<std::string>& arguments = {}) const;

  /// All routes in the order of their registration.   Lifetime  Until the next is added.
  const std::vector<RouteDescription>& routes() const noexcept;

  /// "GET, HEAD, OPTIONS": what the path of this request answers.
  std::string allowed_methods(const WebExchange& exchange) const;

  /// How many requests have been answered, or cut, so far.
  std::uint64_t request_count() const noexcept;

  // HTTPService
  std::unique_ptr<HTTPExchange> make_exchange() override;
  HTTPEndpoint& route(HTTPExchange& exchange) override;
  void request_done(HTTPExchange& exchange) noexcept override;
  void request_refused(const SocketAddress& peer, int status,
                       std::string_view reason) noexcept override;

 private:
  struct State;
  template <class T>
  static constexpr char kTypeKey = 0;

  void put_state(const void* key, std::shared_ptr<void> value);
  void* find_state(const void* key) const noexcept;
  Application& add_endpoint(MethodMask methods, Pattern pattern, RouteOptions options,
                            std::unique_ptr<HTTPEndpoint> endpoint,
                            void (*describe)(Operation&) = nullptr);
  void set_not_found(std::unique_ptr<HTTPEndpoint> endpoint);
  static void check_parameters(const Pattern& pattern, std::size_t wanted);

  std::unique_ptr<State> state_;
};

namespace detail {
[[noreturn]] void throw_no_state(std::string_view type);
}  // namespace detail

/// What the application keeps: `Application::set_state`.   Lifetime  The application's.
template <class T>
class State {
 public:
  explicit State(T& value) noexcept : value_(&value) {}
  T& operator*() const noexcept { return *value_; }
  T* operator->() const noexcept { return value_; }

  /// Throws  std::logic_error  The application keeps no `T`: answered with 500.
  static State from_exchange(WebExchange& exchange) {
    T* value = exchange.application().template state<T>();
    if (value == nullptr) detail::throw_no_state(__PRETTY_FUNCTION__);
    return State(*value);
  }

 private:
  T* value_;
};

}  // namespace coronado::web
