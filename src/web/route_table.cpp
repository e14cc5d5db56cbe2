#include "web/route_table.hpp"

#include <coronado/base/error.hpp>
#include <coronado/base/escape.hpp>

#include <algorithm>
#include <array>
#include <cstring>

namespace coronado {
namespace {

constexpr std::uint32_t kNone = ~std::uint32_t{0};
constexpr std::int32_t kUnconditional = -1;

// The order of routes: those for a host before all others, then as they were added.
constexpr std::uint32_t kForAnyHost = 1u << 31;
constexpr std::uint32_t index_of(std::uint32_t order) noexcept { return order & ~kForAnyHost; }

bool is_any(const Pattern& host) { return host.text().empty() && !host.is_regex(); }

constexpr std::string_view kUsualMethods[] = {"GET",   "HEAD",   "POST",   "PUT",
                                              "PATCH", "DELETE", "OPTIONS"};
constexpr std::size_t kMaxDefinedMethods = 31 - std::size(kUsualMethods);

// Where the value of a parameter that starts at `at` ends: at the end of the segment, less the
// literal behind it. Null if the parameter does not match here.
const char* take(ParameterKind kind, std::string_view suffix, const char* at, const char* end) {
  if (kind == ParameterKind::kPath) return end;
  if (at == end) return nullptr;
  const auto* slash =
      static_cast<const char*>(std::memchr(at, '/', static_cast<std::size_t>(end - at)));
  const char* value_end = slash == nullptr ? end : slash;
  if (!suffix.empty()) {
    if (!std::string_view(at, value_end).ends_with(suffix)) return nullptr;
    value_end -= suffix.size();
  }
  if (value_end == at) return nullptr;
  if (kind != ParameterKind::kSegment && !accepts(kind, std::string_view(at, value_end))) {
    return nullptr;
  }
  return value_end;
}

template <class Word>
bool same_words(const char* a, const char* b, std::size_t size) {
  Word words[4];
  std::memcpy(&words[0], a, sizeof(Word));
  std::memcpy(&words[1], b, sizeof(Word));
  std::memcpy(&words[2], a + size - sizeof(Word), sizeof(Word));
  std::memcpy(&words[3], b + size - sizeof(Word), sizeof(Word));
  return words[0] == words[1] && words[2] == words[3];
}

// Whether the path goes on with `prefix`, whose first byte is known to fit. Most prefixes are so
// short that two loads, which may overlap, cost less than the call of memcmp.
bool starts_with_rest(const char* at, const char* end, const std::string& prefix) {
  const std::size_t size = prefix.size();
  if (size == 1) return true;
  if (static_cast<std::size_t>(end - at) < size) return false;
  if (size > 16) return std::memcmp(at, prefix.data(), size) == 0;
  if (size >= 8) return same_words<std::uint64_t>(at, prefix.data(), size);
  if (size >= 4) return same_words<std::uint32_t>(at, prefix.data(), size);
  return same_words<std::uint16_t>(at, prefix.data(), size);
}

}  // namespace

// A place in the tree. `prefix` leads from the parent to it; `children` is indexed by the first
// byte of theirs, less `first_byte`.
struct RouteTable::Node {
  struct Leaf {
    std::uint32_t order;
    MethodMask methods;
    std::int32_t condition;
  };
  struct ParameterEdge {
    ParameterKind kind;
    std::string suffix;
    std::unique_ptr<Node> node;
  };

  static void insert(std::vector<Leaf>& leaves, const Leaf& leaf) {
    leaves.insert(std::ranges::upper_bound(leaves, leaf.order, {}, &Leaf::order), leaf);
  }

  const Node* child(char c) const noexcept {
    const std::size_t index = static_cast<unsigned char>(c) - first_byte;  // wraps if smaller
    return index < child_span ? children[index].get() : nullptr;
  }

