// Brotli.
#include <brotli/decode.h>
#include <brotli/encode.h>

#include <algorithm>
#include <array>
#include <new>
#include <stdexcept>

#include "http/compress_codings.hpp"

namespace coronado {
namespace {

constexpr int kDefaultLevel = 4;

const std::uint8_t* bytes_of(std::string_view text) noexcept {
  return reinterpret_cast<const std::uint8_t*>(text.data());
}

class BrotliCompressor final : public Compressor {
 public:
  explicit BrotliCompressor(const CompressorOptions& options)
      : level_(options.level == 0 ? kDefaultLevel : options.level) {
    if (level_ < BROTLI_MIN_QUALITY || level_ > BROTLI_MAX_QUALITY) {
      throw std::invalid_argument("a Brotli level is 1 to 11, not " + std::to_string(level_));
    }
    begin();
  }
  ~BrotliCompressor() override { BrotliEncoderDestroyInstance(state_); }

  void append(std::string_view bytes, Flush flush, std::string& out) override {
    const BrotliEncoderOperation operation = flush == Flush::kFinish ? BROTLI_OPERATION_FINISH
                                             : flush == Flush::kSync ? BROTLI_OPERATION_FLUSH
                                                                     : BROTLI_OPERATION_PROCESS;
    std::size_t left = bytes.size();
    const std::uint8_t* next = bytes_of(bytes);
    std::size_t size = 0;
    do {  // until nothing comes: the encoder stops at each block to have its output taken
      std::size_t no_room = 0;  // the output is taken from the encoder's own buffer
      if (!BrotliEncoderCompressStream(state_, operation, &left, &next, &no_room, nullptr,
                                       nullptr)) {
        throw std::bad_alloc();
      }
      size = 0;
      const std::uint8_t* piece = BrotliEncoderTakeOutput(state_, &size);
      out.append(reinterpret_cast<const char*>(piece), size);
    } while (left != 0 || size != 0);
  }

  void reset() override {
    BrotliEncoderDestroyInstance(state_);
    begin();
  }

 private:
  void begin() {
    state_ = BrotliEncoderCreateInstance(nullptr, nullptr, nullptr);
    if (state_ == nullptr) throw std::bad_alloc();
    BrotliEncoderSetParameter(state_, BROTLI_PARAM_QUALITY, static_cast<std::uint32_t>(level_));
  }

  int level_;
  BrotliEncoderState* state_ = nullptr;
};

class BrotliDecompressor final : public Decompressor {
 public:
  BrotliDecompressor() { begin(); }
  ~BrotliDecompressor() override { BrotliDecoderDestroyInstance(state_); }

  Status decode(std::string_view& bytes, std::size_t most, std::string& out) override {
    std::array<char, kCodingPiece> piece;
    for (;;) {
      if (BrotliDecoderIsFinished(state_)) {
        return bytes.empty() ? Status::kDone : Status::kMalformed;
      }
      if (most == 0) return Status::kLimit;
      std::size_t left = bytes.size();
      const std::uint8_t* next = bytes_of(bytes);
      const std::size_t size = std::min(piece.size(), most);
      std::size_t room = size;
      auto* into = reinterpret_cast<std::uint8_t*>(piece.data());
      const BrotliDecoderResult result =
          BrotliDecoderDecompressStream(state_, &left, &next, &room, &into, nullptr);
      bytes.remove_prefix(bytes.size() - left);
      most -= size - room;
      out.append(piece.data(), size - room);
      switch (result) {
        case BROTLI_DECODER_RESULT_SUCCESS: break;
        case BROTLI_DECODER_RESULT_NEEDS_MORE_INPUT:
          if (!BrotliDecoderHasMoreOutput(state_)) return Status::kMore;
          break;  // said also when the input is used up and the output does not fit
        case BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT: break;
        case BROTLI_DECODER_RESULT_ERROR: return Status::kMalformed;
      }
    }
  }

  void reset() override {
    BrotliDecoderDestroyInstance(state_);
    begin();
  }

 private:
  void begin() {
    state_ = BrotliDecoderCreateInstance(nullptr, nullptr, nullptr);
    if (state_ == nullptr) throw std::bad_alloc();
  }

  BrotliDecoderState* state_ = nullptr;
};

}  // namespace

std::unique_ptr<Compressor> make_brotli_compressor(const CompressorOptions& options) {
  return std::make_unique<BrotliCompressor>(options);
}

std::unique_ptr<Decompressor> make_brotli_decompressor() {
  return std::make_unique<BrotliDecompressor>();
}

}  // namespace coronado
