// What the coroutine runtime costs: CPU time of one operation through the public API, with the task
// registry and await sites on, as they always are.
//
//     coro_bench WHAT N       prints "WHAT <ns> ns"
//
// WHAT: create     co_await a child Task<int>
//       yield1000  moment() with 1,000 tasks ready
//       mutex      100 tasks: lock, moment(), unlock
//       queue      a Queue of size 1, one producer, one consumer
//       spawn      an empty root task from spawn to finish
//       timeout    with_timeout around a ready task
//       multi      per child of multi over 10 ready tasks
//       cancel     a sleeping task
//       cancel10   the same, asleep ten frames deep; cancel20: twenty
//       generate   a value of an AsyncGenerator
//       pool       a lease of a Pool that has one idle
//       sleep      N tasks sleeping 3 to 4 s at spread deadlines; prints bytes per task as well
#include <coronado/coro/async_generator.hpp>
#include <coronado/coro/combine.hpp>
#include <coronado/coro/pool.hpp>
#include <coronado/coro/queues.hpp>
#include <coronado/coro/timeout.hpp>
#include <coronado/loop/ioloop.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string_view>

namespace {

using namespace coronado;
using namespace std::chrono_literals;

/// CPU time of the process, in seconds.
double cpu_time() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

long resident_bytes() {
  char text[64] = {};
  const int file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  if (file < 0 || read(file, text, sizeof text - 1) < 0) return 0;
  close(file);
  const char* second = std::strchr(text, ' ');
  return second == nullptr ? 0 : std::atol(second) * sysconf(_SC_PAGESIZE);
}

volatile int sink;

[[gnu::noinline]] Task<int> child(int value) { co_return value + 1; }

Task<> create(int count) {
  for (int i = 0; i < count; ++i) sink = co_await child(i);
}

Task<> yields(int count) {
  for (int i = 0; i < count; ++i) co_await moment();
}

Task<> yield1000(int count) {
  TaskGroup group;
  for (int i = 0; i < 1000; ++i) group.spawn(yields(count / 1000));
  co_await group.join();
}

Task<> lock_repeatedly(Lock& lock, int count) {
  for (int i = 0; i < count; ++i) {
    LockGuard guard = co_await lock.acquire();
    sink = i;
    co_await moment();
  }
}

Task<> mutex(int count) {
  Lock lock;
  TaskGroup group;
  for (int i = 0; i < 100; ++i) group.spawn(lock_repeatedly(lock, count / 100));
  co_await group.join();
}

Task<> produce(Queue<int>& queue, int count) {
  for (int i = 0; i < count; ++i) co_await queue.put(i);
}

Task<> consume(Queue<int>& queue, int count) {
  for (int i = 0; i < count; ++i) sink = co_await queue.get();
}

Task<> queue(int count) {
  Queue<int> queue(1);
  TaskGroup group;
  group.spawn(consume(queue, count));
  group.spawn(produce(queue, count));
  co_await group.join();
}

[[gnu::noinline]] Task<> nothing() { co_return; }

Task<> spawn(int count) {
  constexpr int kBatch = 1000;  // as many as a busy server starts in a turn
  TaskGroup group;
  for (int done = 0; done < count; done += kBatch) {
    for (int i = 0; i < kBatch; ++i) group.spawn(nothing());
    co_await group.join();
  }
}

Task<> timeout(int count) {
  for (int i = 0; i < count; ++i) sink = co_await with_timeout(10s, child(i));
}

Task<> multi10(int count) {
  for (int done = 0; done < count; done += 10) {
    std::vector<Task<int>> tasks;
    tasks.reserve(10);
    for (int i = 0; i < 10; ++i) tasks.push_back(child(i));
    const std::vector<int> results = co_await multi(std::move(tasks));
    sink = results.back();
  }
}

Task<> sleep_long() { co_await sleep(1h); }

Task<> sleep_deep(int frames) {
  if (frames == 1) {
    co_await sleep(1h);
  } else {
    co_await sleep_deep(frames - 1);
  }
}

Task<> cancel_deep(int count, int frames) {
  TaskGroup group("sleepers", TaskGroup::OnFailure::kLog);
  for (int i = 0; i < count; ++i) {
    TaskHandle<> handle = group.spawn(sleep_deep(frames));
    co_await moment();
    handle.cancel();
    co_await moment();
  }
  co_await group.join();
}

Task<> cancel10(int count) { return cancel_deep(count, 10); }
Task<> cancel20(int count) { return cancel_deep(count, 20); }

AsyncGenerator<int> numbers(int count) {
  for (int i = 0; i < count; ++i) co_yield i + 0;
}

Task<> generate(int count) {
  AsyncGenerator<int> source = numbers(count);
  while (const int* number = co_await source.next()) sink = *number;
}

Task<> pool(int count) {
  Pool<int> pool([]() -> Task<int> { co_return 1; });
  for (int i = 0; i < count; ++i) {
    Lease<int> lease = co_await pool.acquire();
    sink = *lease;
  }
}

Task<> cancel(int count) {
  TaskGroup group("sleepers", TaskGroup::OnFailure::kLog);
  for (int i = 0; i < count; ++i) {
    TaskHandle<> handle = group.spawn(sleep_long());
    co_await moment();
    handle.cancel();
    co_await moment();
  }
  co_await group.join();
}

Task<> sleep_from(TimePoint begin, int number) {
  co_await sleep_until(begin + 3s + std::chrono::microseconds(number * 7919LL % 1000000));
}

Task<> sleepers(int count, double begin, long before) {
  const TimePoint now = IOLoop::current()->now();
  TaskGroup group;
  for (int i = 0; i < count; ++i) group.spawn(sleep_from(now, i));
  co_await sleep(1500ms);  // by now all of them sleep
  const long bytes = resident_bytes() - before;
  co_await group.join();
  std::printf("sleep %.1f ns %.0f bytes\n", (cpu_time() - begin) / count * 1e9,
              static_cast<double>(bytes) / count);
}

struct Verb {
  std::string_view name;
  Task<> (*run)(int);
};
constexpr Verb kVerbs[] = {{"create", create},     {"yield1000", yield1000}, {"mutex", mutex},
                           {"queue", queue},       {"spawn", spawn},         {"timeout", timeout},
                           {"multi", multi10},     {"cancel", cancel},       {"cancel10", cancel10},
                           {"cancel20", cancel20}, {"generate", generate},   {"pool", pool}};

}  // namespace

int main(int argc, char** argv) {
  const int count = argc == 3 ? std::atoi(argv[2]) : 0;
  const std::string_view what = argc == 3 ? argv[1] : "";
  IOLoop loop({.slow_step_threshold = Duration::zero()});  // some steps here are long on purpose
  if (count > 0 && what == "sleep") {
    loop.run_sync(sleepers(count, cpu_time(), resident_bytes()));
    return 0;
  }
  for (const Verb& verb : kVerbs) {
    if (count <= 0 || verb.name != what) continue;
    const double begin = cpu_time();
    loop.run_sync(verb.run(count));
    std::printf("%s %.1f ns\n", argv[1], (cpu_time() - begin) / count * 1e9);
    return 0;
  }
  std::fprintf(stderr,
               "usage: coro_bench "
               "create|yield1000|mutex|queue|spawn|timeout|multi|cancel|cancel10|cancel20|"
               "generate|pool|sleep N\n");
  return 2;
}
