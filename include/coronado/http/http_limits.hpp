/// How much of each thing a peer may send in one HTTP message.
///
///     HTTPLimits       of any message
///     MultipartLimits  of a multipart body
///
/// Layer: http.
#pragma once

#include <cstddef>
#include <cstdint>

namespace coronado {

/// The size limits of an HTTP connection. All are on by default; all count wire bytes, except where
/// noted. A server's access log has a line for each message that one of them has refused.
struct HTTPLimits {
  /// Most bytes in the request line, without its line end.
  /// When exceeded: `414 URI Too Long`, then close.   Spec  RFC 9112 3 (at least 8000).
  std::size_t max_request_line = 8 * 1024;

  /// Most bytes in one message head: start line, header fields and the empty line that ends it.
  /// When exceeded: `431 Request Header Fields Too Large`, then close.   Spec  RFC 6585 5
  std::size_t max_header_size = 64 * 1024;

  /// Most header fields in one message; most trailer fields, too.
  /// When exceeded: `431 Request Header Fields Too Large`, then close.   Spec  RFC 6585 5
  std::size_t max_header_count = 100;

  /// Most bytes in one message body, after the chunked coding is taken off; and again after it was
  /// decompressed.
  /// When exceeded: `413 Content Too Large`, then close.   Spec  RFC 9110 15.5.14
  std::uint64_t max_body_size = 100ULL * 1024 * 1024;

  /// Most bytes that decompressing may make of one byte, once it has made 1 MiB. Zero: no limit.
  /// When exceeded: `413 Content Too Large`, then close.
  std::uint32_t max_decompression_ratio = 200;

  /// Most bytes in the line before one chunk: its size and its extensions, without the line end. A
  /// body whose lines take far more than what they announce (16 bytes a chunk are free, and twice
  /// its size, and 16 KiB in all) is refused, too.
  /// When exceeded: `400 Bad Request`, then close.   Spec  RFC 9112 7.1.1
  std::size_t max_chunk_line = 256;

  /// Most bytes in the trailer section of a chunked body.
  /// When exceeded: `431 Request Header Fields Too Large`, then close.   Spec  RFC 9112 7.1.2
  std::size_t max_trailer_size = 8 * 1024;

  /// Most parts in a multipart body, when a handler asks for its form.
  /// When exceeded: `400 Bad Request`.   Tornado  `ParseMultipartConfig.max_parts`.
  std::size_t max_parts = 100;

  /// Most bytes in the head of one part.
  /// When exceeded: `400 Bad Request`.   Tornado  `ParseMultipartConfig.max_part_header_size`.
  std::size_t max_part_header_size = 10 * 1024;

  /// Most bytes in the content of one part. Zero: as many as the body may have.
  /// When exceeded: `400 Bad Request`.
  std::uint64_t max_part_size = 0;
};

/// How much a multipart body may hold. What exceeds a limit is answered with 400.
/// Tornado  `ParseMultipartConfig`.
struct MultipartLimits {
  /// Most parts.
  std::size_t max_parts = 100;
  /// Most bytes in the head of one part, with its empty line.
  std::size_t max_part_header_size = 10 * 1024;
  /// Most bytes in the content of one part. The size of the whole body is limited by the server.
  std::uint64_t max_part_size = UINT64_MAX;
};

}  // namespace coronado
