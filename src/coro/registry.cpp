#include <coronado/coro/registry.hpp>

#include <coronado/base/json.hpp>
#include <coronado/base/strings.hpp>

#include <algorithm>
#include <map>
#include <tuple>
#include <unordered_map>

#include "coro/source_place.hpp"

namespace coronado {
namespace {

AwaitFrame frame_of(const std::source_location& site) {
  return {site.file_name(), site.line(), site.function_name()};
}

void append_place(std::string& out, const AwaitFrame& frame) {
  detail::append_place(out, frame.file, frame.line, frame.function);
}

double seconds(Duration span) { return std::chrono::duration<double>(span).count(); }

/// "4.5 s"; to the millisecond, so that nobody has to read nanoseconds.
void append_span(std::string& out, Duration span) {
  append_double(out, seconds(std::chrono::round<std::chrono::milliseconds>(span)));
  out += " s";
}

}  // namespace

const char* to_string(TaskState state) noexcept {
  switch (state) {
    case TaskState::kNew: return "new";
    case TaskState::kReady: return "ready";
    case TaskState::kRunning: return "running";
    case TaskState::kWaiting: return "waiting";
  }
  return "";
}

// --- reading -----------------------------------------------------------------------------------

/// Reads the private parts of tasks and owners.
class TaskRegistry {
 public:
  TaskRegistry(const Executor& executor, SnapshotOptions options)
      : options_(options), left_(options.limit) {
    executor.owners_.for_each([&](const ListHook& hook) {
      const auto& owner = static_cast<const detail::TaskOwner&>(hook);
      owners_[owner.parent()].push_back(&owner);
    });
    gather_streams(executor);
  }

  std::vector<TaskInfo> below(const TaskContext* parent) {
    std::vector<TaskInfo> infos;
    const auto found = owners_.find(parent);
    if (found == owners_.end()) return infos;
    Run run;
    for (const detail::TaskOwner* owner : found->second) add_children(*owner, infos, run);
    return infos;
  }

  std::vector<TaskInfo> children_of(const detail::TaskOwner& owner) {
    std::vector<TaskInfo> infos;
    Run run;
    add_children(owner, infos, run);
    return infos;
  }

  /// The tasks that are shown or folded.
  std::size_t shown() const noexcept { return shown_; }

  /// The streams that no living task has used, and how many more there are.
  std::vector<StreamInfo> take_unused_streams() noexcept { return std::move(unused_streams_); }
  std::size_t streams_left_out() const noexcept { return streams_left_out_; }

  static std::size_t count(const Executor& executor) {
    std::size_t total = 0;
    executor.owners_.for_each([&](const ListHook& hook) {
      total += static_cast<const detail::TaskOwner&>(hook).children().size();
    });
    return total;
  }

  static const detail::TaskOwner& owner_of(const TaskGroup& group) { return group; }

  static std::vector<AwaitFrame> frames(const TaskContext& context) {
    std::vector<AwaitFrame> frames;
    for (const PromiseBase* promise = context.leaf(); promise != nullptr;
         promise = promise->parent()) {
      if (promise->site().line() != 0) frames.push_back(frame_of(promise->site()));
    }
    return frames;
  }

 private:
  static constexpr std::size_t kAlikeShown = 3;

  /// Siblings that look alike, one after the other.
  struct Run {
    const TaskContext* last = nullptr;
    std::size_t shown = 0;
  };

  void gather_streams(const Executor& executor) {
    std::map<std::uint64_t, std::vector<StreamInfo>> used;  // in the order of the tasks
    StreamSource::visit_all(executor, [&](StreamInfo info) {
      if (info.task_id == 0) return add_unused(std::move(info));
      used[info.task_id].push_back(std::move(info));
    });
    if (used.empty()) return;
    executor.owners_.for_each([&](const ListHook& hook) {
      static_cast<const detail::TaskOwner&>(hook).children().for_each([&](const TaskContext& task) {
        if (const auto found = used.find(task.id()); found != used.end()) {
          streams_[task.id()] = std::move(found->second);
          used.erase(found);
        }
      });
    });
    for (auto& [task, streams] : used) {
      for (StreamInfo& info : streams) add_unused(std::move(info));
    }
  }

  void add_unused(StreamInfo info) {
    if (options_.fold && info.buffered == 0 && info.unsent == 0) {
      AtRest& like_it = at_rest_[{info.protocol, info.security, info.kernel_tls}];
      if (like_it.shown == kAlikeShown) {
        ++unused_streams_[like_it.last].alike;
        return;
      }
      if (unused_streams_.size() < options_.limit) {
        ++like_it.shown;
        like_it.last = unused_streams_.size();
      }
    }
    if (unused_streams_.size() < options_.limit) {
      unused_streams_.push_back(std::move(info));
    } else {
      ++streams_left_out_;
    }
  }

