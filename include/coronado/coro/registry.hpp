/// The live picture of what every task waits for.
///
///     dump_tasks      the tree as text
///     task_tree       the tree as values, for pages and tests
///     describe_task   one task in a line
///
/// Every task knows its parent, and every suspended coroutine the line of its `co_await`. Keeping
/// that costs one store an await; reading it walks the tree.
///
/// Threads  The executor's thread.
/// Layer: coro.
#pragma once

#include <coronado/coro/task_group.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace coronado {

/// Where one coroutine of a task is suspended.
struct AwaitFrame {
  const char* file;
  std::uint32_t line;
  const char* function;
};

/// One running task.
struct TaskInfo {
  std::uint64_t id = 0;
  std::string name;                ///< what it was named at spawn; may be empty
  AwaitFrame spawned{};            ///< where it was spawned
  std::string state;               ///< "running", "ready", "new" or "waiting"
  std::string waits_for;           ///< "sleeping", "lock", ...; may be empty
  bool cancelled = false;          ///< it was asked to stop
  std::vector<AwaitFrame> frames;  ///< innermost first; empty while it runs
  std::vector<TaskInfo> children;  ///< the tasks of its groups, in order of spawn
};

/// The tasks of `executor` as a tree, detached ones at the top.
/// Params   limit  Most tasks returned in all; the others are left out.
std::vector<TaskInfo> task_tree(const Executor& executor, std::size_t limit = 1000);

/// The tasks below one group.
std::vector<TaskInfo> task_tree(const TaskGroup& group, std::size_t limit = 1000);

/// Counts the live tasks: linear.
std::size_t count_tasks(const Executor& executor);

/// The tree as text, a line a task and a line a suspended coroutine:
///
///     3 tasks
///     #1 "main" waiting: sleeping
///        at tour.cpp:40 branch()
///
/// Of siblings without children that look the same, one after the other, three are shown and the
/// others counted in a line, so that a hundred thousand sleepers do not hide the rest.
///
/// Params   limit  Most tasks shown; a last line counts the others.
std::string dump_tasks(const Executor& executor, std::size_t limit = 1000);

/// Name, spawn site and await sites of one task, in one line.
std::string describe_task(const TaskContext& context);

}  // namespace coronado
