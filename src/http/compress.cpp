#include "http/compress.hpp"

#include "http/compress_codings.hpp"

namespace coronado {

std::unique_ptr<Compressor> make_compressor(Coding coding, CompressorOptions options) {
  switch (coding) {
    case Coding::kBrotli: return make_brotli_compressor(options);
    case Coding::kZstd: return make_zstd_compressor(options);
    case Coding::kGzip:
    case Coding::kDeflate:
    case Coding::kRawDeflate: break;
  }
  return make_deflate_compressor(coding, options);
}

std::unique_ptr<Decompressor> make_decompressor(Coding coding, int window_bits) {
  switch (coding) {
    case Coding::kBrotli: return make_brotli_decompressor();
    case Coding::kZstd: return make_zstd_decompressor();
    case Coding::kGzip:
    case Coding::kDeflate:
    case Coding::kRawDeflate: break;
  }
  return make_deflate_decompressor(coding, window_bits);
}

Decompressor::Status Decompressor::append(std::string_view bytes, std::size_t limit,
                                          std::string& out) {
  const Status status = decode(bytes, limit, out);
  if (status != Status::kLimit) return status;
  std::string more;  // is there any?
  const Status next = decode(bytes, 1, more);
  return more.empty() ? next : Status::kLimit;
}

}  // namespace coronado
