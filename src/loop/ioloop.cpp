#include <coronado/loop/ioloop.hpp>

#include <coronado/base/log.hpp>
#include <coronado/base/strings.hpp>
#include <coronado/coro/registry.hpp>
#include <coronado/coro/timeout.hpp>

#include <atomic>
#include <charconv>
#include <cstdlib>
#include <map>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "loop/signals.hpp"
#include "loop/stack_sample.hpp"
#include "loop/timer_wheel.hpp"
#include "loop/watchdog.hpp"

namespace coronado {
namespace {

/// After so many resumes the timers are looked at; I/O when this much time has passed as well.
constexpr std::size_t kResumesPerTurn = 64;
constexpr Duration kPollInterval = std::chrono::microseconds(50);
/// Or when so many turns have passed: in simulated time the clock stands still while tasks are ready.
constexpr unsigned kTurnsPerPoll = 64;

ReactorKind choose_reactor(std::optional<ReactorKind> wanted) {
  if (wanted) return *wanted;
  const char* name = std::getenv("CORONADO_REACTOR");
  if (name == nullptr || *name == '\0' || std::string_view(name) == "epoll") {
    return ReactorKind::kEpoll;
  }
  if (std::string_view(name) == "uring") return ReactorKind::kUring;
  throw UsageError("CORONADO_REACTOR=" + std::string(name) + ": expected epoll or uring");
}

std::uint64_t choose_shuffle_seed(std::optional<std::uint64_t> wanted) {
  if (wanted) return *wanted;
  if (const char* text = std::getenv("CORONADO_SHUFFLE_SEED"); text != nullptr && *text != '\0') {
    const std::string_view digits(text);
    std::uint64_t seed = 0;
    const auto [end, error] = std::from_chars(text, text + digits.size(), seed);
    if (error != std::errc() || end != text + digits.size()) {
      throw UsageError("CORONADO_SHUFFLE_SEED=" + std::string(digits) + ": expected a number");
    }
    return seed;
  }
#ifdef NDEBUG
  return 0;
#else
  return random_seed() % 1'000'000'000 + 1;  // short enough to be copied by hand
#endif
}

void log_callback_exception() noexcept {
  try {
    throw;
  } catch (const Cancelled&) {
  } catch (const std::exception& error) {
    app_log().error(std::string("exception in callback: ") + error.what());
  } catch (...) {
    app_log().error("exception in callback, not a std::exception");
  }
}

template <class... Args>
void call_logged(Function<void(Args...)>& callback, Args... args) noexcept {
  try {
    callback(args...);
  } catch (...) {
    log_callback_exception();
  }
}

}  // namespace

namespace detail {

/// One `call_at`, owned by the loop's table until it is due.
struct ScheduledCall final : Timer {
  using Table = std::unordered_map<ScheduledCall*, std::shared_ptr<ScheduledCall>>;

  ScheduledCall(Function<void()> wanted, Table& owner) noexcept
      : callback(std::move(wanted)), table(owner) {}

  void on_timer() noexcept override {
    const auto keep = table.extract(this);
    call_logged(callback);
  }

  Function<void()> callback;
  Table& table;
};

}  // namespace detail

namespace {

/// A descriptor given to `add_handler`.
class DescriptorHandler final : public PollHandler {
 public:
  explicit DescriptorHandler(Function<void(int, unsigned)> handler) noexcept
      : handler_(std::move(handler)) {}

  void on_poll(int fd, unsigned events) noexcept override { call_logged(handler_, fd, events); }

 private:
  Function<void(int, unsigned)> handler_;
};

/// Who is told of one signal.
struct SignalEntry {
  std::shared_ptr<Function<void()>> handler;
  std::vector<detail::SignalListener*> listeners;
  bool unused() const noexcept { return handler == nullptr && listeners.empty(); }
};

constinit std::atomic<std::size_t> loops = 0;

}  // namespace

struct IOLoop::State {
  explicit State(IOLoop& loop)
      : timers(loop.now()), main_tasks(loop, "main", TaskGroup::OnFailure::kHandle) {}

