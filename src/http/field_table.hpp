/// The names behind `FieldId` and the perfect hash over them, made at compile time.
///
/// Layer: http.
#pragma once

#include <coronado/base/strings.hpp>
#include <coronado/http/field_id.hpp>

#include <array>
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

/// What one hash stands for: a name in lower case with the colon after it, padded with zeros, and
/// its id. All zero where no name has that hash. Two blocks of 16 bytes.
struct alignas(16) FieldSlot {
  char lower[31];
  FieldId id;
};

/// A perfect hash of the last two bytes and the length of a name of 2 or more bytes. Setting bit 5
/// folds the case of letters; that it also maps other bytes onto each other does no harm, since the
/// candidate is compared in full. The multiplier was found by trying random ones;
/// `make_field_slots` refuses to compile when a name added later collides.
constexpr std::uint8_t field_hash(std::uint32_t last_two, std::size_t size) noexcept {
  const std::uint32_t key = last_two | static_cast<std::uint32_t>(size) << 16 | 0x2020U;
  return static_cast<std::uint8_t>(key * 0xf9270f4fU >> 24);
}

constexpr std::uint8_t field_hash(std::string_view name) noexcept {
  const auto at = [name](std::size_t i) { return static_cast<std::uint8_t>(name[i]); };
  return field_hash(at(name.size() - 2) | std::uint32_t{at(name.size() - 1)} << 8, name.size());
}

consteval std::array<FieldSlot, 256> make_field_slots() {
  std::array<FieldSlot, 256> slots{};
  for (std::size_t id = 1; id < kFieldIdCount; ++id) {
    const std::string_view name = kFieldNames[id];
    FieldSlot& slot = slots[field_hash(name)];
    if (slot.id != FieldId::kOther) throw "two field names share a slot: choose another multiplier";
    if (name.size() >= sizeof slot.lower) throw "a field name is too long for its slot";
    for (std::size_t i = 0; i < name.size(); ++i) slot.lower[i] = ascii_lower(name[i]);
    slot.lower[name.size()] = ':';
    slot.id = static_cast<FieldId>(id);
  }
  return slots;
}

inline constexpr std::array<FieldSlot, 256> kFieldSlots = make_field_slots();

}  // namespace coronado
