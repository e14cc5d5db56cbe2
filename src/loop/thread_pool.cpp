#include <coronado/loop/thread_pool.hpp>

#include <coronado/loop/ioloop.hpp>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "loop/quiet_thread.hpp"

namespace coronado {

struct ThreadPool::State {
  explicit State(ThreadPoolOptions wanted) : options(wanted) {
    if (options.threads == 0) {
      options.threads = std::min<std::size_t>(32, std::thread::hardware_concurrency() + 4);
    }
  }

  void work();

  ThreadPoolOptions options;
  std::mutex mutex;
  // Guarded by mutex:
  std::condition_variable changed;
  IntrusiveList<detail::OffloadCore> queue;
  std::size_t queued = 0;
  std::size_t busy = 0;
  bool stopping = false;
  std::vector<std::thread> threads;
};

ThreadPool::ThreadPool(ThreadPoolOptions options) : state_(std::make_unique<State>(options)) {}

ThreadPool::~ThreadPool() {
  {
    std::lock_guard lock(state_->mutex);
    state_->stopping = true;
  }
  state_->changed.notify_all();
  for (std::thread& thread : state_->threads) thread.join();
}

ThreadPool& ThreadPool::shared() {
  // Not destroyed at exit: a job that blocks then must not keep the process from ending.
  static auto* pool = new ThreadPool();
  return *pool;
}

ThreadPool& ThreadPool::current() {
  IOLoop* loop = IOLoop::current();
  return loop != nullptr ? loop->default_executor() : shared();
}

std::size_t ThreadPool::max_threads() const noexcept { return state_->options.threads; }

void ThreadPool::State::work() {
  std::unique_lock lock(mutex);
  while (true) {
    changed.wait(lock, [this] { return queued > 0 || stopping; });
    if (queued == 0) return;
    detail::OffloadCore& job = queue.pop_front();
    --queued;
    ++busy;
    lock.unlock();
    job.run();
    lock.lock();
    --busy;
  }
}

void ThreadPool::submit(detail::OffloadCore& job) {
  State& state = *state_;
  std::lock_guard lock(state.mutex);
  if (state.queued >= state.options.max_queued + state.options.threads - state.busy) {
    throw QueueFull("too many jobs wait for a thread: " + std::to_string(state.queued));
  }
  const bool all_needed = state.threads.size() <= state.busy + state.queued;
  if (all_needed && state.threads.size() < state.options.threads) {
    try {
      state.threads.push_back(start_quiet_thread([&state] { state.work(); }));
    } catch (const std::system_error&) {
      if (state.threads.empty()) throw;  // else those that there are will come to it
    }
  }
  state.queue.push_back(job);
  ++state.queued;
  state.changed.notify_one();
}

bool ThreadPool::withdraw(detail::OffloadCore& job) noexcept {
  std::lock_guard lock(state_->mutex);
  if (!job.linked()) return false;
  job.unlink();
  --state_->queued;
  return true;
}

namespace detail {

bool OffloadCore::begin(PromiseBase& promise) {
  TaskContext& context = *promise.context();
  if (!context.interrupted()) {
    loop_ = &static_cast<IOLoop&>(context.executor());
    pool_.submit(*this);
    loop_->reactor().begin_outside_work();
  }
  // The job may be done by now, but what it posted waits for the loop's next turn.
  return park(promise);
}

void OffloadCore::run() noexcept {
  try {
    call();
  } catch (...) {
    error_ = std::current_exception();
  }
  loop_->post([this] { finish(); });
}

void OffloadCore::finish() noexcept {
  loop_->reactor().end_outside_work();
  wake();
}

void OffloadCore::cancel() noexcept {
  cancelled_ = true;
  if (pool_.withdraw(*this)) finish();
}

void OffloadCore::end() const {
  check();
  if (error_ != nullptr) std::rethrow_exception(error_);
}

}  // namespace detail
}  // namespace coronado
