/// The codings behind `make_compressor` and `make_decompressor`, one library a file.
///
/// Layer: http.
#pragma once

#include "http/compress.hpp"

namespace coronado {

std::unique_ptr<Compressor> make_deflate_compressor(Coding coding,
                                                    const CompressorOptions& options);
std::unique_ptr<Decompressor> make_deflate_decompressor(Coding coding, int window_bits);
std::unique_ptr<Compressor> make_brotli_compressor(const CompressorOptions& options);
std::unique_ptr<Decompressor> make_brotli_decompressor();
std::unique_ptr<Compressor> make_zstd_compressor(const CompressorOptions& options);
std::unique_ptr<Decompressor> make_zstd_decompressor();

/// How much comes out at a time.
inline constexpr std::size_t kCodingPiece = 16 * 1024;

}  // namespace coronado
