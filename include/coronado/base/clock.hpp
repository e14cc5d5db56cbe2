/// Time: one monotonic clock, spans and instants as two types, never a bare number.
///
/// Layer: base.
#pragma once

#include <chrono>

namespace coronado {

/// The monotonic clock everything in the library is measured by.
/// Tornado  `IOLoop.time` reads the wall clock, and so jumps with it; this does not.
using Clock = std::chrono::steady_clock;

/// A span of time, in nanoseconds; written `5s`, `20ms` with `using namespace
/// std::chrono_literals`.
using Duration = Clock::duration;

/// An instant on `Clock`.
using TimePoint = Clock::time_point;

}  // namespace coronado
