/// Queues between the tasks of one loop.
///
///     Queue           first in, first out
///     PriorityQueue   the smallest first
///     LifoQueue       last in, first out
///
///     Queue<Job> queue(100);
///     co_await queue.put(job);                              // waits while the queue is full
///     while (auto job = co_await queue.next()) run(*job);   // until it is closed and drained
///
/// Whoever waits is served in the order of arrival. An item goes straight to the getter that waits
/// longest, and room straight to the putter that does. No item is lost or doubled when a waiting
/// task is cancelled: a getter either has its item or has left the line.
///
/// Threads  The loop's thread only.
/// Lifetime A queue must outlive the tasks that wait on it.
/// Layer: coro.
#pragma once

#include <coronado/coro/locks.hpp>

#include <memory>
#include <optional>
#include <queue>
#include <type_traits>
#include <vector>

namespace coronado {

namespace detail {

/// A task that waits to put or to get.
class QueueWaiter : public LineWaiter {
 public:
  /// The queue was closed: the task goes on, with `ClosedError` or nothing.
  void refuse() noexcept {
    refused_ = true;
    serve();
  }

 protected:
  QueueWaiter() noexcept = default;
  ~QueueWaiter() = default;
  bool refused_ = false;
};

/// The part of a queue that does not depend on the items: lines, counts, the end.
class QueueBase {
 public:
  QueueBase(const QueueBase&) = delete;
  QueueBase& operator=(const QueueBase&) = delete;

  /// Most items kept; zero: any number.
  std::size_t maxsize() const noexcept { return room_ == kUnlimited ? 0 : room_; }

  /// Says that an item taken earlier is done with: when that is true of all, `join` returns.
  /// Throws  std::logic_error  Called more often than items were put.
  void task_done();

  /// Waits until every item that was put has been reported by `task_done`.
  /// Cancel  At once.
  Event::Wait join() noexcept { return Event::Wait(all_done_, "joining a queue"); }

  /// Ends the queue: nothing more can be put. Tasks that wait in `put` get `ClosedError`, and their
  /// items are dropped; getters take what is left, then get `ClosedError` (`next`: nothing).
  void close() noexcept;
  bool closed() const noexcept { return closed_; }

 protected:
  /// Throws  std::invalid_argument  Negative.
  explicit QueueBase(std::ptrdiff_t maxsize);
  ~QueueBase() = default;

  bool has_room(std::size_t size) const noexcept { return size < room_; }
  void count_put() noexcept {
    ++unfinished_;
    all_done_.clear();
  }
  [[noreturn]] static void throw_closed();
  [[noreturn]] static void throw_full();
  [[noreturn]] static void throw_empty();

  IntrusiveList<LineWaiter> getters_;  // while anybody stands here, there is no item
  IntrusiveList<LineWaiter> putters_;  // while anybody stands here, there is no room
  bool closed_ = false;

 private:
  static constexpr auto kUnlimited = static_cast<std::size_t>(-1);
  std::size_t room_;
  std::size_t unfinished_ = 0;
  Event all_done_;
};

/// A queue with its items in a `Store`: `push`, `pop`, `size`.
template <class T, class Store>
class BasicQueue : public QueueBase {
  static_assert(std::is_nothrow_move_constructible_v<T>,
                "a queue's items must be movable without throwing, so that none can be lost");

 public:
  using value_type = T;

  /// Params  maxsize  Most items kept; zero: any number.
  /// Throws  std::invalid_argument  Negative.
  explicit BasicQueue(std::ptrdiff_t maxsize = 0) : QueueBase(maxsize) {}

  /// Items kept now.
  std::size_t qsize() const noexcept { return store_.size(); }
  bool empty() const noexcept { return store_.size() == 0; }
  bool full() const noexcept { return !has_room(store_.size()); }

  class Put;
  class Get;
  class Next;