  TimerWheel timers;
  TaskGroup main_tasks;
  TaskContext* awaited = nullptr;  // what run_sync waits for
  TimePoint last_poll{};
  unsigned turns_since_poll = 0;
  std::atomic<bool> stopping{false};
  bool closed = false;
  bool watched = false;

  std::mutex posted_mutex;
  std::vector<Function<void()>> posted;  // guarded by posted_mutex
  bool accepts_posts = true;             // guarded by posted_mutex
  std::atomic<bool> has_posted{false};

  std::unordered_map<int, std::shared_ptr<DescriptorHandler>> descriptors;
  std::map<int, SignalEntry> signals;
  ThreadPool* default_executor = nullptr;
  detail::ScheduledCall::Table scheduled;
};

/// Makes a loop the current one of its thread for a turn. Between its turns the watchdog has no
/// business with it.
class IOLoop::CurrentScope {
 public:
  explicit CurrentScope(IOLoop& loop) noexcept
      : loop_(loop), outer_(std::exchange(current_, &loop)) {
    loop_.probe().idle.store(false, std::memory_order_relaxed);
  }
  CurrentScope(const CurrentScope&) = delete;
  CurrentScope& operator=(const CurrentScope&) = delete;
  ~CurrentScope() {
    current_ = outer_;
    loop_.probe().idle.store(outer_ != &loop_, std::memory_order_relaxed);
  }

