#include <coronado/web/routing.hpp>

#include <coronado/base/error.hpp>

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "base/regex.hpp"
#include "web/regex_outline.hpp"
#include "web/route_table.hpp"

namespace coronado {
namespace {

constexpr MethodMask kGet = kMethodGet;

struct Found {
  RouteResult result;
  RouteMatch match;
  std::uint32_t route() const { return result == RouteResult::kFound ? match.route : ~0u; }
};

Found find(const RouteTable& table, std::string_view path, MethodMask methods = kGet,
           std::string_view host = "localhost") {
  Found found{};
  found.result = table.match(methods, path, host, found.match);
  return found;
}

bool matches(const Pattern& pattern, std::string_view path) {
  RouteTable table;
  table.add({}, pattern, kGet);
  return find(table, path).result == RouteResult::kFound;
}

// The one parameter of `pattern` on `path`, "(none)" if they do not match.
std::string parameter(const Pattern& pattern, std::string_view path) {
  RouteTable table;
  table.add({}, pattern, kGet);
  const Found found = find(table, path);
  if (found.result != RouteResult::kFound) return "(none)";
  EXPECT_EQ(found.match.parameters.size(), 1u);
  return std::string(found.match.parameters[0]);
}

std::string error_of(const Pattern& pattern) {
  RouteTable table;
  try {
    table.add({}, pattern, kGet);
  } catch (const UsageError& error) {
    EXPECT_EQ(table.size(), 0u);
    return error.what();
  }
  return "(no error)";
}

std::string reverse(const Pattern& pattern, std::vector<std::string_view> arguments) {
  RouteTable table;
  table.set_name(table.add({}, pattern, kGet), "it");
  try {
    return table.reverse_url("it", arguments);
  } catch (const UsageError& error) {
    return std::string("error: ") + error.what();
  }
}

TEST(Routing, LiteralsMatchExactly) {
  EXPECT_TRUE(matches("/", "/"));
  EXPECT_TRUE(matches("/a/b", "/a/b"));
  EXPECT_FALSE(matches("/a/b", "/a/b/"));
  EXPECT_FALSE(matches("/a/b", "/a"));
  EXPECT_FALSE(matches("/a/b", "/A/b"));
  EXPECT_FALSE(matches("/", ""));
  EXPECT_TRUE(matches("*", "*"));
  EXPECT_TRUE(matches("/a{{b}}", "/a{b}"));
}

TEST(Routing, PathsAreNotDecoded) {
  EXPECT_FALSE(matches("/caf\xC3\xA9", "/caf%C3%A9"));
  EXPECT_TRUE(matches("/caf%C3%A9", "/caf%C3%A9"));
  EXPECT_EQ(parameter("/{a}", "/x%2Fy"), "x%2Fy");
  RouteTable table;
  table.add({}, "/{a}/{b}", kGet);
  const std::string path = "/x%2Fy+z/%zz";
  const Found found = find(table, path);
  EXPECT_EQ(found.match.parameters.decoded(0), "x/y+z");
  EXPECT_EQ(found.match.parameters.decoded(1), "%zz");
  EXPECT_EQ(found.match.parameters[0].data(), path.data() + 1);
}

TEST(Routing, SegmentParameters) {
  EXPECT_EQ(parameter("/users/{id}", "/users/42"), "42");
  EXPECT_EQ(parameter("/users/{id}", "/users/"), "(none)");
  EXPECT_EQ(parameter("/users/{id}", "/users"), "(none)");
  EXPECT_EQ(parameter("/users/{id}", "/users/4/2"), "(none)");
  EXPECT_EQ(parameter("/users/{id}/", "/users/42/"), "42");
  EXPECT_EQ(parameter("/{a}/b", "/x/b"), "x");
  EXPECT_EQ(parameter("/{a}/b", "//b"), "(none)");
  EXPECT_EQ(parameter("/img{n}.png", "/img7.png"), "7");
  EXPECT_EQ(parameter("/img{n}.png", "/img.png"), "(none)");
  EXPECT_EQ(parameter("/img{n}.png", "/imga.png.png"), "a.png");
  EXPECT_EQ(parameter("/img{n}.png/x", "/img1.png/x"), "1");
  EXPECT_EQ(parameter("/img{n}.png/x", "/img1.png/y"), "(none)");
}

TEST(Routing, TypedParameters) {
  EXPECT_EQ(parameter("/{n:int}", "/-12"), "-12");
  EXPECT_EQ(parameter("/{n:int}", "/9223372036854775807"), "9223372036854775807");
  EXPECT_EQ(parameter("/{n:int}", "/-9223372036854775808"), "-9223372036854775808");
  for (const char* bad : {"/9223372036854775808", "/-", "/+1", "/1a", "/ 1", "/%31", "/1.0", "/"}) {
    EXPECT_EQ(parameter("/{n:int}", bad), "(none)") << bad;
  }
  EXPECT_EQ(parameter("/{n:uint}", "/18446744073709551615"), "18446744073709551615");
  EXPECT_EQ(parameter("/{n:uint}", "/18446744073709551616"), "(none)");
  EXPECT_EQ(parameter("/{n:uint}", "/-1"), "(none)");
  EXPECT_EQ(parameter("/{x:float}", "/-1.50"), "-1.50");
  EXPECT_EQ(parameter("/{x:float}", "/7"), "7");
  for (const char* bad : {"/1.", "/.5", "/1e5", "/inf", "/-", "/1.2.3"}) {
    EXPECT_EQ(parameter("/{x:float}", bad), "(none)") << bad;
  }
  EXPECT_EQ(parameter("/{s:slug}", "/My_post-1"), "My_post-1");
  EXPECT_EQ(parameter("/{s:slug}", "/a.b"), "(none)");
  const std::string uuid = "123e4567-e89b-12D3-a456-426614174000";
  EXPECT_EQ(parameter("/{u:uuid}", "/" + uuid), uuid);
  EXPECT_EQ(parameter("/{u:uuid}", "/123e4567-e89b-12d3-a456-42661417400g"), "(none)");
  EXPECT_EQ(parameter("/{u:uuid}", "/123e4567ae89b-12d3-a456-426614174000"), "(none)");
  EXPECT_EQ(parameter("/img{n:int}.png", "/img-3.png"), "-3");
  EXPECT_EQ(parameter("/img{n:int}.png", "/imgx.png"), "(none)");
}

TEST(Routing, PathParametersTakeTheRest) {
  EXPECT_EQ(parameter("/static/{p:path}", "/static/a/b.css"), "a/b.css");
  EXPECT_EQ(parameter("/static/{p:path}", "/static/"), "");
  EXPECT_EQ(parameter("/static/{p:path}", "/static"), "(none)");
  EXPECT_EQ(parameter("/static/{p:path}", "/static//"), "/");
  EXPECT_EQ(parameter("/s{p:path}", "/static"), "tatic");
}

TEST(Routing, SeveralParametersInOneSegment) {
  RouteTable table;
  table.add({}, "/{title}-{id:int}", kGet);
  table.add({}, "/v{a}.{b}.{c}/{rest:path}", kGet);
  Found found = find(table, "/my-long-title-42");
  ASSERT_EQ(found.route(), 0u);
  EXPECT_EQ(found.match.parameters[0], "my-long-title");
  EXPECT_EQ(found.match.parameters[1], "42");
  EXPECT_EQ(find(table, "/my-long-title").result, RouteResult::kNotFound);
  EXPECT_EQ(find(table, "/t-99999999999999999999").result, RouteResult::kNotFound);
  found = find(table, "/v1.2.3/a/b");
  ASSERT_EQ(found.route(), 1u);
  EXPECT_EQ(found.match.parameters.find("b"), "2");
  EXPECT_EQ(found.match.parameters.find("rest"), "a/b");
}

TEST(Routing, RegularExpressions) {
  EXPECT_EQ(parameter(re("/users/([0-9]+)"), "/users/12"), "12");
  EXPECT_EQ(parameter(re("/users/([0-9]+)"), "/users/12/"), "(none)");
  EXPECT_EQ(parameter(re("^/users/([0-9]+)$"), "/users/12"), "12");
  EXPECT_EQ(parameter(re("/a/(.*)"), "/a/%2F/b"), "%2F/b");
  EXPECT_TRUE(matches(re("/a|/b"), "/b"));
  EXPECT_FALSE(matches(re("/a|/b"), "/ab"));
  EXPECT_TRUE(matches(re("/ab?"), "/a"));
  EXPECT_TRUE(matches(re("/ab*c"), "/ac"));
  EXPECT_TRUE(matches(re("/ab{0,2}c"), "/ac"));
  EXPECT_TRUE(matches(re("/ab+c"), "/abbc"));
  EXPECT_TRUE(matches(re("(?i)/Users"), "/uSERS"));
  EXPECT_TRUE(matches(re("[(]|/b"), "/b"));
  EXPECT_TRUE(matches(re("/\\Qa|\\Eb"), "/a|b"));
  EXPECT_TRUE(matches(re("/a\\.b"), "/a.b"));
  EXPECT_FALSE(matches(re("/a\\.b"), "/axb"));

  RouteTable table;
  table.add({}, re("/(?P<kind>[a-z]+)/(?P<id>[0-9]+)?"), kGet);
  const Found found = find(table, "/cat/");
  ASSERT_EQ(found.result, RouteResult::kFound);
  EXPECT_EQ(found.match.parameters.name(0), "kind");
  EXPECT_EQ(found.match.parameters.find("kind"), "cat");
  EXPECT_EQ(found.match.parameters[1].data(), nullptr);
  EXPECT_EQ(found.match.parameters.find("other"), std::nullopt);
}

TEST(Routing, TheFirstRegisteredWins) {
  RouteTable me_first;
  me_first.add({}, "/users/me", kGet);
  me_first.add({}, "/users/{id}", kGet);
  EXPECT_EQ(find(me_first, "/users/me").route(), 0u);
  EXPECT_EQ(find(me_first, "/users/you").route(), 1u);

  RouteTable id_first;
  id_first.add({}, "/users/{id}", kGet);
  id_first.add({}, "/users/me", kGet);
  const Found found = find(id_first, "/users/me");
  EXPECT_EQ(found.route(), 0u);
  EXPECT_EQ(found.match.parameters.find("id"), "me");

  RouteTable mixed;
  mixed.add({}, "/a/{x:int}", kGet);
  mixed.add({}, re("/a/([0-9a-f]+)"), kGet);
  mixed.add({}, "/a/ff", kGet);
  mixed.add({}, "/{p:path}", kGet);
  mixed.add({}, "/a/zz", kGet);
  EXPECT_EQ(find(mixed, "/a/12").route(), 0u);
  EXPECT_EQ(find(mixed, "/a/ff").route(), 1u);
  EXPECT_EQ(find(mixed, "/a/ff").match.parameters[0], "ff");
  EXPECT_EQ(find(mixed, "/a/zz").route(), 3u);
  EXPECT_EQ(find(mixed, "/a/zz").match.parameters[0], "a/zz");
}

TEST(Routing, BacktracksOutOfADeadEnd) {
  RouteTable table;
  table.add({}, "/users/me/settings", kGet);
  table.add({}, "/users/{id}/posts", kGet);
  table.add({}, "/{x}/me/{rest:path}", kGet);
  EXPECT_EQ(find(table, "/users/me/settings").route(), 0u);
  EXPECT_EQ(find(table, "/users/me/posts").route(), 1u);
  const Found found = find(table, "/users/me/other");
  EXPECT_EQ(found.route(), 2u);
  EXPECT_EQ(found.match.parameters[0], "users");
  EXPECT_EQ(found.match.parameters[1], "other");
}

TEST(Routing, ParametersOfTheWinnerSurviveTheRestOfTheSearch) {
  RouteTable table;
  table.add({}, re("/([a-z]+)/([a-z])([a-z]+)/c"), kGet);
  table.add({}, "/{a}/{b}/{c}", kGet);
  table.add({}, "/{a:slug}/bb/{c}", kGet);
  table.add({}, "/aa/{b}/c", kGet);
  const Found found = find(table, "/aa/bb/c");
  ASSERT_EQ(found.route(), 0u);
  EXPECT_EQ(found.match.parameters.size(), 3u);
  EXPECT_EQ(found.match.parameters[0], "aa");
  EXPECT_EQ(found.match.parameters[1], "b");
  EXPECT_EQ(found.match.parameters[2], "b");
  const Found second = find(table, "/aa/1b/c");
  ASSERT_EQ(second.route(), 1u);
  EXPECT_EQ(second.match.parameters[0], "aa");
  EXPECT_EQ(second.match.parameters[1], "1b");
  EXPECT_EQ(second.match.parameters[2], "c");
}

TEST(Routing, MethodsOfOnePathAreMerged) {
  RouteTable table;
  table.add({}, "/x/{id}", kMethodGet);
  table.add({}, "/x/{name}", kMethodPost | kMethodPut);
  table.add({}, re("/x/.*"), kMethodDelete);
  const Found post = find(table, "/x/1", kMethodPost);
  EXPECT_EQ(post.route(), 1u);
  EXPECT_EQ(post.match.methods, kMethodPost | kMethodPut);
  EXPECT_EQ(post.match.parameters.name(0), "name");
  EXPECT_EQ(find(table, "/x/1", kMethodHead | kMethodGet).route(), 0u);
  const Found patch = find(table, "/x/1", kMethodPatch);
  EXPECT_EQ(patch.result, RouteResult::kMethodNotAllowed);
  EXPECT_EQ(table.method_names(patch.match.methods), "GET, POST, PUT, DELETE");
  EXPECT_EQ(find(table, "/y", kMethodPatch).result, RouteResult::kNotFound);
}

TEST(Routing, MethodsByName) {
  EXPECT_EQ(method_bit("GET"), kMethodGet);
  EXPECT_EQ(method_bit("OPTIONS"), kMethodOptions);
  EXPECT_EQ(method_bit("get"), kMethodOther);
  RouteTable table;
  const MethodMask purge = table.define_method("PURGE");
  EXPECT_EQ(table.define_method("PURGE"), purge);
  EXPECT_EQ(table.define_method("GET"), kMethodGet);
  EXPECT_EQ(table.find_method("PURGE"), purge);
  EXPECT_EQ(table.find_method("BREW"), kMethodOther);
  table.add({}, "/", purge);
  EXPECT_EQ(find(table, "/", purge).route(), 0u);
  EXPECT_EQ(table.method_names(find(table, "/", kMethodOther).match.methods), "PURGE");
  for (int i = 0; i < 23; ++i) table.define_method("M" + std::to_string(i));
  EXPECT_THROW(table.define_method("ONE-TOO-MANY"), UsageError);
}

TEST(Routing, Hosts) {
  RouteTable table;
  table.add("example.com", "/", kGet);
  table.add("*.example.com", "/", kGet);
  table.add(re("(?:www|ftp)\\.other\\.org"), "/", kGet);
  table.add("[::1]", "/", kGet);
  table.add({}, "/", kGet);
  const std::vector<std::pair<const char*, std::uint32_t>> cases = {
      {"example.com", 0},     {"EXAMPLE.com:8080", 0}, {"a.example.com", 1}, {"a.b.Example.com", 1},
      {".example.com", 4},    {"xexample.com", 4},     {"www.other.org", 2}, {"FTP.other.org:1", 2},
      {"www.other.org.x", 4}, {"[::1]:80", 3},         {"[::1]", 3},         {"", 4}};
  for (const auto& [host, route] : cases) {
    EXPECT_EQ(find(table, "/", kGet, host).route(), route) << host;
  }
  RouteTable only;
  only.add("a.b", "/", kGet);
  EXPECT_EQ(find(only, "/", kMethodPost, "c").result, RouteResult::kNotFound);
  EXPECT_EQ(find(only, "/", kMethodPost, "a.b").result, RouteResult::kMethodNotAllowed);
  for (const char* bad : {"*", "a.*", "a/b", "a b", "*.", "a.b:80"}) {
    EXPECT_THROW(only.add(bad, "/", kGet), UsageError) << bad;
  }
  EXPECT_EQ(only.size(), 1u);
}

TEST(Routing, ErrorsNameThePatternAndThePlace) {
  EXPECT_EQ(error_of("/a/{id"), "route pattern '/a/{id': '{' without '}' at offset 3");
  EXPECT_EQ(error_of("/a/{id/b}"), "route pattern '/a/{id/b}': '{' without '}' at offset 3");
  EXPECT_EQ(error_of("/a}"), "route pattern '/a}': '}' without '{' at offset 2");
  EXPECT_EQ(error_of("/{a}/{a}"),
            "route pattern '/{a}/{a}': the parameter name 'a' is used twice, at offset 5");
  EXPECT_NE(error_of("/{a:number}").find("unknown parameter type 'number'"), std::string::npos);
  EXPECT_NE(error_of("/{a:}").find("unknown parameter type ''"), std::string::npos);
  EXPECT_NE(error_of("/{}").find("'' is not a parameter name at offset 1"), std::string::npos);
  EXPECT_NE(error_of("/{1a}").find("'1a' is not a parameter name"), std::string::npos);
  EXPECT_NE(error_of("/{p:path}/x").find("must be last, at offset 1"), std::string::npos);
  EXPECT_NE(error_of("/{a}{b}").find("nothing separates 'a' and 'b'"), std::string::npos);
  EXPECT_NE(error_of("a/b").find("a path starts with '/'"), std::string::npos);
  EXPECT_NE(error_of("").find("a path starts with '/'"), std::string::npos);
  EXPECT_NE(error_of("/a?b=1").find("no path can hold at offset 2"), std::string::npos);
  EXPECT_NE(error_of(re("/(a")).find("'/(a'"), std::string::npos);
  EXPECT_NE(error_of(re("/(?=a)")).find("at offset"), std::string::npos);
  EXPECT_NE(error_of(re("")).find("empty regular expression"), std::string::npos);
  EXPECT_NE(error_of(re("/(?P<a>x)(y)")).find("all named or all positional"), std::string::npos);
  std::string many;
  for (int i = 0; i <= 16; ++i) many += "/{p" + std::to_string(i) + "}";
  EXPECT_NE(error_of(many).find("more than 16 parameters"), std::string::npos);
}

TEST(Routing, SixteenParametersFit) {
  std::string pattern;
  std::string path;
  for (int i = 0; i < 16; ++i) {
    pattern += "/{p" + std::to_string(i) + "}";
    path += "/" + std::to_string(i * 100);
  }
  RouteTable table;
  table.add({}, pattern, kGet);
  const Found found = find(table, path);
  ASSERT_EQ(found.match.parameters.size(), 16u);
  EXPECT_EQ(found.match.parameters[15], "1500");
}

TEST(Routing, ReverseOfBracePatterns) {
  EXPECT_EQ(reverse("/a/b", {}), "/a/b");
  EXPECT_EQ(reverse("/users/{id:int}/x{y}z", {"7", "a b/c"}), "/users/7/xa%20b%2Fcz");
  EXPECT_EQ(reverse("/s/{p:path}", {"a b/c.css"}), "/s/a%20b/c.css");
  EXPECT_EQ(reverse("/{t}-{n:int}", {"my-title", "3"}), "/my-title-3");
  EXPECT_EQ(reverse("/a{{b}}", {}), "/a{b}");
  EXPECT_EQ(reverse("/{a}", {}), "error: cannot reverse '/{a}': it takes 1 arguments, not 0");
  EXPECT_EQ(reverse("/{a:int}", {"x"}),
            "error: cannot reverse '/{a:int}': the argument 'x' does not fit 'a'");
  EXPECT_NE(reverse("/{a}", {""}).find("does not fit"), std::string::npos);
}

TEST(Routing, ReverseOfRegularExpressions) {
  EXPECT_EQ(reverse(re("/page/([0-9]{4})/([a-z-]+)/"), {"2024", "ab-c"}), "/page/2024/ab-c/");
  EXPECT_EQ(reverse(re("^/f/(.*)$"), {"a b/c"}), "/f/a%20b/c");
  EXPECT_EQ(reverse(re("/a\\.html"), {}), "/a.html");
  EXPECT_EQ(reverse(re("/a.html"), {}), "/a.html");
  EXPECT_EQ(reverse(re("/foo/?"), {}), "/foo/");
  EXPECT_EQ(reverse(re("/x/([^()\\]]+)"), {"1"}), "/x/1");
  EXPECT_EQ(reverse(re("/(?P<id>[0-9]+)"), {"5"}), "/5");
  EXPECT_EQ(
      reverse(re("/([0-9]+)"), {"x"}),
      "error: cannot reverse '/([0-9]+)': it does not match '/x', which these arguments give");
  for (const char* complicated : {"/((a)b)", "/(?:a)(b)", "/a|/b", "/[ab]", "/\\d+", "/.*"}) {
    EXPECT_EQ(reverse(re(complicated), {}), std::string("error: cannot reverse url regex '") +
                                                complicated + "': it is too complicated");
  }
}

TEST(Routing, NamesAreUniquePerPattern) {
  RouteTable table;
  table.set_name(table.add({}, "/a", kMethodGet), "a");
  table.set_name(table.add({}, "/a", kMethodPost), "a");
  EXPECT_EQ(table.reverse_url("a", {}), "/a");
  EXPECT_THROW(table.set_name(table.add({}, "/b", kMethodGet), "a"), UsageError);
  EXPECT_THROW(table.reverse_url("c", {}), UsageError);
  EXPECT_THROW(table.reverse_url("", {}), UsageError);
}

TEST(Routing, EveryByteCanStartABranch) {
  RouteTable table;
  std::vector<std::string> paths;
  for (int byte = 255; byte > 0; byte -= 2) {
    const char c = static_cast<char>(byte);
    if (byte <= ' ' || byte == 0x7f || std::string_view("?#{}").find(c) != std::string_view::npos) {
      continue;
    }
    paths.push_back(std::string("/x") + c + "y");
    table.add({}, paths.back(), kGet);
  }
  for (std::uint32_t i = 0; i < paths.size(); ++i) EXPECT_EQ(find(table, paths[i]).route(), i);
}

TEST(RegexOutline, LiteralPrefix) {
  const std::vector<std::pair<const char*, const char*>> cases = {{"/users/([0-9]+)", "/users/"},
                                                                  {"^/a$", "/a"},
                                                                  {"/ab?", "/a"},
                                                                  {"/ab*c", "/a"},
                                                                  {"/ab+c", "/ab"},
                                                                  {"/ab{2}", "/a"},
                                                                  {"/a|/b", ""},
                                                                  {"/(a|b)/c", "/"},
                                                                  {"/a\\.b", "/a.b"},
                                                                  {"/a.b", "/a"},
                                                                  {"(?i)/a", ""},
                                                                  {"/[(]|b", ""},
                                                                  {"/a[]|]b", "/a"},
                                                                  {"/a+?b", "/"},
                                                                  {"/x[[:alpha:]]", "/x"}};
  for (const auto& [regex, prefix] : cases) {
    const auto items = outline_regex(regex);
    ASSERT_TRUE(items.has_value()) << regex;
    EXPECT_EQ(literal_prefix(*items), prefix) << regex;
  }
  EXPECT_EQ(outline_regex("/\\Qa"), std::nullopt);
}

}  // namespace
}  // namespace coronado
