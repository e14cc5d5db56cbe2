#include "http/response_decoder.hpp"

#include <gtest/gtest.h>

#include <string>

namespace coronado {
namespace {

using Event = ResponseDecoder::Event;
using Request = ResponseDecoder::Request;

HTTPLimits small() {
  HTTPLimits limits;
  limits.max_header_size = 200;
  return limits;
}

/// One response in pieces of `step` bytes, then the end of the connection; as text.
std::string decode_in(std::size_t step, std::string_view text, Request request, bool end) {
  ResponseDecoder decoder(small());
  decoder.begin(request, 20);
  std::string kept;
  std::string story;
  std::string body;
  bool done = false;
  std::size_t fed = 0;
  const auto note_done = [&] {
    done = true;
    story += "body <" + body + "> " + (decoder.keeps_alive() ? "alive" : "over");
    story += decoder.trailers().empty() ? "" : " " + decoder.trailers().to_string();
  };
  while (fed < text.size() && !done) {
    kept += text.substr(fed, step);
    fed += std::min(step, text.size() - fed);
    for (bool more = true; more && !done;) {
      const auto got = decoder.feed(kept.data(), kept.size());
      switch (got.event) {
        case Event::kMore: more = false; break;
        case Event::kInterim: story += std::to_string(decoder.head().status) + ", "; break;
        case Event::kHead: story += std::to_string(decoder.head().status) + " "; break;
        case Event::kData: body += got.data; break;
        case Event::kDone: note_done(); break;
        case Event::kError:
          return story + decoder.error() + (decoder.too_large() ? " (limit)" : "");
      }
      kept.erase(0, got.consumed);
    }
  }
  if (done) return story + (kept.empty() && fed == text.size() ? "" : " and more");
  if (!end) return story + "unfinished";
  if (decoder.end() == Event::kDone) {
    note_done();
    return story;
  }
  return story + decoder.error();
}

std::string decode(std::string_view text, Request request = Request::kUsual, bool end = true) {
  const std::string whole = decode_in(text.size(), text, request, end);
  for (const std::size_t step : {1, 2, 7}) {
    std::string pieces = decode_in(step, text, request, end);
    if (whole.ends_with(" and more") && !pieces.ends_with(" and more")) pieces += " and more";
    EXPECT_EQ(pieces, whole) << "in pieces of " << step;
  }
  return whole;
}

TEST(ResponseDecoder, BodiesEndWhereTheyShould) {
  EXPECT_EQ(decode("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody"), "200 body <body> alive");
  EXPECT_EQ(decode("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), "200 body <> alive");
  EXPECT_EQ(
      decode("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n1\r\nd\r\n0\r\n"
             "x: y\r\n\r\n"),
      "200 body <abcd> alive x: y\r\n");
  EXPECT_EQ(decode("HTTP/1.1 200 OK\r\n\r\nto the end"), "200 body <to the end> over");
  EXPECT_EQ(decode("HTTP/1.1 200 OK\r\n\r\n"), "200 body <> over");
}

TEST(ResponseDecoder, SomeResponsesHaveNoBody) {
  EXPECT_EQ(decode("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n", Request::kHead),
            "200 body <> alive");
  EXPECT_EQ(decode("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", Request::kHead),
            "200 body <> alive");
  EXPECT_EQ(decode("HTTP/1.1 204 No Content\r\nContent-Length: 4\r\n\r\n"), "204 body <> over");
  EXPECT_EQ(decode("HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n"),
            "204 body <> over");
  EXPECT_EQ(decode("HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n"), "204 body <> alive");
  EXPECT_EQ(decode("HTTP/1.1 204 No Content\r\n\r\n"), "204 body <> alive");
  EXPECT_EQ(decode("HTTP/1.1 304 Not Modified\r\nContent-Length: 4\r\n\r\n"), "304 body <> alive");
  EXPECT_EQ(decode("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n", Request::kConnect),
            "200 body <> alive");
  EXPECT_EQ(decode("HTTP/1.1 407 No\r\nContent-Length: 4\r\n\r\nbody", Request::kConnect),
            "407 body <body> alive");
}

TEST(ResponseDecoder, InterimResponsesAreSkipped) {
  EXPECT_EQ(decode("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
                   "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"),
            "100, 103, 200 body <x> alive");
  EXPECT_EQ(decode("HTTP/1.1 101 Switching Protocols\r\n\r\n"),
            "101 Switching Protocols without having been asked");
  std::string endless;
  for (int i = 0; i < 70; ++i) endless += "HTTP/1.1 102 Processing\r\n\r\n";
  EXPECT_TRUE(decode(endless).ends_with("102, too many interim responses"));
}

std::string fields_of(std::string_view text) {
  std::string fields;
  for (const std::size_t step : {text.size(), std::size_t{1}}) {
    ResponseDecoder decoder(small());
    decoder.begin(Request::kUsual, 20);
    std::size_t size = 0;
    auto got = ResponseDecoder::Step{Event::kMore, 0, {}};
    while (got.event == Event::kMore && size < text.size()) {
      size = std::min(size + step, text.size());
      got = decoder.feed(text.data(), size);
    }
    const std::string now = got.event == Event::kHead ? decoder.head().headers.to_string() +
                                                            std::string(text.substr(got.consumed))
                                                      : decoder.error();
    if (fields.empty()) fields = now;
    EXPECT_EQ(now, step == 1 && got.event == Event::kHead ? fields.substr(0, now.size()) : fields);
  }
  return fields;
}

TEST(ResponseDecoder, FoldedLinesAreOne) {
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  EXPECT_EQ(fields_of(ok + "A: b\r\n c\r\nD: e\r\n\t \tf\r\n  g\r\n\r\n"),
            "A: b c\r\nD: e f g\r\n");
  EXPECT_EQ(fields_of(ok + "A:\r\n b\r\nC: d\r\n \r\n\r\n"), "A: b\r\nC: d\r\n");
  EXPECT_EQ(decode(ok + "Content-Length:\r\n 4\r\n\r\nbody"), "200 body <body> alive");
  EXPECT_EQ(decode(ok + "Transfer-Encoding:\r\n\tchunked\r\n\r\n1\r\na\r\n0\r\n\r\n"),
            "200 body <a> alive");
  // What is framed by it is not overlooked, and a status line has no second one.
  EXPECT_EQ(decode(ok + "X: y\r\n z\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"),
            "different Content-Lengths");
  EXPECT_EQ(decode(ok + " A: b\r\n\r\n"), "folded header line");
  EXPECT_EQ(decode(ok + "A\r\n : b\r\n\r\n"), "invalid field name");
  EXPECT_EQ(decode(ok + "A: b\r\n " + std::string(300, 'x')), "the head is too large (limit)");
  EXPECT_EQ(decode(ok + "A: b\r\n c"), "the connection ended before the response");
}

TEST(ResponseDecoder, ConnectionsStayOrGo) {
  const std::string length = "Content-Length: 0\r\n\r\n";
  EXPECT_EQ(decode("HTTP/1.1 200 OK\r\nConnection: close\r\n" + length), "200 body <> over");
  EXPECT_EQ(decode("HTTP/1.0 200 OK\r\n" + length), "200 body <> over");
  EXPECT_EQ(decode("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n" + length), "200 body <> alive");
  EXPECT_EQ(decode("HTTP/1.1 200 OK\r\nConnection: keep-alive, close\r\n" + length),
            "200 body <> over");
  EXPECT_EQ(decode("HTTP/1.1 200 OK\r\n" + length + "HTTP/1.1 200"), "200 body <> alive and more");
}

TEST(ResponseDecoder, ACutResponseIsNeverComplete) {
  const std::string cut = "the connection ended before the response";
  EXPECT_EQ(decode("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nbody"), "200 " + cut);
  EXPECT_EQ(decode("HTTP/1.1 200 OK\r\nContent-Len"), cut);
  EXPECT_EQ(decode("HTTP/1.1 100 Continue\r\n\r\n"), "100, " + cut);
  const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (const char* body : {"", "3", "3\r\nab", "3\r\nabc", "3\r\nabc\r\n", "3\r\nabc\r\n0\r\n"}) {
    EXPECT_EQ(decode(chunked + body), "200 " + cut) << body;
  }
  EXPECT_EQ(decode("HTTP/1.1 200 OK\r\n\r\nto the", Request::kUsual, false), "200 unfinished");
}

TEST(ResponseDecoder, LimitsAndBrokenChunksAreErrors) {
  EXPECT_EQ(decode("HTTP/1.1 200 OK\r\nContent-Length: 21\r\n\r\n"),
            "the body is too large (limit)");
  EXPECT_EQ(decode("HTTP/1.1 200 OK\r\nContent-Length: 21\r\n\r\n", Request::kHead),
            "200 body <> alive");
  const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  EXPECT_EQ(decode(chunked + "14\r\n" + std::string(20, 'x') + "\r\n1\r\ny\r\n0\r\n\r\n"),
            "200 the body is too large (limit)");
  EXPECT_EQ(decode("HTTP/1.1 200 OK\r\n\r\n" + std::string(21, 'x')),
            "200 the body is too large (limit)");
  EXPECT_EQ(decode(chunked + "zz\r\n"), "200 invalid chunk size");
  EXPECT_EQ(decode("HTTP/1.1 200 OK\r\na: " + std::string(300, 'x')),
            "the head is too large (limit)");
}

}  // namespace
}  // namespace coronado
