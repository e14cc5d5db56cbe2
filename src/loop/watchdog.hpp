/// The watchdog: one thread that notices when a loop's step takes too long.
///
/// It samples each loop's step counter. When the same step is seen for longer than the threshold it
/// flags the loop, which reports the step itself as soon as it ends: so the loops pay one counter,
/// no clock.
#pragma once

#include <coronado/coro/executor.hpp>

namespace coronado {

/// Watches `probe` until `unwatch`. The thread runs while anything is watched.
/// Threads  Any.
void watch_steps(StepProbe& probe, Duration threshold);
void unwatch_steps(StepProbe& probe) noexcept;

}  // namespace coronado
