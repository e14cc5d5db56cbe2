#include "http/chunked.hpp"

#include <algorithm>
#include <coronado/http/field_id.hpp>
#include <coronado/http/httputil.hpp>

#include "http/ascii.hpp"
#include "http/char_class.hpp"

namespace coronado {
namespace {

/// What the lines before chunks may take, beside twice what they announce.
constexpr std::uint64_t kFreePerChunk = 16;
constexpr std::uint64_t kMostOverhead = 16 * 1024;

}  // namespace

bool may_be_trailer(std::string_view name) noexcept {
  switch (field_id(name)) {
    case FieldId::kTransferEncoding:
    case FieldId::kContentLength:
    case FieldId::kHost:
    case FieldId::kConnection:
    case FieldId::kUpgrade:
    case FieldId::kExpect:
    case FieldId::kTE:
    case FieldId::kRange:
    case FieldId::kAuthorization:
    case FieldId::kProxyAuthorization:
    case FieldId::kCookie:
    case FieldId::kContentEncoding:
    case FieldId::kContentType:
    case FieldId::kContentRange:
    case FieldId::kForwarded:
    case FieldId::kXForwardedFor:
    case FieldId::kXForwardedHost:
    case FieldId::kXForwardedProto:
    case FieldId::kXRealIP: return false;
    default:
      return !equals_ignoring_case(name, "Trailer") && !equals_ignoring_case(name, "Set-Cookie");
  }
}

ChunkedDecoder::ChunkedDecoder(const HTTPLimits& limits) noexcept
    : max_chunk_line_(limits.max_chunk_line),
      max_trailer_size_(limits.max_trailer_size),
      max_trailer_count_(limits.max_header_count) {}

ChunkedDecoder::Step ChunkedDecoder::feed(const char* data, std::size_t size) {
  std::size_t used = 0;
  while (used != size && state_ != State::kDone && state_ != State::kError) {
    if (state_ == State::kData) {
      const std::size_t left = size - used;
      const std::size_t piece = chunk_left_ < left ? static_cast<std::size_t>(chunk_left_) : left;
      chunk_left_ -= piece;
      decoded_size_ += piece;
      if (chunk_left_ == 0) state_ = State::kDataReturn;
      return {Status::kData, used + piece, {data + used, piece}};
    }
    take(data[used++]);
  }
  if (state_ == State::kDone) return {Status::kDone, used, {}};
  if (state_ == State::kError) return {Status::kError, used, {}};
  return {Status::kMore, used, {}};
}

void ChunkedDecoder::reset() noexcept {
  state_ = State::kSizeStart;
  chunk_left_ = decoded_size_ = overhead_ = 0;
  line_size_ = 0;
  line_.clear();
  trailers_.clear();
  http_status_ = 0;
  reason_ = "";
}

/// Every byte but those of chunk data comes through here.
void ChunkedDecoder::take(char c) {
  switch (state_) {
    case State::kSizeStart:
    case State::kSize:
    case State::kBeforeExtension:
    case State::kExtension: return take_size(c);
    case State::kSizeLineFeed:
      if (c != '\n') return fail(400, "chunk size line does not end in CRLF");
      return end_size_line();
    case State::kDataReturn:
      if (c != '\r') return fail(400, "chunk data is not followed by CRLF");
      state_ = State::kDataLineFeed;
      return;
    case State::kDataLineFeed:
      if (c != '\n') return fail(400, "chunk data is not followed by CRLF");
      state_ = State::kSizeStart;
      return;
    case State::kTrailer: return take_trailer(c);
    case State::kTrailerLineFeed:
      if (c != '\n') return fail(400, "trailer line does not end in CRLF");
      return end_trailer_line();
    case State::kData:
    case State::kDone:
    case State::kError: return;
  }
}

/// RFC 9112 7.1: chunk-size [ chunk-ext ] CR
void ChunkedDecoder::take_size(char c) {
  if (state_ != State::kSizeStart && c == '\r') {
    // Whitespace may stand before an extension only.
    if (state_ == State::kBeforeExtension) return fail(400, "space after a chunk size");
    state_ = State::kSizeLineFeed;
    return;
  }
  if (++line_size_ > max_chunk_line_) return fail(400, "chunk size line too long");
  if (state_ == State::kExtension) {
    // RFC 9112 7.1.1: what is not understood is ignored. Control bytes are no part of any
    // extension.
    if (!is_in(c, kValueChar)) fail(400, "control byte in a chunk extension");
    return;
  }
  if (state_ != State::kBeforeExtension && is_in(c, kHexDigit)) {
    // A length must fit 63 bits: four more must be free.
    if (chunk_left_ >> 59 != 0) return fail(400, "chunk size out of range");
    const int digit = is_in(c, kDigit) ? c - '0' : (c | 0x20) - 'a' + 10;
    chunk_left_ = chunk_left_ << 4 | static_cast<unsigned>(digit);
    state_ = State::kSize;
    return;
  }
  if (state_ != State::kSizeStart && c == ';') {
    state_ = State::kExtension;
  } else if (state_ != State::kSizeStart && is_whitespace(c)) {
    state_ = State::kBeforeExtension;
  } else {
    fail(400, "invalid chunk size");
  }
}

/// A body of many bytes that say nothing is no use to anybody but an attacker.
void ChunkedDecoder::end_size_line() noexcept {
  const std::uint64_t free = kFreePerChunk + 2 * std::min(chunk_left_, kMostOverhead);
  overhead_ += line_size_;
  overhead_ -= std::min(overhead_, free);
  if (overhead_ > kMostOverhead) return fail(400, "the chunks' lines are longer than their data");
  line_size_ = 0;
  state_ = chunk_left_ == 0 ? State::kTrailer : State::kData;
}

void ChunkedDecoder::take_trailer(char c) {
  if (c == '\r') {
    state_ = State::kTrailerLineFeed;
    return;
  }
  if (!is_in(c, kValueChar)) return fail(400, "control byte in a trailer");
  if (++line_size_ > max_trailer_size_) return fail(431, "trailers too large");
  line_ += c;
}

void ChunkedDecoder::end_trailer_line() {
  if (line_.empty()) {
    state_ = State::kDone;
    return;
  }
  const std::string_view line = line_;
  const std::size_t colon = std::min(line.find(':'), line.size());
  const std::string_view name = line.substr(0, colon);
  if (colon == line.size() || !is_token(name)) return fail(400, "invalid trailer");
  if (may_be_trailer(name)) {
    if (trailers_.size() >= max_trailer_count_) return fail(431, "too many trailers");
    trailers_.add(name, line.substr(colon + 1));
  }
  line_.clear();
  state_ = State::kTrailer;
}

void ChunkedDecoder::fail(int status, const char* reason) noexcept {
  state_ = State::kError;
  http_status_ = status;
  reason_ = reason;
}

}  // namespace coronado