  void add_children(const detail::TaskOwner& owner, std::vector<TaskInfo>& infos, Run& run) {
    owner.children().for_each([&](const TaskContext& child) {
      const bool has_children = owners_.contains(&child);
      if (has_children || run.last == nullptr || !look_alike(*run.last, child)) run.shown = 0;
      run.last = has_children ? nullptr : &child;
      if (options_.fold && run.shown == kAlikeShown) {
        ++infos.back().alike;
        ++shown_;
      } else if (left_ > 0) {
        --left_;
        ++shown_;
        ++run.shown;
        infos.push_back(describe(child));
      }
    });
  }

  TaskInfo describe(const TaskContext& context) {
    TaskInfo info;
    info.id = context.id();
    if (const detail::TaskOwner* owner = context.owner_) {
      info.group = owner->owner_name();
      if (owner->parent() != nullptr) info.parent_id = owner->parent()->id();
    }
    info.name = context.name();
    info.spawned = frame_of(context.spawn_site());
    info.cancelled = context.cancel_requested();
    info.deadline = context.deadline();
    info.frames = frames(context);
    if (const Suspension* suspension = context.suspension()) {
      info.state = TaskState::kWaiting;
      info.waits_for = suspension->what();
      suspension->describe(info.detail);
      info.due = suspension->due();
    } else if (context.ready()) {
      info.state = info.frames.empty() ? TaskState::kNew : TaskState::kReady;
    } else {
      info.state = TaskState::kRunning;
    }
    if (const auto found = streams_.find(info.id); found != streams_.end()) {
      info.streams = std::move(found->second);
    }
    info.children = below(&context);
    return info;
  }

  /// Whether the two do the same in the same place.
  static bool look_alike(const TaskContext& a, const TaskContext& b) {
    if (a.suspension() == nullptr || b.suspension() == nullptr) return false;
    if (a.suspension()->what() != b.suspension()->what() || a.name() != b.name() ||
        a.cancel_requested() != b.cancel_requested() ||
        a.spawn_site().line() != b.spawn_site().line()) {
      return false;
    }
    const PromiseBase* left = a.leaf();
    const PromiseBase* right = b.leaf();
    for (; left != nullptr && right != nullptr; left = left->parent(), right = right->parent()) {
      if (left->site().line() != right->site().line() ||
          left->site().file_name() != right->site().file_name()) {
        return false;
      }
    }
    return left == right;
  }

  /// Streams that no task uses and that look alike.
  struct AtRest {
    std::size_t shown = 0;
    std::size_t last = 0;  // of those, its place
  };

