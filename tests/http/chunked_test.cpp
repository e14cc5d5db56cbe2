#include "http/chunked.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <string>
#include <string_view>

namespace coronado {
namespace {

using Status = ChunkedDecoder::Status;

struct Decoded {
  Status status = Status::kMore;
  std::string body;
  std::size_t consumed = 0;
  int http_status = 0;
  std::string reason;
  std::string trailers;
  bool operator==(const Decoded&) const = default;
};

/// Feeds `text` in pieces of `step` bytes, each in memory of its own.
Decoded decode(std::string_view text, std::size_t step, const HTTPLimits& limits = {}) {
  ChunkedDecoder decoder(limits);
  Decoded result;
  while (result.consumed < text.size()) {
    const std::string piece(text.substr(result.consumed, step));
    std::size_t used = 0;
    while (used != piece.size()) {
      const ChunkedDecoder::Step got = decoder.feed(piece.data() + used, piece.size() - used);
      used += got.consumed;
      result.status = got.status;
      EXPECT_EQ(got.data.empty(), got.status != Status::kData);
      result.body += got.data;
      if (got.status == Status::kDone || got.status == Status::kError) break;
    }
    result.consumed += used;
    if (result.status == Status::kDone || result.status == Status::kError) break;
  }
  EXPECT_EQ(decoder.decoded_size(), result.body.size());
  result.http_status = decoder.http_status();
  result.reason = decoder.reason();
  result.trailers = decoder.trailers().to_string();
  return result;
}

/// The answer, which must not depend on how the text is split.
Decoded decode_every_way(std::string_view text, const HTTPLimits& limits = {}) {
  Decoded whole = decode(text, text.size(), limits);
  if (whole.status == Status::kData) whole.status = Status::kMore;
  for (std::size_t step = 1; step < text.size(); ++step) {
    Decoded pieces = decode(text, step, limits);
    if (pieces.status == Status::kData) pieces.status = Status::kMore;
    EXPECT_EQ(pieces, whole) << text << " in steps of " << step;
  }
  return whole;
}

TEST(ChunkedDecoder, JoinsTheChunks) {
  const std::string_view text = "4\r\nfoo=\r\n3\r\nbar\r\n0\r\n\r\nGET / HTTP/1.1";
  const Decoded got = decode_every_way(text);
  EXPECT_EQ(got.status, Status::kDone);
  EXPECT_EQ(got.body, "foo=bar");
  EXPECT_EQ(text.substr(got.consumed), "GET / HTTP/1.1");
}

/// A byte of body that costs hundreds on the wire, again and again.
TEST(ChunkedDecoder, LinesMayNotBeFarLongerThanWhatTheyAnnounce) {
  const auto chunks = [](int count, std::size_t size, std::size_t extension) {
    char digits[16];
    std::snprintf(digits, sizeof digits, "%zx;", size);
    const std::string one =
        digits + std::string(extension, 'e') + "\r\n" + std::string(size, 'x') + "\r\n";
    std::string text;
    for (int i = 0; i < count; ++i) text += one;
    return text + "0\r\n\r\n";
  };
  const Decoded refused = decode(chunks(200, 1, 200), 7);
  EXPECT_EQ(refused.status, Status::kError);
  EXPECT_EQ(refused.http_status, 400);
  EXPECT_EQ(refused.reason, "the chunks' lines are longer than their data");
  EXPECT_LT(refused.body.size(), 100U);
  // A few of them are nothing, and so are lines that are short, or in keeping with their chunks.
  EXPECT_EQ(decode(chunks(80, 1, 200), 1000).status, Status::kDone);
  EXPECT_EQ(decode(chunks(20'000, 1, 10), 1000).status, Status::kDone);
  EXPECT_EQ(decode(chunks(2'000, 120, 240), 1000).status, Status::kDone);
}

TEST(ChunkedDecoder, GivesViewsOfTheInput) {
  const std::string text = "5\r\nhello\r\n0\r\n\r\n";
  ChunkedDecoder decoder;
  const ChunkedDecoder::Step step = decoder.feed(text.data(), text.size());
  EXPECT_EQ(step.status, Status::kData);
  EXPECT_EQ(step.data.data(), text.data() + 3);
  EXPECT_EQ(step.data, "hello");
  EXPECT_EQ(step.consumed, 8U);
}

TEST(ChunkedDecoder, KnowsHowMuchOfAChunkIsLeft) {
  const std::string text = "ff\r\nabc";
  ChunkedDecoder decoder;
  EXPECT_EQ(decoder.feed(text.data(), 4).status, Status::kMore);
  EXPECT_EQ(decoder.chunk_left(), 255U);
  EXPECT_EQ(decoder.feed(text.data() + 4, 3).status, Status::kData);
  EXPECT_EQ(decoder.chunk_left(), 252U);
  EXPECT_EQ(decoder.decoded_size(), 3U);
}

TEST(ChunkedDecoder, ReadsSizesInAnyCaseAndWithZeros) {
  EXPECT_EQ(decode_every_way("00A\r\n0123456789\r\n0\r\n\r\n").body, "0123456789");
  EXPECT_EQ(decode_every_way("a\r\n0123456789\r\n000\r\n\r\n").status, Status::kDone);
}

TEST(ChunkedDecoder, SkipsExtensions) {
  for (const char* extension : {";a", ";a=b", "; a = \"b;c\"", " ;a", "\t;a=\"\xC3\xA9\"", ";"}) {
    const Decoded got =
        decode_every_way("3" + std::string(extension) + "\r\nabc\r\n0" + extension + "\r\n\r\n");
    EXPECT_EQ(got.status, Status::kDone) << extension;
    EXPECT_EQ(got.body, "abc");
  }
}

TEST(ChunkedDecoder, RefusesBrokenCoding) {
  const std::string_view cases[] = {
      "1_a\r\n",
      "0x3\r\n",
      "+3\r\n",
      "-3\r\n",
      " 3\r\n",
      "3 \r\n",
      "3 3\r\n",
      "\r\n",
      ";a\r\n",
      "g\r\n",
      "3\nabc\r\n",
      "3\r\rabc",
      "3\r\nabcd\r\n",
      "3\r\nabc\n",
      "3\r\nabc\r\r",
      "3\r\nabc0\r\n\r\n",
      "3;a\nb\r\n",
      "3;a\rb\r\n",
      "3;a\x01\r\n",
      "3;\x7F\r\n",
      "8000000000000000\r\n",
      "fffffffffffffffff\r\n",
      "10000000000000000\r\n",
      "0\r\nno colon\r\n\r\n",
      "0\r\n: x\r\n\r\n",
      "0\r\na : x\r\n\r\n",
      "0\r\n a: x\r\n\r\n",
      "0\r\na: b\r\n folded\r\n\r\n",
      "0\r\na: \x01\r\n\r\n",
      "0\r\na: b\n\r\n",
      "0\r\n\n",
      "0\r\na: b\rc\r\n\r\n",
  };
  for (const std::string_view text : cases) {
    const Decoded got = decode_every_way(text);
    EXPECT_EQ(got.status, Status::kError) << text;
    EXPECT_EQ(got.http_status, 400) << text;
    EXPECT_NE(got.reason, "") << text;
  }
}

TEST(ChunkedDecoder, AcceptsTheLargestSize) {
  ChunkedDecoder decoder;
  const std::string text = "7fffffffffffffff\r\n";
  EXPECT_EQ(decoder.feed(text.data(), text.size()).status, Status::kMore);
  EXPECT_EQ(decoder.chunk_left(), 0x7fffffffffffffffU);
}

TEST(ChunkedDecoder, KeepsTrailers) {
  const Decoded got = decode_every_way(
      "0\r\nDigest: abc \r\ncontent-length: 3\r\nTransfer-Encoding: x\r\nHost: h\r\nTrailer: t\r\n"
      "Set-Cookie: s\r\nAuthorization: a\r\nX-Sum:\r\n\r\n");
  EXPECT_EQ(got.status, Status::kDone);
  EXPECT_EQ(got.trailers, "Digest: abc\r\nX-Sum: \r\n");
}

TEST(ChunkedDecoder, EnforcesItsLimits) {
  HTTPLimits limits;
  limits.max_chunk_line = 5;
  EXPECT_EQ(decode_every_way("3;abc\r\nabc\r\n0\r\n\r\n", limits).status, Status::kDone);
  EXPECT_EQ(decode_every_way("3;abcd\r\nabc\r\n0\r\n\r\n", limits).http_status, 400);
  EXPECT_EQ(decode_every_way("000003\r\nabc\r\n0\r\n\r\n", limits).http_status, 400);
  // The limit is for each line, not for all of them.
  EXPECT_EQ(decode_every_way("1;ab\r\na\r\n1;ab\r\nb\r\n1;ab\r\nc\r\n0\r\n\r\n", limits).body,
            "abc");

  limits.max_trailer_size = 8;
  EXPECT_EQ(decode_every_way("0\r\na: b\r\nc: d\r\n\r\n", limits).status, Status::kDone);
  EXPECT_EQ(decode_every_way("0\r\na: b\r\nc: de\r\n\r\n", limits).http_status, 431);
  limits = {};
  limits.max_header_count = 1;
  EXPECT_EQ(decode_every_way("0\r\na: b\r\nc: d\r\n\r\n", limits).http_status, 431);
}

TEST(ChunkedDecoder, StaysWhereItEnded) {
  ChunkedDecoder decoder;
  const std::string good = "0\r\n\r\nrest";
  EXPECT_EQ(decoder.feed(good.data(), good.size()).status, Status::kDone);
  const ChunkedDecoder::Step again = decoder.feed(good.data(), good.size());
  EXPECT_EQ(again.status, Status::kDone);
  EXPECT_EQ(again.consumed, 0U);

  decoder.reset();
  EXPECT_EQ(decoder.feed("zz", 2).status, Status::kError);
  EXPECT_EQ(decoder.feed(good.data(), good.size()).status, Status::kError);

  decoder.reset();
  EXPECT_EQ(decoder.http_status(), 0);
  const std::string text = "1\r\na\r\n0\r\n\r\n";
  EXPECT_EQ(decoder.feed(text.data(), text.size()).data, "a");
}

TEST(AppendChunkHeader, WritesTheSizeInHexadecimal) {
  std::string out = "x";
  append_chunk_header(out, 10);
  append_chunk_header(out, 0);
  append_chunk_header(out, 0xDEADBEEF);
  append_chunk_header(out, static_cast<std::size_t>(-1));
  EXPECT_EQ(out, "xa\r\n0\r\ndeadbeef\r\nffffffffffffffff\r\n");
}

}  // namespace
}  // namespace coronado
