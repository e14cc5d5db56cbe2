/// Fuzzes the client's side of HTTP/1: the scanners must agree, and what a response says, where it
/// ends and whether it is complete must not depend on how the bytes are split.
///
/// The first input byte is the size of the pieces and the kind of the request; the rest is what a
/// server sends.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

#include "http/response_decoder.hpp"

namespace {

using namespace coronado;
using Event = ResponseDecoder::Event;
using Request = ResponseDecoder::Request;

void require(bool condition) {
  if (!condition) std::abort();
}

HTTPLimits limits() {
  HTTPLimits small;
  small.max_header_size = 512;
  small.max_header_count = 8;
  small.max_chunk_line = 16;
  small.max_trailer_size = 64;
  return small;
}

/// A copy whose end is the end of its allocation, so that AddressSanitizer sees an over-read.
struct Exact {
  explicit Exact(std::string_view text) : bytes(new char[text.size()]), size(text.size()) {
    std::copy(text.begin(), text.end(), bytes.get());
  }
  std::unique_ptr<char[]> bytes;
  std::size_t size;
};

struct Decoded {
  std::string story;  // heads, in order
  std::string body;
  std::string trailers;
  std::size_t consumed = 0;
  Event last = Event::kMore;
  bool alive = false;
};

Decoded decode(std::string_view text, std::size_t step, Request request) {
  ResponseDecoder decoder(limits());
  decoder.begin(request, 300);
  Decoded result;
  std::size_t given = 0;
  while (result.last == Event::kMore && given < text.size()) {
    given = std::min(text.size(), given + step);
    for (bool more = true; more;) {
      const Exact input(text.substr(result.consumed, given - result.consumed));
      const ResponseDecoder::Step got = decoder.feed(input.bytes.get(), input.size);
      require(got.consumed <= input.size);
      require(got.data.empty() == (got.event != Event::kData));
      result.consumed += got.consumed;
      result.body += got.data;
      more = got.event == Event::kInterim || got.event == Event::kHead || got.event == Event::kData;
      if (got.event == Event::kInterim || got.event == Event::kHead) {
        const ReceivedHead& head = decoder.head();
        result.story += std::to_string(head.status) + head.reason + head.headers.to_string();
      }
      if (!more) result.last = got.event;
    }
  }
  if (result.last == Event::kMore) {
    result.last = decoder.end();
    if (result.last == Event::kDone) require(!decoder.keeps_alive());
  }
  require(result.last == Event::kDone || result.last == Event::kError);
  result.alive = decoder.keeps_alive();
  result.trailers = decoder.trailers().to_string();
  return result;
}

void compare_scanners(std::string_view text) {
  const Exact input(text);
  ReceivedHead fast;
  ReceivedHead plain;
  std::size_t searched = 0;
  const ParseResult one =
      parse_response_head(input.bytes.get(), input.size, searched, limits(), fast);
  searched = 0;
  const ParseResult two =
      parse_response_head_scalar(input.bytes.get(), input.size, searched, limits(), plain);
  require(one.status == two.status && one.consumed == two.consumed);
  require(one.http_status == two.http_status && std::strcmp(one.reason, two.reason) == 0);
  if (one.status != ParseStatus::kComplete) return;
  require(fast.status == plain.status && fast.reason == plain.reason);
  require(fast.headers == plain.headers && fast.content_length == plain.content_length);
  require(fast.chunked == plain.chunked && !(fast.chunked && fast.content_length));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size) {
  if (size < 1) return 0;
  const std::string_view text(reinterpret_cast<const char*>(input) + 1, size - 1);
  compare_scanners(text);
  const auto request = static_cast<Request>(input[0] / 64 % 3);
  const Decoded whole = decode(text, std::max<std::size_t>(text.size(), 1), request);
  const Decoded pieces = decode(text, input[0] % 64 + 1U, request);
  require(whole.last == pieces.last);
  if (whole.last == Event::kError) return 0;
  require(whole.story == pieces.story && whole.body == pieces.body);
  require(whole.consumed == pieces.consumed && whole.trailers == pieces.trailers);
  require(whole.alive == pieces.alive);
  return 0;
}
