/// What the picture of the tasks tells of a transport.
#pragma once

#include <coronado/coro/open_stream.hpp>
#include <coronado/loop/transport.hpp>

#include <string>

namespace coronado::detail {

/// The peer's address; "a stream" when it has none, or there is no transport.
std::string peer_name(const Transport* transport);

/// Its peer, its security, and what it has not sent.
StreamInfo stream_info(const Transport* transport);

}  // namespace coronado::detail
