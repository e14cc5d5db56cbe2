#include <coronado/loop/topic.hpp>

#include <coronado/loop/ioloop.hpp>

#include <mutex>
#include <vector>

namespace coronado::detail {

struct TopicCore::Receiver {
  Executor& loop;
  Handler handler;     // the loop's thread only, and the next
  bool ended = false;  // the subscription has gone
};

struct TopicCore::State {
  std::mutex mutex;
  std::vector<std::shared_ptr<Receiver>> receivers;  // guarded by mutex; in order of subscription
};

TopicCore::TopicCore() : state_(std::make_shared<State>()) {}

TopicCore::Subscription TopicCore::subscribe(Handler handler) {
  Subscription subscription;
  subscription.receiver_ =
      std::make_shared<Receiver>(Executor::require_current(), std::move(handler));
  subscription.state_ = state_;
  std::lock_guard lock(state_->mutex);
  state_->receivers.push_back(subscription.receiver_);
  return subscription;
}

void TopicCore::publish(std::shared_ptr<const void> message) {
  // All under one lock: the order is the same everywhere, and a loop whose subscription has ended
  // is not touched any more.
  std::lock_guard lock(state_->mutex);
  for (const std::shared_ptr<Receiver>& receiver : state_->receivers) {
    receiver->loop.post([receiver, message] {
      if (!receiver->ended) receiver->handler(message.get());
    });
  }
}

std::size_t TopicCore::subscribers() const {
  std::lock_guard lock(state_->mutex);
  return state_->receivers.size();
}

TopicCore::Subscription::Subscription(Subscription&& other) noexcept = default;

TopicCore::Subscription& TopicCore::Subscription::operator=(Subscription&& other) noexcept {
  std::swap(state_, other.state_);
  std::swap(receiver_, other.receiver_);
  return *this;
}

TopicCore::Subscription::~Subscription() {
  if (receiver_ == nullptr) return;
  {
    std::lock_guard lock(state_->mutex);
    std::erase(state_->receivers, receiver_);
  }
  // It may be the handler that is running: it goes with the last message that refers to it.
  receiver_->ended = true;
}

}  // namespace coronado::detail
