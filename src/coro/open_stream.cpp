#include <coronado/coro/open_stream.hpp>

#include <coronado/coro/context.hpp>

#include <mutex>
#include <utility>
#include <vector>

namespace coronado {
namespace {

/// All of the process: one may be made on another thread than its loop will run on.
struct Sources {
  std::mutex mutex;
  IntrusiveList<StreamSource> list;
};

/// Never destroyed: streams may outlive everything else.
Sources& sources() {
  static Sources& all = *new Sources;
  return all;
}

}  // namespace

// --- StreamSource --------------------------------------------------------------------------------

StreamSource::StreamSource(const Executor& executor) : executor_(executor) {
  const std::lock_guard lock(sources().mutex);
  sources().list.push_back(*this);
}

StreamSource::~StreamSource() { note_end(); }

void StreamSource::note_end() noexcept {
  const std::lock_guard lock(sources().mutex);
  unlink();
}

void StreamSource::visit_all(const Executor& executor, Visit visit) {
  std::vector<const StreamSource*> found;
  {
    const std::lock_guard lock(sources().mutex);
    sources().list.for_each([&](const StreamSource& source) {
      if (&source.executor_ == &executor) found.push_back(&source);
    });
  }
  for (const StreamSource* source : found) source->visit_streams(visit);
}

// --- OpenStream ----------------------------------------------------------------------------------

void OpenStream::note_use() noexcept {
  if (const TaskContext* task = executor().running()) task_id_ = task->id();
}

void OpenStream::visit_streams(Visit& visit) const {
  StreamInfo found = info();
  found.task_id = task_id_;
  visit(std::move(found));
}

}  // namespace coronado
