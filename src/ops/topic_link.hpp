/// `TopicLink`: carries what is published to topics between forked processes.
///
/// Layer: ops.
#pragma once

#include <coronado/http/websocket_topic.hpp>

#include <vector>

#include "ops/process_link.hpp"

namespace coronado {

/// While it lives, what is published to one of the topics in this process is heard in the others.
class TopicLink {
 public:
  /// Params  topics  The same in all processes.
  /// Throws  std::system_error  See `ProcessLink`.
  TopicLink(std::vector<WebSocketTopic*> topics, const ProcessSockets& sockets, std::uint32_t id);
  ~TopicLink();
  TopicLink(const TopicLink&) = delete;
  TopicLink& operator=(const TopicLink&) = delete;

 private:
  void hear(std::string_view packed) const;

  std::vector<WebSocketTopic*> topics_;
  ProcessLink link_;
};

}  // namespace coronado
