#include "ops/cpu_limit.hpp"

#include <coronado/testing/temp_folder.hpp>

#include <gtest/gtest.h>

namespace coronado {
namespace {

class CpuLimit : public testing::Test {
 protected:
  void write(const std::string& name, const std::string& text) { root_.write(name, text); }
  std::optional<double> limit() { return cgroup_cpu_limit(root_.at("groups"), root_.at("mount")); }

  const TempFolder root_;
};

TEST_F(CpuLimit, NoGroupsNoLimit) {
  EXPECT_EQ(limit(), std::nullopt);
  write("groups", "0::/\n");
  EXPECT_EQ(limit(), std::nullopt);
  write("mount/cpu.max", "max 100000\n");
  EXPECT_EQ(limit(), std::nullopt);
}

TEST_F(CpuLimit, VersionTwoTakesTheTightestOnTheWayUp) {
  write("groups", "0::/outer/inner\n");
  write("mount/outer/inner/cpu.max", "max 100000\n");
  write("mount/outer/cpu.max", "150000 100000\n");
  write("mount/cpu.max", "400000 100000\n");
  EXPECT_EQ(limit(), 1.5);
  write("mount/outer/inner/cpu.max", "20000 100000\n");
  EXPECT_EQ(limit(), 0.2);
}

TEST_F(CpuLimit, InAContainerTheGroupIsTheRoot) {
  write("groups", "0::/\n");
  write("mount/cpu.max", "200000 100000\n");
  EXPECT_EQ(limit(), 2.0);
}

TEST_F(CpuLimit, VersionOne) {
  write("groups", "7:cpuset:/a\n4:cpu,cpuacct:/a\n");
  write("mount/cpu/a/cpu.cfs_quota_us", "300000\n");
  write("mount/cpu/a/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(limit(), 3.0);
  write("mount/cpu/a/cpu.cfs_quota_us", "-1\n");
  EXPECT_EQ(limit(), std::nullopt);
}

TEST_F(CpuLimit, NonsenseIsNoLimit) {
  write("groups", "nonsense\n0::/\n");
  write("mount/cpu.max", "many 0\n");
  EXPECT_EQ(limit(), std::nullopt);
}

}  // namespace
}  // namespace coronado
