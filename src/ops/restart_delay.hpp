/// How long a child that fails again and again waits.
#pragma once

#include <coronado/ops/process.hpp>

#include <algorithm>

namespace coronado {

/// Params  quick_failures  In a row, the last one counted.
inline Duration restart_delay(const ForkOptions& options, int quick_failures) noexcept {
  if (quick_failures == 0) return Duration::zero();
  Duration delay = options.restart_delay;
  for (int i = 1; i < quick_failures && delay < options.max_restart_delay; ++i) delay *= 2;
  return std::min(delay, options.max_restart_delay);
}

}  // namespace coronado
