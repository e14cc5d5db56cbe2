/// What is on its way out of the WebSockets of a thread, and the way into a connection, at whose end it
/// leaves: shared by the files of `WebSocketConnection`.
#pragma once

#include <cstddef>
#include <exception>
#include <string>

#include "http/websocket_connection.hpp"

namespace coronado {

/// A buffer that has become bigger is not kept.
inline constexpr std::size_t kMostKept = 1024 * 1024;

/// Frames on their way out, of the connection whose input is being processed: sent once at the end.
struct WebSocketOutput {
  std::string corked;
  WebSocketConnection* owner = nullptr;
  std::string scratch;
  std::string compressed;
};
inline thread_local WebSocketOutput websocket_output;

inline void keep_small(std::string& buffer, std::size_t most) {
  if (buffer.capacity() > most) {
    std::string().swap(buffer);
  } else {
    buffer.clear();
  }
}

/// Every call from outside goes through here: the connection may be destroyed at its end.
template <class Step>
void WebSocketConnection::enter(Step&& step) noexcept {
  ++depth_;
  const bool corks = websocket_output.owner == nullptr;
  if (corks) websocket_output.owner = this;
  try {
    step();
  } catch (...) {  // out of memory
    failed(std::current_exception());
  }
  if (corks) {
    flush();
    websocket_output.owner = nullptr;
  }
  if (--depth_ == 0 && dead_ && !running() && !has_handle_) delete this;
}

}  // namespace coronado
