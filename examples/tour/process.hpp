// What the operating system and the loop say about this process.
#pragma once

#include <coronado/base/describe.hpp>
#include <coronado/web.hpp>

#include <cstdint>
#include <string>

namespace tour {

// The memory of this process that is in RAM.
std::uint64_t resident_bytes();

// Milliseconds from `begin` to `end`.
double milliseconds_between(coronado::TimePoint begin, coronado::TimePoint end);

struct Stats {
  double uptime_s;
  std::uint64_t requests;
  double requests_per_second;
  std::uint64_t tasks;
  std::uint64_t rss_bytes;
  std::string reactor;
  unsigned workers;
  std::string version;
};
BOOST_DESCRIBE_STRUCT(Stats, (),
                      (uptime_s, requests, requests_per_second, tasks, rss_bytes, reactor, workers,
                       version))

// Counts the requests of one application and how many there are in a second.
class RequestMeter {
 public:
  // Starts to measure with the first call.
  Stats read(coronado::IOLoop& loop, const coronado::web::Application& application);

 private:
  coronado::Task<> measure(const coronado::web::Application& application);

  coronado::TaskHandle<> meter_;
  double per_second_ = 0;
  coronado::TimePoint begin_ = coronado::Clock::now();
};

}  // namespace tour
