// Zstandard.
#include <zstd.h>

#include <algorithm>
#include <array>
#include <new>
#include <stdexcept>

#include "http/compress_codings.hpp"

namespace coronado {
namespace {

constexpr int kDefaultLevel = 3;
/// RFC 9659: what HTTP's "zstd" may ask of a decoder, 8 MiB.
constexpr int kMostWindowBits = 23;

class ZstdCompressor final : public Compressor {
 public:
  explicit ZstdCompressor(const CompressorOptions& options) : context_(ZSTD_createCCtx()) {
    if (context_ == nullptr) throw std::bad_alloc();
    const int level = options.level == 0 ? kDefaultLevel : options.level;
    if (level < 1 || level > ZSTD_maxCLevel()) {
      ZSTD_freeCCtx(context_);
      throw std::invalid_argument("a Zstandard level is 1 to 22, not " + std::to_string(level));
    }
    ZSTD_CCtx_setParameter(context_, ZSTD_c_compressionLevel, level);
    if (level > 19) ZSTD_CCtx_setParameter(context_, ZSTD_c_windowLog, kMostWindowBits);
  }
  ~ZstdCompressor() override { ZSTD_freeCCtx(context_); }

  void append(std::string_view bytes, Flush flush, std::string& out) override {
    const ZSTD_EndDirective how = flush == Flush::kFinish ? ZSTD_e_end
                                  : flush == Flush::kSync ? ZSTD_e_flush
                                                          : ZSTD_e_continue;
    ZSTD_inBuffer input{bytes.data(), bytes.size(), 0};
    std::array<char, kCodingPiece> piece;
    for (;;) {
      ZSTD_outBuffer output{piece.data(), piece.size(), 0};
      const std::size_t left = ZSTD_compressStream2(context_, &output, &input, how);
      if (ZSTD_isError(left) != 0) throw std::bad_alloc();
      out.append(piece.data(), output.pos);
      const bool written = how == ZSTD_e_continue ? output.pos < output.size : left == 0;
      if (input.pos == input.size && written) return;
    }
  }

  void reset() override { ZSTD_CCtx_reset(context_, ZSTD_reset_session_only); }

 private:
  ZSTD_CCtx* context_;
};

class ZstdDecompressor final : public Decompressor {
 public:
  ZstdDecompressor() : context_(ZSTD_createDCtx()) {
    if (context_ == nullptr) throw std::bad_alloc();
    ZSTD_DCtx_setParameter(context_, ZSTD_d_windowLogMax, kMostWindowBits);
  }
  ~ZstdDecompressor() override { ZSTD_freeDCtx(context_); }

  Status decode(std::string_view& bytes, std::size_t most, std::string& out) override {
    std::array<char, kCodingPiece> piece;
    while (!bytes.empty() || more_output_) {
      if (most == 0) return Status::kLimit;
      ZSTD_inBuffer input{bytes.data(), bytes.size(), 0};
      ZSTD_outBuffer output{piece.data(), std::min(piece.size(), most), 0};
      const std::size_t left = ZSTD_decompressStream(context_, &output, &input);
      if (ZSTD_isError(left) != 0) return Status::kMalformed;
      bytes.remove_prefix(input.pos);
      most -= output.pos;
      out.append(piece.data(), output.pos);
      done_ = left == 0;  // a frame is complete; another one may follow (RFC 8878 3.1)
      more_output_ = !done_ && output.pos == output.size;
    }
    return done_ ? Status::kDone : Status::kMore;
  }

  void reset() override {
    ZSTD_DCtx_reset(context_, ZSTD_reset_session_only);
    done_ = false;
    more_output_ = false;
  }

 private:
  ZSTD_DCtx* context_;
  bool done_ = false;
  bool more_output_ = false;
};

}  // namespace

std::unique_ptr<Compressor> make_zstd_compressor(const CompressorOptions& options) {
  return std::make_unique<ZstdCompressor>(options);
}

std::unique_ptr<Decompressor> make_zstd_decompressor() {
  return std::make_unique<ZstdDecompressor>();
}

}  // namespace coronado
