/// What languages are called, and what their numbers look like.
#pragma once

#include <string_view>

namespace coronado::web::detail {

struct LanguageName {
  std::string_view code;
  std::string_view english;
  std::string_view native;
};

/// The names of a locale, by its whole code or by its language; null when nobody has told us.
const LanguageName* language_name(std::string_view code) noexcept;

struct NumberStyle {
  std::string_view group;    ///< between thousands
  std::string_view decimal;  ///< before the fraction
};

/// Of a language without its country, or "de_CH" where the country writes otherwise.
/// Spec  Unicode CLDR, "numbers".
NumberStyle number_style(std::string_view code) noexcept;

}  // namespace coronado::web::detail
