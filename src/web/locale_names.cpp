#include "web/locale_names.hpp"

#include <algorithm>
#include <array>

namespace coronado::web::detail {
namespace {

constexpr auto kNames = std::to_array<LanguageName>({
    {"af", "Afrikaans", "Afrikaans"},
    {"am", "Amharic", "አማርኛ"},
    {"ar", "Arabic", "العربية"},
    {"bg", "Bulgarian", "Български"},
    {"bn", "Bengali", "বাংলা"},
    {"bs", "Bosnian", "Bosanski"},
    {"ca", "Catalan", "Català"},
    {"cs", "Czech", "Čeština"},
    {"cy", "Welsh", "Cymraeg"},
    {"da", "Danish", "Dansk"},
    {"de", "German", "Deutsch"},
    {"el", "Greek", "Ελληνικά"},
    {"en", "English", "English"},
    {"en_GB", "English (UK)", "English (UK)"},
    {"en_US", "English (US)", "English (US)"},
    {"eo", "Esperanto", "Esperanto"},
    {"es", "Spanish", "Español"},
    {"es_ES", "Spanish (Spain)", "Español (España)"},
    {"et", "Estonian", "Eesti"},
    {"eu", "Basque", "Euskara"},
    {"fa", "Persian", "فارسی"},
    {"fi", "Finnish", "Suomi"},
    {"fr", "French", "Français"},
    {"fr_CA", "French (Canada)", "Français (Canada)"},
    {"ga", "Irish", "Gaeilge"},
    {"gl", "Galician", "Galego"},
    {"he", "Hebrew", "עברית"},
    {"hi", "Hindi", "हिन्दी"},
    {"hr", "Croatian", "Hrvatski"},
    {"hu", "Hungarian", "Magyar"},
    {"hy", "Armenian", "Հայերեն"},
    {"id", "Indonesian", "Bahasa Indonesia"},
    {"is", "Icelandic", "Íslenska"},
    {"it", "Italian", "Italiano"},
    {"ja", "Japanese", "日本語"},
    {"ka", "Georgian", "ქართული"},
    {"kk", "Kazakh", "Қазақ тілі"},
    {"ko", "Korean", "한국어"},
    {"lt", "Lithuanian", "Lietuvių"},
    {"lv", "Latvian", "Latviešu"},
    {"mk", "Macedonian", "Македонски"},
    {"ml", "Malayalam", "മലയാളം"},
    {"ms", "Malay", "Bahasa Melayu"},
    {"nb", "Norwegian (Bokmål)", "Norsk (bokmål)"},
    {"nl", "Dutch", "Nederlands"},
    {"nn", "Norwegian (Nynorsk)", "Norsk (nynorsk)"},
    {"pa", "Punjabi", "ਪੰਜਾਬੀ"},
    {"pl", "Polish", "Polski"},
    {"pt", "Portuguese", "Português"},
    {"pt_BR", "Portuguese (Brazil)", "Português (Brasil)"},
    {"pt_PT", "Portuguese (Portugal)", "Português (Portugal)"},
    {"ro", "Romanian", "Română"},
    {"ru", "Russian", "Русский"},
    {"sk", "Slovak", "Slovenčina"},
    {"sl", "Slovenian", "Slovenščina"},
    {"sq", "Albanian", "Shqip"},
    {"sr", "Serbian", "Српски"},
    {"sv", "Swedish", "Svenska"},
    {"sw", "Swahili", "Kiswahili"},
    {"ta", "Tamil", "தமிழ்"},
    {"te", "Telugu", "తెలుగు"},
    {"th", "Thai", "ไทย"},
    {"tl", "Filipino", "Filipino"},
    {"tr", "Turkish", "Türkçe"},
    {"uk", "Ukrainian", "Українська"},
    {"ur", "Urdu", "اردو"},
    {"vi", "Vietnamese", "Tiếng Việt"},
    {"zh", "Chinese", "中文"},
    {"zh_CN", "Chinese (Simplified)", "中文(简体)"},
    {"zh_HK", "Chinese (Hong Kong)", "中文(香港)"},
    {"zh_Hans", "Chinese (Simplified)", "中文(简体)"},
    {"zh_Hant", "Chinese (Traditional)", "中文(繁體)"},
    {"zh_TW", "Chinese (Traditional)", "中文(繁體)"},
});

constexpr std::string_view kNoBreakSpace = "\u00A0";
constexpr std::string_view kNarrowNoBreakSpace = "\u202F";

struct StyledLanguages {
  NumberStyle style;
  std::string_view codes;  // between spaces
};
constexpr auto kStyles = std::to_array<StyledLanguages>({
    {{"’", "."}, " de_CH de_LI it_CH "},
    {{".", ","}, " bs ca da de el es eu gl hr id is it mk nl pt ro sl sq sr tr vi "},
    {{kNoBreakSpace, ","}, " af bg cs eo et fi hu hy ka kk lt lv nb nn no pl pt_PT ru sk sv uk "},
    {{kNarrowNoBreakSpace, ","}, " fr "},
});

std::string_view language_of(std::string_view code) { return code.substr(0, code.find('_')); }

}  // namespace

const LanguageName* language_name(std::string_view code) noexcept {
  for (const std::string_view wanted : {code, language_of(code)}) {
    const auto found = std::ranges::find(kNames, wanted, &LanguageName::code);
    if (found != kNames.end()) return &*found;
  }
  return nullptr;
}

NumberStyle number_style(std::string_view code) noexcept {
  const auto listed = [](std::string_view codes, std::string_view wanted) {
    const std::size_t at = codes.find(wanted);
    return at != std::string_view::npos && codes[at - 1] == ' ' && codes[at + wanted.size()] == ' ';
  };
  for (const std::string_view wanted : {code, language_of(code)}) {
    for (const StyledLanguages& each : kStyles) {
      if (!wanted.empty() && listed(each.codes, wanted)) return each.style;
    }
  }
  return {",", "."};
}

}  // namespace coronado::web::detail
