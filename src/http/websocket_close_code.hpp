/// The close codes that a WebSocket gives by itself.   Spec  RFC 6455 7.4.1
#pragma once

#include <cstdint>

namespace coronado {

inline constexpr std::uint16_t kCloseNormal = 1000;
inline constexpr std::uint16_t kCloseGoingAway = 1001;
inline constexpr std::uint16_t kCloseProtocolError = 1002;
inline constexpr std::uint16_t kCloseNoCode = 1005;  // the peer gave none; never sent
inline constexpr std::uint16_t kCloseBroken = 1006;  // without a close frame; never sent
inline constexpr std::uint16_t kCloseInvalidPayload = 1007;
inline constexpr std::uint16_t kCloseTooBig = 1009;
inline constexpr std::uint16_t kCloseInternalError = 1011;

}  // namespace coronado
