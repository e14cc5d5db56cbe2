/// The watchdog: one thread that notices when a loop's step takes too long.
///
/// It samples each loop's step counter. When the same step is seen for longer than the threshold it
/// looks at the stack of the loop's thread and flags the loop, which reports the step itself as soon
/// as it ends: so the loops pay one counter, no clock. A step that goes on for fifty times as long is
/// logged by the watchdog, with its stack: it may never end.
#pragma once

#include <coronado/coro/executor.hpp>

#include <string>

namespace coronado {

/// Watches `probe` until `unwatch`. The thread runs while anything is watched.
/// Params   stacks  Whether to look at the stack of a step that is slow.
/// Threads  Any.
void watch_steps(StepProbe& probe, Duration threshold, bool stacks = false);
void unwatch_steps(StepProbe& probe) noexcept;

/// The stack of the step that was flagged last, as `symbolize_stack` writes it; empty: it was not
/// seen.
/// Threads  Any.
std::string take_slow_stack(StepProbe& probe) noexcept;

}  // namespace coronado
