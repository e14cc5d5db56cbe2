// A chat room over WebSocket.
#include <coronado/base/describe.hpp>
#include <coronado/websocket.hpp>

#include <pages/chat.html.hpp>

#include "stops.hpp"

namespace tour {
namespace {

using coronado::PreparedMessage;
using coronado::Task;
using coronado::WebSocketMessage;
using coronado::WebSocketOptions;
using coronado::WebSocketTopic;

struct Said {
  std::string name;
  std::string text;
};
BOOST_DESCRIBE_STRUCT(Said, (), (name, text))
void describe_rules(web::Rules<Said>& rules) {
  rules.field(&Said::name).length(1, 30);
  rules.field(&Said::text).length(1, 500);
}

// [chat]
class Chat : public web::WebSocketHandler {
 public:
  explicit Chat(WebSocketTopic* room) : room_(*room) {}

  Task<> open() override {
    subscription_ = subscribe(room_);
    return {};
  }

  Task<> on_message(const WebSocketMessage& message) override {
    const auto said = coronado::json_decode<Said>(message.data);
    if (!web::validation_errors(said).empty()) return {};
    room_.publish(PreparedMessage::text(coronado::json_encode(said)));
    return {};
  }
  // [/chat]

  const WebSocketOptions& websocket_options() const override {
    static const WebSocketOptions options{
        .max_message_size = 4096,
        .overflow = coronado::WebSocketOverflow::kClose,
        .ping_interval = std::chrono::seconds(30),
    };
    return options;
  }

 private:
  WebSocketTopic& room_;
  WebSocketTopic::Subscription subscription_;
};

}  // namespace

void add_chat(web::Application& app, const SharedSite& site, WebSocketTopic& room) {
  app.add<SimplePage<pages::chat_html>>("/chat", site);
  app.add<Chat>("/api/chat", &room);
}

}  // namespace tour
