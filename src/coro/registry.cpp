#include <coronado/coro/registry.hpp>

#include <string_view>
#include <unordered_map>

namespace coronado {
namespace {

AwaitFrame frame_of(const std::source_location& site) {
  return {site.file_name(), site.line(), site.function_name()};
}

/// The file without its folders.
std::string_view base_name(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

/// "branch()" of "Task<> (anonymous namespace)::branch(int, long)".
std::string short_function(std::string_view function) {
  const std::size_t open = function.find('(', function.starts_with('(') ? 1 : 0);
  std::string_view head = function.substr(0, open);
  if (head.ends_with(' ') || head.empty()) return std::string(function);  // "(anonymous ...": keep
  const std::size_t space = head.rfind(' ');
  if (space != std::string_view::npos) head = head.substr(space + 1);
  return std::string(head) + "()";
}

void append_place(std::string& out, const AwaitFrame& frame) {
  out += base_name(frame.file);
  out += ':';
  out += std::to_string(frame.line);
  out += ' ';
  out += short_function(frame.function);
}

}  // namespace

/// Reads the private parts of tasks and owners.
class TaskRegistry {
 public:
  explicit TaskRegistry(const Executor& executor, std::size_t limit) : left_(limit) {
    executor.owners_.for_each([&](const ListHook& hook) {
      const auto& owner = static_cast<const detail::TaskOwner&>(hook);
      owners_[owner.parent()].push_back(&owner);
    });
  }

  std::vector<TaskInfo> below(const TaskContext* parent) {
    std::vector<TaskInfo> infos;
    const auto found = owners_.find(parent);
    if (found == owners_.end()) return infos;
    for (const detail::TaskOwner* owner : found->second) add_children(*owner, infos);
    return infos;
  }

  void add_children(const detail::TaskOwner& owner, std::vector<TaskInfo>& infos) {
    owner.children().for_each([&](const TaskContext& child) {
      if (left_ == 0) return;
      --left_;
      infos.push_back(describe(child));
    });
  }

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
  TaskInfo describe(const TaskContext& context) {
    TaskInfo info;
    info.id = context.id();
    info.name = context.name();
    info.spawned = frame_of(context.spawn_site());
    info.cancelled = context.cancel_requested();
    info.frames = frames(context);
    if (const Suspension* suspension = context.suspension()) {
      info.state = "waiting";
      info.waits_for = suspension->what();
    } else if (context.ready()) {
      info.state = info.frames.empty() ? "new" : "ready";
    } else {
      info.state = "running";
    }
    info.children = below(&context);
    return info;
  }

  std::size_t left_;
  std::unordered_map<const TaskContext*, std::vector<const detail::TaskOwner*>> owners_;
};

namespace {

void append_task(std::string& out, const TaskInfo& task, std::size_t depth) {
  const std::string indent(depth * 3, ' ');
  out += indent + '#' + std::to_string(task.id);
  if (!task.name.empty()) out += " \"" + task.name + '"';
  out += ' ' + task.state;
  if (!task.waits_for.empty()) out += ": " + task.waits_for;
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
  for (const TaskInfo& child : task.children) append_task(out, child, depth + 1);
}

}  // namespace

std::vector<TaskInfo> task_tree(const Executor& executor, std::size_t limit) {
  return TaskRegistry(executor, limit).below(nullptr);
}

std::vector<TaskInfo> task_tree(const TaskGroup& group, std::size_t limit) {
  std::vector<TaskInfo> infos;
  TaskRegistry(group.executor(), limit).add_children(TaskRegistry::owner_of(group), infos);
  return infos;
}

std::size_t count_tasks(const Executor& executor) { return TaskRegistry::count(executor); }

std::string dump_tasks(const Executor& executor, std::size_t limit) {
  const std::size_t total = count_tasks(executor);
  std::string out = std::to_string(total) + (total == 1 ? " task\n" : " tasks\n");
  for (const TaskInfo& task : task_tree(executor, limit)) append_task(out, task, 0);
  if (total > limit) out += "... and " + std::to_string(total - limit) + " more\n";
  return out;
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
