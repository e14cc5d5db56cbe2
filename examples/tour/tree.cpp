#include "tree.hpp"

#include "process.hpp"

#include <exception>

namespace tour {
namespace {

using coronado::Clock;
using coronado::Duration;
using coronado::HTTPError;
using coronado::IOLoop;
using coronado::Task;
using coronado::TaskGroup;
using coronado::TaskInfo;
using std::chrono::milliseconds;

constexpr int kMostTasks = 500;
constexpr const char* kNames[] = {"branch 1", "branch 2", "branch 3", "branch 4",
                                  "branch 5", "branch 6", "branch 7", "branch 8"};

int count_tasks(TreeShape shape) {
  int tasks = 1;
  int level = 1;
  for (int i = 0; i < shape.depth && tasks <= kMostTasks; ++i) tasks += level *= shape.width;
  return tasks;
}

}  // namespace

// Where in the tree a branch is: `levels` above the leaves, and across from 0 to 1.
struct Tree::Place {
  int width;
  int levels;
  double left = 0;
  double right = 1;

  Place child(int index) const {
    const double step = (right - left) / width;
    return {width, levels - 1, left + step * index, left + step * (index + 1)};
  }
};

Task<TreeStarted> Tree::start(TreeShape shape) {
  if (shape.width < 1 || shape.width > static_cast<int>(std::size(kNames)) || shape.depth < 0 ||
      count_tasks(shape) > kMostTasks) {
    throw HTTPError(400, "a tree has 1 to 8 branches at each level and at most 500 tasks");
  }
  while (!gardener_.done()) {  // again and again: somebody else may have grown one meanwhile
    if (group_ != nullptr) group_->cancel();
    co_await coronado::sleep(milliseconds(20));
  }
  grown_ = cancelled_ = Clock::now();
  gardener_ = IOLoop::current()->spawn(grow(shape), "tree");
  co_return TreeStarted{gardener_.context()->id()};
}

std::optional<TreeNode> Tree::now() const {
  if (group_ == nullptr) return std::nullopt;
  const std::vector<TaskInfo> roots = coronado::task_tree(*group_, kMostTasks);
  if (roots.empty()) return std::nullopt;
  return describe(roots.front());
}

void Tree::cancel(std::uint64_t group) {
  if (group_ == nullptr || gardener_.context()->id() != group) {
    throw HTTPError(404, "there is no such tree");
  }
  cancelled_ = Clock::now();
  group_->cancel();
}

// Owns the root. The group is the only way to it, so nothing of the tree is left when this ends.
Task<> Tree::grow(TreeShape shape) {
  struct Forget {
    TaskGroup*& group;
    ~Forget() { group = nullptr; }
  };
  TaskGroup group("tree");
  group_ = &group;
  Forget forget{group_};
  group.spawn(branch({shape.width, shape.depth}), "root");
  co_await group.join();
}

// [branch]
// Waits until it is cancelled, and then takes a moment to unwind, so that one can see it.
Task<> Tree::branch(Place place) {
  std::exception_ptr stopped;
  Duration pause = milliseconds(80);
  try {
    if (place.levels == 0) {
      pause = milliseconds(100 + static_cast<int>(300 * place.left));
      co_await coronado::sleep(std::chrono::minutes(10));
    } else {
      TaskGroup children;
      for (int i = 0; i < place.width; ++i) children.spawn(branch(place.child(i)), kNames[i]);
      co_await children.join();
    }
  } catch (const coronado::Cancelled&) {
    stopped = std::current_exception();
  }
  if (!stopped) co_return;
  co_await coronado::shield(coronado::as_task(coronado::sleep(pause)));
  std::rethrow_exception(stopped);
}
// [/branch]

TreeNode Tree::describe(const TaskInfo& task) const {
  TreeNode node;
  node.name = task.name;
  node.state = task.waits_for.empty() ? to_string(task.state) : task.waits_for;
  if (task.cancelled) node.state = "cancelled, " + node.state;
  node.waits_ms = milliseconds_between(task.cancelled ? cancelled_ : grown_, Clock::now());
  for (const TaskInfo& child : task.children) node.children.push_back(describe(child));
  return node;
}

}  // namespace tour
