/// Messages between loops: one says something, all that listen hear it on their own thread.
///
///     Topic<T>   `publish` from anywhere, `subscribe` on each loop
///
///     Topic<std::string> room;                          // one, shared by the workers
///     // In each worker:
///     auto subscription = room.subscribe([&](const std::string& line) { send_to_clients(line); });
///     // In any of them:
///     room.publish("hello");
///
/// Layer: loop.
#pragma once

#include <coronado/base/function.hpp>

#include <memory>

namespace coronado {

namespace detail {

/// A topic but for the type of its messages.
class TopicCore {
 public:
  using Handler = Function<void(const void*)>;
  struct Receiver;
  struct State;

  /// Hears the topic for as long as it lives.
  class Subscription {
   public:
    Subscription() noexcept = default;
    Subscription(Subscription&& other) noexcept;
    Subscription& operator=(Subscription&& other) noexcept;
    ~Subscription();

    /// False for a default-constructed or moved-from one.
    explicit operator bool() const noexcept { return receiver_ != nullptr; }

   private:
    friend class TopicCore;
    std::shared_ptr<State> state_;
    std::shared_ptr<Receiver> receiver_;
  };

  TopicCore();
  Subscription subscribe(Handler handler);
  void publish(std::shared_ptr<const void> message);
  std::size_t subscribers() const;

 private:
  std::shared_ptr<State> state_;
};

}  // namespace detail

/// Messages of type `T` for everyone who subscribed.
///
/// All subscribers hear the messages in the same order; a publisher on a loop that listens hears its
/// own. Nothing bounds what waits for a loop that is busy: publish what may be shared freely and is
/// small.
///
/// Threads  Any. Each handler is called on the loop it was subscribed on.
template <class T>
class Topic {
 public:
  /// Ends with its life. It must be destroyed on the loop it was made on, before that loop.
  using Subscription = detail::TopicCore::Subscription;

  /// Has `handler(message)` called on the loop that runs on this thread, for every message published
  /// from now on, until the subscription is destroyed: then at once no more. What it throws is logged.
  /// Throws  std::logic_error  No loop runs on this thread.
  [[nodiscard("it ends with the subscription")]] Subscription subscribe(
      Function<void(const T&)> handler) {
    return core_.subscribe([call = std::move(handler)](const void* message) mutable {
      call(*static_cast<const T*>(message));
    });
  }

  /// Sends `message` to every subscriber. They share it; the last one destroys it.
  void publish(T message) { core_.publish(std::make_shared<const T>(std::move(message))); }

  /// How many subscriptions there are.
  std::size_t subscribers() const { return core_.subscribers(); }

 private:
  detail::TopicCore core_;
};

}  // namespace coronado
