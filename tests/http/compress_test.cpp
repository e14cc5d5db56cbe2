#include "http/compress.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>

namespace coronado {
namespace {

using Flush = Compressor::Flush;
using Status = Decompressor::Status;

constexpr std::size_t kNoLimit = SIZE_MAX;

/// Some text, with parts that repeat and parts that do not.
std::string sample(std::size_t size) {
  std::string text;
  std::uint32_t state = 1;
  while (text.size() < size) {
    state = state * 1664525 + 1013904223;
    text += state >> 31 != 0 ? "the same words again " : std::to_string(state);
  }
  text.resize(size);
  return text;
}

std::string compress(Coding coding, std::string_view text) {
  std::string out;
  make_compressor(coding)->append(text, Flush::kFinish, out);
  return out;
}

class EveryCoding : public testing::TestWithParam<Coding> {};

std::string coding_name(const testing::TestParamInfo<Coding>& info) {
  constexpr const char* kNames[] = {"Gzip", "Deflate", "RawDeflate", "Brotli", "Zstd"};
  return kNames[static_cast<int>(info.param)];
}

INSTANTIATE_TEST_SUITE_P(Compress, EveryCoding,
                         testing::Values(Coding::kGzip, Coding::kDeflate, Coding::kRawDeflate,
                                         Coding::kBrotli, Coding::kZstd),
                         coding_name);

TEST_P(EveryCoding, RoundTripsWholeAndInPieces) {
  for (const std::size_t size : {0UL, 1UL, 1000UL, 16384UL, 200'000UL}) {
    const std::string text = sample(size);
    const std::string packed = compress(GetParam(), text);
    if (size > 500) EXPECT_LT(packed.size(), text.size() / 2);
    for (const std::size_t piece : {std::size_t{1}, std::size_t{100}, packed.size()}) {
      const auto decompressor = make_decompressor(GetParam());
      std::string out;
      Status status = Status::kMore;
      for (std::size_t at = 0; at < packed.size(); at += piece) {
        status = decompressor->append(std::string_view(packed).substr(at, piece), kNoLimit, out);
      }
      EXPECT_EQ(status, Status::kDone);
      EXPECT_EQ(out, text);
    }
  }
}

TEST_P(EveryCoding, ASyncFlushLetsTheOtherSideReadOn) {
  const auto compressor = make_compressor(GetParam());
  const auto decompressor = make_decompressor(GetParam());
  for (const std::string& text : {sample(10), sample(50'000), std::string("end")}) {
    std::string packed;
    compressor->append(text, Flush::kNone, packed);
    compressor->append({}, Flush::kSync, packed);
    std::string out;
    EXPECT_EQ(decompressor->append(packed, kNoLimit, out), Status::kMore);
    EXPECT_EQ(out, text);
  }
}

TEST_P(EveryCoding, BeginsAnewAfterAReset) {
  const auto compressor = make_compressor(GetParam());
  const auto decompressor = make_decompressor(GetParam());
  for (int i = 0; i < 3; ++i) {
    std::string packed;
    compressor->append(sample(5000), Flush::kFinish, packed);
    std::string out;
    EXPECT_EQ(decompressor->append(packed, kNoLimit, out), Status::kDone);
    EXPECT_EQ(out, sample(5000));
    compressor->reset();
    decompressor->reset();
  }
}

TEST_P(EveryCoding, StopsAtTheLimit) {
  const std::string text(1'000'000, 'x');  // a bomb: some hundred bytes of input
  const std::string packed = compress(GetParam(), text);
  std::string out;
  EXPECT_EQ(make_decompressor(GetParam())->append(packed, 100'000, out), Status::kLimit);
  EXPECT_LE(out.size(), 100'000U);
  out.clear();
  EXPECT_EQ(make_decompressor(GetParam())->append(packed, text.size(), out), Status::kDone);
}

TEST_P(EveryCoding, ATruncatedStreamIsNotDone) {
  const std::string packed = compress(GetParam(), sample(5000));
  std::string out;
  const std::string_view part = std::string_view(packed).substr(0, packed.size() - 6);
  EXPECT_EQ(make_decompressor(GetParam())->append(part, kNoLimit, out), Status::kMore);
}

TEST_P(EveryCoding, GarbageIsMalformed) {
  std::string out;
  const std::string garbage = "\xff\xfe\xfd this is no stream of any of these codings at all";
  EXPECT_EQ(make_decompressor(GetParam())->append(garbage, kNoLimit, out), Status::kMalformed);
}

TEST(Compress, GzipAndZstandardTakeSeveralParts) {
  for (const Coding coding : {Coding::kGzip, Coding::kZstd}) {
    const std::string packed = compress(coding, "one") + compress(coding, "two");
    std::string out;
    EXPECT_EQ(make_decompressor(coding)->append(packed, kNoLimit, out), Status::kDone);
    EXPECT_EQ(out, "onetwo");
  }
}

TEST(Compress, BytesBehindTheEndAreMalformed) {
  for (const Coding coding : {Coding::kDeflate, Coding::kBrotli}) {
    std::string out;
    EXPECT_EQ(make_decompressor(coding)->append(compress(coding, "one") + "x", kNoLimit, out),
              Status::kMalformed);
    const auto decompressor = make_decompressor(coding);
    EXPECT_EQ(decompressor->append(compress(coding, "one"), kNoLimit, out), Status::kDone);
    EXPECT_EQ(decompressor->append("x", kNoLimit, out), Status::kMalformed);
  }
}

TEST(Compress, OptionsOutOfRange) {
  EXPECT_THROW(make_compressor(Coding::kGzip, {.level = 10}), std::invalid_argument);
  EXPECT_THROW(make_compressor(Coding::kBrotli, {.level = 12}), std::invalid_argument);
  EXPECT_THROW(make_compressor(Coding::kZstd, {.level = 23}), std::invalid_argument);
  EXPECT_THROW(make_compressor(Coding::kRawDeflate, {.window_bits = 7}), std::invalid_argument);
  EXPECT_THROW(make_decompressor(Coding::kRawDeflate, 16), std::invalid_argument);
}

/// Given out byte by byte, what a stream refers to must be in the window.
TEST(DeflateWindow, HoldsAllThatAStreamRefersTo) {
  for (const int bits : {8, 9, 10, 15}) {
    for (const std::size_t period : {100, 249, 250, 251, 255, 256, 257, 300, 511, 512, 513, 1000}) {
      std::string text;
      for (std::size_t i = 0; i < 4 * period + 1000; ++i) {
        text += static_cast<char>(i < period ? i * i * i % 251 : text[i - period]);
      }
      std::string packed;
      make_compressor(Coding::kRawDeflate, {.window_bits = bits})
          ->append(text, Compressor::Flush::kSync, packed);
      const auto inflate = make_decompressor(Coding::kRawDeflate, bits);
      std::string out;
      auto status = Decompressor::Status::kLimit;
      for (std::string_view rest = packed; status == Decompressor::Status::kLimit;) {
        status = inflate->decode(rest, 1, out);
      }
      EXPECT_EQ(status, Decompressor::Status::kMore) << bits << " " << period;
      EXPECT_EQ(out, text) << bits << " " << period;
    }
  }
}

}  // namespace
}  // namespace coronado
