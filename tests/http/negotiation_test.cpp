#include <coronado/http/negotiation.hpp>

#include <gtest/gtest.h>

#include "tests/http/server_fixture.hpp"

namespace coronado {
namespace {

constexpr std::string_view kBrowser =
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8";

TEST(ChooseMediaType, TakesWhatWeighsMost) {
  EXPECT_EQ(choose_media_type(kBrowser, {"application/json", "text/html"}), "text/html");
  EXPECT_EQ(choose_media_type(kBrowser, {"application/json", "text/plain"}), "application/json");
  EXPECT_EQ(choose_media_type("application/json;q=0.5, text/html;q=0.4",
                              {"text/html", "application/json"}),
            "application/json");
  EXPECT_EQ(choose_media_type("TEXT/HTML", {"text/html"}), "text/html");
}

TEST(ChooseMediaType, TheClosestRangeCounts) {
  // The example of RFC 9110 12.5.1.
  constexpr std::string_view accept =
      "text/*;q=0.3, text/plain;q=0.7, text/plain;format=flowed, text/plain;format=fixed;q=0.4, "
      "*/*;q=0.5";
  const auto prefers = [&](std::string_view better, std::string_view worse) {
    return choose_media_type(accept, {worse, better}) == better;
  };
  EXPECT_TRUE(prefers("text/plain;format=flowed", "text/plain"));  // 1 and 0.7
  EXPECT_TRUE(prefers("text/plain", "image/jpeg"));                // 0.7 and 0.5
  EXPECT_TRUE(prefers("image/jpeg", "text/plain;format=fixed"));   // 0.5 and 0.4
  EXPECT_TRUE(prefers("text/plain; format=fixed", "text/html"));   // 0.4 and 0.3
  EXPECT_FALSE(choose_media_type("text/*, text/html;q=0", {"text/html"}));
  EXPECT_EQ(choose_media_type("text/html;level=1", {"text/html"}), std::nullopt);
}

TEST(ChooseMediaType, WithoutAFieldTheFirstOfferIsTaken) {
  EXPECT_EQ(choose_media_type("", {"a/b", "c/d"}), "a/b");
  EXPECT_EQ(choose_media_type("*/*", {"a/b", "c/d"}), "a/b");
  EXPECT_EQ(choose_media_type("", {}), std::nullopt);
}

TEST(ChooseMediaType, NothingSuits) {
  EXPECT_EQ(choose_media_type("image/png", {"text/html"}), std::nullopt);
  EXPECT_EQ(choose_media_type("*/*;q=0", {"text/html"}), std::nullopt);
  EXPECT_EQ(choose_media_type("text/*", {"textual/html"}), std::nullopt);
}

TEST(ChooseMediaType, MalformedElementsAreLeftOut) {
  for (const std::string_view bad : {"text/html;q=2", "text/html;q=x", "text/html;q=0.1234", "text",
                                     "/", "*", ";q=1", "text/html;q="}) {
    EXPECT_EQ(choose_media_type(std::string(bad) + ", a/b;q=0.1", {"text/html", "a/b"}), "a/b")
        << bad;
  }
}

TEST(ChooseLanguage, TakesALanguageForItsRegionsAndTheOtherWayRound) {
  EXPECT_EQ(choose_language("da, en-gb;q=0.8, en;q=0.7", {"en", "da"}), "da");
  EXPECT_EQ(choose_language("en", {"de", "en-GB"}), "en-GB");
  EXPECT_EQ(choose_language("de-CH, fr;q=0.5", {"fr", "de"}), "de");
  EXPECT_EQ(choose_language("en;q=0.9, en-US;q=0.1", {"en-US", "en-GB"}), "en-GB");
  EXPECT_EQ(choose_language("en, *;q=0.5, fr;q=0", {"fr", "it"}), "it");
  EXPECT_EQ(choose_language("e", {"en"}), std::nullopt);
  EXPECT_EQ(choose_language("", {"zh", "en"}), "zh");
}

TEST(ChooseCharset, TakesWhatWeighsMost) {
  EXPECT_EQ(choose_charset("iso-8859-5, UTF-8;q=0.8", {"utf-8", "iso-8859-5"}), "iso-8859-5");
  EXPECT_EQ(choose_charset("*;q=0.1, utf-8;q=0", {"utf-8", "koi8-r"}), "koi8-r");
}

TEST(ChooseMediaType, AllFieldsOfARequestCount) {
  http_test::ServerBench bench;
  bench.service.on("/", [](HTTPExchange& exchange) -> Task<> {
    const HTTPServerRequest& request = exchange.request();
    std::string said(choose_media_type(request, {"text/html", "text/plain"}).value_or("none"));
    said += std::string(" ") + std::string(choose_language(request, {"en", "de"}).value_or("none"));
    said += std::string(" ") + std::string(choose_charset(request, {"utf-8"}).value_or("none"));
    http_test::respond_text(exchange, said);
    co_return;
  });
  auto client = bench.connect();
  EXPECT_EQ(
      bench
          .run(http_test::ask(*client, http_test::get("/",
                                                      "Accept: image/png\r\nAccept: text/plain\r\n"
                                                      "Accept-Language: de\r\n"
                                                      "Accept-Charset: koi8-r\r\n")))
          .body,
      "text/plain de none");
}

}  // namespace
}  // namespace coronado
