#include "web/route_pattern.hpp"

#include <coronado/base/error.hpp>
#include <coronado/base/escape.hpp>
#include <coronado/base/strings.hpp>

#include <algorithm>
#include <utility>

#include "base/regex.hpp"
#include "web/regex_outline.hpp"

namespace coronado {

Regex re(std::string_view text) { return Regex{std::string(text)}; }

Pattern::Pattern(const char* text) : text_(text) {}
Pattern::Pattern(std::string_view text) : text_(text) {}
Pattern::Pattern(std::string text) : text_(std::move(text)) {}
Pattern::Pattern(Regex regex) : text_(std::move(regex.text)), is_regex_(true) {}
Pattern::Pattern(const Pattern&) = default;
Pattern::Pattern(Pattern&&) noexcept = default;
Pattern& Pattern::operator=(const Pattern&) = default;
Pattern& Pattern::operator=(Pattern&&) noexcept = default;
Pattern::~Pattern() = default;

namespace {

constexpr std::string_view kMetacharacters = R"(\.+*?()|[]{}^$)";

struct KindName {
  std::string_view name;
  ParameterKind kind;
  std::string_view regex;
};

constexpr KindName kKinds[] = {
    {"", ParameterKind::kSegment, "([^/]+)"},
    {"int", ParameterKind::kInt, "(-?[0-9]+)"},
    {"uint", ParameterKind::kUint, "([0-9]+)"},
    {"float", ParameterKind::kFloat, "(-?[0-9]+(?:\\.[0-9]+)?)"},
    {"slug", ParameterKind::kSlug, "([A-Za-z0-9_-]+)"},
    {"uuid", ParameterKind::kUUID,
     "([0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12})"},
    {"path", ParameterKind::kPath, "(.*)"},
};

const KindName* find_kind(std::string_view name) {
  const auto* found = std::ranges::find(kKinds, name, &KindName::name);
  return found == std::end(kKinds) ? nullptr : found;
}

bool is_name(std::string_view name) {
  if (name.empty() || is_ascii_digit(name[0])) return false;
  return std::ranges::all_of(
      name, [](char c) { return is_ascii_letter(c) || is_ascii_digit(c) || c == '_'; });
}

bool is_float(std::string_view value) {
  if (value.starts_with('-')) value.remove_prefix(1);
  const std::size_t dot = std::min(value.find('.'), value.size());
  const std::string_view whole = value.substr(0, dot);
  if (whole.empty() || !std::ranges::all_of(whole, is_ascii_digit)) return false;
  if (dot == value.size()) return true;
  const std::string_view fraction = value.substr(dot + 1);
  return !fraction.empty() && std::ranges::all_of(fraction, is_ascii_digit);
}

bool is_uuid(std::string_view value) {
  if (value.size() != 36) return false;
  for (std::size_t i = 0; i < value.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? value[i] != '-' : hex_value(value[i]) < 0) return false;
  }
  return true;
}

void append_quoted(std::string& regex, std::string_view literal) {
  for (char c : literal) {
    if (kMetacharacters.find(c) != std::string_view::npos) regex += '\\';
    regex += c;
  }
}

}  // namespace

bool accepts(ParameterKind kind, std::string_view value) noexcept {
  switch (kind) {
    case ParameterKind::kSegment: return !value.empty();
    case ParameterKind::kInt: return parse_int<std::int64_t>(value).has_value();
    case ParameterKind::kUint: return parse_int<std::uint64_t>(value).has_value();
    case ParameterKind::kFloat: return is_float(value);
    case ParameterKind::kSlug:
      return !value.empty() && std::ranges::all_of(value, [](char c) {
        return is_ascii_letter(c) || is_ascii_digit(c) || c == '-' || c == '_';
      });
    case ParameterKind::kUUID: return is_uuid(value);
    case ParameterKind::kPath: return true;
    case ParameterKind::kGroup: return true;
  }
  return false;
}

PathPattern::PathPattern(const Pattern& pattern) : text_(pattern.text()) {
  if (pattern.is_regex()) {
    parse_regex();
  } else {
    parse_braces();
  }
}

void PathPattern::fail(std::string_view why, std::size_t place) const {
  throw UsageError("route pattern '" + text_ + "': " + std::string(why) + " at offset " +
                   std::to_string(place));
}

// ---- brace patterns

void PathPattern::parse_braces() {
  if (!text_.starts_with('/') && text_ != "*") fail("a path starts with '/',", 0);
  std::string literal;
  const auto flush = [&] {
    if (!literal.empty()) pieces_.push_back({false, ParameterKind::kSegment, literal});
    literal.clear();
  };
  for (std::size_t i = 0; i < text_.size(); ++i) {
    const char c = text_[i];
    if (static_cast<unsigned char>(c) <= ' ' || c == 0x7f || c == '?' || c == '#') {
      fail("a character that no path can hold", i);
    }
    if (c != '{' && c != '}') {
      literal += c;
    } else if (i + 1 < text_.size() && text_[i + 1] == c) {
      literal += c;
      ++i;
    } else if (c == '}') {
      fail("'}' without '{'", i);
    } else {
      const std::size_t close = text_.find_first_of("{}/", i + 1);
      if (close == std::string::npos || text_[close] != '}') fail("'{' without '}'", i);
      flush();
      add_parameter(std::string_view(text_).substr(i + 1, close - i - 1), i);
      i = close;
    }
  }
  flush();
  check_neighbours();
  if (!pieces_.empty() && !pieces_[0].is_parameter) literal_prefix_ = pieces_[0].text;
  if (has_crowded_segment()) regex_ = to_regex();
  reversal_ = pieces_;
}

