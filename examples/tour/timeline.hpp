// Demonstration 2: the same steps one after the other, together, and blocking the thread.
#pragma once

#include <coronado/base/describe.hpp>
#include <coronado/web.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace tour {

struct TimelineWanted {
  std::string mode;
  int steps;
  int ms;
};
BOOST_DESCRIBE_STRUCT(TimelineWanted, (), (mode, steps, ms))

struct Span {
  std::string name;
  double start_ms;
  double end_ms;
  std::uint64_t task;
};
BOOST_DESCRIBE_STRUCT(Span, (), (name, start_ms, end_ms, task))

struct TimelineResult {
  std::string mode;
  double total_ms = 0;
  std::vector<Span> spans;
  std::vector<double> heartbeat;
};
BOOST_DESCRIBE_STRUCT(TimelineResult, (), (mode, total_ms, spans, heartbeat))

// Runs the steps in the wanted mode, beside a coroutine that is due every 10 ms.
coronado::Task<TimelineResult> run_timeline(TimelineWanted wanted);

}  // namespace tour
