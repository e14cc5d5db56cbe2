#include <coronado/web/application.hpp>

#include <coronado/base/error.hpp>
#include <coronado/base/log.hpp>
#include <coronado/net/netutil.hpp>
#include <coronado/web/locale.hpp>
#include <coronado/web/matcher.hpp>
#include <coronado/web/security.hpp>
#include <coronado/web/standard_middleware.hpp>
#include <coronado/web/static_file_handler.hpp>
#include <coronado/web/template.hpp>

#include <cstdio>
#include <deque>

#include "web/error_response.hpp"
#include "web/middleware_chain.hpp"
#include "web/route_pattern.hpp"
#include "web/route_table.hpp"
#include "web/static_response.hpp"
#include "web/xsrf_endpoint.hpp"

namespace coronado::web {
namespace {

/// The bits of `Method`, in its order.
constexpr MethodMask kMethodBits[] = {kMethodGet,   kMethodHead,   kMethodPost,   kMethodPut,
                                      kMethodPatch, kMethodDelete, kMethodOptions};

/// 404 and 405.
class StatusEndpoint final : public HTTPEndpoint {
 public:
  explicit StatusEndpoint(int status) : status_(status) { suspends_ = false; }
  Task<> handle(HTTPExchange& exchange) override {
    respond_with_status(static_cast<WebExchange&>(exchange), status_, {});
    return {};
  }

 private:
  int status_;
};

/// OPTIONS of a path that does not answer it itself.
class OptionsEndpoint final : public HTTPEndpoint {
 public:
  OptionsEndpoint() { suspends_ = false; }
  Task<> handle(HTTPExchange& base) override {
    auto& exchange = static_cast<WebExchange&>(base);
    HeaderBlock headers;
    headers.set("Allow", exchange.application().allowed_methods(exchange));
    exchange.respond({.status = 204, .fields = headers.wire()}, {});
    return {};
  }
};

void check_parameters(const Pattern& pattern, std::size_t wanted) {
  const std::size_t given = PathPattern(pattern).names().size();
  if (given == wanted) return;
  throw UsageError("route \"" + pattern.text() + "\" has " + std::to_string(given) +
                   " parameters, but its handler takes " + std::to_string(wanted));
}

/// Tells the matchers of a route that it has been chosen.
Middleware tell_matchers(std::vector<std::shared_ptr<const Matcher>> matchers) {
  return [matchers = std::move(matchers)](WebExchange& exchange, Next next) -> Task<> {
    for (const auto& matcher : matchers) matcher->matched(exchange);
    return next(exchange);
  };
}

/// "400 GET /path (127.0.0.1) 0.42ms: Missing argument name".
std::string access_line(const HTTPExchange& exchange) {
  const HTTPServerRequest& request = exchange.request();
  const double milliseconds =
      std::chrono::duration<double, std::milli>(request.request_time()).count();
  char time[32];
  std::snprintf(time, sizeof time, " %.2fms", milliseconds);
  std::string line = exchange.status() == 0 ? "-" : std::to_string(exchange.status());
  line.append(" ").append(request.method()).append(" ").append(request.uri());
  line.append(" (").append(request.remote_ip()).append(")").append(time);
  if (exchange.client_gone()) line.append(" client gone");
  if (exchange.body_error() != 0) line.append(" ").append(exchange.body_error_reason());
  const auto& web = static_cast<const WebExchange&>(exchange);
  const auto* id = web.extension<RequestID>();
  if (id != nullptr) line.append(" [").append(id->value).append("]");
  if (!web.log_message().empty()) line.append(": ").append(web.log_message());
  return line;
}

}  // namespace

struct Application::State {
  State() {
    not_found = std::make_unique<StatusEndpoint>(404);
    method_not_allowed = std::make_unique<StatusEndpoint>(405);
    options = std::make_unique<OptionsEndpoint>();
  }

  /// `endpoint` in the onion, if there is one.
  std::unique_ptr<HTTPEndpoint> layered(std::unique_ptr<HTTPEndpoint> endpoint) const {
    if (!middleware) return endpoint;
    return std::make_unique<detail::LayeredEndpoint>(middleware, std::move(endpoint));
  }

