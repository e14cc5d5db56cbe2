/// How much processor time the process's cgroup grants it.
#pragma once

#include <optional>
#include <string>

namespace coronado {

/// Cores' worth of processor time, such as 1.5; nothing when there is no quota.
/// Params   groups  The file that names the process's groups, /proc/self/cgroup.
///          mount   Where the groups are found, /sys/fs/cgroup; versions 1 and 2.
std::optional<double> cgroup_cpu_limit(const std::string& groups, const std::string& mount);

}  // namespace coronado
