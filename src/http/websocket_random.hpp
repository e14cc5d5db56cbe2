/// Masks for the frames that a client sends.
///
/// Layer: http.   Spec  RFC 6455 5.3: unpredictable.
#pragma once

#include "http/websocket_frame.hpp"

namespace coronado {

/// Four bytes of the system's random generator, which is asked for many at a time.
/// Throws  std::runtime_error  It fails.
WebSocketMask random_websocket_mask();

}  // namespace coronado
