/// Which form of a text is for how many things, by the language alone: for catalogues that bring no rule.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace coronado::web {

/// The forms that languages have; each has some of them, and all have `kOther`.
enum class PluralCategory : unsigned char { kZero, kOne, kTwo, kFew, kMany, kOther };
inline constexpr std::size_t kPluralCategories = 6;

/// "zero", "one", "two", "few", "many" or "other".
std::optional<PluralCategory> parse_plural_category(std::string_view name) noexcept;

/// The form for `n` things in the language of a code such as "ru" or "pt_PT"; as in English for those
/// that are not known.
/// Spec  Unicode CLDR, Language Plural Rules, for whole numbers.
PluralCategory plural_category(std::string_view code, std::uint64_t n);

}  // namespace coronado::web
