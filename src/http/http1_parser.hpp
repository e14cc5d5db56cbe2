/// The HTTP/1 request parser: bytes in, a `RequestHead` out. No I/O, no allocation, no exceptions
/// except for lack of memory.
///
///     parse_request_head          with the quickest scanner this machine has
///     parse_request_head_scalar   its twin that looks at one byte at a time; same answers
///
/// Layer: http.
#pragma once

#include <coronado/http/http_limits.hpp>
#include <coronado/http/request_head.hpp>
#include <cstddef>
#include <cstdint>

namespace coronado {

enum class ParseStatus : std::uint8_t {
  kIncomplete,  ///< Everything so far is fine; more bytes are needed.
  kComplete,    ///< The head is whole.
  kError,       ///< The message is refused; the connection cannot go on.
};

/// Two words, so that it travels in registers.
struct ParseResult {
  ParseStatus status = ParseStatus::kIncomplete;
  std::uint16_t http_status = 0;  ///< With `kError`: what to answer with.
  std::uint32_t consumed = 0;     ///< With `kComplete`: bytes up to the end of the head.
  const char* reason = "";        ///< With `kError`: why, for the log. Static.
};

/// Parse the head of the request that starts at `data`.
///
/// Strict: what RFC 9112 allows a server to refuse as ambiguous is refused. The answer depends on
/// the bytes alone, not on how they were split, except that an error may be found later when the
/// bytes come in pieces.
///
/// Params   data, size  All bytes of the request received so far. Nothing beyond them is read.
///          searched    In and out: how many of the bytes earlier calls have looked at. 0 at the
///                      start of each request; it keeps byte-by-byte arrival linear.
///          head        Filled. Meaningful only after `kComplete`; then its base is the first byte
///                      of the method inside `data`.
/// Returns  `consumed` also counts empty lines before the request.
/// Spec     RFC 9112 2 to 6.
ParseResult parse_request_head(const char* data, std::size_t size, std::size_t& searched,
                               const HTTPLimits& limits, RequestHead& head);

ParseResult parse_request_head_scalar(const char* data, std::size_t size, std::size_t& searched,
                                      const HTTPLimits& limits, RequestHead& head);

}  // namespace coronado
