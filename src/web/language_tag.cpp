#include "web/language_tag.hpp"

#include <coronado/base/strings.hpp>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

namespace coronado::web {
namespace {

bool is_all(std::string_view text, bool (*is)(char) noexcept) {
  return std::ranges::all_of(text, is);
}

bool is_region(std::string_view part) {
  return (part.size() == 2 && is_all(part, is_ascii_letter)) ||
         (part.size() == 3 && is_all(part, is_ascii_digit));
}

bool is_letter_or_digit(char c) noexcept { return is_ascii_letter(c) || is_ascii_digit(c); }

std::string title_case(std::string_view word) {
  return ascii_upper(word.substr(0, 1)) + ascii_lower(word.substr(1));
}

/// The script that the tag means. Chinese is written in two; of other languages only the tag tells.
std::string_view script_of(const LanguageTag& tag) {
  if (!tag.script.empty() || tag.language != "zh") return tag.script;
  const bool traditional = tag.region == "TW" || tag.region == "HK" || tag.region == "MO";
  return traditional ? "Hant" : "Hans";
}

}  // namespace

std::string LanguageTag::text() const {
  std::string text = language;
  for (const std::string& part : {script, region}) {
    if (!part.empty()) text.append("_").append(part);
  }
  return text;
}

std::optional<LanguageTag> parse_language_tag(std::string_view code) {
  constexpr std::size_t kLongest = 64;
  if (code.size() > kLongest) return std::nullopt;
  std::string text(code);
  std::ranges::replace(text, '-', '_');
  const std::vector<std::string_view> parts = split(text, '_');
  const std::string_view language = parts.front();
  if (language.size() < 2 || language.size() > 3 || !is_all(language, is_ascii_letter)) {
    return std::nullopt;
  }
  LanguageTag tag{.language = ascii_lower(language)};
  std::size_t next = 1;
  if (next < parts.size() && parts[next].size() == 4 && is_all(parts[next], is_ascii_letter)) {
    tag.script = title_case(parts[next++]);
  }
  if (next < parts.size() && is_region(parts[next])) tag.region = ascii_upper(parts[next++]);
  for (; next < parts.size(); ++next) {
    if (parts[next].empty() || !is_all(parts[next], is_letter_or_digit)) return std::nullopt;
  }
  return tag;
}

bool have_one_script(const LanguageTag& a, const LanguageTag& b) {
  const std::string_view one = script_of(a);
  const std::string_view other = script_of(b);
  return a.language == b.language && (one == other || one.empty() || other.empty());
}

std::string likely_region(const LanguageTag& tag) {
  // CLDR's likely subtags, where they are not the language's own letters, as in "fr_FR".
  constexpr auto kRegions = std::to_array<std::pair<std::string_view, std::string_view>>({
      {"ar", "EG"}, {"bn", "BD"}, {"ca", "ES"}, {"cs", "CZ"}, {"da", "DK"},
      {"el", "GR"}, {"en", "US"}, {"et", "EE"}, {"fa", "IR"}, {"he", "IL"},
      {"hi", "IN"}, {"ja", "JP"}, {"ko", "KR"}, {"ms", "MY"}, {"nb", "NO"},
      {"pa", "IN"}, {"pt", "BR"}, {"sl", "SI"}, {"sr", "RS"}, {"sv", "SE"},
      {"sw", "TZ"}, {"ta", "IN"}, {"uk", "UA"}, {"ur", "PK"}, {"vi", "VN"},
  });
  if (tag.language == "zh") return script_of(tag) == "Hant" ? "TW" : "CN";
  for (const auto& [language, region] : kRegions) {
    if (language == tag.language) return std::string(region);
  }
  return ascii_upper(tag.language);
}

}  // namespace coronado::web
