/// The workers of one server process, and messages between them.
///
///     WorkerGroup   what the application factory of `web::serve` may be given
///
///     return web::serve(argc, argv, [](WorkerGroup& workers) {
///       web::Application app;
///       app.post("/flush", [&workers] {
///         workers.broadcast([] { local_cache().clear(); });    // on every worker's own thread
///         return "flushed";
///       });
///       return app;
///     });
///
/// A worker shares nothing with the others; this is how it tells them something. To ask another worker
/// and wait for the answer, `co_await workers.loop(index).run(task)`. For messages that each worker
/// handles with state of its own, share a `Topic`.
///
/// Layer: ops.
#pragma once

#include <coronado/base/function.hpp>

#include <concepts>
#include <memory>
#include <optional>

namespace coronado {

class IOLoop;

/// The loops of the worker threads of this process.
///
/// Threads  Any.
/// Lifetime `web::serve`'s lives until that returns.
class WorkerGroup {
 public:
  /// Params  size  How many workers there will be.
  explicit WorkerGroup(std::size_t size);
  WorkerGroup(const WorkerGroup&) = delete;
  WorkerGroup& operator=(const WorkerGroup&) = delete;
  ~WorkerGroup();

  std::size_t size() const noexcept;

  /// The number of the worker whose loop runs on this thread; nothing elsewhere.
  std::optional<std::size_t> current() const noexcept;

  /// The loop of one worker.
  /// Throws  std::out_of_range  There is no such worker.
  ///         std::logic_error   It has not started: its application is still to be made.
  IOLoop& loop(std::size_t index) const;

  /// Runs `callback` on one worker's loop, in the order of the calls; what it throws is logged. For a
  /// worker that has not started it waits; for one that has ended it is dropped.
  /// Throws  std::out_of_range  There is no such worker.
  void post(std::size_t index, Function<void()> callback);

  /// Runs a copy of `callback` on every worker's loop, this one included.
  template <std::copy_constructible F>
  void broadcast(const F& callback) {
    for (std::size_t index = 0; index < size(); ++index) post(index, Function<void()>(F(callback)));
  }

  /// Says that a worker has a loop; what was posted for it goes there.
  /// Lifetime  `loop` must live until `end`.
  void start(std::size_t index, IOLoop& loop);
  /// No loop is used any more: what is posted from now on is dropped.
  void end() noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace coronado