  RouteTable table;
  std::shared_ptr<detail::MiddlewareChain> middleware;   // null: none
  std::vector<std::unique_ptr<HTTPEndpoint>> endpoints;  // by route
  std::vector<RouteDescription> routes;                  // the same
  std::deque<std::string> names;                         // of the endpoints, for task dumps
  std::unique_ptr<HTTPEndpoint> not_found;
  std::unique_ptr<HTTPEndpoint> method_not_allowed;
  std::unique_ptr<HTTPEndpoint> options;
  std::uint64_t request_count = 0;
  Function<void(const HTTPExchange&)> log_function;
  std::shared_ptr<BaseLoader> template_loader;
  TemplateNamespace ui_modules;
  std::vector<std::pair<const void*, std::shared_ptr<void>>>
      values;  // by type: few, looked through
  SecuritySettings security;
  std::shared_ptr<const Locales> locales;
  std::string default_host;
  StaticPath static_path;
  MakeStaticURL make_static_url = nullptr;
};

Application::Application() : state_(std::make_unique<State>()) {}
Application::~Application() = default;
Application::Application(Application&&) noexcept = default;
Application& Application::operator=(Application&&) noexcept = default;

void Application::add_route(RouteSpec&& route) {
  State& state = *state_;
  const Pattern& pattern = route.pattern;
  RouteOptions& options = route.options;
  std::unique_ptr<HTTPEndpoint> endpoint = std::move(route.endpoint);
  if (route.parameters) check_parameters(pattern, *route.parameters);
  const std::uint32_t index =
      state.table.add(options.host, pattern, route.methods, options.matchers);
  if (!options.name.empty()) state.table.set_name(index, options.name);
  if (options.timeout > Duration::zero() && endpoint->suspends()) {
    options.middleware.push_back(time_limit(options.timeout));
  }
  if (options.check_xsrf && state.security.xsrf_cookies) {
    endpoint = std::make_unique<XSRFEndpoint>(std::move(endpoint));
  }
  endpoint->set_limits({.max_body_size = options.max_body_size,
                        .body_timeout = options.body_timeout,
                        .min_body_rate = options.min_body_rate,
                        .multipart = options.multipart});
  endpoint->describe(state.names.emplace_back(pattern.text()).c_str(), options.stream_body);
  if (!options.matchers.empty()) {
    options.middleware.insert(options.middleware.begin(), tell_matchers(options.matchers));
  }
  if (!options.middleware.empty()) {
    auto own = std::make_shared<detail::MiddlewareChain>();
    for (Middleware& each : options.middleware) own->add({}, std::move(each));
    endpoint = std::make_unique<detail::LayeredEndpoint>(std::move(own), std::move(endpoint));
  }
  state.endpoints.push_back(state.layered(std::move(endpoint)));
  state.routes.push_back(
      {std::move(route.pattern), route.methods, std::move(options.docs), route.describe});
}

void Application::set_not_found(std::unique_ptr<HTTPEndpoint> endpoint) {
  endpoint->describe("not found", false);
  state_->not_found = state_->layered(std::move(endpoint));
}

Application& Application::use(Middleware middleware) { return use({}, std::move(middleware)); }

Application& Application::use(std::string prefix, Middleware middleware) {
  State& state = *state_;
  if (!state.middleware) {
    auto chain = std::make_shared<detail::MiddlewareChain>();
    chain->add(std::move(prefix), std::move(middleware));
    state.middleware = std::move(chain);
    const auto wrap = [&state](std::unique_ptr<HTTPEndpoint>& endpoint) {
      endpoint = state.layered(std::move(endpoint));
    };
    for (auto& endpoint : state.endpoints) wrap(endpoint);
    wrap(state.not_found);
    wrap(state.method_not_allowed);
    wrap(state.options);
  } else {
    state.middleware->add(std::move(prefix), std::move(middleware));
  }
  return *this;
}

void Application::put_state(const void* key, std::shared_ptr<void> value) {
  for (auto& [type, kept] : state_->values) {
    if (type != key) continue;
    kept = std::move(value);
    return;
  }
  state_->values.emplace_back(key, std::move(value));
}

void* Application::find_state(const void* key) const noexcept {
  for (const auto& [type, kept] : state_->values) {
    if (type == key) return kept.get();
  }
  return nullptr;
}

void Application::set_log_function(Function<void(const HTTPExchange&)> function) {
  state_->log_function = std::move(function);
}

Application& Application::set_security(SecuritySettings settings) {
  if (settings.xsrf_cookies && !state_->endpoints.empty()) {
    throw UsageError("set_security with xsrf_cookies comes before the routes, which it protects");
  }
  if (settings.xsrf_cookie_version != 1 && settings.xsrf_cookie_version != 2) {
    throw UsageError("xsrf_cookie_version is 1 or 2, not " +
                     std::to_string(settings.xsrf_cookie_version));
  }
  state_->security = std::move(settings);
  return *this;
}

const SecuritySettings& Application::security() const noexcept { return state_->security; }
bool Application::checks_xsrf() const noexcept { return state_->security.xsrf_cookies; }
Application& Application::mount(const Pattern& prefix, Router router, const Pattern& host) {
  Router all;
  all.mount(prefix, std::move(router), host);
  for (RouteSpec& each : std::move(all).take_routes()) {
    add_route(std::move(each));
  }
  return *this;
}

Application& Application::set_default_host(std::string host) {
  state_->default_host = std::move(host);
  return *this;
}

// --- static files --------------------------------------------------------------------------------

namespace {

/// The pattern for everything below `prefix`.
Pattern static_pattern(std::string_view prefix) {
  if (!prefix.starts_with('/') || !prefix.ends_with('/') ||
      prefix.find_first_of("{}") != std::string_view::npos) {
    throw UsageError("static files: the prefix \"" + std::string(prefix) +
                     "\" must begin and end with a slash, and have no parameters");
  }
  return Pattern(std::string(prefix) + "{path:path}");
}

}  // namespace

Application& Application::static_files(std::string_view prefix, std::string root,
                                       StaticFileOptions options) {
  return static_files(static_pattern(prefix),
                      std::make_shared<StaticFiles>(std::move(root), std::move(options)));
}

Application& Application::static_files(Pattern pattern, std::shared_ptr<StaticFiles> files,
                                       RouteOptions options) {
  add_route({kMethodGet, std::move(pattern), std::move(options),
             make_static_endpoint(std::move(files)), 1});
  return *this;
}

std::vector<Pattern> Application::keep_static_path(std::string root, StaticPathOptions options,
                                                   MakeStaticURL make_url) {
  State& state = *state_;
  if (state.make_static_url != nullptr) throw UsageError("the static path is set already");
  std::vector<Pattern> patterns{static_pattern(options.url_prefix), re("/(favicon\\.ico)"),
                                re("/(robots\\.txt)")};
  state.static_path = {std::move(options.url_prefix),
                       std::make_shared<StaticFiles>(std::move(root), std::move(options.files))};
  state.make_static_url = make_url;
  return patterns;
}

const std::shared_ptr<StaticFiles>& Application::static_folder() const noexcept {
  return state_->static_path.files;
}

Application& Application::set_static_path(std::string root, StaticPathOptions options) {
  for (Pattern& pattern :
       keep_static_path(std::move(root), std::move(options), &StaticFileHandler::make_static_url)) {
    static_files(std::move(pattern), static_folder());
  }
  return *this;
}

std::string Application::static_url(std::string_view path, bool include_version) const {
  if (state_->make_static_url == nullptr) {
    throw UsageError("cannot make the URL of static file \"" + std::string(path) +
                     "\": give the application its folder with set_static_path");
  }
  return state_->make_static_url(state_->static_path, path, include_version);
}

// --- what applications have ----------------------------------------------------------------------

Application& Application::set_locales(std::shared_ptr<const Locales> locales) {
  state_->locales = std::move(locales);
  return *this;
}

const Locales& Application::locales() const noexcept {
  static const Locales untranslated;
  return state_->locales ? *state_->locales : untranslated;
}

Application& Application::set_template_loader(std::shared_ptr<BaseLoader> loader) {
  state_->template_loader = std::move(loader);
  return *this;
}

BaseLoader* Application::template_loader() const noexcept { return state_->template_loader.get(); }
TemplateNamespace& Application::ui_modules() { return state_->ui_modules; }
const TemplateNamespace& Application::ui_modules() const noexcept { return state_->ui_modules; }

std::string Application::reverse_url(std::string_view name,
                                     const std::vector<std::string>& arguments) const {
  std::vector<std::string_view> views(arguments.begin(), arguments.end());
  return state_->table.reverse_url(name, views);
}

std::string Application::allowed_methods(const WebExchange& exchange) const {
  MethodMask methods = exchange.allowed_ | kMethodOptions;
  if ((methods & kMethodGet) != 0) methods |= kMethodHead;
  return state_->table.method_names(methods);
}

std::unique_ptr<HTTPExchange> Application::make_exchange() {
  return std::make_unique<WebExchange>(*this);
}

HTTPEndpoint& Application::route(HTTPExchange& base) {
  State& state = *state_;
  auto& exchange = static_cast<WebExchange&>(base);
  const HTTPServerRequest& request = exchange.request();
  const auto method = static_cast<std::size_t>(request.method_id());
  MethodMask wanted = method < std::size(kMethodBits) ? kMethodBits[method]
                                                      : state.table.find_method(request.method());
  if (wanted == kMethodHead) wanted |= kMethodGet;

  RouteMatch match;
  RouteResult result = state.table.match(wanted, request.path(), request.host(), match, &request);
  if (result == RouteResult::kNotFound && !state.default_host.empty() &&
      !request.header(FieldId::kXRealIP)) [[unlikely]] {
    result = state.table.match(wanted, request.path(), state.default_host, match, &request);
  }
  exchange.allowed_ = match.methods;
  if (result == RouteResult::kFound) [[likely]] {
    exchange.parameters_ = match.parameters;
    return *state.endpoints[match.route];
  }
  exchange.parameters_ = RouteParameters();
  if (request.method_id() == Method::kOptions &&
      (result == RouteResult::kMethodNotAllowed || request.path() == "*")) {
    return *state.options;
  }
  if (result == RouteResult::kMethodNotAllowed) return *state.method_not_allowed;
  return *state.not_found;
}

const std::vector<RouteDescription>& Application::routes() const noexcept { return state_->routes; }

Task<> Application::answer(WebExchange& exchange) {
  exchange.application_ = this;
  return route(exchange).handle(exchange);
}

std::uint64_t Application::request_count() const noexcept { return state_->request_count; }

void Application::request_done(HTTPExchange& exchange) noexcept {
  ++state_->request_count;
  const int status = exchange.status();
  const LogLevel level = status < 400   ? LogLevel::kInfo
                         : status < 500 ? LogLevel::kWarning
                                        : LogLevel::kError;
  try {
    if (state_->log_function) {
      state_->log_function(exchange);
    } else if (access_log().enabled(level)) {
      access_log().log(level, access_line(exchange));
    }
  } catch (const std::exception& error) {
    app_log().error(std::string("a request could not be logged: ") + error.what());
  }
}

void Application::request_refused(const HTTPRefusal& refusal) noexcept {
  if (!access_log().enabled(LogLevel::kWarning)) return;
  const HTTPServerRequest* request = refusal.request;
  std::string line = std::to_string(refusal.status);
  if (request == nullptr) {
    line.append(" - (").append(refusal.peer.host());
  } else {
    line.append(" ").append(request->method()).append(" ").append(request->uri());
    line.append(" (").append(request->remote_ip());
  }
  access_log().warning(line.append(") refused: ").append(refusal.reason));
}

void detail::throw_no_state(std::string_view type) {
  throw std::logic_error("the application keeps no value that the handler asks for: " +
                         std::string(type));
}

}  // namespace coronado::web
