// The route table against a matcher so simple that it is plainly right: it tries all routes in
// order, each by a search over where its parameters may end.

#include <coronado/web/routing.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "base/regex.hpp"
#include "web/route_pattern.hpp"
#include "web/route_table.hpp"

namespace coronado {
namespace {

struct NaiveRoute {
  Pattern pattern;
  std::string host;
  MethodMask methods;
  std::vector<PatternPiece> pieces;
  std::optional<CompiledRegex> regex;
};

// Whether the pieces from `index` match the text; a parameter tries its longest value first.
// `values` is set only on success.
bool naive_match(const std::vector<PatternPiece>& pieces, std::size_t index, std::string_view text,
                 std::vector<std::string>& values) {
  if (index == pieces.size()) return text.empty();
  const PatternPiece& piece = pieces[index];
  if (!piece.is_parameter) {
    return text.starts_with(piece.text) &&
           naive_match(pieces, index + 1, text.substr(piece.text.size()), values);
  }
  std::size_t longest = text.size();
  if (piece.kind != ParameterKind::kPath) longest = std::min(text.find('/'), text.size());
  for (std::size_t length = longest + 1; length-- > 0;) {
    const std::string_view value = text.substr(0, length);
    if (!accepts(piece.kind, value)) continue;
    values.emplace_back(value);
    if (naive_match(pieces, index + 1, text.substr(length), values)) return true;
    values.pop_back();
  }
  return false;
}

struct Answer {
  RouteResult result = RouteResult::kNotFound;
  std::uint32_t route = 0;
  MethodMask methods = 0;
  std::vector<std::string> values;

  friend bool operator==(const Answer&, const Answer&) = default;
};

// Routes for a host come first, then the order counts. With `behind` only those behind that route.
std::vector<std::uint32_t> in_order(const std::vector<NaiveRoute>& routes,
                                    std::optional<std::uint32_t> behind) {
  std::vector<std::uint32_t> order(routes.size());
  std::iota(order.begin(), order.end(), 0U);
  std::ranges::stable_partition(order, [&](std::uint32_t i) { return !routes[i].host.empty(); });
  if (behind) order.erase(order.begin(), std::ranges::find(order, *behind) + 1);
  return order;
}

Answer naive_find(const std::vector<NaiveRoute>& routes, MethodMask methods, std::string_view path,
                  std::string_view host, std::optional<std::uint32_t> behind = std::nullopt) {
  Answer answer;
  for (const std::uint32_t i : in_order(routes, behind)) {
    const NaiveRoute& route = routes[i];
    if (!route.host.empty() && route.host != host) continue;
    std::vector<std::string> values;
    if (route.regex) {
      std::vector<std::string_view> groups(route.regex->group_count());
      if (!route.regex->full_match(path, groups)) continue;
      values.assign(groups.begin(), groups.end());
    } else if (!naive_match(route.pieces, 0, path, values)) {
      continue;
    }
    if ((route.methods & methods) != 0) {
      return {RouteResult::kFound, i, route.methods, std::move(values)};
    }
    answer.methods |= route.methods;
    answer.result = RouteResult::kMethodNotAllowed;
  }
  return answer;
}

Answer table_find(const RouteTable& table, MethodMask methods, std::string_view path,
                  std::string_view host) {
  RouteMatch match;
  Answer answer;
  answer.result = table.match(methods, path, host, match);
  answer.methods = match.methods;
  if (answer.result != RouteResult::kFound) return answer;
  answer.route = match.route;
  for (std::size_t i = 0; i < match.parameters.size(); ++i) {
    answer.values.emplace_back(match.parameters[i]);
  }
  return answer;
}

// Small alphabets, so that routes overlap and paths hit them.
class Generator {
 public:
  explicit Generator(unsigned seed) : random_(seed) {}

  std::size_t below(std::size_t limit) {
    return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random_);
  }

  std::string_view pick(std::initializer_list<std::string_view> choices) {
    return choices.begin()[below(choices.size())];
  }

