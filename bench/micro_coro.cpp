// The operations of the coroutine runtime one by one, with Google Benchmark. `coro_bench` measures
// the same from outside, as CPU time of a whole process.
#include <coronado/coro/combine.hpp>
#include <coronado/coro/future.hpp>
#include <coronado/coro/queues.hpp>
#include <coronado/coro/task_local.hpp>
#include <coronado/coro/timeout.hpp>
#include <coronado/coro/wait_iterator.hpp>
#include <coronado/loop/ioloop.hpp>
#include <coronado/loop/thread_pool.hpp>

#include <benchmark/benchmark.h>

namespace {

using namespace coronado;
using namespace std::chrono_literals;

/// Runs a coroutine that goes through the iterations of `state` itself.
void run(benchmark::State& state, Task<> (*body)(benchmark::State&)) {
  IOLoop loop({.slow_step_threshold = Duration::zero()});
  loop.run_sync(body(state));
}

[[gnu::noinline]] Task<int> child(int value) { co_return value + 1; }
[[gnu::noinline]] Task<> nothing() { co_return; }

Task<> create(benchmark::State& state) {
  int value = 0;
  for (auto _ : state) benchmark::DoNotOptimize(value = co_await child(value));
}
BENCHMARK_CAPTURE(run, create, create);

Task<> yield(benchmark::State& state) {
  for (auto _ : state) co_await moment();
}
BENCHMARK_CAPTURE(run, moment, yield);

Task<> spawn_and_join(benchmark::State& state) {
  TaskGroup group;
  for (auto _ : state) {
    group.spawn(nothing());
    co_await group.join();
  }
}
BENCHMARK_CAPTURE(run, spawn_and_join, spawn_and_join);

Task<> spawn_and_take(benchmark::State& state) {
  TaskGroup group;
  for (auto _ : state) {
    TaskHandle<int> handle = group.spawn(child(1));
    benchmark::DoNotOptimize(co_await handle.join());
  }
}
BENCHMARK_CAPTURE(run, spawn_and_take, spawn_and_take);

Task<> timeout(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(co_await with_timeout(10s, child(1)));
}
BENCHMARK_CAPTURE(run, with_timeout, timeout);

Task<> shielded(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(co_await shield(child(1)));
}
BENCHMARK_CAPTURE(run, shield, shielded);

Task<> free_lock(benchmark::State& state) {
  Lock lock;
  for (auto _ : state) {
    const LockGuard guard = co_await lock.acquire();
    benchmark::DoNotOptimize(&guard);
  }
}
BENCHMARK_CAPTURE(run, lock_free, free_lock);

Task<> hold(Lock& lock, const bool& stop) {
  while (!stop) {
    const LockGuard guard = co_await lock.acquire();
    co_await moment();
  }
}

Task<> contended_lock(benchmark::State& state) {
  Lock lock;
  bool stop = false;
  TaskGroup group;
  for (int i = 0; i < 100; ++i) group.spawn(hold(lock, stop));
  for (auto _ : state) {
    for (int i = 0; i < 100; ++i) co_await moment();
  }
  stop = true;
  co_await group.join();
}
BENCHMARK_CAPTURE(run, lock_contended_100_turns, contended_lock);

Task<> fill(Queue<int>& queue, const bool& stop) {
  while (!stop) co_await queue.put(1);
}

Task<> queue(benchmark::State& state) {
  Queue<int> queue(1);
  bool stop = false;
  TaskGroup group;
  group.spawn(fill(queue, stop));
  for (auto _ : state) benchmark::DoNotOptimize(co_await queue.get());
  stop = true;
  while (!group.empty()) {
    if (!queue.empty()) (void)queue.get_nowait();
    co_await moment();
  }
}
BENCHMARK_CAPTURE(run, queue, queue);

Task<> multi_two(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(co_await multi(child(1), child(2)));
}
BENCHMARK_CAPTURE(run, multi_two, multi_two);

Task<> race_two(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(co_await race(child(1), child(2)));
}
BENCHMARK_CAPTURE(run, race_two, race_two);

Task<> iterate_two(benchmark::State& state) {
  for (auto _ : state) {
    WaitIterator<int> results(child(1), child(2));
    while (!results.done()) benchmark::DoNotOptimize(co_await results.next());
  }
}
BENCHMARK_CAPTURE(run, wait_iterator_two, iterate_two);

Task<> future(benchmark::State& state) {
  for (auto _ : state) {
    Promise<int> promise;
    Future<int> result = promise.future();
    promise.set_value(1);
    benchmark::DoNotOptimize(co_await result);
  }
}
BENCHMARK_CAPTURE(run, promise_and_future, future);

Task<> cancel(benchmark::State& state) {
  TaskGroup group;
  for (auto _ : state) {
    TaskHandle<> handle = group.spawn(as_task(sleep(1h)));
    co_await moment();
    handle.cancel();
    co_await moment();
  }
  co_await group.join();
}
BENCHMARK_CAPTURE(run, cancel_a_sleeper, cancel);

Task<> locals(benchmark::State& state) {
  const TaskLocal<int> key;
  key.set(1);
  for (auto _ : state) benchmark::DoNotOptimize(key.find());
  co_return;
}
BENCHMARK_CAPTURE(run, task_local, locals);

Task<> off_the_loop(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(co_await offload([] { return 1; }));
}
BENCHMARK_CAPTURE(run, offload, off_the_loop);

void post(benchmark::State& state) {
  IOLoop loop({.slow_step_threshold = Duration::zero()});
  for (auto _ : state) {
    loop.post([&] { loop.stop(); });
    loop.run();
  }
}
BENCHMARK(post);

}  // namespace
