#include "process.hpp"

#include <coronado/coro/registry.hpp>

#include <unistd.h>

#include <fstream>

namespace tour {

using coronado::Clock;
using coronado::Task;
using coronado::TimePoint;

std::uint64_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::uint64_t pages_in_all = 0;
  std::uint64_t resident_pages = 0;
  statm >> pages_in_all >> resident_pages;
  return resident_pages * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

double milliseconds_between(TimePoint begin, TimePoint end) {
  return std::chrono::duration<double, std::milli>(end - begin).count();
}

Stats RequestMeter::read(coronado::IOLoop& loop, const coronado::web::Application& application) {
  if (!meter_) meter_ = loop.spawn(measure(application), "request meter");
  return {.uptime_s = milliseconds_between(begin_, Clock::now()) / 1000,
          .requests = application.request_count(),
          .requests_per_second = per_second_,
          .tasks = coronado::count_tasks(loop),
          .rss_bytes = resident_bytes(),
          .reactor = loop.reactor().name(),
          .workers = 1,
          .version = EXAMPLE_VERSION};
}

Task<> RequestMeter::measure(const coronado::web::Application& application) {
  for (;;) {
    const std::uint64_t count = application.request_count();
    const TimePoint begin = Clock::now();
    co_await coronado::sleep(std::chrono::seconds(1));
    const auto requests = static_cast<double>(application.request_count() - count);
    per_second_ = requests * 1000 / milliseconds_between(begin, Clock::now());
  }
}

}  // namespace tour
