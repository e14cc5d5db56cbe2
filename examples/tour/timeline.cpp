#include "timeline.hpp"

#include "process.hpp"

#include <algorithm>
#include <thread>

namespace tour {
namespace {

using coronado::Clock;
using coronado::HTTPError;
using coronado::IOLoop;
using coronado::multi;
using coronado::Task;
using coronado::TaskGroup;
using coronado::TimePoint;
using std::chrono::milliseconds;

struct Page {};

class Timeline {
 public:
  explicit Timeline(const TimelineWanted& wanted) : pause_(wanted.ms) {
    for (int i = 1; i <= wanted.steps; ++i) steps_.push_back(i);
    result_.mode = wanted.mode;
    result_.spans.resize(steps_.size());
  }

  Task<TimelineResult> run() {
    co_await coronado::with_group([this](TaskGroup& group) -> Task<> {
      auto heartbeat = group.spawn(beat(), "heartbeat");
      co_await steps_in_mode();
      result_.total_ms = elapsed();
      heartbeat.cancel();
    });
    co_return std::move(result_);
  }

 private:
  Task<> steps_in_mode() {
    if (result_.mode == "sequential") return sequential();
    if (result_.mode == "multi") return together();
    return blocking();
  }

  // The page shows these three as they stand here.

  // [sequential]
  Task<> sequential() {
    for (int i : steps_) {
      co_await fetch(i);
    }
  }
  // [/sequential]

  // [together]
  Task<> together() {
    std::vector<Task<Page>> tasks;
    for (int i : steps_) {
      tasks.push_back(fetch(i));
    }
    co_await multi(std::move(tasks));
  }
  // [/together]

  // [blocking]
  Task<> blocking() {
    for (int i : steps_) {
      old_library_call(i);  // nobody else runs
    }
    co_return;
  }  // the cure: co_await offload(the call)
  // [/blocking]

  Task<Page> fetch(int i) {
    begin_span(i);
    co_await coronado::sleep(pause_);
    end_span(i);
    co_return Page();
  }

  void old_library_call(int i) {
    begin_span(i);
    std::this_thread::sleep_for(pause_);
    end_span(i);
  }

  Task<> beat() {
    constexpr milliseconds kPeriod(10);
    for (TimePoint due = begin_ + kPeriod;; due = std::max(due, Clock::now()) + kPeriod) {
      co_await coronado::sleep_until(due);
      result_.heartbeat.push_back(elapsed());
    }
  }

  void begin_span(int i) {
    Span& span = result_.spans[static_cast<std::size_t>(i - 1)];
    span.name = "step " + std::to_string(i);
    span.task = IOLoop::current()->running()->id();
    span.start_ms = elapsed();
  }
  void end_span(int i) { result_.spans[static_cast<std::size_t>(i - 1)].end_ms = elapsed(); }

  double elapsed() const { return milliseconds_between(begin_, Clock::now()); }

  std::vector<int> steps_;
  milliseconds pause_;
  TimelineResult result_;
  TimePoint begin_ = Clock::now();
};

}  // namespace

Task<TimelineResult> run_timeline(TimelineWanted wanted) {
  if (wanted.mode != "sequential" && wanted.mode != "multi" && wanted.mode != "blocking") {
    throw HTTPError(400, "mode: expected sequential, multi or blocking");
  }
  if (wanted.steps < 1 || wanted.steps > 20 || wanted.ms < 1 || wanted.ms > 1000) {
    throw HTTPError(400, "1 to 20 steps of 1 to 1000 ms");
  }
  if (wanted.mode == "blocking" && wanted.steps * wanted.ms > 2000) {
    throw HTTPError(400, "nobody blocks this thread for more than 2000 ms");
  }
  Timeline timeline(wanted);
  co_return co_await timeline.run();
}

}  // namespace tour
