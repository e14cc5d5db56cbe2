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
#include <coronado/web/router.hpp>
#include <coronado/web/routing.hpp>
#include <coronado/web/static_files.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace coronado::web {

class BaseLoader;
class Locales;
struct SecuritySettings;
class StaticFileHandler;
class TemplateNamespace;
struct StaticPath;

/// One route, as it was registered.
struct RouteDescription {
  Pattern pattern;
  MethodMask methods = 0;
  OperationDocs docs;
  /// Null for a class handler.
  void (*describe)(Operation&) = nullptr;
};

/// Where static files are, and how they are served.
struct StaticPathOptions {
  /// Tornado  The setting `static_url_prefix`.
  std::string url_prefix = "/static/";
  StaticFileOptions files = {};
};

class Application final : public HTTPService, public RouteRegistry<Application> {
 public:
  Application();
  ~Application() override;
  Application(Application&&) noexcept;
  Application& operator=(Application&&) noexcept;

  using RouteRegistry<Application>::route;

  /// Adds the routes of `router` below `prefix`, behind those that are there; see `Router::mount`.
  ///
  ///     app.mount("/api", std::move(api));
  ///
  /// Throws   UsageError  As `add`, and `Router::mount`.
  /// Tornado  A list of rules, or a `RuleRouter`, as the target of a rule.
  Application& mount(const Pattern& prefix, Router router, const Pattern& host = {});

  /// Adds routes for one host.
  ///
  ///     app.add_handlers("admin.example.com", std::move(admin));
  ///
  /// Throws   UsageError  As `add`.
  /// Tornado  `add_handlers`.
  Application& add_handlers(const Pattern& host, Router router) {
    return mount({}, std::move(router), host);
  }

  /// The host whose routes answer requests that no route matches by their own host, unless a proxy
  /// has set `X-Real-Ip`.   Tornado  The parameter `default_host`.
  Application& set_default_host(std::string host);

  /// Serves the files below a folder.
  ///
  ///     app.static_files("/static/", "public");
  ///
  /// Params   prefix  Literal, with a slash at both ends; what follows it is the path.
  /// Throws   UsageError  `root` is no folder, or the prefix no prefix.
  Application& static_files(std::string_view prefix, std::string root,
                            StaticFileOptions options = {});
  /// The same by any pattern with one parameter, the path.
  Application& static_files(Pattern pattern, std::shared_ptr<StaticFiles> files,
                            RouteOptions options = {});

  /// Serves the files below a folder, `/favicon.ico` and `/robots.txt` among them, and has
  /// `RequestHandler::static_url` make URLs with their versions. Include
  /// <coronado/web/static_file_handler.hpp> for a handler of your own:
  ///
  ///     app.set_static_path<MyStaticHandler>("public", {.url_prefix = "/assets/"});
  ///
  /// The routes are added here: do it before those that must not get these paths.
  ///
  /// Params   arguments  For the constructor of H, behind the `StaticFiles`.
  /// Throws   UsageError  As `static_files`; or it is done already.
  /// Tornado  The settings `static_path`, `static_url_prefix`, `static_handler_class` and
  ///          `static_handler_args`.
  Application& set_static_path(std::string root, StaticPathOptions options = {});
  template <class H, class... Args>
  Application& set_static_path(std::string root, StaticPathOptions options = {},
                               Args... arguments) {
    const std::vector<Pattern> patterns =
        keep_static_path(std::move(root), std::move(options), &H::make_static_url);
    for (const Pattern& pattern : patterns) {
      this->template add<H>(pattern, static_folder(), arguments...);
    }
    return *this;
  }

  /// The URL of a static file: "/static/site.css?v=...".
  /// Throws   UsageError  There is no static path.
  /// Tornado  `RequestHandler.static_url`.
  std::string static_url(std::string_view path, bool include_version = true) const;

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
  /// Secrets, the login page, the check for forged requests: include <coronado/web/security.hpp>.
  ///
  ///     app.set_security({.cookie_secret = secret, .login_url = "/login", .xsrf_cookies = true});
  ///
  /// Throws   UsageError  `xsrf_cookies` is on, and there are routes already; or it has another
  ///                      `xsrf_cookie_version` than 1 or 2.
  /// Tornado  The settings `cookie_secret`, `login_url`, `xsrf_cookies`, ...
  Application& set_security(SecuritySettings settings);
  const SecuritySettings& security() const noexcept;
  /// The setting `xsrf_cookies`.
  bool checks_xsrf() const noexcept;

  /// Has class handlers set entity tags by themselves, and answer 304 to who has the page: a hash of
  /// each page for the sake of the network. Function handlers use `make_etag`.
  /// Tornado  It is always on.
  Application& set_automatic_etags(bool on) noexcept {
    automatic_etags_ = on;
    return *this;
  }
  bool automatic_etags() const noexcept { return automatic_etags_; }

  /// Shows in error pages what was thrown, in which task, for which request: while a program is being
  /// written. Never where strangers can reach it.
  /// Tornado  The setting `serve_traceback`, which `debug` sets.
  Application& set_serve_traceback(bool on) noexcept {
    serves_traceback_ = on;
    return *this;
  }
  bool serves_traceback() const noexcept { return serves_traceback_; }

  /// The languages of `RequestHandler::locale`: include <coronado/web/locale.hpp>.
  Application& set_locales(std::shared_ptr<const Locales> locales);
  /// With none set: "en_US", without translations.
  const Locales& locales() const noexcept;

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
  /// access log. What was refused before it came to a handler has its line all the same.
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

  /// Answers a request that another application has received, as if it were this one's.
  /// Throws   As the handler that it finds.
  /// Cancel   Passed on to the handler.
  /// Lifetime This application must outlive the task.
  Task<> answer(WebExchange& exchange);

  // HTTPService
  std::unique_ptr<HTTPExchange> make_exchange() override;
  HTTPEndpoint& route(HTTPExchange& exchange) override;
  void request_done(HTTPExchange& exchange) noexcept override;
  void request_refused(const HTTPRefusal& refusal) noexcept override;

 private:
  struct State;
  template <class T>
  static constexpr char kTypeKey = 0;

  void put_state(const void* key, std::shared_ptr<void> value);
  void* find_state(const void* key) const noexcept;

  using MakeStaticURL = std::string (*)(const StaticPath& settings, std::string_view path,
                                        bool include_version);

  std::vector<Pattern> keep_static_path(std::string root, StaticPathOptions options,
                                        MakeStaticURL make_url);
  const std::shared_ptr<StaticFiles>& static_folder() const noexcept;
  void add_route(RouteSpec&& route) override;
  void set_not_found(std::unique_ptr<HTTPEndpoint> endpoint);

  std::unique_ptr<State> state_;
  bool automatic_etags_ = false;
  bool serves_traceback_ = false;
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