  std::unique_ptr<Node>& child_slot(char c) {
    const std::size_t byte = static_cast<unsigned char>(c);
    const std::size_t first = child_span == 0 ? byte : std::min(byte, first_byte);
    const std::size_t last = child_span == 0 ? byte : std::max(byte, first_byte + child_span - 1);
    if (last - first + 1 != child_span) {
      auto wider = std::make_unique<std::unique_ptr<Node>[]>(last - first + 1);
      for (std::size_t i = 0; i < child_span; ++i) {
        wider[first_byte - first + i] = std::move(children[i]);
      }
      children = std::move(wider);
      first_byte = first;
      child_span = last - first + 1;
    }
    return children[byte - first_byte];
  }

  // What there is beside literal children; the first two need no way back.
  enum class Detours : std::uint8_t { kNone, kOneParameter, kSeveral };

  std::string prefix;
  std::uint32_t first_route = kNone;  // the least order in the subtree
  std::size_t first_byte = 0;
  Detours detours = Detours::kNone;
  std::size_t child_span = 0;
  std::unique_ptr<std::unique_ptr<Node>[]> children;
  std::vector<Leaf> leaves;  // ascending order
  std::vector<ParameterEdge> parameters;
  std::vector<Leaf> regexes;  // ascending order
};

// One walk through the tree. Literal, parameter and regular expression ways are all followed, but
// none whose least order is behind the best route found: that makes the first registered win.
struct RouteTable::Search {
  Search(const RouteTable& table, MethodMask methods, std::string_view path, std::string_view host,
         RouteMatch& match, const HTTPServerRequest* request)
      : table(table),
        methods(methods),
        path(path),
        end(path.data() + path.size()),
        host(host),
        request(request),
        match(match) {}

  const RouteTable& table;
  MethodMask methods;
  std::string_view path;
  const char* end;
  std::string_view host;
  const HTTPServerRequest* request;
  RouteMatch& match;
  std::uint32_t best = kNone;
  MethodMask allowed = 0;
  RouteParameters::Span* spans = match.parameters.spans_;
  RouteParameters::Span spare[RouteParameters::kMax];

