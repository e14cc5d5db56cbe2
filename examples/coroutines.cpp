// Ways to wait: one after the other, together, for the first, with a limit, in a group, cancelled;
// for one value after the other, for a resource, for another attempt, for a turn.
#include <coronado/coro/async_generator.hpp>
#include <coronado/coro/pool.hpp>
#include <coronado/coro/rate_limiter.hpp>
#include <coronado/coro/retry.hpp>
#include <coronado/web.hpp>

#include <chrono>
#include <cstdio>
#include <string>

using namespace std::chrono_literals;
using coronado::AsyncGenerator, coronado::Lease, coronado::Pool, coronado::RateLimiter;
using coronado::multi, coronado::race, coronado::with_group, coronado::with_timeout;
using coronado::retry, coronado::Task, coronado::TaskGroup;

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

/// What stands for a connection to a database here.
struct Connection {
  Task<std::string> query(std::string question) { return load("answer to " + question, 20ms); }
};

Task<Connection> connect() {
  co_await coronado::sleep(10ms);
  co_return Connection();
}

Task<bool> ping(Connection&) { co_return true; }

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

// [generator]
AsyncGenerator<std::string> pages(std::string topic) {
  for (int number = 1; number <= 3; ++number) {
    co_yield co_await load(topic + " page " + std::to_string(number), 20ms);
  }
}

Task<> read_pages() {
  AsyncGenerator<std::string> source = pages("history");
  while (const std::string* page = co_await source.next()) say(*page);
}
// [/generator]

// [pool]
Task<std::string> ask(Pool<Connection>& connections, std::string question) {
  Lease<Connection> connection = co_await with_timeout(1s, connections.acquire());
  co_return co_await connection->query(question);
}

Task<> pooled() {
  Pool<Connection> connections(connect, {.max_size = 2, .check = ping});
  co_await multi(ask(connections, "a"), ask(connections, "b"), ask(connections, "c"));
  say(std::to_string(connections.stats().made) + " connections were enough for 3");
  co_await connections.close();
}
// [/pool]

// [retry]
Task<std::string> flaky(int& attempts) {
  co_await coronado::sleep(5ms);
  if (++attempts < 3) throw coronado::TimeoutError("nobody answers");
  co_return "answered at attempt " + std::to_string(attempts);
}

Task<> persistent() {
  int attempts = 0;
  const auto operation = [&attempts] { return flaky(attempts); };
  say(co_await retry(operation, {.backoff = {.first = 20ms}, .max_attempts = 5}));
}
// [/retry]

// [limit]
Task<> limited_rate() {
  RateLimiter limiter(100, 1s, 2);  // 100 a second; 2 at once after a pause
  for (int i = 0; i < 5; ++i) co_await limiter.acquire();
  say("5 calls, the last 3 of them 10 ms apart");
}
// [/limit]

Task<> all() {
  co_await sequential();
  co_await together();
  co_await first();
  co_await limited();
  co_await grouped();
  co_await cancelled();
  co_await read_pages();
  co_await pooled();
  co_await persistent();
  co_await limited_rate();
}

}  // namespace

int main() { coronado::IOLoop().run_sync(all()); }
