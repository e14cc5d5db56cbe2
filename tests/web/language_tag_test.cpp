#include "web/language_tag.hpp"

#include <gtest/gtest.h>

namespace coronado::web {
namespace {

std::string parsed(std::string_view code) {
  const std::optional<LanguageTag> tag = parse_language_tag(code);
  return tag ? tag->text() : "none";
}

TEST(LanguageTag, PartsInTheirCase) {
  EXPECT_EQ(parsed("de"), "de");
  EXPECT_EQ(parsed("PT-br"), "pt_BR");
  EXPECT_EQ(parsed("zh_hANT_tw"), "zh_Hant_TW");
  EXPECT_EQ(parsed("sr-latn"), "sr_Latn");
  EXPECT_EQ(parsed("es-419"), "es_419");
  EXPECT_EQ(parsed("fil"), "fil");
}

TEST(LanguageTag, VariantsAndExtensionsAreLeftOut) {
  EXPECT_EQ(parsed("de-CH-1901"), "de_CH");
  EXPECT_EQ(parsed("zh-Hans-CN-u-nu-hanidec"), "zh_Hans_CN");
  EXPECT_EQ(parsed("sl-rozaj"), "sl");
}

TEST(LanguageTag, OthersAreNone) {
  for (const char* code :
       {"", "a", "german", "a-b", "12", "de-", "de--AT", "*", "de@euro", "d\xC3"}) {
    EXPECT_EQ(parsed(code), "none") << code;
  }
  EXPECT_EQ(parsed("de-" + std::string(100, 'a')), "none");
}

TEST(LanguageTag, ScriptsOfChinese) {
  const auto alike = [](const char* a, const char* b) {
    return have_one_script(*parse_language_tag(a), *parse_language_tag(b));
  };
  EXPECT_TRUE(alike("zh", "zh_CN"));
  EXPECT_TRUE(alike("zh_TW", "zh_HK"));
  EXPECT_TRUE(alike("zh_Hant", "zh_MO"));
  EXPECT_TRUE(alike("zh_Hans_HK", "zh_SG"));
  EXPECT_FALSE(alike("zh_TW", "zh"));
  EXPECT_FALSE(alike("zh_Hant_CN", "zh_CN"));
  EXPECT_TRUE(alike("pt", "pt_BR"));
  EXPECT_FALSE(alike("pt", "es"));
  EXPECT_TRUE(alike("sr", "sr_Latn"));
  EXPECT_FALSE(alike("sr_Cyrl", "sr_Latn"));
}

TEST(LanguageTag, WhereMostSpeakIt) {
  const auto region = [](const char* code) { return likely_region(*parse_language_tag(code)); };
  EXPECT_EQ(region("zh"), "CN");
  EXPECT_EQ(region("zh_HK"), "TW");
  EXPECT_EQ(region("zh_Hant"), "TW");
  EXPECT_EQ(region("pt_PT"), "BR");
  EXPECT_EQ(region("en"), "US");
  EXPECT_EQ(region("fr_CA"), "FR");
}

}  // namespace
}  // namespace coronado::web
