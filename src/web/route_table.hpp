/// Finds the route of a request: a radix tree over literal and parameter patterns, with the regular
/// expressions hung at their literal starts, that still answers in registration order.
///
/// Layer: web.
#pragma once

#include <coronado/web/matcher.hpp>
#include <coronado/web/routing.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/regex.hpp"
#include "web/host_pattern.hpp"
#include "web/route_pattern.hpp"

namespace coronado {

enum class RouteResult {
  kFound,             ///< `route`, `methods` and `parameters` are set
  kMethodNotAllowed,  ///< the path has routes; `methods` is the union of what they take
  kNotFound,
};

struct RouteMatch {
  std::uint32_t route = 0;
  MethodMask methods = 0;
  RouteParameters parameters;
};

class RouteTable {
 public:
  using Matchers = std::vector<std::shared_ptr<const web::Matcher>>;

  RouteTable();
  ~RouteTable();
  RouteTable(RouteTable&&) noexcept;
  RouteTable& operator=(RouteTable&&) noexcept;

  /// Add a route behind all others.
  ///
  /// Params   host     Empty: any host.
  ///          path     See `<coronado/web/routing.hpp>`.
  ///          methods  What the route answers.
  ///          matchers Further conditions, all of which must hold.
  /// Returns  The number of the route: 0 for the first, then one more each.
  /// Throws   UsageError  A pattern is malformed. The table is unchanged.
  std::uint32_t add(const Pattern& host, const Pattern& path, MethodMask methods,
                    Matchers matchers = {});

  /// Find the first route that matches path and host and takes one of `methods`: those for a host
  /// come before those for any, then the order of `add` counts.
  ///
  /// For HEAD pass `kMethodHead | kMethodGet` to fall back to GET in the same step.
  ///
  /// Params   path  As received: undecoded, without query. Must outlive `match.parameters`.
  ///          host  The Host field, with or without port.
  ///          request  For the matchers. Null: routes with matchers match nothing.
  /// Cost     Proportional to the length of the path, not to the number of routes; overlapping
  ///          patterns cost one visit each, a regular expression whose literal start fits one
  ///          search.
  RouteResult match(MethodMask methods, std::string_view path, std::string_view host,
                    RouteMatch& match, const HTTPServerRequest* request = nullptr) const;

  std::size_t size() const noexcept { return routes_.size(); }
  const PathPattern& pattern(std::uint32_t route) const noexcept { return routes_[route].pattern; }

  /// Give a route a name for `reverse_url`. The same name may stand for routes with equal patterns.
  /// Throws  UsageError  The name belongs to another pattern; the message shows both.
  void set_name(std::uint32_t route, std::string_view name);

  /// Build the path of the route called `name`. Arguments are percent-encoded; "/" is kept only
  /// where the parameter is a {path} or a group of a regular expression.
  /// Throws  UsageError  Unknown name, wrong number of arguments, an expression that is too
  /// complicated,
  ///                     or arguments that the route would not match.
  std::string reverse_url(std::string_view name, std::span<const std::string_view> arguments) const;

  /// The bit of a method for this table, a new one for a name not seen before.
  /// Throws  UsageError  More than 24 methods beside the usual ones.
  MethodMask define_method(std::string_view name);

  /// The bit of a request's method: a usual one, a defined one, or `kMethodOther`.
  MethodMask find_method(std::string_view name) const noexcept;

  /// The names of the methods in `methods`, for an Allow header: "GET, HEAD, POST".
  std::string method_names(MethodMask methods) const;

 private:
  struct Route {
    PathPattern pattern;
    std::string name;
    std::optional<CompiledRegex> regex;
    std::int32_t condition;
  };
  struct Node;
  struct Search;
  /// What a route asks beside path and method.
  struct Condition {
    Pattern host_text;
    std::optional<HostPattern> host;  // none: any
    Matchers matchers;

    bool holds(std::string_view host_field, const HTTPServerRequest* request) const;
  };

  std::int32_t intern_condition(const Pattern& host, Matchers matchers);
  static Node& insert_literal(Node& node, std::string_view text, std::uint32_t order);
  static Node& insert_parameter(Node& node, ParameterKind kind, std::string_view suffix,
                                std::uint32_t order);

  std::vector<Route> routes_;
  std::vector<Condition> conditions_;
  std::vector<std::string> methods_;
  std::unique_ptr<Node> root_;
};

}  // namespace coronado