 private:
  IOLoop& loop_;
  Executor* outer_;
};

IOLoop::IOLoop(IOLoopOptions options)
    : reactor_(make_reactor(choose_reactor(options.reactor))),
      state_(std::make_unique<State>(*this)) {
  reactor_->read_clock();
  reactor_->set_probe(probe());
  shuffle(choose_shuffle_seed(options.shuffle_seed));
  if (options.slow_step_threshold > Duration::zero()) {
    watch_steps(probe(), options.slow_step_threshold, options.slow_step_stacks);
    state_->watched = true;
  }
  loops.fetch_add(1, std::memory_order_relaxed);
}

IOLoop::~IOLoop() {
  close();
  loops.fetch_sub(1, std::memory_order_relaxed);
}

std::size_t IOLoop::count() noexcept { return loops.load(std::memory_order_relaxed); }

IOLoop* IOLoop::current() noexcept { return dynamic_cast<IOLoop*>(Executor::current()); }

TaskGroup& IOLoop::main_group() noexcept { return state_->main_tasks; }

// --- running -----------------------------------------------------------------------------------

void IOLoop::claim_thread() noexcept {
  probe().thread.store(this_thread_id(), std::memory_order_relaxed);
  if (state_->watched) use_alternate_signal_stack();
}

void IOLoop::run() {
  claim_thread();
  reactor_->read_clock();
  while (!state_->stopping.exchange(false)) {
    if (!turn() && !state_->stopping.load()) {
      throw ClosedError("nothing is left that could wake the loop:\n" + dump_tasks(*this));
    }
  }
  finish_turns();
}

void IOLoop::stop() noexcept {
  state_->stopping.store(true);
  reactor_->wake();
}

void IOLoop::run_until_done(TaskContext& context, std::optional<Duration> timeout) {
  claim_thread();
  reactor_->read_clock();
  TimeoutHandle limit;
  bool timed_out = false;
  if (timeout) {
    limit = call_later(*timeout, [&] {
      timed_out = true;
      context.cancel();
    });
  }
  TaskContext* const outer = std::exchange(state_->awaited, &context);
  std::string stuck;
  bool stopped = false;
  while (!context.finished()) {
    if (!turn()) {
      if (!stuck.empty()) break;  // not even cancellation wakes it
      stuck = dump_tasks(*this);
      context.cancel();
    }
    if (state_->stopping.exchange(false)) {
      stopped = true;
      context.cancel();
    }
  }
  finish_turns();
  state_->awaited = outer;
  remove_timeout(limit);
  if (context.finished() && context.outcome() != TaskOutcome::kCancelled) return;
  if (timed_out) {
    std::string text = "operation timed out after ";
    append_double(text, std::chrono::duration<double>(*timeout).count());
    throw TimeoutError(text + " seconds");
  }
  if (!stuck.empty()) throw ClosedError("nothing is left that could wake the task:\n" + stuck);
  if (stopped) throw ClosedError("the loop was stopped before the task was done");
}

/// Perhaps no turn follows for long: what was asked of the system in the last one must not wait for
/// it.
void IOLoop::finish_turns() {
  const CurrentScope here(*this);
  reactor_->wait(TimePoint::min());
}

/// One round: what other threads posted, a batch of ready tasks, due timers, the system's events.
bool IOLoop::turn() {
  const CurrentScope here(*this);
  State& state = *state_;
  if (state.has_posted.load(std::memory_order_acquire)) run_posted();
  run_ready(kResumesPerTurn);
  probe().count_step();  // what the timers do is not part of the last task's step
  const TimePoint now = reactor_->now();
  state.timers.advance(now);

  bool alive = true;
  if (!has_ready() || now - state.last_poll >= kPollInterval ||
      ++state.turns_since_poll >= kTurnsPerPoll) {
    const bool busy = goal_reached() || has_ready() ||
                      state.has_posted.load(std::memory_order_acquire) ||
                      state.stopping.load(std::memory_order_relaxed);
    state.last_poll = now;
    state.turns_since_poll = 0;
    alive = reactor_->wait(busy ? TimePoint::min() : state.timers.next_due());
    if (!state.signals.empty()) run_signal_handlers();
  }
  if (probe().slow_since.load(std::memory_order_relaxed) != 0) [[unlikely]] {
    report_slow_step(nullptr);
  }
  return alive;
}

/// What the turns are for has come about: the next wait must not block.
bool IOLoop::goal_reached() noexcept {
  const State& state = *state_;
  if (state.awaited != nullptr) return state.awaited->finished();
  return state.closed && root_group().empty() && state.main_tasks.empty();
}

bool IOLoop::closing() const noexcept { return state_->closed; }

void IOLoop::run_signal_handlers() {
  std::vector<std::shared_ptr<Function<void()>>> due;  // a handler may change the table
  for (auto& [signal, entry] : state_->signals) {
    if (!take_signal(signal)) continue;
    if (entry.handler != nullptr) due.push_back(entry.handler);
    for (detail::SignalListener* listener : entry.listeners) listener->on_signal(signal);
  }
  for (auto& handler : due) call_logged(*handler);
}

void IOLoop::close() {
  State& state = *state_;
  if (std::exchange(state.closed, true)) return;
  claim_thread();
  root_group().cancel();
  state.main_tasks.cancel();
  while (!goal_reached()) {
    if (!turn()) {
      app_log().error("the loop is closed while tasks wait for what cannot come:\n" +
                      dump_tasks(*this));
      break;
    }
  }
  finish_turns();
  {
    std::vector<Function<void()>> dropped;  // what goes with them may post again
    std::lock_guard lock(state.posted_mutex);
    state.accepts_posts = false;
    dropped.swap(state.posted);
  }
  for (auto& [call, keep] : state.scheduled) disarm(*call);
  state.scheduled.clear();
  for (const auto& [signal, entry] : state.signals) release_signal(signal, *reactor_);
  state.signals.clear();
  while (!state.descriptors.empty()) remove_handler(state.descriptors.begin()->first);
  state.timers.close();
  if (std::exchange(state.watched, false)) unwatch_steps(probe());
}

void IOLoop::report_slow_step(const TaskContext* context) noexcept {
  const auto since = TimePoint(Duration(probe().slow_since.exchange(0)));
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - since);
  try {
    std::string text = "the loop was blocked for at least " + std::to_string(took.count()) +
                       " ms by " + (context == nullptr ? "a callback" : describe_task(*context));
    const std::string stack = take_slow_stack(probe());
    if (!stack.empty()) text += "; it was at" + stack;
    general_log().warning(text);
  } catch (const std::bad_alloc&) {
    general_log().warning("the loop was blocked, and memory is exhausted");
  }
}

// --- time --------------------------------------------------------------------------------------

void IOLoop::arm(Timer& timer, TimePoint when) noexcept {
  if (when == TimePoint::max()) return disarm(timer);
  state_->timers.arm(timer, when);
}
void IOLoop::disarm(Timer& timer) noexcept { state_->timers.disarm(timer); }

