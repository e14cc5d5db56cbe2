/// Conditional and range requests: what a client that knows something of a file is to get.
#pragma once

#include <coronado/http/request_head.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace coronado::web {

/// Bytes `first` to `last`, both included.
struct ByteRange {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  std::uint64_t size() const noexcept { return last - first + 1; }
  friend bool operator==(const ByteRange&, const ByteRange&) = default;
};

/// A representation, as far as it decides about the answer.
struct Validators {
  /// With its quotes; empty: none.
  std::string_view etag = {};
  /// Seconds since 1970; negative: not known.
  std::int64_t modified = -1;
  std::uint64_t size = 0;
};

/// How a GET or HEAD is to be answered.
struct RangePlan {
  /// 200, 206, 304, 412 or 416.
  int status = 200;
  /// With 206: what to send; more than one as multipart/byteranges.
  std::vector<ByteRange> ranges = {};
};

/// Whether a part of the representation may be sent.
enum class Ranges : bool { kIgnored, kHonoured };

/// Evaluates If-Match, If-Unmodified-Since, If-None-Match, If-Modified-Since, If-Range and Range, in
/// this order. A Range that is malformed, of another unit, that asks for more than everything or for
/// all of it is left out of account.
/// Spec     RFC 9110 13.2.2, 14.2.
/// Tornado  `StaticFileHandler.should_return_304` and the ranges of `get`. Differs: several ranges,
///          If-Range, If-Match.
RangePlan plan_response(const RequestHead& request, const Validators& known,
                        Ranges ranges = Ranges::kHonoured);

/// The precondition fields alone: 200, 304 or 412.
int check_preconditions(const RequestHead& request, const Validators& known);

/// What of `Range` a representation of `size` bytes satisfies.
RangePlan parse_range(std::string_view field, std::uint64_t size);

/// The body of a 206 with several ranges, but for the bytes themselves.
struct MultipartRanges {
  std::string content_type;        ///< with the boundary
  std::vector<std::string> heads;  ///< what goes before each range
  std::string end;                 ///< what goes behind the last one
  std::uint64_t length = 0;        ///< of the whole body
};

/// Params  content_type  Of the file.
/// Spec    RFC 9110 14.6.
MultipartRanges make_multipart_ranges(const std::vector<ByteRange>& ranges,
                                      std::string_view content_type, std::uint64_t size);

/// "bytes 0-9/26".
std::string content_range(const ByteRange& range, std::uint64_t size);

}  // namespace coronado::web
