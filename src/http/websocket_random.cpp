#include "http/websocket_random.hpp"

#include <coronado/base/crypto.hpp>

#include <algorithm>
#include <string>

namespace coronado {

WebSocketMask random_websocket_mask() {
  constexpr std::size_t kBytesAtOnce = 4096;
  thread_local std::string bytes;
  if (bytes.empty()) bytes = random_bytes(kBytesAtOnce);
  WebSocketMask mask;
  std::copy(bytes.end() - static_cast<std::ptrdiff_t>(mask.size()), bytes.end(), mask.begin());
  bytes.resize(bytes.size() - mask.size());
  return mask;
}

}  // namespace coronado
