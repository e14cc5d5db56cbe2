// The deflate family, on zlib.
#include <zlib.h>

#include <algorithm>
#include <array>
#include <limits>
#include <new>
#include <stdexcept>

#include "http/compress_codings.hpp"

namespace coronado {
namespace {

constexpr int kDefaultLevel = 6;
constexpr int kMemoryLevel = 8;  // zlib's own default

/// zlib tells the formats apart by the size and the sign of the window.
int zlib_window(Coding coding, int window_bits) {
  if (window_bits < 8 || window_bits > MAX_WBITS) {
    throw std::invalid_argument("a deflate window has 8 to 15 bits, not " +
                                std::to_string(window_bits));
  }
  if (coding == Coding::kGzip) return window_bits + 16;
  return coding == Coding::kRawDeflate ? -window_bits : window_bits;
}

/// The window to write with. zlib writes no raw streams with one of 8 bits; with one of 9 it looks
/// back by no more than that less its longest match and 4 bytes (its MAX_DIST), which is 250: what
/// comes out can be read with a window of 256 bytes.
int written_window(Coding coding, int window_bits) {
  return zlib_window(coding, window_bits == 8 ? 9 : window_bits);
}

/// Gives zlib the most of `bytes` that fits its counters, and cuts it off.
void take_input(z_stream& stream, std::string_view& bytes) {
  const std::size_t size = std::min<std::size_t>(bytes.size(), std::numeric_limits<uInt>::max());
  // zlib is not const-correct; it only reads.
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(size);
  bytes.remove_prefix(size);
}

/// Gives zlib room for a piece of output.   Returns  How much.
std::size_t set_output(z_stream& stream, std::array<char, kCodingPiece>& piece,
                       std::size_t most = kCodingPiece) {
  const std::size_t size = std::min(piece.size(), most);
  stream.next_out = reinterpret_cast<Bytef*>(piece.data());
  stream.avail_out = static_cast<uInt>(size);
  return size;
}

class DeflateCompressor final : public Compressor {
 public:
  DeflateCompressor(Coding coding, const CompressorOptions& options) {
    const int level = options.level == 0 ? kDefaultLevel : options.level;
    const int error =
        deflateInit2(&stream_, level, Z_DEFLATED, written_window(coding, options.window_bits),
                     kMemoryLevel, Z_DEFAULT_STRATEGY);
    if (error == Z_STREAM_ERROR) {
      throw std::invalid_argument("a deflate level is 1 to 9, not " + std::to_string(level));
    }
    if (error != Z_OK) throw std::bad_alloc();
  }
  ~DeflateCompressor() override { deflateEnd(&stream_); }

  void append(std::string_view bytes, Flush flush, std::string& out) override {
    do {
      take_input(stream_, bytes);
      run(bytes.empty() ? flush : Flush::kNone, out);
    } while (!bytes.empty());
  }

  void reset() override { deflateReset(&stream_); }

 private:
  void run(Flush flush, std::string& out) {
    const int how = flush == Flush::kFinish ? Z_FINISH
                    : flush == Flush::kSync ? Z_SYNC_FLUSH
                                            : Z_NO_FLUSH;
    std::array<char, kCodingPiece> piece;
    do {
      set_output(stream_, piece);
      deflate(&stream_, how);
      out.append(piece.data(), piece.size() - stream_.avail_out);
    } while (stream_.avail_out == 0);
  }

  z_stream stream_{};
};

class DeflateDecompressor final : public Decompressor {
 public:
  DeflateDecompressor(Coding coding, int window_bits) : coding_(coding) {
    if (inflateInit2(&stream_, zlib_window(coding, window_bits)) != Z_OK) throw std::bad_alloc();
  }
  ~DeflateDecompressor() override { inflateEnd(&stream_); }

  Status decode(std::string_view& bytes, std::size_t most, std::string& out) override {
    for (;;) {
      if (done_ && bytes.empty()) return Status::kDone;
      if (done_ && !begin_again()) return Status::kMalformed;
      const std::string_view all = bytes;
      take_input(stream_, bytes);
      const Status status = run(most, out);
      // What zlib left is behind the end of a stream, or has no room.
      bytes = all.substr(all.size() - bytes.size() - stream_.avail_in);
      if (status == Status::kLimit || status == Status::kMalformed) return status;
      if (status == Status::kMore && bytes.empty()) return status;
    }
  }

  void reset() override {
    inflateReset(&stream_);
    done_ = false;
  }

 private:
  /// More input behind the end of a stream: the next member of a gzip file (RFC 1952 2.2), or what
  /// follows the final block of a WebSocket message, with the same window (RFC 7692 7.2.3.4).
  bool begin_again() {
    if (coding_ == Coding::kDeflate) return false;
    if (coding_ == Coding::kGzip) {
      inflateReset(&stream_);
    } else {
      inflateResetKeep(&stream_);
    }
    done_ = false;
    return true;
  }

  /// Decompresses until the input is used up, `most` bytes have come or the stream ends.
  Status run(std::size_t& most, std::string& out) {
    std::array<char, kCodingPiece> piece;
    for (;;) {
      if (most == 0) return Status::kLimit;
      const std::size_t room = set_output(stream_, piece, most);
      const int result = inflate(&stream_, Z_NO_FLUSH);
      const std::size_t size = room - stream_.avail_out;
      most -= size;
      out.append(piece.data(), size);
      if (result == Z_STREAM_END) {
        done_ = true;
        return Status::kDone;
      }
      if (result == Z_MEM_ERROR) throw std::bad_alloc();
      if (result != Z_OK && result != Z_BUF_ERROR) return Status::kMalformed;
      if (stream_.avail_out != 0) return Status::kMore;
    }
  }

  z_stream stream_{};
  Coding coding_;
  bool done_ = false;
};

}  // namespace

std::unique_ptr<Compressor> make_deflate_compressor(Coding coding,
                                                    const CompressorOptions& options) {
  return std::make_unique<DeflateCompressor>(coding, options);
}

std::unique_ptr<Decompressor> make_deflate_decompressor(Coding coding, int window_bits) {
  return std::make_unique<DeflateDecompressor>(coding, window_bits);
}

}  // namespace coronado
