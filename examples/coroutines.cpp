// Ways to wait: one after the other, together, for the first, with a limit, in a group, cancelled.
#include <coronado/web.hpp>

#include <chrono>
#include <cstdio>
#include <string>

using namespace std::chrono_literals;
using coronado::multi, coronado::race, coronado::with_group, coronado::with_timeout;
using coronado::Task, coronado::TaskGroup;

namespace {

const coronado::TimePoint begin = coronado::Clock::now();

void say(const std::string& text) {
  const std::chrono::duration<double, std::milli> elapsed = coronado::Clock::now() - begin;
  std::printf("%5.0f ms  %s\n", elapsed.count(), text.c_str());
}

// [load]
Task<std::string> load(std::string name, coronado::Duration time) {
  co_await coronado::sleep(time);  // the loop runs others meanwhile
  co_return name + " loaded";
}
// [/load]

// [sequential]
Task<> sequential() {
  say(co_await load("user", 100ms));
  say(co_await load("orders", 100ms));
}
// [/sequential]

// [together]
Task<> together() {
  const auto results = co_await multi(load("user", 100ms), load("orders", 100ms));
  say(std::get<0>(results) + ", " + std::get<1>(results));
}
// [/together]

// [race]
Task<> first() {
  const auto winner = co_await race(load("primary", 60ms), load("replica", 40ms));
  say(std::visit([](const auto& text) { return text; }, winner));  // the other was cancelled
}
// [/race]

// [timeout]
Task<> limited() {
  try {
    say(co_await with_timeout(50ms, load("report", 10s)));
  } catch (const coronado::TimeoutError&) {
    say("report: no answer in time, and nothing of it runs any more");
  }
}
// [/timeout]

// [group]
Task<> crawl(TaskGroup& group, int depth) {
  say(co_await load("page at depth " + std::to_string(depth), 20ms));
  if (depth < 3) group.spawn(crawl(group, depth + 1));
}

Task<> grouped() {
  co_await with_group([](TaskGroup& group) { return crawl(group, 0); });
  say("every page is done");  // children end before their scope does
}
// [/group]

// [cancel]
Task<> worker() {
  struct Cleanup {
    ~Cleanup() { say("worker: destructors run as after an exception"); }
  } cleanup;
  co_await coronado::sleep(1h);
}

Task<> cancelled() {
  co_await with_group([](TaskGroup& group) -> Task<> {
    auto handle = group.spawn(worker(), "worker");
    co_await coronado::sleep(30ms);
    handle.cancel();
  });
  say("worker: ended");
}
// [/cancel]

Task<> all() {
  co_await sequential();
  co_await together();
  co_await first();
  co_await limited();
  co_await grouped();
  co_await cancelled();
}

}  // namespace

int main() { coronado::IOLoop().run_sync(all()); }
