#include "web/plural_category.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "web/plural_rule.hpp"

namespace coronado::web {
namespace {

using Categories = std::vector<PluralCategory>;

constexpr std::array<std::string_view, kPluralCategories> kNames{"zero", "one",  "two",
                                                                 "few",  "many", "other"};

struct LanguageRule {
  std::string codes;  // between spaces
  PluralRule rule;
  Categories categories;  // of the rule's forms
};

std::vector<LanguageRule> make_rules() {
  using enum PluralCategory;
  const Categories one_other{kOne, kOther};
  const Categories one_many_other{kOne, kMany, kOther};
  const Categories one_few_other{kOne, kFew, kOther};
  const auto rule = [](const char* expression, const Categories& categories) {
    return PluralRule("nplurals=" + std::to_string(categories.size()) + "; plural=" + expression);
  };
  // The first that has the code is taken, so that "pt_PT" stands before "pt".
  std::vector<LanguageRule> rules;
  const auto add = [&](const char* codes, const Categories& categories, const char* expression) {
    rules.push_back({codes, rule(expression, categories), categories});
  };
  add(" id ja ko ms th vi zh ", {kOther}, "0");
  add(" ca es it pt_PT ", one_many_other, "n == 1 ? 0 : n != 0 && n % 1000000 == 0 ? 1 : 2");
  add(" fr pt ", one_many_other, "n <= 1 ? 0 : n % 1000000 == 0 ? 1 : 2");
  add(" am bn fa hi hy pa ", one_other, "n > 1");
  add(" is mk ", one_other, "n % 10 == 1 && n % 100 != 11 ? 0 : 1");
  add(" tl ", one_other, "n >= 1 && n <= 3 || n % 10 != 4 && n % 10 != 6 && n % 10 != 9 ? 0 : 1");
  add(" ru uk ", {kOne, kFew, kMany},
      "n % 10 == 1 && n % 100 != 11 ? 0 : "
      "n % 10 >= 2 && n % 10 <= 4 && (n % 100 < 12 || n % 100 > 14) ? 1 : 2");
  add(" bs hr sr ", one_few_other,
      "n % 10 == 1 && n % 100 != 11 ? 0 : "
      "n % 10 >= 2 && n % 10 <= 4 && (n % 100 < 12 || n % 100 > 14) ? 1 : 2");
  add(" pl ", {kOne, kFew, kMany},
      "n == 1 ? 0 : n % 10 >= 2 && n % 10 <= 4 && (n % 100 < 12 || n % 100 > 14) ? 1 : 2");
  add(" cs sk ", one_few_other, "n == 1 ? 0 : n >= 2 && n <= 4 ? 1 : 2");
  add(" lt ", one_few_other,
      "n % 100 > 10 && n % 100 < 20 || n % 10 == 0 ? 2 : n % 10 == 1 ? 0 : 1");
  add(" lv ", {kZero, kOne, kOther},
      "n % 10 == 0 || n % 100 >= 11 && n % 100 <= 19 ? 0 : n % 10 == 1 ? 1 : 2");
  add(" ro ", one_few_other, "n == 1 ? 0 : n == 0 || n % 100 >= 1 && n % 100 <= 19 ? 1 : 2");
  add(" sl ", {kOne, kTwo, kFew, kOther},
      "n % 100 == 1 ? 0 : n % 100 == 2 ? 1 : n % 100 == 3 || n % 100 == 4 ? 2 : 3");
  add(" he ", {kOne, kTwo, kOther}, "n == 1 ? 0 : n == 2 ? 1 : 2");
  add(" ga ", {kOne, kTwo, kFew, kMany, kOther},
      "n == 1 ? 0 : n == 2 ? 1 : n >= 3 && n <= 6 ? 2 : n >= 7 && n <= 10 ? 3 : 4");
  add(" cy ", {kZero, kOne, kTwo, kFew, kMany, kOther},
      "n == 0 ? 0 : n == 1 ? 1 : n == 2 ? 2 : n == 3 ? 3 : n == 6 ? 4 : 5");
  add(" ar ", {kZero, kOne, kTwo, kFew, kMany, kOther},
      "n == 0 ? 0 : n == 1 ? 1 : n == 2 ? 2 : n % 100 >= 3 && n % 100 <= 10 ? 3 : "
      "n % 100 >= 11 ? 4 : 5");
  return rules;
}

/// The rule of a language; null: that of English.
const LanguageRule* find_rule(std::string_view code) {
  static const std::vector<LanguageRule> rules = make_rules();
  for (const std::string_view wanted : {code, code.substr(0, code.find('_'))}) {
    const std::string between = ' ' + std::string(wanted) + ' ';
    const auto found = std::ranges::find_if(
        rules, [&](const LanguageRule& each) { return each.codes.contains(between); });
    if (found != rules.end()) return &*found;
  }
  return nullptr;
}

}  // namespace

std::optional<PluralCategory> parse_plural_category(std::string_view name) noexcept {
  const auto found = std::ranges::find(kNames, name);
  if (found == kNames.end()) return std::nullopt;
  return static_cast<PluralCategory>(found - kNames.begin());
}

PluralCategory plural_category(std::string_view code, std::uint64_t n) {
  const LanguageRule* rule = find_rule(code);
  if (rule == nullptr) return n == 1 ? PluralCategory::kOne : PluralCategory::kOther;
  return rule->categories[rule->rule.form_of(n)];
}

}  // namespace coronado::web
