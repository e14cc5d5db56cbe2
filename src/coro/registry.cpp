#include <coronado/coro/registry.hpp>

#include <algorithm>
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

/// "branch()" of "Task<> (anonymous namespace)::branch(int, long)", and "lambda in main()" of a
/// lambda there.
std::string short_function(std::string_view function) {
  constexpr std::string_view kNoNamespace = "(anonymous namespace)::";
  constexpr std::string_view kLambda = "::(anonymous class)::operator()";
  std::string name(function);
  for (std::size_t at; (at = name.find(kNoNamespace)) != std::string::npos;) {
    name.erase(at, kNoNamespace.size());
  }
  const std::size_t lambda = name.find(kLambda);
  name.resize(std::min({name.size(), lambda, name.find('(')}));
  if (const std::size_t space = name.rfind(' '); space != std::string::npos) {
    name.erase(0, space + 1);
  }
  return (lambda == std::string::npos ? "" : "lambda in ") + name + "()";
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

  /// Writes what is below `parent`, and counts what it leaves out.
  void write_below(std::string& out, const TaskContext* parent, std::size_t depth) {
    const auto found = owners_.find(parent);
    if (found == owners_.end()) return;
    const TaskContext* last = nullptr;
    std::size_t alike = 0;
    const auto end_run = [&] {
      if (alike > kAlikeShown) {
        out += std::string(depth * 3, ' ') + "... and " + std::to_string(alike - kAlikeShown) +
               " like it\n";
      }
      alike = 0;
    };
    for (const detail::TaskOwner* owner : found->second) {
      owner->children().for_each([&](const TaskContext& child) {
        const bool has_children = owners_.contains(&child);
        if (has_children || last == nullptr || !look_alike(*last, child)) end_run();
        last = has_children ? nullptr : &child;
        if (++alike > kAlikeShown) {
          ++folded_;
        } else if (left_ > 0) {
          --left_;
          write_alone(out, child, depth);
          write_below(out, &child, depth + 1);
        } else {
          alike = 0;  // a run whose beginning is not shown is not folded
        }
      });
    }
    end_run();
  }

  std::size_t folded() const noexcept { return folded_; }
  std::size_t left() const noexcept { return left_; }

 private:
  static constexpr std::size_t kAlikeShown = 3;

  TaskInfo describe(const TaskContext& context) {
    TaskInfo info = describe_alone(context);
    info.children = below(&context);
    return info;
  }

  static TaskInfo describe_alone(const TaskContext& context) {
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
    return info;
  }

  /// Whether a dump says the same about both, but for the number.
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

  void write_alone(std::string& out, const TaskContext& context, std::size_t depth) {
    const TaskInfo task = describe_alone(context);
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
  }

  std::size_t left_;
  std::size_t folded_ = 0;
  std::unordered_map<const TaskContext*, std::vector<const detail::TaskOwner*>> owners_;
};

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
  TaskRegistry registry(executor, limit);
  registry.write_below(out, nullptr, 0);
  const std::size_t counted = registry.folded() + limit - registry.left();
  if (total > counted) out += "... and " + std::to_string(total - counted) + " more\n";
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
