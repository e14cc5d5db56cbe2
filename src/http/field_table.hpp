/// The names behind `FieldId` and the perfect hash over them, made at compile time.
///
/// Layer: http.
#pragma once

#include <array>
#include <coronado/http/field_id.hpp>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace coronado {

/// Spellings, indexed by `FieldId`.
inline constexpr std::array<std::string_view, kFieldIdCount> kFieldNames = {
    "",
    "Accept",
    "Accept-Charset",
    "Accept-Encoding",
    "Accept-Language",
    "Access-Control-Request-Headers",
    "Access-Control-Request-Method",
    "Authorization",
    "Cache-Control",
    "Connection",
    "Content-Disposition",
    "Content-Encoding",
    "Content-Length",
    "Content-Range",
    "Content-Type",
    "Cookie",
    "Date",
    "Expect",
    "Forwarded",
    "Host",
    "If-Match",
    "If-Modified-Since",
    "If-None-Match",
    "If-Range",
    "If-Unmodified-Since",
    "Keep-Alive",
    "Last-Event-ID",
    "Max-Forwards",
    "Origin",
    "Pragma",
    "Priority",
    "Proxy-Authorization",
    "Range",
    "Referer",
    "Sec-Fetch-Dest",
    "Sec-Fetch-Mode",
    "Sec-Fetch-Site",
    "Sec-Fetch-User",
    "Sec-WebSocket-Extensions",
    "Sec-WebSocket-Key",
    "Sec-WebSocket-Protocol",
    "Sec-WebSocket-Version",
    "TE",
    "Traceparent",
    "Trailer",
    "Transfer-Encoding",
    "Upgrade",
    "Upgrade-Insecure-Requests",
    "User-Agent",
    "Via",
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Proto",
    "X-Real-IP",
    "X-Request-ID",
    "X-Requested-With",
    "X-XSRFToken",
};

/// The longest name in `kFieldNames` fits here, with room for whole 16-byte loads.
inline constexpr std::size_t kFieldNameSlot = 32;

/// Lower-case spelling of each name, padded with zeros.
struct alignas(16) FieldPattern {
  char lower[kFieldNameSlot];
};

constexpr char ascii_lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

/// A perfect hash of the last two bytes, the first byte and the length of a name of 2 or more
/// bytes. Setting bit 5 folds the case of letters; that it also maps other bytes onto each other
/// does no harm, since the candidate is compared in full. The multiplier was found by trying random
/// ones; `make_field_hash` refuses to compile when a name added later collides.
constexpr std::uint8_t field_hash(std::uint32_t last_two, std::uint8_t first,
                                  std::size_t size) noexcept {
  const std::uint32_t key =
      (last_two | std::uint32_t{first} << 16 | static_cast<std::uint32_t>(size) << 24) | 0x202020U;
  return static_cast<std::uint8_t>(key * 0x82283d15U >> 24);
}

constexpr std::uint8_t field_hash(std::string_view name) noexcept {
  const auto at = [name](std::size_t i) { return static_cast<std::uint8_t>(name[i]); };
  return field_hash(at(name.size() - 2) | std::uint32_t{at(name.size() - 1)} << 8, at(0),
                    name.size());
}

consteval std::array<std::uint8_t, 256> make_field_hash() {
  std::array<std::uint8_t, 256> table{};
  for (std::size_t id = 1; id < kFieldIdCount; ++id) {
    std::uint8_t& slot = table[field_hash(kFieldNames[id])];
    if (slot != 0) throw "two field names share a slot: choose another multiplier";
    slot = static_cast<std::uint8_t>(id);
  }
  return table;
}

consteval std::array<FieldPattern, kFieldIdCount> make_field_patterns() {
  std::array<FieldPattern, kFieldIdCount> patterns{};
  for (std::size_t id = 1; id < kFieldIdCount; ++id) {
    const std::string_view name = kFieldNames[id];
    if (name.size() > kFieldNameSlot) throw "a field name is longer than kFieldNameSlot";
    for (std::size_t i = 0; i < name.size(); ++i) patterns[id].lower[i] = ascii_lower(name[i]);
  }
  return patterns;
}

consteval std::array<std::uint8_t, kFieldIdCount> make_field_sizes() {
  std::array<std::uint8_t, kFieldIdCount> sizes{};
  for (std::size_t id = 0; id < kFieldIdCount; ++id) {
    sizes[id] = static_cast<std::uint8_t>(kFieldNames[id].size());
  }
  return sizes;
}

/// Hash to `FieldId`; 0 where no name has that hash.
inline constexpr std::array<std::uint8_t, 256> kFieldHash = make_field_hash();
inline constexpr std::array<FieldPattern, kFieldIdCount> kFieldPatterns = make_field_patterns();
inline constexpr std::array<std::uint8_t, kFieldIdCount> kFieldSizes = make_field_sizes();

}  // namespace coronado
