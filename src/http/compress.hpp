/// Compression of bytes that come in pieces, behind one interface for all codings.
///
///     Compressor     gzip, deflate, raw deflate, Brotli, Zstandard
///     Decompressor   the same, with a limit on what comes out
///
/// No I/O.
///
/// Layer: http.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace coronado {

/// A content coding, or the bare format that WebSocket's permessage-deflate uses.
enum class Coding : std::uint8_t {
  kGzip,        ///< RFC 1952
  kDeflate,     ///< the zlib format of RFC 1950, HTTP's "deflate"
  kRawDeflate,  ///< RFC 1951
  kBrotli,      ///< RFC 7932
  kZstd,        ///< RFC 8878
};

/// How a compressor works.
struct CompressorOptions {
  /// Zero: a value for answers made on the spot (6 for the deflate family, 4 for Brotli, 3 for
  /// Zstandard).
  int level = 0;
  /// Base-two logarithm of the window, 8 to 15; for the deflate family only.
  int window_bits = 15;
};

/// Compresses one stream of bytes.
class Compressor {
 public:
  /// What happens behind the bytes of one call.
  enum class Flush : std::uint8_t {
    kNone,    ///< the coder may keep bytes back
    kSync,    ///< all bytes so far can be decompressed by the other side
    kFinish,  ///< the stream ends
  };

  Compressor() = default;
  Compressor(const Compressor&) = delete;
  Compressor& operator=(const Compressor&) = delete;
  virtual ~Compressor() = default;

  /// Compresses `bytes` and appends what comes out to `out`.
  virtual void append(std::string_view bytes, Flush flush, std::string& out) = 0;

  /// Begins a new stream, with an empty window.
  virtual void reset() = 0;
};

/// Throws  std::bad_alloc, std::invalid_argument  An option is out of its range.
std::unique_ptr<Compressor> make_compressor(Coding coding, CompressorOptions options = {});

/// Decompresses one stream of bytes.
class Decompressor {
 public:
  enum class Status : std::uint8_t {
    kMore,       ///< the input is used up, the stream goes on
    kDone,       ///< the stream is complete
    kLimit,      ///< as much came out as was allowed, and there may be more
    kMalformed,  ///< the input is no such stream
  };

  Decompressor() = default;
  Decompressor(const Decompressor&) = delete;
  Decompressor& operator=(const Decompressor&) = delete;
  virtual ~Decompressor() = default;

  /// Decompresses from the front of `bytes`, and cuts off what it has used.
  /// Params   most  Most bytes to append to `out`.
  /// Returns  `kLimit` when so many were appended: call again with what is left of `bytes`, even if
  ///          that is nothing. `kMalformed` also for input behind the end of the stream; but gzip and
  ///          Zstandard may consist of several parts, and raw deflate goes on with the same window.
  virtual Status decode(std::string_view& bytes, std::size_t most, std::string& out) = 0;

  /// Decompresses all of `bytes` and appends what comes out to `out`.
  /// Params   limit  Most bytes that may be appended by this call. What is over the limit is not
  ///                 kept: after `kLimit` the stream cannot be continued.
  /// Returns  As `decode`; `kLimit` only when more would come out.
  Status append(std::string_view bytes, std::size_t limit, std::string& out);

  /// Begins a new stream, with an empty window.
  virtual void reset() = 0;
};

/// Params  window_bits  Of the deflate family: the largest window the other side uses.
/// Throws  std::bad_alloc, std::invalid_argument  `window_bits` is out of its range.
std::unique_ptr<Decompressor> make_decompressor(Coding coding, int window_bits = 15);

}  // namespace coronado