void PathPattern::add_parameter(std::string_view body, std::size_t place) {
  const std::size_t colon = std::min(body.find(':'), body.size());
  const std::string name(body.substr(0, colon));
  const KindName* kind =
      find_kind(colon == body.size() ? std::string_view() : body.substr(colon + 1));
  if (!is_name(name)) fail("'" + name + "' is not a parameter name", place);
  if (kind == nullptr || (kind->name.empty() && colon != body.size())) {
    fail("unknown parameter type '" + std::string(body.substr(colon + 1)) +
             "' (int, uint, float, slug, uuid, path)",
         place);
  }
  if (std::ranges::find(names_, name) != names_.end()) {
    fail("the parameter name '" + name + "' is used twice,", place);
  }
  if (names_.size() == RouteParameters::kMax) {
    fail("more than " + std::to_string(RouteParameters::kMax) + " parameters", place);
  }
  names_.push_back(name);
  kinds_.push_back(kind->kind);
  pieces_.push_back({true, kind->kind, name});
}

void PathPattern::check_neighbours() const {
  for (std::size_t i = 0; i + 1 < pieces_.size(); ++i) {
    if (!pieces_[i].is_parameter) continue;
    const std::size_t place = text_.find('{' + pieces_[i].text);
    if (pieces_[i].kind == ParameterKind::kPath) {
      fail("'{" + pieces_[i].text + ":path}' takes all the rest and must be last,", place);
    }
    if (pieces_[i + 1].is_parameter) {
      fail("nothing separates '" + pieces_[i].text + "' and '" + pieces_[i + 1].text + "'", place);
    }
  }
}

// Two parameters in one segment: where the first ends is a search, which RE2 does in linear time.
bool PathPattern::has_crowded_segment() const {
  for (std::size_t i = 0; i + 2 < pieces_.size(); ++i) {
    if (pieces_[i].is_parameter && pieces_[i + 1].text.find('/') == std::string::npos) return true;
  }
  return false;
}

std::string PathPattern::to_regex() const {
  std::string regex;
  for (const PatternPiece& piece : pieces_) {
    if (piece.is_parameter) {
      regex += std::ranges::find(kKinds, piece.kind, &KindName::kind)->regex;
    } else {
      append_quoted(regex, piece.text);
    }
  }
  return regex;
}

// ---- regular expressions

void PathPattern::parse_regex() {
  if (text_.empty()) fail("an empty regular expression matches no path,", 0);
  regex_ = text_;
  names_ = CompiledRegex(text_).group_names();
  if (names_.size() > RouteParameters::kMax) {
    fail("more than " + std::to_string(RouteParameters::kMax) + " groups", 0);
  }
  const auto named = std::ranges::count_if(names_, [](const auto& name) { return !name.empty(); });
  if (named != 0 && static_cast<std::size_t>(named) != names_.size()) {
    throw UsageError("route pattern '" + text_ +
                     "': groups must be either all named or all positional");
  }
  kinds_.assign(names_.size(), ParameterKind::kGroup);
  plan_regex_reversal();
}

void PathPattern::plan_regex_reversal() {
  reversible_ = false;
  const auto items = outline_regex(text_);
  if (!items) return;
  literal_prefix_ = coronado::literal_prefix(*items);
  std::size_t groups = 0;
  PatternPiece literal;
  for (const RegexItem& item : *items) {
    if (item.kind == RegexItem::Kind::kLiteral) {
      literal.text += item.literal;
    } else if (item.kind == RegexItem::Kind::kAny && !item.repeated) {
      literal.text += '.';  // as in "/index.html", where the dot was not escaped
    } else if (item.kind == RegexItem::Kind::kGroup) {
      if (!literal.text.empty()) reversal_.push_back(std::exchange(literal, {}));
      reversal_.push_back({true, ParameterKind::kGroup, {}});
      ++groups;
    } else {
      return;
    }
  }
  if (!literal.text.empty()) reversal_.push_back(literal);
  reversible_ = groups == names_.size();
}

// ---- URLs

std::string PathPattern::reverse(std::span<const std::string_view> arguments) const {
  if (!reversible_) {
    throw UsageError("cannot reverse url regex '" + text_ + "': it is too complicated");
  }
  if (arguments.size() != names_.size()) {
    throw UsageError("cannot reverse '" + text_ + "': it takes " + std::to_string(names_.size()) +
                     " arguments, not " + std::to_string(arguments.size()));
  }
  std::string url;
  std::size_t next = 0;
  for (const PatternPiece& piece : reversal_) {
    if (!piece.is_parameter) {
      url += piece.text;
      continue;
    }
    const bool keeps_slash =
        piece.kind == ParameterKind::kPath || piece.kind == ParameterKind::kGroup;
    const std::size_t begin = url.size();
    append_url_escaped(url, arguments[next], keeps_slash ? URLPart::kPath : URLPart::kSegment);
    if (!accepts(piece.kind, std::string_view(url).substr(begin))) {
      throw UsageError("cannot reverse '" + text_ + "': the argument '" +
                       std::string(arguments[next]) + "' does not fit '" + piece.text + "'");
    }
    ++next;
  }
  return url;
}

}  // namespace coronado
