/// Compressed bodies for tests.
#pragma once

#include <coronado/http/content_coding.hpp>

#include <string>
#include <string_view>

#include "http/compress.hpp"

namespace coronado::http_test {

inline Coding coding_called(std::string_view name) {
  return name == "gzip"      ? Coding::kGzip
         : name == "deflate" ? Coding::kDeflate
         : name == "raw"     ? Coding::kRawDeflate
         : name == "br"      ? Coding::kBrotli
                             : Coding::kZstd;
}

inline std::string packed(std::string_view coding, std::string_view text) {
  std::string out;
  make_compressor(coding_called(coding))->append(text, Compressor::Flush::kFinish, out);
  return out;
}

/// Empty when it is not whole.
inline std::string unpacked(std::string_view coding, std::string_view bytes) {
  std::string out;
  const auto status =
      make_decompressor(coding_called(coding))->append(bytes, static_cast<std::size_t>(-1), out);
  return status == Decompressor::Status::kDone ? out : std::string();
}

/// Lines of text with little in common: they shrink to a third or so.
inline std::string some_text(std::size_t size) {
  std::string text;
  std::uint32_t state = 7;
  while (text.size() < size) {
    state = state * 1664525 + 1013904223;
    text += "{\"id\": " + std::to_string(state % 100'000) + ", \"name\": \"someone\"}\n";
  }
  text.resize(size);
  return text;
}

}  // namespace coronado::http_test
