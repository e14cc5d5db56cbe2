#include <coronado/http/content_coding.hpp>

#include <gtest/gtest.h>

namespace coronado {
namespace {

constexpr ContentCoding kOffered[] = {ContentCoding::kZstd, ContentCoding::kBrotli,
                                      ContentCoding::kGzip};

/// The name of what is chosen, "-" for nothing, with a "!" when identity is refused.
std::string chosen(std::string_view accept) {
  const CodingChoice choice = choose_content_coding(accept, kOffered);
  std::string text(choice.coding ? to_string(*choice.coding) : "-");
  return choice.identity_allowed ? text : text + "!";
}

TEST(ContentCodingTest, Names) {
  for (const ContentCoding coding : {ContentCoding::kGzip, ContentCoding::kDeflate,
                                     ContentCoding::kBrotli, ContentCoding::kZstd}) {
    EXPECT_EQ(parse_content_coding(to_string(coding)), coding);
  }
  EXPECT_EQ(parse_content_coding("GZip"), ContentCoding::kGzip);
  EXPECT_EQ(parse_content_coding("x-gzip"), ContentCoding::kGzip);
  EXPECT_EQ(parse_content_coding("compress"), std::nullopt);
  EXPECT_EQ(parse_content_coding(""), std::nullopt);
}

TEST(ContentCodingTest, TheServersOrderDecidesAmongEquals) {
  EXPECT_EQ(chosen("gzip, deflate, br, zstd"), "zstd");
  EXPECT_EQ(chosen("gzip, br"), "br");
  EXPECT_EQ(chosen("gzip"), "gzip");
  EXPECT_EQ(chosen("deflate"), "-");
  constexpr ContentCoding kGzipFirst[] = {ContentCoding::kGzip, ContentCoding::kZstd};
  EXPECT_EQ(choose_content_coding("zstd, gzip", kGzipFirst).coding, ContentCoding::kGzip);
}

TEST(ContentCodingTest, WeightsDecideBeforeIt) {
  EXPECT_EQ(chosen("gzip, br;q=0.9, zstd;q=0.001"), "gzip");
  EXPECT_EQ(chosen("gzip;q=0.5, br;q=0.501"), "br");
  EXPECT_EQ(chosen("gzip ; Q=0.5 , br ;q=0.4"), "gzip");
  EXPECT_EQ(chosen("gzip;q=0"), "-");
  EXPECT_EQ(chosen("gzip;q=0.000, br"), "br");
  EXPECT_EQ(chosen("gzip;level=9;q=0, br;q=0.1"), "br");
}

TEST(ContentCodingTest, TheStarIsWhatIsNotNamed) {
  EXPECT_EQ(chosen("*"), "zstd");
  EXPECT_EQ(chosen("*, zstd;q=0"), "br");
  EXPECT_EQ(chosen("*;q=0.5, gzip"), "gzip");
  EXPECT_EQ(chosen("gzip, *;q=0"), "gzip!");
  EXPECT_EQ(chosen("*;q=0"), "-!");
  EXPECT_EQ(chosen("*;q=0, identity"), "-");
}

TEST(ContentCodingTest, IdentityMayBeForbiddenOrPreferred) {
  EXPECT_EQ(chosen("identity;q=0, gzip"), "gzip!");
  EXPECT_EQ(chosen("identity;q=0"), "-!");
  EXPECT_EQ(chosen("identity"), "-");
  EXPECT_EQ(chosen("identity, gzip;q=0.9"), "-");
  EXPECT_EQ(chosen("identity;q=0.5, gzip;q=0.9"), "gzip");
  EXPECT_EQ(chosen("identity, gzip"), "gzip");
}

TEST(ContentCodingTest, WhatIsMalformedIsLeftOut) {
  EXPECT_EQ(chosen(""), "-");
  EXPECT_EQ(chosen(",, ,gzip,"), "gzip");
  for (const char* weight : {"", "x", "2", "1.1", "0.5x", "-1", "0.1234", ".5", "1.001"}) {
    EXPECT_EQ(chosen("br;q=" + std::string(weight) + ", gzip;q=0.1"), "gzip") << weight;
  }
  EXPECT_EQ(chosen("br;q=1.000, gzip"), "br");
  EXPECT_EQ(chosen("br;q=1., gzip;q=0.9"), "br");
  EXPECT_EQ(chosen("gzip deflate"), "-");
}

}  // namespace
}  // namespace coronado
