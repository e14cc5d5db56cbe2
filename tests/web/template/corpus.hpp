/// The pages of tests/web/templates/corpus, and the names they use. Tornado renders the same bytes.
#pragma once

#include <coronado/base/describe.hpp>
#include <coronado/base/json.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace coronado::web::template_test {

inline constexpr const char* kCorpus = "tests/web/templates/corpus";
/// What other pages include; alone it has a name too few.
inline constexpr std::string_view kPart = "part.txt";

struct CorpusNames {
  std::string html = "<b> & \"'";
  std::string name = "Ada";
  int n = 7;
  int big = 1234567;
  int neg = -42;
  double f = 2.5;
  double tiny = 0.000123;
  std::vector<int> xs = {3, 1, 2};
  std::vector<int> empty = {};
  std::optional<int> none = std::nullopt;
  bool yes = true;
  std::vector<std::string> words = {"b", "a", "c"};
  Json d = json_decode(R"({"k": "v", "x": 1})");
  Json pairs = json_decode(R"([[1, "a"], [2, "b"]])");
  Json people = json_decode(R"([{"name": "Ann", "age": 30}, {"name": "Bob", "age": 17}])");
  std::string text = "  some  text \n with   lines  ";
};
BOOST_DESCRIBE_STRUCT(CorpusNames, (),
                      (html, name, n, big, neg, f, tiny, xs, empty, none, yes, words, d, pairs,
                       people, text))

}  // namespace coronado::web::template_test