  void run(const Node* node, const char* at, std::uint32_t depth);
  void walk(const Node& node, const char* at, std::uint32_t depth);
  void keep_found(std::uint32_t depth);
  void visit_leaves(const Node& node, std::uint32_t depth);
  const Node* enter(const Node::ParameterEdge& edge, const char*& at, std::uint32_t depth);
  void explore(const Node& node, const Node* literal, const char* at, std::uint32_t depth);
  void visit_regexes(const Node& node, std::uint32_t depth);
  bool accept(const Node::Leaf& leaf);
};

inline bool RouteTable::Search::accept(const Node::Leaf& leaf) {
  if (leaf.condition != kUnconditional &&
      !table.conditions_[static_cast<std::size_t>(leaf.condition)].holds(host, request)) {
    return false;
  }
  if ((leaf.methods & methods) == 0) {
    allowed |= leaf.methods;
    return false;
  }
  best = leaf.order;
  match.methods = leaf.methods;
  return true;
}

inline void RouteTable::Search::visit_leaves(const Node& node, std::uint32_t depth) {
  for (const Node::Leaf& leaf : node.leaves) {
    if (leaf.order >= best) return;
    if (!accept(leaf)) continue;
    match.parameters.count_ = depth;
    if (spans == spare) std::copy_n(spare, depth, match.parameters.spans_);
    return;
  }
}

// Lets the parameter take its part, notes it and moves `at` behind it; the node to go on at, or
// null.
inline const RouteTable::Node* RouteTable::Search::enter(const Node::ParameterEdge& edge,
                                                         const char*& at, std::uint32_t depth) {
  const char* value_end = take(edge.kind, edge.suffix, at, end);
  if (value_end == nullptr) return nullptr;
  spans[depth] = {static_cast<std::uint32_t>(at - path.data()),
                  static_cast<std::uint32_t>(value_end - at)};
  at = value_end + edge.suffix.size();
  return edge.node.get();
}

// Follows the only way on as long as there is but one.
[[gnu::always_inline]] inline void RouteTable::Search::run(const Node* node, const char* at,
                                                           std::uint32_t depth) {
  while (at != end) {
    const Node* next = node->child(*at);
    if (next != nullptr && !starts_with_rest(at, end, next->prefix)) next = nullptr;
    if (node->detours == Node::Detours::kNone) {
      if (next == nullptr) return;
      at += next->prefix.size();
    } else if (next == nullptr && node->detours == Node::Detours::kOneParameter) {
      next = enter(node->parameters[0], at, depth++);
      if (next == nullptr) return;
    } else {
      return explore(*node, next, at, depth);
    }
    node = next;
  }
  visit_leaves(*node, depth);
  if (node->detours != Node::Detours::kNone) explore(*node, nullptr, at, depth);
}

void RouteTable::Search::walk(const Node& node, const char* at, std::uint32_t depth) {
  run(&node, at, depth);
}

// Follows every way on from `node`: its literal child that fits, its parameters, its expressions.
void RouteTable::Search::explore(const Node& node, const Node* literal, const char* at,
                                 std::uint32_t depth) {
  if (literal != nullptr && literal->first_route < best) {
    walk(*literal, at + literal->prefix.size(), depth);
    keep_found(depth);
  }
  for (const Node::ParameterEdge& edge : node.parameters) {
    if (edge.node->first_route >= best) continue;
    const char* behind = at;
    const Node* next = enter(edge, behind, depth);
    if (next == nullptr) continue;
    walk(*next, behind, depth + 1);
    keep_found(depth);
  }
  if (!node.regexes.empty()) visit_regexes(node, depth);
}

// The parameters are noted where the caller wants them. Once a route is found and the search goes
// on for an earlier one, they must not be overwritten.
void RouteTable::Search::keep_found(std::uint32_t depth) {
  if (best == kNone || spans == spare) return;
  std::copy_n(spans, depth, spare);
  spans = spare;
}

void RouteTable::Search::visit_regexes(const Node& node, std::uint32_t depth) {
  std::array<std::string_view, RouteParameters::kMax> groups;
  for (const Node::Leaf& leaf : node.regexes) {
    if (leaf.order >= best) return;
    const Route& route = table.routes_[index_of(leaf.order)];
    const std::vector<ParameterKind>& kinds = route.pattern.kinds();
    if (!route.regex->full_match(path, std::span(groups.data(), kinds.size()))) continue;
    bool fits = true;
    for (std::size_t i = 0; i < kinds.size() && fits; ++i) fits = accepts(kinds[i], groups[i]);
    if (!fits || !accept(leaf)) continue;
    keep_found(depth);
    match.parameters.count_ = static_cast<std::uint32_t>(kinds.size());
    for (std::size_t i = 0; i < kinds.size(); ++i) {
      match.parameters.spans_[i] = {
          groups[i].data() == nullptr ? RouteParameters::kAbsent
                                      : static_cast<std::uint32_t>(groups[i].data() - path.data()),
          static_cast<std::uint32_t>(groups[i].size())};
    }
    return;
  }
}

RouteTable::RouteTable() : root_(std::make_unique<Node>()) {}
RouteTable::~RouteTable() = default;
RouteTable::RouteTable(RouteTable&&) noexcept = default;
RouteTable& RouteTable::operator=(RouteTable&&) noexcept = default;

RouteResult RouteTable::match(MethodMask methods, std::string_view path, std::string_view host,
                              RouteMatch& match, const HTTPServerRequest* request) const {
  Search search(*this, methods, path, host, match, request);
  search.run(root_.get(), path.data(), 0);
  if (search.best != kNone) {
    match.route = index_of(search.best);
    const std::vector<std::string>& names = routes_[match.route].pattern.names();
    match.parameters.path_ = path.data();
    match.parameters.names_ = names.data();
    return RouteResult::kFound;
  }
  match.methods = search.allowed;
  return search.allowed != 0 ? RouteResult::kMethodNotAllowed : RouteResult::kNotFound;
}

// ---- building

std::uint32_t RouteTable::add(const Pattern& host, const Pattern& path, MethodMask methods,
                              Matchers matchers) {
  Route route{PathPattern(path), {}, std::nullopt, kUnconditional};
  if (route.pattern.needs_regex()) route.regex.emplace(route.pattern.regex());
  const auto index = static_cast<std::uint32_t>(routes_.size());
  route.condition = intern_condition(host, std::move(matchers));
  const std::uint32_t order = is_any(host) ? index | kForAnyHost : index;
  const Node::Leaf leaf{order, methods, route.condition};
  Node* node = root_.get();
  if (route.regex) {
    node = &insert_literal(*node, route.pattern.literal_prefix(), order);
    Node::insert(node->regexes, leaf);
    node->detours = Node::Detours::kSeveral;
  } else {
    const std::vector<PatternPiece>& pieces = route.pattern.pieces();
    std::string_view taken;  // the part of a literal that ends the parameter in front of it
    for (std::size_t i = 0; i < pieces.size(); ++i) {
      if (!pieces[i].is_parameter) {
        node = &insert_literal(*node, std::string_view(pieces[i].text).substr(taken.size()), order);
        continue;
      }
      taken = {};
      if (i + 1 < pieces.size()) {
        taken = std::string_view(pieces[i + 1].text);
        taken = taken.substr(0, taken.find('/'));
      }
      node = &insert_parameter(*node, pieces[i].kind, taken, order);
    }
    Node::insert(node->leaves, leaf);
  }
  routes_.push_back(std::move(route));
  return index;
}

RouteTable::Node& RouteTable::insert_literal(Node& start, std::string_view text,
                                             std::uint32_t order) {
  Node* node = &start;
  node->first_route = std::min(node->first_route, order);
  while (!text.empty()) {
    std::unique_ptr<Node>& slot = node->child_slot(text[0]);
    if (slot == nullptr) {
      slot = std::make_unique<Node>();
      slot->prefix = text;
    }
    const auto [differs, ignored] = std::ranges::mismatch(slot->prefix, text);
    const auto common = static_cast<std::size_t>(differs - slot->prefix.begin());
    if (common < slot->prefix.size()) {
      auto upper = std::make_unique<Node>();
      upper->prefix = slot->prefix.substr(0, common);
      upper->first_route = slot->first_route;
      slot->prefix.erase(0, common);
      upper->child_slot(slot->prefix[0]) = std::move(slot);
      slot = std::move(upper);
    }
    node = slot.get();
    node->first_route = std::min(node->first_route, order);
    text.remove_prefix(common);
  }
  return *node;
}

RouteTable::Node& RouteTable::insert_parameter(Node& node, ParameterKind kind,
                                               std::string_view suffix, std::uint32_t order) {
  node.first_route = std::min(node.first_route, order);
  for (Node::ParameterEdge& edge : node.parameters) {
    if (edge.kind == kind && edge.suffix == suffix) {
      edge.node->first_route = std::min(edge.node->first_route, order);
      return *edge.node;
    }
  }
  node.detours =
      node.detours == Node::Detours::kNone ? Node::Detours::kOneParameter : Node::Detours::kSeveral;
  node.parameters.push_back({kind, std::string(suffix), std::make_unique<Node>()});
  node.parameters.back().node->first_route = order;
  return *node.parameters.back().node;
}

bool RouteTable::Condition::holds(std::string_view host_field,
                                  const HTTPServerRequest* request) const {
  if (host && !host->matches(strip_port(host_field))) return false;
  return std::ranges::all_of(matchers, [request](const auto& matcher) {
    return request != nullptr && matcher->match(*request);
  });
}

std::int32_t RouteTable::intern_condition(const Pattern& host, Matchers matchers) {
  if (is_any(host) && matchers.empty()) return kUnconditional;
  const auto found = std::ranges::find_if(conditions_, [&](const Condition& each) {
    return each.host_text == host && each.matchers == matchers;
  });
  const auto index = static_cast<std::int32_t>(found - conditions_.begin());
  if (found == conditions_.end()) {
    std::optional<HostPattern> pattern;
    if (!is_any(host)) pattern.emplace(host);
    conditions_.push_back({host, std::move(pattern), std::move(matchers)});
  }
  return index;
}

// ---- names

void RouteTable::set_name(std::uint32_t route, std::string_view name) {
  for (const Route& other : routes_) {
    if (other.name == name && other.pattern.text() != routes_[route].pattern.text()) {
      throw UsageError("the route name '" + std::string(name) + "' is used twice: for '" +
                       other.pattern.text() + "' and '" + routes_[route].pattern.text() + "'");
    }
  }
  routes_[route].name = name;
}

std::string RouteTable::reverse_url(std::string_view name,
                                    std::span<const std::string_view> arguments) const {
  const auto found = std::ranges::find(routes_, name, &Route::name);
  if (name.empty() || found == routes_.end()) {
    throw UsageError("'" + std::string(name) + "' not found in named urls");
  }
  std::string url = found->pattern.reverse(arguments);
  if (found->regex && !found->regex->full_match(url)) {
    throw UsageError("cannot reverse '" + found->pattern.text() + "': it does not match '" + url +
                     "', which these arguments give");
  }
  if (found->condition == kUnconditional) return url;
  for (const auto& matcher : conditions_[static_cast<std::size_t>(found->condition)].matchers) {
    url = matcher->reverse(std::move(url));
  }
  return url;
}

// ---- methods

MethodMask method_bit(std::string_view name) noexcept {
  for (std::size_t i = 0; i < std::size(kUsualMethods); ++i) {
    if (kUsualMethods[i] == name) return MethodMask{1} << i;
  }
  return kMethodOther;
}

MethodMask RouteTable::find_method(std::string_view name) const noexcept {
  const MethodMask usual = method_bit(name);
  if (usual != kMethodOther) return usual;
  const auto found = std::ranges::find(methods_, name);
  if (found == methods_.end()) return kMethodOther;
  return MethodMask{1} << (std::size(kUsualMethods) +
                           static_cast<std::size_t>(found - methods_.begin()));
}

MethodMask RouteTable::define_method(std::string_view name) {
  const MethodMask known = find_method(name);
  if (known != kMethodOther) return known;
  if (methods_.size() == kMaxDefinedMethods) {
    throw UsageError("method '" + std::string(name) + "': more than " +
                     std::to_string(kMaxDefinedMethods) + " methods beside the usual ones");
  }
  methods_.emplace_back(name);
  return find_method(name);
}

std::string RouteTable::method_names(MethodMask methods) const {
  std::string names;
  const auto add = [&](std::size_t bit, std::string_view name) {
    if ((methods & (MethodMask{1} << bit)) == 0) return;
    if (!names.empty()) names += ", ";
    names += name;
  };
  for (std::size_t i = 0; i < std::size(kUsualMethods); ++i) add(i, kUsualMethods[i]);
  for (std::size_t i = 0; i < methods_.size(); ++i) add(std::size(kUsualMethods) + i, methods_[i]);
  return names;
}

// ---- parameters

std::optional<std::string_view> RouteParameters::find(std::string_view name) const noexcept {
  for (std::size_t i = 0; i < count_; ++i) {
    if (!name.empty() && this->name(i) == name) return (*this)[i];
  }
  return std::nullopt;
}

std::string RouteParameters::decoded(std::size_t index) const {
  return url_unescape((*this)[index], URLPart::kPath);
}

}  // namespace coronado
