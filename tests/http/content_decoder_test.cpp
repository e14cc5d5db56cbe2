#include "http/content_decoder.hpp"

#include <gtest/gtest.h>

#include <cstdint>

#include "tests/http/coded_body.hpp"

namespace coronado::http_test {
namespace {

using Status = ContentDecoder::Status;

constexpr std::uint64_t kNoLimit = UINT64_MAX;

struct Decoded {
  std::string text;
  std::string error;
  bool too_large = false;
  bool complete = false;
  std::size_t most = 0;  // of one call
};

/// All of `bytes`, given and taken in pieces.
Decoded decode(std::string_view coding, std::string_view bytes, std::size_t in, std::size_t out,
               std::uint64_t max_size = kNoLimit, std::uint32_t max_ratio = 0) {
  auto decoder = ContentDecoder::make(coding, max_size, max_ratio);
  Decoded result;
  std::string kept;
  for (std::size_t at = 0; at < bytes.size(); at += in) {
    kept.append(bytes.substr(at, in));
    Status status = Status::kFull;
    while (status == Status::kFull) {
      std::string_view rest = kept;
      const std::size_t before = result.text.size();
      status = decoder->decode(rest, out, result.text);
      kept.erase(0, kept.size() - rest.size());
      result.most = std::max(result.most, result.text.size() - before);
    }
    if (status == Status::kError) {
      result.error = decoder->error();
      result.too_large = decoder->too_large();
      std::string_view rest = kept;
      std::string more;
      EXPECT_EQ(decoder->decode(rest, out, more), Status::kError);
      EXPECT_EQ(more, "");
      return result;
    }
    EXPECT_TRUE(kept.empty());
  }
  result.complete = decoder->complete();
  return result;
}

class EachCoding : public ::testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(ContentDecoder, EachCoding,
                         ::testing::Values("gzip", "deflate", "br", "zstd"),
                         [](const auto& parameter) { return std::string(parameter.param); });

TEST_P(EachCoding, InPiecesOfAnySize) {
  for (const std::size_t size : {1UL, 100UL, 100'000UL}) {
    const std::string text = some_text(size);
    const std::string bytes = packed(GetParam(), text);
    for (const std::size_t in : {std::size_t{1}, std::size_t{500}, bytes.size()}) {
      for (const std::size_t out : {std::size_t{7}, std::size_t{16'384}, SIZE_MAX}) {
        if (in == 1 && size > 1000 && out < 1000) continue;  // slow, and tells no more
        const Decoded got = decode(GetParam(), bytes, in, out);
        EXPECT_EQ(got.text, text);
        EXPECT_TRUE(got.complete);
        EXPECT_LE(got.most, out);
      }
    }
  }
}

TEST(ContentDecoderTest, ABodyMayHaveSeveralParts) {
  for (const char* coding : {"gzip", "zstd"}) {  // RFC 1952 2.2, RFC 8878 3
    const std::string bytes = packed(coding, "one ") + packed(coding, "") + packed(coding, "two");
    for (const std::size_t in : {std::size_t{1}, bytes.size()}) {
      const Decoded got = decode(coding, bytes, in, 1000);
      EXPECT_EQ(got.text, "one two") << coding << got.error;
      EXPECT_TRUE(got.complete) << coding;
    }
    const Decoded cut =
        decode(coding, std::string_view(bytes).substr(0, bytes.size() - 1), 1000, 1000);
    EXPECT_FALSE(cut.complete) << coding;
  }
}

TEST_P(EachCoding, ATruncatedBodyIsNotComplete) {
  const std::string bytes = packed(GetParam(), some_text(5000));
  for (const std::size_t size : {std::size_t{1}, std::size_t{9}, bytes.size() - 1}) {
    const Decoded got = decode(GetParam(), std::string_view(bytes).substr(0, size), 100, 1000);
    EXPECT_FALSE(got.complete) << size;
    EXPECT_EQ(got.error, "");
  }
  EXPECT_TRUE(decode(GetParam(), "", 1, 1).complete);  // no body at all
}

TEST_P(EachCoding, GarbageIsAnErrorAlsoBehindTheEnd) {
  const Decoded got = decode(GetParam(), "\xff\xfe no such thing, whatever the coding", 100, 1000);
  EXPECT_EQ(got.error, "the body is not what its coding says");
  EXPECT_FALSE(got.too_large);
  const std::string bytes = packed(GetParam(), "text") + "garbage";
  for (const std::size_t in : {std::size_t{1}, bytes.size()}) {
    EXPECT_NE(decode(GetParam(), bytes, in, 1000).error, "") << in;
  }
}

TEST_P(EachCoding, TheSizeHasALimit) {
  const std::string text = some_text(50'000);
  const std::string bytes = packed(GetParam(), text);
  for (const std::size_t out : {std::size_t{1000}, SIZE_MAX}) {
    const Decoded whole = decode(GetParam(), bytes, 5000, out, text.size());
    EXPECT_EQ(whole.text, text);
    EXPECT_TRUE(whole.complete);
    const Decoded more = decode(GetParam(), bytes, 5000, out, text.size() - 1);
    EXPECT_EQ(more.error, "the decompressed body is larger than the limit");
    EXPECT_TRUE(more.too_large);
    EXPECT_LE(more.text.size(), text.size());
  }
}

TEST_P(EachCoding, TheRatioHasALimitBeyondAMegabyte) {
  const std::string bomb = packed(GetParam(), std::string(8 * 1024 * 1024, 'x'));
  const Decoded got = decode(GetParam(), bomb, 1000, 64 * 1024, kNoLimit, 50);
  EXPECT_EQ(got.error, "the body grows too much by decompressing");
  EXPECT_TRUE(got.too_large);
  EXPECT_LT(got.text.size(), 3U * 1024 * 1024);
  EXPECT_EQ(decode(GetParam(), bomb, 1000, 64 * 1024).text.size(), 8U * 1024 * 1024);
  const std::string small = packed(GetParam(), std::string(1024 * 1024, 'x'));
  EXPECT_TRUE(decode(GetParam(), small, 1000, 64 * 1024, kNoLimit, 50).complete);
}

TEST(ContentDecoderTest, TheFieldSaysWhat) {
  const auto known = [](std::string_view field) {
    return ContentDecoder::make(field, 1, 1).has_value();
  };
  for (const char* field :
       {"gzip", "GZIP", "x-gzip", " br ", "zstd", "deflate", "identity, gzip"}) {
    EXPECT_TRUE(known(field)) << field;
    EXPECT_FALSE(ContentDecoder::make(field, 1, 1)->identity()) << field;
  }
  for (const char* field : {"compress", "gzip, br", "gzip;q=1", "x"}) {
    EXPECT_FALSE(known(field)) << field;
  }
  for (const char* field : {"", "identity", ", Identity"}) {
    ASSERT_TRUE(known(field)) << field;
    EXPECT_TRUE(ContentDecoder::make(field, 1, 1)->identity()) << field;
  }
}

TEST(ContentDecoderTest, RawDeflateIsTakenForDeflate) {
  const std::string bytes = packed("raw", some_text(5000));
  for (const std::size_t in : {std::size_t{1}, bytes.size()}) {
    const Decoded got = decode("deflate", bytes, in, 1000);
    EXPECT_EQ(got.text, some_text(5000));
    EXPECT_TRUE(got.complete);
    EXPECT_NE(decode("deflate", bytes + "\xff\xff", in, 1000).error, "");
  }
}

TEST(ContentDecoderTest, SeveralPartsOfGzipAreOneBody) {
  EXPECT_EQ(decode("gzip", packed("gzip", "one") + packed("gzip", "two"), 1, 100).text, "onetwo");
}

}  // namespace
}  // namespace coronado::http_test
