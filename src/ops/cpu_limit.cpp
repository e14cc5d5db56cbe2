#include "ops/cpu_limit.hpp"

#include <coronado/base/strings.hpp>

#include <fstream>

namespace coronado {
namespace {

std::string first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

std::optional<double> quotient(const std::string& quota, const std::string& period) {
  const std::optional<double> dividend = parse_double(quota);
  const std::optional<double> divisor = parse_double(period);
  if (!dividend || !divisor || *dividend <= 0 || *divisor <= 0) return std::nullopt;
  return *dividend / *divisor;
}

/// Version 2: "200000 100000", or "max 100000".
std::optional<double> limit_v2(const std::string& group) {
  const std::string line = first_line(group + "/cpu.max");
  const std::size_t space = line.find(' ');
  if (space == std::string::npos) return std::nullopt;
  return quotient(line.substr(0, space), line.substr(space + 1));
}

/// Version 1: two files, with a quota of -1 for none.
std::optional<double> limit_v1(const std::string& group) {
  return quotient(first_line(group + "/cpu.cfs_quota_us"),
                  first_line(group + "/cpu.cfs_period_us"));
}

/// The tightest limit of a group and those above it.
template <class Limit>
std::optional<double> tightest(const std::string& mount, std::string path, Limit limit) {
  std::optional<double> least;
  while (true) {
    const std::optional<double> here = limit(mount + path);
    if (here && (!least || *here < *least)) least = here;
    const std::size_t slash = path.rfind('/');
    if (slash == std::string::npos) return least;
    path.resize(slash);
  }
}

bool names_cpu(const std::string& controllers) {
  return (',' + controllers + ',').find(",cpu,") != std::string::npos;
}

}  // namespace

std::optional<double> cgroup_cpu_limit(const std::string& groups, const std::string& mount) {
  std::ifstream file(groups);
  std::optional<double> least;
  // "0::/path" is version 2, "4:cpu,cpuacct:/path" is version 1.
  for (std::string line; std::getline(file, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    std::string path = line.substr(second + 1);
    if (path == "/") path.clear();
    std::optional<double> limit;
    if (controllers.empty()) {
      limit = tightest(mount, path, limit_v2);
    } else if (names_cpu(controllers)) {
      limit = tightest(mount + "/cpu", path, limit_v1);
    }
    if (limit && (!least || *limit < *least)) least = limit;
  }
  return least;
}

}  // namespace coronado
