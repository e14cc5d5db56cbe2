#include <coronado/ops/worker_group.hpp>

#include <coronado/loop/ioloop.hpp>

#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

namespace coronado {

struct WorkerGroup::State {
  struct Worker {
    IOLoop* loop = nullptr;
    std::vector<Function<void()>> waiting;  // posted before there was a loop
  };

  explicit State(std::size_t size) : workers(size) {}

  Worker& at(std::size_t index) {
    if (index < workers.size()) return workers[index];
    throw std::out_of_range("there is no worker " + std::to_string(index) + ", only " +
                            std::to_string(workers.size()));
  }

  std::mutex mutex;
  std::vector<Worker> workers;  // the elements are guarded by mutex
  bool ended = false;           // guarded by mutex
};

WorkerGroup::WorkerGroup(std::size_t size) : state_(std::make_unique<State>(size)) {}
WorkerGroup::~WorkerGroup() = default;

std::size_t WorkerGroup::size() const noexcept { return state_->workers.size(); }

std::optional<std::size_t> WorkerGroup::current() const noexcept {
  const IOLoop* here = IOLoop::current();
  if (here == nullptr) return std::nullopt;
  std::lock_guard lock(state_->mutex);
  for (std::size_t index = 0; index < state_->workers.size(); ++index) {
    if (state_->workers[index].loop == here) return index;
  }
  return std::nullopt;
}

IOLoop& WorkerGroup::loop(std::size_t index) const {
  std::lock_guard lock(state_->mutex);
  IOLoop* loop = state_->at(index).loop;
  if (loop == nullptr) {
    throw std::logic_error("worker " + std::to_string(index) + " has not started");
  }
  return *loop;
}

void WorkerGroup::post(std::size_t index, Function<void()> callback) {
  std::lock_guard lock(state_->mutex);
  State::Worker& worker = state_->at(index);
  if (worker.loop != nullptr) {
    worker.loop->post(std::move(callback));
  } else if (!state_->ended) {
    worker.waiting.push_back(std::move(callback));
  }
}

void WorkerGroup::start(std::size_t index, IOLoop& loop) {
  std::lock_guard lock(state_->mutex);
  State::Worker& worker = state_->at(index);
  worker.loop = &loop;
  for (Function<void()>& callback : std::exchange(worker.waiting, {})) {
    loop.post(std::move(callback));
  }
}

void WorkerGroup::end() noexcept {
  std::vector<State::Worker> dropped(size());  // what goes with them may post again
  std::lock_guard lock(state_->mutex);
  state_->ended = true;
  state_->workers.swap(dropped);
}

}  // namespace coronado
