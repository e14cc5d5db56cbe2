/// The live picture of what every task waits for.
///
///     snapshot_tasks    the tree as values, for pages and tests
///     dump_tasks        the tree as text
///     dump_tasks_json   the tree as JSON
///     task_tree         the tasks alone, without folding
///     describe_task     one task in a line
///
/// Every task knows its parent, every suspended coroutine the line of its `co_await`, and every
/// stream the task that used it last. Keeping that costs one store an await; reading it walks the
/// tree. The connections of an `HTTPServer` are among the streams; they belong to the task of the
/// request or message in progress, and to none between two.
///
/// Threads  The executor's thread.
/// Layer: coro.
#pragma once

#include <coronado/coro/open_stream.hpp>
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

/// What a task is doing.
enum class TaskState : unsigned char {
  kNew,      ///< on the ready queue, not yet begun
  kReady,    ///< on the ready queue: what it waited for has come
  kRunning,  ///< being run at this moment
  kWaiting,  ///< suspended
};

/// "new", "ready", "running", "waiting".
const char* to_string(TaskState state) noexcept;

/// One running task.
struct TaskInfo {
  std::uint64_t id = 0;
  std::uint64_t parent_id = 0;  ///< the task in whose scope it runs; 0: detached
  std::string name;             ///< what it was named at spawn; may be empty
  std::string group;            ///< the name of the group that owns it; may be empty
  AwaitFrame spawned{};         ///< where it was spawned
  TaskState state = TaskState::kNew;
  std::string waits_for;                  ///< the kind of wait: "sleeping", "lock"; may be empty
  std::string detail;                     ///< the very wait: "lock, number 2 in line"
  TimePoint due = TimePoint::max();       ///< when the wait ends by itself; `max()`: never
  TimePoint deadline = TimePoint::max();  ///< of the timeouts around it; `max()`: none
  bool cancelled = false;                 ///< it was asked to stop
  std::vector<AwaitFrame> frames;         ///< innermost first; empty while it runs
  std::vector<StreamInfo> streams;        ///< open, and used by it last
  std::vector<TaskInfo> children;         ///< the tasks of its groups, in order of spawn
  std::size_t alike = 0;                  ///< siblings after it that look the same and are left out
};

/// Which tasks a snapshot shows.
struct SnapshotOptions {
  /// Most tasks shown, and most streams that no task uses; the others are counted.
  std::size_t limit = 1000;

  /// Of siblings without children that look the same, one after the other, three are shown and the
  /// others counted, so that a hundred thousand sleepers do not hide the rest. So it is with streams
  /// that no task uses, when nothing is buffered or unsent.
  bool fold = true;
};

/// The tasks of one loop at one moment.
struct TaskSnapshot {
  TimePoint taken{};                 ///< when, on the loop's clock
  std::size_t total = 0;             ///< live tasks
  std::size_t left_out = 0;          ///< neither shown nor counted as `alike`
  std::vector<TaskInfo> tasks;       ///< those without a parent
  std::vector<StreamInfo> streams;   ///< open, and used by no task that lives
  std::size_t streams_left_out = 0;  ///< of those, neither shown nor counted as `alike`
};

/// The tasks of `executor` as they are now, detached ones at the top.
TaskSnapshot snapshot_tasks(const Executor& executor, SnapshotOptions options = {});

/// A snapshot as text, a line a task, a line a suspended coroutine and a line an open stream:
///
///     3 tasks
///     #1 "main" waiting: sleeping for another 4.5 s
///        at tour.cpp:40 branch()
///        has a stream with 192.0.2.7:4711 (TLS 1.3, TLS_AES_128_GCM_SHA256), 12 bytes buffered
///     a stream that no task uses, with 192.0.2.8:4712 (HTTP)
std::string to_text(const TaskSnapshot& snapshot);

/// A snapshot as JSON:
///
///     {"total": 3, "left_out": 0, "tasks": [{"id": 1, "parent": null, "name": "main",
///       "group": "main", "spawned": {"file": "tour.cpp", "line": 12, "function": "main()"},
///       "state": "waiting", "waits_for": "sleeping", "detail": "sleeping", "due_in": 4.5,
///       "deadline_in": null, "cancelled": false, "frames": [...], "streams": [
///         {"peer": "192.0.2.7:4711", "protocol": "HTTP", "security": "", "kernel_tls": false,
///          "buffered": 12, "unsent": 0, "alike": 0}], "alike": 0, "children": [...]}],
///       "streams": [...], "streams_left_out": 0}
///
/// Spans are in seconds from when it was taken; files are without their folders.
std::string to_json(const TaskSnapshot& snapshot);

/// The tasks of `executor` as text; see `to_text`.
/// Params   limit  Most tasks shown; a last line counts the others.
std::string dump_tasks(const Executor& executor, std::size_t limit = 1000);

/// The tasks of `executor` as JSON; see `to_json`.
std::string dump_tasks_json(const Executor& executor, SnapshotOptions options = {});

/// The tasks of `executor` as a tree, each of them, detached ones at the top.
/// Params   limit  Most tasks returned in all; the others are left out.
std::vector<TaskInfo> task_tree(const Executor& executor, std::size_t limit = 1000);

/// The tasks below one group.
std::vector<TaskInfo> task_tree(const TaskGroup& group, std::size_t limit = 1000);

/// Counts the live tasks: linear.
std::size_t count_tasks(const Executor& executor);

/// Name, spawn site and await sites of one task, in one line.
std::string describe_task(const TaskContext& context);

}  // namespace coronado
