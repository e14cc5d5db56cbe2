#include <coronado/web/router.hpp>

#include <coronado/base/error.hpp>
#include <coronado/base/strings.hpp>

#include "web/route_pattern.hpp"

namespace coronado::web {
namespace {

/// A literal pattern as a regular expression for the same text.
std::string quote(const Pattern& literal) {
  std::string quoted;
  for (const PatternPiece& piece : PathPattern(literal).pieces()) {
    if (piece.is_parameter) {
      throw UsageError("the prefix \"" + literal.text() +
                       "\" has parameters; before a regular expression it must be literal, or one "
                       "itself");
    }
    for (const char c : piece.text) {
      const bool plain = is_ascii_letter(c) || is_ascii_digit(c) || c == '/' || c == '_' ||
                         static_cast<unsigned char>(c) >= 0x80;
      if (!plain) quoted += '\\';
      quoted += c;
    }
  }
  return quoted;
}

Pattern join(const Pattern& prefix, const Pattern& pattern) {
  if (prefix.text().empty()) return pattern;
  if (!prefix.is_regex() && !pattern.is_regex()) return Pattern(prefix.text() + pattern.text());
  const auto expression = [](const Pattern& part) {
    return part.is_regex() ? part.text() : part.text().empty() ? "" : quote(part);
  };
  return re(expression(prefix) + expression(pattern));
}

}  // namespace

namespace detail {

const RouteOptions& no_route_options() {
  static const RouteOptions none;
  return none;
}

void RouteAdder::add_function(MethodMask methods, const Pattern& pattern,
                              const RouteOptions& options, HTTPEndpoint* endpoint,
                              std::size_t parameters, void (*describe)(Operation&)) {
  std::unique_ptr<HTTPEndpoint> owned(endpoint);
  add_route({methods, pattern, options, std::move(owned), parameters, describe});
}

void RouteAdder::add_class(MethodMask methods, const Pattern& pattern, const RouteOptions& options,
                           HTTPEndpoint* endpoint, bool receives_data) {
  std::unique_ptr<HTTPEndpoint> owned(endpoint);
  RouteSpec route{methods, pattern, options, std::move(owned)};
  if (receives_data) route.options.stream_body = true;
  route.options.check_xsrf = false;  // the handler does it itself
  add_route(std::move(route));
}

}  // namespace detail

Router& Router::mount(const Pattern& prefix, Router router, const Pattern& host) {
  for (RouteSpec& each : router.routes_) {
    each.pattern = join(prefix, each.pattern);
    if (each.options.host.text().empty()) each.options.host = host;
    routes_.push_back(std::move(each));
  }
  return *this;
}

std::vector<RouteSpec> Router::take_routes() && { return std::move(routes_); }

void Router::add_route(RouteSpec&& route) { routes_.push_back(std::move(route)); }

Router& Router::use(const Middleware& middleware) {
  for (RouteSpec& each : routes_) {
    each.options.middleware.insert(each.options.middleware.begin(), middleware);
  }
  return *this;
}

Router& Router::match(const std::shared_ptr<const Matcher>& matcher) {
  for (RouteSpec& each : routes_) each.options.matchers.push_back(matcher);
  return *this;
}

}  // namespace coronado::web
