// Demonstration 3: a tree of tasks that folds when its root is cancelled.
#pragma once

#include <coronado/base/describe.hpp>
#include <coronado/coro/registry.hpp>
#include <coronado/web.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tour {

struct TreeShape {
  int width;
  int depth;
};
BOOST_DESCRIBE_STRUCT(TreeShape, (), (width, depth))

struct TreeStarted {
  std::uint64_t group;
};
BOOST_DESCRIBE_STRUCT(TreeStarted, (), (group))

struct TreeNode {
  std::string name;
  std::string state;
  double waits_ms;
  std::vector<TreeNode> children;
};
BOOST_DESCRIBE_STRUCT(TreeNode, (), (name, state, waits_ms, children))

class Tree {
 public:
  // Grows a new tree; one that stands is folded first.
  coronado::Task<TreeStarted> start(TreeShape shape);

  // The tree as it stands, if there is one.
  std::optional<TreeNode> now() const;

  // Cancels the root, and does not wait.
  // Throws  HTTPError(404)  There is no such group, or no longer.
  void cancel(std::uint64_t group);

 private:
  struct Place;
  coronado::Task<> grow(TreeShape shape);
  static coronado::Task<> branch(Place place);
  TreeNode describe(const coronado::TaskInfo& task) const;

  coronado::TaskGroup* group_ = nullptr;  // in the frame of `grow`
  coronado::TaskHandle<> gardener_;
  coronado::TimePoint grown_;
  coronado::TimePoint cancelled_;
};

}  // namespace tour
