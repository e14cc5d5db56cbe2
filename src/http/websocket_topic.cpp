#include <coronado/http/websocket_topic.hpp>

#include <coronado/base/error.hpp>
#include <coronado/base/intrusive_list.hpp>
#include <coronado/coro/executor.hpp>
#include <coronado/loop/topic.hpp>

#include <algorithm>
#include <mutex>
#include <utility>
#include <vector>

#include "http/websocket_connection.hpp"

namespace coronado {

struct WebSocketTopic::State {
  struct Place {
    Executor* loop;
    std::weak_ptr<Group> group;
  };

  Topic<PreparedMessage> topic;
  Function<void(const PreparedMessage&)> relay;
  mutable std::mutex mutex;
  std::vector<Place> places;  // guarded by mutex; one for each loop that has subscribers
};

/// The subscribers of one loop: it hears the topic for them. It goes with the last of them.
///
/// Threads  That loop's.
class WebSocketTopic::Group {
 public:
  Group(std::shared_ptr<State> state, Executor& loop)
      : state_(std::move(state)),
        loop_(loop),
        subscription_(
            state_->topic.subscribe([this](const PreparedMessage& message) { deliver(message); })) {
  }
  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;
  ~Group() {
    const std::lock_guard lock(state_->mutex);
    std::erase_if(state_->places, [this](const State::Place& each) { return each.loop == &loop_; });
  }

  IntrusiveList<Subscriber> subscribers;

 private:
  void deliver(const PreparedMessage& message);

  std::shared_ptr<State> state_;
  Executor& loop_;
  Topic<PreparedMessage>::Subscription subscription_;
};

class WebSocketTopic::Subscriber : public ListHook {
 public:
  Subscriber(WebSocketConnection& connection, std::shared_ptr<Group> group)
      : connection_(connection), group_(std::move(group)) {
    group_->subscribers.push_back(*this);
  }
  ~Subscriber() { unlink(); }

  void send(const PreparedMessage& message) {
    if (!connection_.is_open()) return;
    try {
      connection_.send(message);
    } catch (const QueueFull&) {  // it does not keep up: this message is not for it
      connection_.count_dropped();
    }
  }

 private:
  WebSocketConnection& connection_;
  std::shared_ptr<Group> group_;
};

void WebSocketTopic::Group::deliver(const PreparedMessage& message) {
  subscribers.for_each([&](Subscriber& subscriber) { subscriber.send(message); });
}

// --- WebSocketTopic ------------------------------------------------------------------------------

WebSocketTopic::WebSocketTopic() : state_(std::make_shared<State>()) {}

WebSocketTopic::Subscription WebSocketTopic::subscribe(WebSocketConnection& connection) {
  Executor& loop = Executor::require_current();
  std::shared_ptr<Group> group;
  {
    const std::lock_guard lock(state_->mutex);
    const auto place = std::ranges::find(state_->places, &loop, &State::Place::loop);
    // Only a loop's own group: this thread must not become the last owner of another's.
    if (place != state_->places.end()) group = place->group.lock();
  }
  if (!group) {
    group = std::make_shared<Group>(state_, loop);
    const std::lock_guard lock(state_->mutex);
    state_->places.push_back({&loop, group});
  }
  Subscription subscription;
  subscription.subscriber_ = std::make_unique<Subscriber>(connection, std::move(group));
  return subscription;
}

void WebSocketTopic::publish(PreparedMessage message) {
  if (!state_->relay) return publish_here(std::move(message));
  publish_here(message);
  // Behind it, so that here nobody hears an answer from elsewhere before what it answers.
  state_->relay(message);
}

void WebSocketTopic::publish_here(PreparedMessage message) {
  state_->topic.publish(std::move(message));
}

void WebSocketTopic::set_relay(Function<void(const PreparedMessage&)> relay) {
  state_->relay = std::move(relay);
}

std::size_t WebSocketTopic::loops() const {
  const std::lock_guard lock(state_->mutex);
  return state_->places.size();
}

// --- Subscription --------------------------------------------------------------------------------

WebSocketTopic::Subscription::Subscription() noexcept = default;
WebSocketTopic::Subscription::Subscription(Subscription&& other) noexcept = default;
WebSocketTopic::Subscription& WebSocketTopic::Subscription::operator=(
    Subscription&& other) noexcept = default;
WebSocketTopic::Subscription::~Subscription() = default;

}  // namespace coronado
