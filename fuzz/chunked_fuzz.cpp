/// Fuzzes the chunked decoder: the body must not depend on how the input is split, and a body that
/// was accepted must come out again when it is encoded and decoded once more.
///
/// The first input byte is the size of the pieces; the rest is what a peer sends.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "http/chunked.hpp"

namespace {

using namespace coronado;
using Status = ChunkedDecoder::Status;

void require(bool condition) {
  if (!condition) std::abort();
}

struct Decoded {
  Status status = Status::kMore;
  std::string body;
  std::size_t consumed = 0;
  std::string trailers;
};

Decoded decode(std::string_view text, std::size_t step, std::size_t max_trailer_size = 64) {
  HTTPLimits limits;
  limits.max_chunk_line = 16;
  limits.max_trailer_size = max_trailer_size;
  limits.max_header_count = 4;
  ChunkedDecoder decoder(limits);
  Decoded result;
  while (result.consumed < text.size() && result.status == Status::kMore) {
    const std::string piece(text.substr(result.consumed, step));
    std::size_t used = 0;
    while (used < piece.size()) {
      const ChunkedDecoder::Step got = decoder.feed(piece.data() + used, piece.size() - used);
      require(got.consumed <= piece.size() - used);
      require(got.data.empty() == (got.status != Status::kData));
      used += got.consumed;
      result.body += got.data;
      if (got.status == Status::kData) continue;
      result.status = got.status;
      if (got.status != Status::kMore) break;
    }
    result.consumed += used;
  }
  require(decoder.decoded_size() == result.body.size());
  require((decoder.http_status() != 0) == (result.status == Status::kError));
  result.trailers = decoder.trailers().to_string();
  return result;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size) {
  if (size < 1) return 0;
  const std::string_view text(reinterpret_cast<const char*>(input) + 1, size - 1);
  const Decoded whole = decode(text, std::max<std::size_t>(text.size(), 1));
  const Decoded pieces = decode(text, input[0] % 16 + 1U);
  require(whole.status == pieces.status && whole.body == pieces.body);
  require(whole.consumed == pieces.consumed && whole.trailers == pieces.trailers);
  if (whole.status != Status::kDone) return 0;
  std::string again;
  if (!whole.body.empty()) {
    append_chunk_header(again, whole.body.size());
    again += whole.body + "\r\n";
  }
  append_chunk_header(again, 0);
  again += whole.trailers + "\r\n";
  const Decoded second = decode(again, again.size(), 128);
  require(second.status == Status::kDone && second.consumed == again.size());
  require(second.body == whole.body && second.trailers == whole.trailers);
  return 0;
}
