#include <coronado/coro/open_stream.hpp>

#include <coronado/coro/context.hpp>

#include <mutex>

namespace coronado {
namespace {

/// All of the process: one may be made on another thread than its loop will run on.
struct Streams {
  std::mutex mutex;
  IntrusiveList<OpenStream> list;
};

/// Never destroyed: streams may outlive everything else.
Streams& streams() {
  static Streams& all = *new Streams;
  return all;
}

}  // namespace

OpenStream::OpenStream(const Executor& executor) : executor_(executor) {
  note_use();
  const std::lock_guard lock(streams().mutex);
  streams().list.push_back(*this);
}

OpenStream::~OpenStream() { note_end(); }

void OpenStream::note_end() noexcept {
  const std::lock_guard lock(streams().mutex);
  unlink();
}

void OpenStream::note_use() noexcept {
  if (const TaskContext* task = executor_.running()) task_id_ = task->id();
}

std::vector<const OpenStream*> OpenStream::of(const Executor& executor) {
  std::vector<const OpenStream*> found;
  const std::lock_guard lock(streams().mutex);
  streams().list.for_each([&](const OpenStream& stream) {
    if (&stream.executor_ == &executor) found.push_back(&stream);
  });
  return found;
}

}  // namespace coronado
