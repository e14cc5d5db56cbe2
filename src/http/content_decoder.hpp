/// `ContentDecoder`: takes the content coding off a body that comes in pieces, and guards against
/// bombs. No I/O.
///
/// Layer: http.
#pragma once

#include <coronado/http/content_coding.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "http/compress.hpp"

namespace coronado {

/// Decompresses one body.
class ContentDecoder {
 public:
  enum class Status : std::uint8_t {
    kMore,   ///< The input is used up.
    kFull,   ///< As much came out as was asked for: call again.
    kError,  ///< `error()`; nothing more comes out.
  };

  /// Params   content_encoding  The value of the field.
  ///          max_size          Most bytes that may come out.
  ///          max_ratio         Most bytes that may come out for one that goes in, once 1 MiB has;
  ///                            zero: any number.
  /// Returns  Nothing for an unknown coding, or more than one. "identity" is none.
  /// Spec     RFC 9110 8.4.
  static std::optional<ContentDecoder> make(std::string_view content_encoding,
                                            std::uint64_t max_size, std::uint32_t max_ratio);

  /// Nothing is to be done to the body.
  bool identity() const noexcept { return !coding_; }

  /// Decompresses from the front of `bytes`, and cuts off what it has used.
  /// Params  most  Most bytes to append to `out`, at least 1.
  Status decode(std::string_view& bytes, std::size_t most, std::string& out);

  /// Whether the body may end here. An empty one may.
  bool complete() const noexcept { return done_ || taken_ == 0; }

  /// After `kError`: why, and whether a limit was exceeded. Static.
  const char* error() const noexcept { return error_; }
  bool too_large() const noexcept { return too_large_; }

 private:
  ContentDecoder(std::optional<ContentCoding> coding, std::uint64_t max_size,
                 std::uint32_t max_ratio) noexcept
      : coding_(coding), max_size_(max_size), max_ratio_(max_ratio) {}

  void begin(char first);
  Status fail(const char* why, bool too_large) noexcept;

  std::optional<ContentCoding> coding_;
  std::uint64_t max_size_;
  std::uint32_t max_ratio_;
  std::unique_ptr<Decompressor> decompressor_;
  std::uint64_t taken_ = 0;
  std::uint64_t given_ = 0;
  const char* error_ = nullptr;
  bool done_ = false;
  bool one_part_ = false;  // the decompressor would go on behind the end
  bool too_large_ = false;
};

}  // namespace coronado
