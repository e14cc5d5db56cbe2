#include <coronado/testing/virtual_time.hpp>

#include <coronado/coro/timeout.hpp>

#include <stdexcept>

namespace coronado {
namespace {

/// So many turns must pass without a task becoming ready.
constexpr int kQuietTurns = 32;

void check_outside() {
  if (Executor::current() != nullptr) {
    throw std::logic_error("the loop is running: inside a task, await sleep() instead");
  }
}

Task<> one_turn() { co_await moment(); }

}  // namespace

void run_for(IOLoop& loop, Duration span) {
  check_outside();
  loop.run_sync(as_task(sleep(span)));
  settle(loop);
}

void settle(IOLoop& loop) {
  check_outside();
  for (int quiet = 0; quiet < kQuietTurns;) {
    loop.run_sync(one_turn());  // events are delivered between two of them
    quiet = loop.has_ready() ? 0 : quiet + 1;
  }
}

}  // namespace coronado
