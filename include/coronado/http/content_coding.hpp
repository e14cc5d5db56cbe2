/// Content codings: how bodies are compressed on their way.
///
///     ContentCoding          gzip, deflate, Brotli, Zstandard
///     ResponseCompression    what a server compresses, and how
///     choose_content_coding  the answer to an Accept-Encoding field
///
/// Layer: http.   Spec  RFC 9110 8.4, 12.5.3.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace coronado {

/// How a body is compressed.
enum class ContentCoding : std::uint8_t {
  kGzip,     ///< "gzip": RFC 1952
  kDeflate,  ///< "deflate": the zlib format, RFC 1950
  kBrotli,   ///< "br": RFC 7932
  kZstd,     ///< "zstd": RFC 8878
};

/// The name of a coding, as in Content-Encoding.
std::string_view to_string(ContentCoding coding) noexcept;

/// The coding called `name`, in any case; "x-gzip" is gzip.   Spec  RFC 9110 8.4.1.
std::optional<ContentCoding> parse_content_coding(std::string_view name) noexcept;

/// What a server compresses, and how.
///
/// Bodies are compressed whose type is text or known to shrink, for clients whose Accept-Encoding
/// asks for it. A response stays as it is with the status 204, 206 or 304; when its Content-Encoding
/// is set already; with `Cache-Control: no-transform`; with a digest of its body; and as
/// `text/event-stream`, where each client would hold a compressor for hours.
///
/// Tornado  `compress_response`. Differs: Brotli and Zstandard, weights, and weak entity tags.
struct ResponseCompression {
  /// What may be used. Of codings that a client likes equally the first one is taken.
  std::vector<ContentCoding> codings = {ContentCoding::kZstd, ContentCoding::kBrotli,
                                        ContentCoding::kGzip};

  /// Bodies of fewer bytes stay as they are. One that is sent in pieces has no known size.
  std::size_t min_size = 1024;

  /// More is smaller and slower: 1 to 9, 1 to 11, 1 to 22. Zero: what suits answers made on the spot
  /// (6, 4, 3).
  int gzip_level = 0;
  int brotli_level = 0;
  int zstd_level = 0;

  /// Media types to compress beside those that are known, in lower case: "application/x-thing".
  std::vector<std::string> types = {};
};

/// What a client has asked for.
struct CodingChoice {
  /// Nothing: send the body as it is.
  std::optional<ContentCoding> coding = std::nullopt;
  /// False: the client has said that it cannot take the body as it is (`identity;q=0`).
  bool identity_allowed = true;
};

/// Chooses what an Accept-Encoding field likes best.
///
///     choose_content_coding("gzip;q=0.5, br", offered).coding    // Brotli
///
/// What has no weight weighs 1; zero forbids; "*" is every coding that is not named. Without the
/// field, pass the empty text: nothing is chosen. Elements that are malformed are left out.
/// Params   offered  The best first: the first of equals is chosen.
/// Spec     RFC 9110 12.4.2, 12.5.3.
CodingChoice choose_content_coding(std::string_view accept_encoding,
                                   std::span<const ContentCoding> offered) noexcept;

}  // namespace coronado
