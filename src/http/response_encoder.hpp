/// `ResponseEncoder`: compresses the responses of one server.
///
///     ResponseEncoder         decides, and keeps compressors for the next response
///     ResponseEncoder::Plan   what is to be done to one response
///     ResponseEncoder::Stream the compressor of one response
///
/// No I/O.
///
/// Layer: http.
#pragma once

#include <coronado/http/content_coding.hpp>
#include <coronado/http/exchange.hpp>

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/compress.hpp"

namespace coronado {

/// Fields that speak of the very bytes of a body.
inline constexpr std::string_view kDigestFields[] = {"Content-MD5", "Content-Digest", "Repr-Digest",
                                                     "Digest"};

class ResponseEncoder {
 public:
  /// Throws  std::invalid_argument  A level is out of its range.
  explicit ResponseEncoder(ResponseCompression options);

  /// What is to be done to one response.
  struct Plan {
    std::optional<ContentCoding> coding;
    /// The fields must say that they depend on Accept-Encoding.
    bool varies = false;
    /// The client has the compressed variant, whose entity tag is the weak one (with 304).
    bool weak_etag = false;
    /// Compressed also when that makes it no smaller.
    bool must = false;
  };
  /// Params  length  Of the body, when it is known.
  Plan plan(const RequestHead& request, const ResponseHead& head,
            std::optional<std::uint64_t> length) const;

  /// The fields of a response with what the plan asks for.
  static std::string fields(const ResponseHead& head, const Plan& plan);

  /// One response being compressed. It must not outlive the encoder.
  class Stream {
   public:
    Stream(ResponseEncoder& encoder, ContentCoding coding);
    ~Stream();
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;

    /// Compresses `bytes`, so that the client can read all of them at once.
    std::string piece(std::string_view bytes);
    /// The same for the last bytes.
    std::string last(std::string_view bytes);

    /// What the handler has promised in Content-Length, and what it has written so far.
    std::optional<std::uint64_t> promised;
    std::uint64_t written = 0;

   private:
    ResponseEncoder& encoder_;
    ContentCoding coding_;
    std::unique_ptr<Compressor> compressor_;
  };

 private:
  /// Compressors that are kept; each holds some 100 KiB to some MiB.
  static constexpr std::size_t kMostIdle = 2;

  std::unique_ptr<Compressor> take(ContentCoding coding);
  void put_back(ContentCoding coding, std::unique_ptr<Compressor> compressor) noexcept;
  bool shrinks(std::string_view content_type) const noexcept;

  ResponseCompression options_;
  std::array<std::vector<std::unique_ptr<Compressor>>, 4> idle_;
};

}  // namespace coronado
