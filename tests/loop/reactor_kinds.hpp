/// The reactors that a parametrised test runs on.
#pragma once

#include <coronado/loop/reactor.hpp>

#include <gtest/gtest.h>

#include <ostream>
#include <string>

namespace coronado {

inline std::string name_of(ReactorKind kind) {
  switch (kind) {
    case ReactorKind::kEpoll: return "Epoll";
    case ReactorKind::kUring: return "Uring";
    case ReactorKind::kSim: return "Sim";
  }
  return "Unknown";
}

inline void PrintTo(ReactorKind kind, std::ostream* out) { *out << name_of(kind); }

/// Those with descriptors. Where the system refuses io_uring, the second is epoll again.
inline auto real_reactors() { return testing::Values(ReactorKind::kEpoll, ReactorKind::kUring); }

inline auto all_reactors() {
  return testing::Values(ReactorKind::kSim, ReactorKind::kEpoll, ReactorKind::kUring);
}

struct ReactorName {
  std::string operator()(const testing::TestParamInfo<ReactorKind>& each) const {
    return name_of(each.param);
  }
};

}  // namespace coronado