TimeoutHandle IOLoop::call_at(TimePoint when, Function<void()> callback) {
  State& state = *state_;
  auto call = std::make_shared<detail::ScheduledCall>(std::move(callback), state.scheduled);
  state.scheduled.emplace(call.get(), call);
  arm(*call, when);
  return TimeoutHandle(call);
}

TimeoutHandle IOLoop::call_later(Duration delay, Function<void()> callback) {
  return call_at(detail::after(now(), delay), std::move(callback));
}

void IOLoop::remove_timeout(const TimeoutHandle& handle) noexcept {
  if (auto call = handle.call_.lock()) {
    disarm(*call);
    state_->scheduled.erase(call.get());
  }
}

// --- from other threads ------------------------------------------------------------------------

void IOLoop::post(Function<void()> callback) {
  State& state = *state_;
  // Woken under the lock: once the callback can run, it may be the last thing the loop does, and
  // another thread must have let go of the loop by then.
  std::lock_guard lock(state.posted_mutex);
  if (!state.accepts_posts) return;
  state.posted.push_back(std::move(callback));
  const bool first = !state.has_posted.exchange(true, std::memory_order_release);
  if (first && current_ != this) reactor_->wake();  // inside its turn the loop looks by itself
}

void IOLoop::run_posted() {
  State& state = *state_;
  std::vector<Function<void()>> batch;
  {
    std::lock_guard lock(state.posted_mutex);
    state.has_posted.store(false, std::memory_order_relaxed);
    batch.swap(state.posted);
  }
  for (Function<void()>& callback : batch) {
    probe().count_step();
    call_logged(callback);
  }
}

// --- to other threads ---------------------------------------------------------------------------

ThreadPool& IOLoop::default_executor() noexcept {
  ThreadPool* pool = state_->default_executor;
  return pool != nullptr ? *pool : ThreadPool::shared();
}

void IOLoop::set_default_executor(ThreadPool* pool) noexcept { state_->default_executor = pool; }

// --- the system --------------------------------------------------------------------------------

void IOLoop::add_handler(int fd, Function<void(int, unsigned)> handler, unsigned events) {
  State& state = *state_;
  if (state.descriptors.contains(fd)) {
    throw std::invalid_argument("fd " + std::to_string(fd) + " added twice");
  }
  auto watcher = std::make_shared<DescriptorHandler>(std::move(handler));
  reactor_->add_poll(fd, *watcher, events);
  state.descriptors.emplace(fd, std::move(watcher));
}

void IOLoop::update_handler(int fd, unsigned events) {
  if (!state_->descriptors.contains(fd)) {
    throw std::invalid_argument("fd " + std::to_string(fd) + " is not watched");
  }
  reactor_->modify_poll(fd, events);
}

void IOLoop::remove_handler(int fd) noexcept {
  auto found = state_->descriptors.find(fd);
  if (found == state_->descriptors.end()) return;
  reactor_->remove_poll(fd);
  // It may be the handler that is running: it goes when the callback has returned.
  post([gone = std::move(found->second)] {});
  state_->descriptors.erase(found);
}

void IOLoop::add_signal_handler(int signal, Function<void()> handler) {
  catch_signal(signal, *reactor_);
  state_->signals[signal].handler = std::make_shared<Function<void()>>(std::move(handler));
}

void IOLoop::remove_signal_handler(int signal) noexcept {
  const auto found = state_->signals.find(signal);
  if (found == state_->signals.end()) return;
  found->second.handler.reset();
  if (!found->second.unused()) return;
  state_->signals.erase(found);
  release_signal(signal, *reactor_);
}

void IOLoop::add_signal_listener(int signal, detail::SignalListener& listener) {
  catch_signal(signal, *reactor_);
  state_->signals[signal].listeners.push_back(&listener);
}

void IOLoop::remove_signal_listener(detail::SignalListener& listener) noexcept {
  for (auto each = state_->signals.begin(); each != state_->signals.end();) {
    auto& [signal, entry] = *each;
    std::erase(entry.listeners, &listener);
    if (entry.unused()) {
      release_signal(signal, *reactor_);
      each = state_->signals.erase(each);
    } else {
      ++each;
    }
  }
}

}  // namespace coronado
