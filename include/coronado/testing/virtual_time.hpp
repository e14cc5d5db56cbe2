/// The clock of a loop in simulated time, from outside of its tasks.
///
///     run_for   lets a span of virtual time pass, and everything that is due in it happen
///     settle    runs what can run now; the clock stands still
///
/// Virtual time passes only while the loop runs and nothing is ready: it jumps to whatever is due
/// next, a timer or an event of the network. What a task does between two `co_await`s takes no time
/// at all, and while a thread works (`offload`) the clock stands still. It starts at the same
/// instant in every loop. Inside a task, `co_await sleep(...)` is the way to let time pass.
/// `SimNetwork::leap` moves the clock without running what was due meanwhile.
///
///     IOLoop loop({.reactor = ReactorKind::kSim});
///     cache.put("key", "value", 60s);
///     run_for(loop, 59s);
///     EXPECT_TRUE(cache.has("key"));
///     run_for(loop, 1s);
///     EXPECT_FALSE(cache.has("key"));
///
/// Layer: testing.
#pragma once

#include <coronado/loop/ioloop.hpp>

namespace coronado {

/// Runs the loop for `span` of its time. What is due at the last instant happens, too.
/// Throws  std::logic_error  A loop is running on this thread: inside a task await `sleep`.
void run_for(IOLoop& loop, Duration span);

/// Runs the loop until no task is ready and nothing is delivered any more at this instant.
/// Throws  std::logic_error  A loop is running on this thread.
void settle(IOLoop& loop);

}  // namespace coronado