  std::string brace_pattern() {
    std::string text;
    const std::size_t segments = below(4) + 1;
    int parameter = 0;
    const auto name = [&] { return "p" + std::to_string(parameter++); };
    for (std::size_t i = 0; i < segments; ++i) {
      text += '/';
      switch (below(9)) {
        case 0:
        case 1:
        case 2: text += pick({"a", "ab", "abc", "b", "1", "12", ""}); break;
        case 3:
        case 4: text += "{" + name() + "}"; break;
        case 5:
          text += "{" + name() + std::string(pick({":int", ":uint", ":float", ":slug"})) + "}";
          break;
        case 6:
          text += std::string(pick({"a", "b", ""})) + "{" + name() +
                  std::string(pick({"", ":int"})) + "}" + std::string(pick({"b", ".x", "-1", ""}));
          break;
        case 7:
          text += "{" + name() + "}" + std::string(pick({"-", ".", "a"})) + "{" + name() +
                  std::string(pick({"", ":int", ":slug"})) + "}";
          break;
        default:
          if (i + 1 == segments) text += std::string(pick({"", "a"})) + "{" + name() + ":path}";
      }
    }
    return text;
  }

  Pattern pattern() {
    if (below(6) == 0) {
      return re(pick({"/a.*", "/(a|b)/?(.*)", "/ab?/([a-z]+)", "/([^/]*)/([^/]*)", "(/[0-9]+)+",
                      "/a/(b)?(c)?", "(?:/a)*/b", "/a|/b/([0-9]*)"}));
    }
    return brace_pattern();
  }

  std::string path() {
    std::string text;
    const std::size_t segments = below(4) + 1;
    for (std::size_t i = 0; i < segments; ++i) {
      text += '/';
      text += pick({"a", "ab", "abc", "b", "1", "12", "", "-1", "1.5", "a.x", "ab.x", "b-1", "aab",
                    "%2F", "c"});
    }
    return text;
  }

 private:
  std::mt19937 random_;
};

TEST(RouteProperty, AgreesWithTheNaiveMatcher) {
  Generator generator(20240607);
  std::size_t counts[3] = {};
  std::size_t overlaps = 0;
  for (int set = 0; set < 1000; ++set) {
    RouteTable table;
    std::vector<NaiveRoute> routes;
    const std::size_t size = generator.below(24) + 1;
    std::string listing;
    for (std::size_t i = 0; i < size; ++i) {
      const Pattern pattern = generator.pattern();
      const std::string host(generator.pick({"", "", "", "h1", "h2"}));
      const MethodMask methods = generator.below(4) == 0 ? kMethodPost : kMethodGet;
      table.add(host, pattern, methods);
      const PathPattern parsed(pattern);
      routes.push_back({pattern, host, methods, parsed.pieces(), std::nullopt});
      if (pattern.is_regex()) routes.back().regex.emplace(pattern.text());
      listing += std::to_string(i) + ": " + host + " " + pattern.text() + "\n";
    }
    for (int probe = 0; probe < 40; ++probe) {
      const std::string path = generator.path();
      const std::string host(generator.pick({"h1", "h2", "h3"}));
      const MethodMask method = generator.below(3) == 0 ? kMethodPost : kMethodGet;
      const Answer expected = naive_find(routes, method, path, host);
      const Answer actual = table_find(table, method, path, host);
      ASSERT_EQ(actual, expected) << path << " on " << host << " gave route " << actual.route
                                  << " instead of " << expected.route << " of\n"
                                  << listing;
      ++counts[static_cast<int>(expected.result)];
      // A later route that would have matched too: the order decided.
      if (expected.result == RouteResult::kFound &&
          naive_find(routes, method, path, host, expected.route).result == RouteResult::kFound) {
        ++overlaps;
      }
    }
  }
  EXPECT_GT(counts[static_cast<int>(RouteResult::kFound)], 5000u);
  EXPECT_GT(counts[static_cast<int>(RouteResult::kMethodNotAllowed)], 1000u);
  EXPECT_GT(counts[static_cast<int>(RouteResult::kNotFound)], 5000u);
  EXPECT_GT(overlaps, 1000u);
}

}  // namespace
}  // namespace coronado
