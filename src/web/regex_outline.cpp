#include "web/regex_outline.hpp"

#include <coronado/base/strings.hpp>

#include <algorithm>

namespace coronado {
namespace {

constexpr std::size_t npos = std::string_view::npos;

// The index after the class that starts at `begin`, or npos. A ']' first in the class is literal,
// and "[:alpha:]" nests.
std::size_t skip_class(std::string_view regex, std::size_t begin) {
  std::size_t i = begin + 1;
  if (i < regex.size() && regex[i] == '^') ++i;
  if (i < regex.size() && regex[i] == ']') ++i;
  for (; i < regex.size(); ++i) {
    if (regex[i] == '\\') {
      ++i;
    } else if (regex.substr(i).starts_with("[:")) {
      i = regex.find(":]", i);
      if (i == npos) return npos;
      ++i;
    } else if (regex[i] == ']') {
      return i + 1;
    }
  }
  return npos;
}

struct Group {
  std::size_t end = npos;
  bool nested = false;
};

// The group that starts at `begin`.
Group skip_group(std::string_view regex, std::size_t begin) {
  Group group;
  int depth = 0;
  for (std::size_t i = begin; i < regex.size();) {
    switch (regex[i]) {
      case '\\': i += 2; continue;
      case '[':
        i = skip_class(regex, i);
        if (i == npos) return {};
        continue;
      case '(':
        group.nested = group.nested || depth > 0;
        ++depth;
        break;
      case ')':
        if (--depth == 0) {
          group.end = i + 1;
          return group;
        }
        break;
      default: break;
    }
    ++i;
  }
  return {};
}

// Reads the quantifiers after an item, with their lazy forms.
std::size_t read_quantifiers(std::string_view regex, std::size_t i, RegexItem& item) {
  for (; i < regex.size(); ++i) {
    const char c = regex[i];
    if (c != '?' && c != '*' && c != '+' && c != '{') break;
    item.repeated = true;
    item.optional = item.optional || c != '+';
    if (c == '{') {
      // "{" without a count is literal text in RE2; treating it as a count only costs the shortcut.
      item.kind = RegexItem::Kind::kOpaque;
      const std::size_t close = regex.find('}', i);
      if (close == npos) return regex.size();
      i = close;
    }
  }
  return i;
}

// The item at `i`; moves `i` behind it, to npos if it is not understood.
RegexItem read_item(std::string_view regex, std::size_t& i) {
  using Kind = RegexItem::Kind;
  const char c = regex[i];
  switch (c) {
    case '(': {
      const bool special =
          regex.substr(i).starts_with("(?") && !regex.substr(i).starts_with("(?P<");
      const Group group = skip_group(regex, i);
      i = group.end;
      return {special || group.nested ? Kind::kOpaque : Kind::kGroup};
    }
    case '[': i = skip_class(regex, i); return {Kind::kOpaque};
    case '\\': {
      const char escaped = i + 1 < regex.size() ? regex[i + 1] : 'a';
      i += 2;
      return is_ascii_letter(escaped) || is_ascii_digit(escaped)
                 ? RegexItem{Kind::kOpaque}
                 : RegexItem{Kind::kLiteral, escaped};
    }
    case '.': ++i; return {Kind::kAny};
    case '|': ++i; return {Kind::kBar};
    case '^':
    case '$': ++i; return {Kind::kOpaque};
    default: ++i; return {Kind::kLiteral, c};
  }
}

}  // namespace

std::optional<std::vector<RegexItem>> outline_regex(std::string_view regex) {
  if (regex.find("\\Q") != npos) return std::nullopt;
  if (regex.starts_with('^')) regex.remove_prefix(1);
  if (regex.ends_with('$') && !regex.ends_with("\\$")) regex.remove_suffix(1);
  std::vector<RegexItem> items;
  for (std::size_t i = 0; i < regex.size();) {
    RegexItem item = read_item(regex, i);
    if (i == npos) return std::nullopt;
    i = read_quantifiers(regex, i, item);
    items.push_back(item);
  }
  return items;
}

std::string literal_prefix(const std::vector<RegexItem>& items) {
  std::string prefix;
  if (std::ranges::find(items, RegexItem::Kind::kBar, &RegexItem::kind) != items.end())
    return prefix;
  for (const RegexItem& item : items) {
    if (item.kind != RegexItem::Kind::kLiteral || item.optional) break;
    prefix += item.literal;
    if (item.repeated) break;
  }
  return prefix;
}

}  // namespace coronado
