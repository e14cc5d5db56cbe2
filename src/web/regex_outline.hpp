/// The outermost layer of a regular expression: enough to index a route by its literal start and to
/// build a URL from it, as Tornado's `reverse_url` does.
///
/// Layer: web.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace coronado {

struct RegexItem {
  enum class Kind {
    kLiteral,  ///< the character `literal`
    kAny,      ///< '.'
    kGroup,    ///< a capturing group without another group inside
    kBar,      ///< '|'
    kOpaque,   ///< anything else: a class, a nested or special group, an anchor inside
  };
  Kind kind;
  char literal = 0;
  bool repeated = false;  ///< a quantifier follows
  bool optional = false;  ///< the quantifier allows no occurrence
};

/// The items of a valid expression, in order, without the '^' and '$' around it. None when it uses
/// syntax that is not understood here; it may still be matched.
std::optional<std::vector<RegexItem>> outline_regex(std::string_view regex);

/// Text that every match starts with; may be empty.
std::string literal_prefix(const std::vector<RegexItem>& items);

}  // namespace coronado
