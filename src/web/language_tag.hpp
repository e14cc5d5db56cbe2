/// The codes of languages: "de", "pt_BR", "zh-Hant-TW".
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace coronado::web {

/// The parts of a code that tell catalogues apart.
struct LanguageTag {
  std::string language;     ///< "zh"
  std::string script = {};  ///< "Hant"; empty: that of the language and region.
  std::string region = {};  ///< "TW", "419"; empty: any.

  /// With underscores between, as files and folders are named.
  std::string text() const;

  friend bool operator==(const LanguageTag&, const LanguageTag&) = default;
};

/// What `code` says, in the right case, whatever its own; variants and extensions are left out.
/// Returns  Nothing  It is no such code.
/// Spec     RFC 5646 2.1, with "_" as good as "-".
std::optional<LanguageTag> parse_language_tag(std::string_view code);

/// True when who reads one can read the other: the language is one, and the script is. Of scripts only
/// Chinese knows more than is written in the tags.
bool have_one_script(const LanguageTag& a, const LanguageTag& b);

/// The region most speakers of the language are of, in the tag's script: "CN" for "zh".
std::string likely_region(const LanguageTag& tag);

}  // namespace coronado::web
