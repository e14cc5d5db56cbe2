#include "ops/topic_link.hpp"

#include <string>
#include <utility>

namespace coronado {
namespace {

// A message is packed as two letters for text and compression, the number of its topic, a colon and
// what it says.
constexpr char kYes = 'y';
constexpr char kNo = 'n';

std::string pack(std::size_t topic, const PreparedMessage& message) {
  std::string packed;
  packed.reserve(message.data().size() + 16);
  packed += message.is_text() ? kYes : kNo;
  packed += message.may_compress() ? kYes : kNo;
  return packed.append(std::to_string(topic)).append(":").append(message.data());
}

}  // namespace

TopicLink::TopicLink(std::vector<WebSocketTopic*> topics, const ProcessSockets& sockets,
                     std::uint32_t id)
    : topics_(std::move(topics)),
      link_(sockets, id, [this](std::string_view packed) { hear(packed); }) {
  for (std::size_t i = 0; i < topics_.size(); ++i) {
    topics_[i]->set_relay(
        [this, i](const PreparedMessage& message) { link_.send(pack(i, message)); });
  }
}

TopicLink::~TopicLink() {
  for (WebSocketTopic* topic : topics_) topic->set_relay(nullptr);
}

void TopicLink::hear(std::string_view packed) const {
  const bool text = packed[0] == kYes;
  const bool compress = packed[1] == kYes;
  const std::size_t colon = packed.find(':');
  const std::size_t topic = std::stoul(std::string(packed.substr(2, colon - 2)));
  const std::string_view data = packed.substr(colon + 1);
  topics_.at(topic)->publish_here(text ? PreparedMessage::text(data, compress)
                                       : PreparedMessage::binary(data, compress));
}

}  // namespace coronado
