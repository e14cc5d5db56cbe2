/// The chunked transfer coding: taking it off a body piece by piece, and putting it on.
///
///     ChunkedDecoder        bytes in any fragmentation in, views of the body out
///     append_chunk_header   what precedes a chunk
///     may_be_trailer        which fields may follow the last one
///
/// No I/O.
///
/// Layer: http.
#pragma once

#include <coronado/http/headers.hpp>
#include <coronado/http/http_limits.hpp>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace coronado {

/// Takes the chunked coding off one body.
///
/// Strict: a size is hexadecimal digits and nothing else, a line ends in CRLF, chunk data is
/// followed by CRLF. Extensions are checked for control bytes and skipped. Trailer fields are kept,
/// except those that must not be trailers.
/// Cost  Allocates for trailers only.
/// Spec  RFC 9112 7.1.
/// Code  src/http/chunked.cpp, tests/http/chunked_test.cpp
class ChunkedDecoder {
 public:
  enum class Status : std::uint8_t {
    kMore,   ///< All input is used up; the body goes on.
    kData,   ///< `data` is the next piece of the body.
    kDone,   ///< The body and its trailers are complete; what follows is the next message.
    kError,  ///< The coding is broken: `http_status()` and `reason()`.
  };

  struct Step {
    Status status;
    std::size_t consumed;   ///< Input bytes used by this step, those of `data` included.
    std::string_view data;  ///< With `kData`: a view into the input, never empty.
  };

  /// Params  limits  `max_chunk_line`, `max_trailer_size` and `max_header_count` are copied. The
  ///                 total is for the caller to check, with `decoded_size()`.
  explicit ChunkedDecoder(const HTTPLimits& limits = {}) noexcept;

  /// Decode up to the next piece of body. Call again with what follows the bytes consumed until the
  /// answer is not `kData`; after `kMore`, when more bytes have come. After `kDone` or `kError` the
  /// answer stays the same and nothing is consumed.
  Step feed(const char* data, std::size_t size);

  /// Body bytes that `feed` has returned so far.
  std::uint64_t decoded_size() const noexcept { return decoded_size_; }

  /// Bytes of the current chunk that have not come yet: known as soon as its size line is.
  std::uint64_t chunk_left() const noexcept { return chunk_left_; }

  /// The trailer fields; complete after `kDone`.
  HTTPHeaders& trailers() noexcept { return trailers_; }

  /// After `kError`: 400, or 431 when the trailers are too large.
  int http_status() const noexcept { return http_status_; }
  const char* reason() const noexcept { return reason_; }

  /// Start over with another body; the limits stay.
  void reset() noexcept;

 private:
  enum class State : std::uint8_t {
    kSizeStart,
    kSize,
    kBeforeExtension,
    kExtension,
    kSizeLineFeed,
    kData,
    kDataReturn,
    kDataLineFeed,
    kTrailer,
    kTrailerLineFeed,
    kDone,
    kError,
  };

  void take(char c);
  void take_size(char c);
  void end_size_line() noexcept;
  void take_trailer(char c);
  void end_trailer_line();
  void fail(int status, const char* reason) noexcept;

  std::size_t max_chunk_line_;
  std::size_t max_trailer_size_;
  std::size_t max_trailer_count_;
  State state_ = State::kSizeStart;
  std::uint64_t chunk_left_ = 0;
  std::uint64_t decoded_size_ = 0;
  std::uint64_t overhead_ = 0;  // of the lines, as far as it was no usual one
  std::size_t line_size_ = 0;   // of the size line, or of the trailer section
  std::string line_;            // the trailer line so far
  HTTPHeaders trailers_;
  int http_status_ = 0;
  const char* reason_ = "";
};

/// Whether a field of that name may come behind the content. One that changes framing, routing, the
/// meaning of the message, who sends it or how the content is read must not.
/// Spec  RFC 9110 6.5.1.
bool may_be_trailer(std::string_view name) noexcept;

/// Append the line before a chunk of `size` bytes. The chunk and CRLF follow; a size of 0 ends the
/// body, and trailers or CRLF follow.   Spec  RFC 9112 7.1.
/// Params  out  A `std::string`, or an `OutputBuffer`.
template <class Out>
void append_chunk_header(Out& out, std::size_t size) {
  char digits[2 * sizeof size];
  char* const end = digits + sizeof digits;
  char* first = end;
  do {
    *--first = "0123456789abcdef"[size % 16];
    size /= 16;
  } while (size != 0);
  out.append(std::string_view(first, static_cast<std::size_t>(end - first)));
  out.append(std::string_view("\r\n"));
}

}  // namespace coronado