  SnapshotOptions options_;
  std::size_t left_;
  std::size_t shown_ = 0;
  std::unordered_map<std::uint64_t, std::vector<StreamInfo>> streams_;  // of the task with that id
  std::vector<StreamInfo> unused_streams_;
  std::size_t streams_left_out_ = 0;
  std::map<std::tuple<std::string, std::string, bool>, AtRest> at_rest_;
  std::unordered_map<const TaskContext*, std::vector<const detail::TaskOwner*>> owners_;
};

TaskSnapshot snapshot_tasks(const Executor& executor, SnapshotOptions options) {
  TaskSnapshot snapshot;
  snapshot.taken = executor.now();
  snapshot.total = count_tasks(executor);
  TaskRegistry registry(executor, options);
  snapshot.tasks = registry.below(nullptr);
  snapshot.left_out = snapshot.total - registry.shown();
  snapshot.streams = registry.take_unused_streams();
  snapshot.streams_left_out = registry.streams_left_out();
  return snapshot;
}

std::vector<TaskInfo> task_tree(const Executor& executor, std::size_t limit) {
  return TaskRegistry(executor, {.limit = limit, .fold = false}).below(nullptr);
}

std::vector<TaskInfo> task_tree(const TaskGroup& group, std::size_t limit) {
  TaskRegistry registry(group.executor(), {.limit = limit, .fold = false});
  return registry.children_of(TaskRegistry::owner_of(group));
}

std::size_t count_tasks(const Executor& executor) { return TaskRegistry::count(executor); }

// --- writing -----------------------------------------------------------------------------------

namespace {

void append_wait(std::string& out, const TaskInfo& task, TimePoint now) {
  if (!task.detail.empty()) out += ": " + task.detail;
  if (task.due != TimePoint::max()) {
    out += " for another ";
    append_span(out, std::max(task.due - now, Duration::zero()));
  }
  if (task.deadline != TimePoint::max()) {
    out += ", times out in ";
    append_span(out, std::max(task.deadline - now, Duration::zero()));
  }
}

/// "192.0.2.7:4711 (HTTP, TLS 1.3, TLS_AES_128_GCM_SHA256, by the kernel), 12 bytes buffered, 3
/// bytes unsent"
void append_stream(std::string& out, const StreamInfo& stream) {
  out += stream.peer;
  const char* before = " (";
  for (const std::string_view word :
       {std::string_view(stream.protocol), std::string_view(stream.security),
        std::string_view(stream.kernel_tls ? "by the kernel" : "")}) {
    if (word.empty()) continue;
    out += std::exchange(before, ", ");
    out += word;
  }
  if (*before == ',') out += ')';
  if (stream.buffered != 0) out += ", " + std::to_string(stream.buffered) + " bytes buffered";
  if (stream.unsent != 0) out += ", " + std::to_string(stream.unsent) + " bytes unsent";
  out += '\n';
}

void append_task(std::string& out, const TaskInfo& task, TimePoint now, std::size_t depth) {
  const std::string indent(depth * 3, ' ');
  out += indent + '#' + std::to_string(task.id);
  if (!task.name.empty()) out += " \"" + task.name + '"';
  out += ' ';
  out += to_string(task.state);
  append_wait(out, task, now);
  if (task.cancelled) out += " (cancelled)";
  if (task.name.empty()) {
    out += ", spawned at ";
    append_place(out, task.spawned);
  }
  out += '\n';
  for (const AwaitFrame& frame : task.frames) {
    out += indent + "   at ";
    append_place(out, frame);
    out += '\n';
  }
  for (const StreamInfo& stream : task.streams) {
    out += indent + "   has a stream with ";
    append_stream(out, stream);
  }
  for (const TaskInfo& child : task.children) append_task(out, child, now, depth + 1);
  if (task.alike > 0) {
    out += indent + "... and " + std::to_string(task.alike) + " like it\n";
  }
}

Json json_of(const AwaitFrame& frame) {
  return Json{{"file", detail::base_name(frame.file)},
              {"line", frame.line},
              {"function", detail::short_function(frame.function)}};
}

Json json_of(const std::vector<StreamInfo>& streams) {
  Json list = Json::array();
  for (const StreamInfo& stream : streams) {
    list.push_back(Json{{"peer", stream.peer},
                        {"protocol", stream.protocol},
                        {"security", stream.security},
                        {"kernel_tls", stream.kernel_tls},
                        {"buffered", stream.buffered},
                        {"unsent", stream.unsent},
                        {"alike", stream.alike}});
  }
  return list;
}

/// Seconds from the snapshot on; null: never.
Json json_of(TimePoint when, TimePoint now) {
  return when == TimePoint::max() ? Json() : Json(seconds(when - now));
}

Json json_of(const TaskInfo& task, TimePoint now);

Json json_of(const std::vector<TaskInfo>& tasks, TimePoint now) {
  Json list = Json::array();
  for (const TaskInfo& task : tasks) list.push_back(json_of(task, now));
  return list;
}

Json json_of(const TaskInfo& task, TimePoint now) {
  Json frames = Json::array();
  for (const AwaitFrame& frame : task.frames) frames.push_back(json_of(frame));
  return Json{{"id", task.id},
              {"parent", task.parent_id == 0 ? Json() : Json(task.parent_id)},
              {"name", task.name},
              {"group", task.group},
              {"spawned", json_of(task.spawned)},
              {"state", to_string(task.state)},
              {"waits_for", task.waits_for},
              {"detail", task.detail},
              {"due_in", json_of(task.due, now)},
              {"deadline_in", json_of(task.deadline, now)},
              {"cancelled", task.cancelled},
              {"frames", std::move(frames)},
              {"streams", json_of(task.streams)},
              {"alike", task.alike},
              {"children", json_of(task.children, now)}};
}

}  // namespace

std::string to_text(const TaskSnapshot& snapshot) {
  std::string out = std::to_string(snapshot.total) + (snapshot.total == 1 ? " task\n" : " tasks\n");
  for (const TaskInfo& task : snapshot.tasks) append_task(out, task, snapshot.taken, 0);
  if (snapshot.left_out > 0) out += "... and " + std::to_string(snapshot.left_out) + " more\n";
  for (const StreamInfo& stream : snapshot.streams) {
    out += "a stream that no task uses, with ";
    append_stream(out, stream);
    if (stream.alike > 0) out += "... and " + std::to_string(stream.alike) + " like it\n";
  }
  if (snapshot.streams_left_out > 0) {
    out += "... and " + std::to_string(snapshot.streams_left_out) + " more that no task uses\n";
  }
  return out;
}

std::string to_json(const TaskSnapshot& snapshot) {
  return json_encode(Json{{"total", snapshot.total},
                          {"left_out", snapshot.left_out},
                          {"tasks", json_of(snapshot.tasks, snapshot.taken)},
                          {"streams", json_of(snapshot.streams)},
                          {"streams_left_out", snapshot.streams_left_out}});
}

std::string dump_tasks(const Executor& executor, std::size_t limit) {
  return to_text(snapshot_tasks(executor, {.limit = limit}));
}

std::string dump_tasks_json(const Executor& executor, SnapshotOptions options) {
  return to_json(snapshot_tasks(executor, options));
}

std::string describe_task(const TaskContext& context) {
  std::string out = "task #" + std::to_string(context.id());
  if (*context.name() != '\0') out += std::string(" \"") + context.name() + '"';
  out += " spawned at ";
  append_place(out, frame_of(context.spawn_site()));
  for (const AwaitFrame& frame : TaskRegistry::frames(context)) {
    out += ", now at ";
    append_place(out, frame);
  }
  return out;
}

}  // namespace coronado
