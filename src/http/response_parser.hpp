/// The HTTP/1 response parser of the client: bytes in, a `ReceivedHead` out. No I/O.
///
///     ReceivedHead               what a response says before its body
///     parse_response_head        with the quickest scanner this machine has
///     parse_response_head_scalar its twin that looks at one byte at a time; same answers
///
/// Layer: http.
#pragma once

#include <coronado/http/headers.hpp>
#include <coronado/http/http_limits.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/framing.hpp"
#include "http/http1_parser.hpp"

namespace coronado {

/// The head of a response.
struct ReceivedHead {
  int status = 0;
  int minor_version = 1;
  std::string reason;
  HTTPHeaders headers;

  ConnectionOptions connection;
  std::optional<std::uint64_t> content_length;
  bool chunked = false;
  bool content_coded = false;  ///< there is a Content-Encoding

  void clear() noexcept;
  /// Notes a field that was found to be right.   Params  block  Where the head begins.
  [[gnu::always_inline]] void add(const char* block, FieldId id, std::string_view name,
                                  std::string_view value) {
    found_.emplace_back(
        static_cast<std::uint32_t>(name.data() - block), static_cast<std::uint32_t>(name.size()),
        static_cast<std::uint32_t>(value.data() - block), static_cast<std::uint32_t>(value.size()));
    constexpr auto bit = [](FieldId known) { return std::uint64_t{1} << static_cast<int>(known); };
    constexpr std::uint64_t kLookedAt =
        bit(FieldId::kConnection) | bit(FieldId::kTransferEncoding) | bit(FieldId::kContentLength) |
        bit(FieldId::kContentEncoding);
    if ((kLookedAt & bit(id)) != 0) look_at(id, value);
  }
  /// How many were noted.
  std::size_t found() const noexcept { return found_.size(); }
  /// All fields are there.   Params  block  The whole head.
  HeadError finish(std::string_view block);

 private:
  [[gnu::noinline]] void look_at(FieldId id, std::string_view value);
  HeadError take_length(std::string_view value);

  std::vector<HTTPHeaders::Entry> found_;  // where the fields stand; its memory is kept
  HeadError wrong_;                        // the first thing that was
  TransferCodings codings_;
  bool has_codings_ = false;
};

/// Parse the head of the response that starts at `data`; see `parse_request_head`, whose rules
/// for fields, line ends and limits these are.
///
/// Params   head  Cleared and filled. Meaningful only after `kComplete`.
/// Returns  With `kError` the status says what kind of error it is: 431 for a limit.
/// Spec     RFC 9112 2 to 6.
ParseResult parse_response_head(const char* data, std::size_t size, std::size_t& searched,
                                const HTTPLimits& limits, ReceivedHead& head);

ParseResult parse_response_head_scalar(const char* data, std::size_t size, std::size_t& searched,
                                       const HTTPLimits& limits, ReceivedHead& head);

}  // namespace coronado