  /// Adds an item; waits while the queue is full.
  /// Throws   ClosedError  The queue is closed, or is closed meanwhile; the item is dropped.
  /// Cancel   At once; the item has not been put then.
  Put put(T item) noexcept { return Put(*this, std::move(item)); }

  /// Takes the next item; waits while there is none.
  /// Throws   ClosedError  The queue is closed and empty.
  /// Cancel   At once; nothing was taken then. An item that was already handed over is returned.
  Get get() noexcept { return Get(*this); }

  /// Like `get`, but returns nothing when the queue is closed and empty.
  /// Returns  `std::optional<T>`.
  /// Cancel   As for `get`.
  Next next() noexcept { return Next(*this); }

  /// Adds an item if there is room.
  /// Throws  QueueFull    There is no room.
  ///         ClosedError  The queue is closed.
  void put_nowait(T item) {
    if (closed_) throw_closed();
    if (!offer(item)) throw_full();
  }

  /// Takes the next item if there is one.
  /// Throws  QueueEmpty   There is none.
  ///         ClosedError  The queue is closed and empty.
  T get_nowait() {
    if (empty()) closed_ ? throw_closed() : throw_empty();
    return take();
  }

 private:
  class Receive;

  /// Hands the item to a getter or stores it, if that can be done at once.
  bool offer(T& item) {
    if (!getters_.empty()) {
      static_cast<Receive&>(getters_.pop_front()).deliver(std::move(item));
    } else if (has_room(store_.size())) {
      store_.push(std::move(item));
    } else {
      return false;
    }
    count_put();
    return true;
  }

  /// Takes an item; there is one. Its room goes to the first putter.
  T take() {
    T item = store_.pop();
    if (!putters_.empty()) {
      store_.push(std::move(static_cast<Put&>(putters_.front()).item_));
      count_put();
      putters_.pop_front().serve();
    }
    return item;
  }

  Store store_;
};

template <class T, class Store>
class [[nodiscard("nothing is put until it is awaited")]] BasicQueue<T, Store>::Put final
    : public QueueWaiter {
 public:
  Put(BasicQueue& queue, T item) noexcept : queue_(queue), item_(std::move(item)) {}
  Put(Put&& other) noexcept : Put(other.queue_, std::move(other.item_)) {}

  bool await_ready() {
    this->refused_ = queue_.closed_;
    return this->refused_ || queue_.offer(item_);
  }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> handle) noexcept {
    return this->line_up(handle.promise(), queue_.putters_);
  }
  void await_resume() const {
    this->check();
    if (this->refused_) throw_closed();
  }
  const char* what() const noexcept override { return "putting into a full queue"; }
  void describe(std::string& out) const override {
    out += "putting into a full queue, ";
    this->append_position(out, queue_.putters_);
  }

 private:
  friend class BasicQueue;
  BasicQueue& queue_;
  T item_;
};

/// What `get` and `next` have in common.
template <class T, class Store>
class BasicQueue<T, Store>::Receive : public QueueWaiter {
 public:
  bool await_ready() {
    if (queue_.empty()) return this->refused_ = queue_.closed_;
    item_.emplace(queue_.take());
    return true;
  }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> handle) noexcept {
    return this->line_up(handle.promise(), queue_.getters_);
  }
  void deliver(T item) noexcept {
    item_.emplace(std::move(item));
    this->serve();
  }
  const char* what() const noexcept override { return "waiting for an item"; }
  void describe(std::string& out) const override {
    out += "waiting for an item, ";
    this->append_position(out, queue_.getters_);
  }

 protected:
  explicit Receive(BasicQueue& queue) noexcept : queue_(queue) {}
  Receive(Receive&& other) noexcept : Receive(other.queue_) {}
  ~Receive() = default;

  BasicQueue& queue_;
  std::optional<T> item_;
};

template <class T, class Store>
class [[nodiscard("nothing is taken until it is awaited")]] BasicQueue<T, Store>::Get final
    : public Receive {
 public:
  explicit Get(BasicQueue& queue) noexcept : Receive(queue) {}
  T await_resume() {
    this->check();
    if (this->refused_) throw_closed();
    return std::move(*this->item_);
  }
};

