/// Small integers for the header fields that servers look at, so that a look-up compares no
/// strings.
///
///     FieldId      one value per common request field, `kOther` for all the rest
///     field_id     the id of a name
///     field_name   the usual spelling of an id
///
/// Layer: http.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace coronado {

/// A common request field. Fewer than 64 values, so that a set of them is one word.
enum class FieldId : std::uint8_t {
  kOther,  ///< Any name that is not below.
  kAccept,
  kAcceptCharset,
  kAcceptEncoding,
  kAcceptLanguage,
  kAccessControlRequestHeaders,
  kAccessControlRequestMethod,
  kAuthorization,
  kCacheControl,
  kConnection,
  kContentEncoding,
  kContentLength,
  kContentRange,
  kContentType,
  kCookie,
  kDate,
  kExpect,
  kForwarded,
  kHost,
  kIfMatch,
  kIfModifiedSince,
  kIfNoneMatch,
  kIfRange,
  kIfUnmodifiedSince,
  kKeepAlive,
  kLastEventID,
  kMaxForwards,
  kOrigin,
  kPragma,
  kPriority,
  kProxyAuthorization,
  kRange,
  kReferer,
  kSecFetchDest,
  kSecFetchMode,
  kSecFetchSite,
  kSecFetchUser,
  kSecWebSocketExtensions,
  kSecWebSocketKey,
  kSecWebSocketProtocol,
  kSecWebSocketVersion,
  kTE,
  kTraceparent,
  kTransferEncoding,
  kUpgrade,
  kUpgradeInsecureRequests,
  kUserAgent,
  kVia,
  kXForwardedFor,
  kXForwardedHost,
  kXForwardedProto,
  kXRealIP,
  kXRequestID,
  kXRequestedWith,
  kXXSRFToken,
};

/// The number of `FieldId` values, `kOther` included.
inline constexpr std::size_t kFieldIdCount = 55;

/// The id of the field called `name`, in any case; `FieldId::kOther` when it has none.
/// Cost  One multiplication and one comparison of the name.
FieldId field_id(std::string_view name) noexcept;

/// The usual spelling of `id`, for example "Content-Type"; empty for `FieldId::kOther`.
std::string_view field_name(FieldId id) noexcept;

}  // namespace coronado
