/// `WebSocketTopic`: one says something, and all who subscribed hear it, in every worker thread; and in
/// every process, with `web::ServeOptions::topics`.
///
///     WebSocketTopic room;                                   // one, shared by the workers
///     // For each connection; in a handler, a member:
///     WebSocketTopic::Subscription subscription = socket.subscribe(room);
///     // Anywhere:
///     room.publish(PreparedMessage::text("hello"));
///
/// The message's frame is made once and compressed once, however many there are.
///
/// Layer: http.
#pragma once

#include <coronado/base/function.hpp>
#include <coronado/http/prepared_message.hpp>

#include <cstddef>
#include <memory>

namespace coronado {

class WebSocketConnection;

/// All subscribers in a process hear the messages in the same order; in different processes those of
/// one publisher.
///
/// Threads  Any. A subscription belongs to the loop of its connection.
class WebSocketTopic {
  class Group;
  class Subscriber;

 public:
  WebSocketTopic();

  /// Hears the topic for as long as it lives.
  /// Lifetime  It must be destroyed before the connection: a member of its handler, or a variable of
  ///           the function that it was given to.
  class Subscription {
   public:
    Subscription() noexcept;
    Subscription(Subscription&& other) noexcept;
    Subscription& operator=(Subscription&& other) noexcept;
    ~Subscription();

    /// False for a default-constructed or moved-from one.
    explicit operator bool() const noexcept { return subscriber_ != nullptr; }

   private:
    friend class WebSocketTopic;
    std::unique_ptr<Subscriber> subscriber_;
  };

  /// Sends `message` to every subscriber whose connection is open. Each waits for its peer as its
  /// `WebSocketOptions` say, but that `WebSocketOverflow::kThrow` means `kDrop` here.
  void publish(PreparedMessage message);

  /// Sends `message` to the subscribers in this process alone: what came from elsewhere.
  void publish_here(PreparedMessage message);

  /// Has `relay` called with each message that is given to `publish`, on the publisher's thread, to
  /// carry it to other processes or machines, where `publish_here` hands it on. Null: no more.
  /// Threads  Not while somebody publishes.
  void set_relay(Function<void(const PreparedMessage&)> relay);

  /// How many loops have subscribers.
  std::size_t loops() const;

 private:
  friend class WebSocketConnection;
  struct State;
  Subscription subscribe(WebSocketConnection& connection);
  std::shared_ptr<State> state_;
};

}  // namespace coronado