template <class T, class Store>
class [[nodiscard("nothing is taken until it is awaited")]] BasicQueue<T, Store>::Next final
    : public Receive {
 public:
  explicit Next(BasicQueue& queue) noexcept : Receive(queue) {}
  std::optional<T> await_resume() {
    this->check();
    return std::move(this->item_);
  }
};

/// Items in a ring that doubles when it is full.
template <class T>
class FifoStore {
 public:
  FifoStore() noexcept = default;
  FifoStore(const FifoStore&) = delete;
  FifoStore& operator=(const FifoStore&) = delete;
  ~FifoStore() {
    while (size_ > 0) pop();
    if (items_ != nullptr) std::allocator<T>().deallocate(items_, capacity_);
  }

  void push(T&& item) {
    if (size_ == capacity_) grow();
    std::construct_at(items_ + ((first_ + size_) & (capacity_ - 1)), std::move(item));
    ++size_;
  }
  T pop() noexcept {
    T* place = items_ + first_;
    T item = std::move(*place);
    std::destroy_at(place);
    first_ = (first_ + 1) & (capacity_ - 1);
    --size_;
    return item;
  }
  std::size_t size() const noexcept { return size_; }

 private:
  static constexpr std::size_t kSmallest = 8;

  void grow() {
    const std::size_t capacity = capacity_ == 0 ? kSmallest : capacity_ * 2;
    T* items = std::allocator<T>().allocate(capacity);
    const std::size_t size = size_;
    for (std::size_t i = 0; i < size; ++i) std::construct_at(items + i, pop());
    if (items_ != nullptr) std::allocator<T>().deallocate(items_, capacity_);
    items_ = items;
    capacity_ = capacity;
    first_ = 0;
    size_ = size;
  }

  T* items_ = nullptr;
  std::size_t capacity_ = 0;  // a power of two
  std::size_t first_ = 0;
  std::size_t size_ = 0;
};

template <class T>
class LifoStore {
 public:
  void push(T&& item) { items_.push_back(std::move(item)); }
  T pop() noexcept {
    T item = std::move(items_.back());
    items_.pop_back();
    return item;
  }
  std::size_t size() const noexcept { return items_.size(); }

 private:
  std::vector<T> items_;
};

/// A heap with the smallest item on top.
template <class T, class Compare>
class HeapStore {
 public:
  void push(T&& item) {
    items_.push_back(std::move(item));
    std::push_heap(items_.begin(), items_.end(), after);
  }
  T pop() {
    std::pop_heap(items_.begin(), items_.end(), after);
    T item = std::move(items_.back());
    items_.pop_back();
    return item;
  }
  std::size_t size() const noexcept { return items_.size(); }

 private:
  static bool after(const T& a, const T& b) { return Compare()(b, a); }
  std::vector<T> items_;
};

}  // namespace detail

/// First in, first out.
/// Tornado  `queues.Queue`. Differs: `put` does nothing until it is awaited; it can be closed.
template <class T>
class Queue final : public detail::BasicQueue<T, detail::FifoStore<T>> {
 public:
  using detail::BasicQueue<T, detail::FifoStore<T>>::BasicQueue;
};

/// The smallest first; equal ones in no particular order.
/// Params   Compare  What "smaller" means; default-constructible.
/// Tornado  `queues.PriorityQueue`.
template <class T, class Compare = std::less<T>>
class PriorityQueue final : public detail::BasicQueue<T, detail::HeapStore<T, Compare>> {
 public:
  using detail::BasicQueue<T, detail::HeapStore<T, Compare>>::BasicQueue;
};

/// Last in, first out.
/// Tornado  `queues.LifoQueue`.
template <class T>
class LifoQueue final : public detail::BasicQueue<T, detail::LifoStore<T>> {
 public:
  using detail::BasicQueue<T, detail::LifoStore<T>>::BasicQueue;
};

}  // namespace coronado
