#include <coronado/coro/queues.hpp>

#include <coronado/base/error.hpp>

namespace coronado::detail {
namespace {

void refuse_all(IntrusiveList<LineWaiter>& line) noexcept {
  while (!line.empty()) static_cast<QueueWaiter&>(line.pop_front()).refuse();
}

}  // namespace

QueueBase::QueueBase(std::ptrdiff_t maxsize) : maxsize_(static_cast<std::size_t>(maxsize)) {
  if (maxsize < 0) {
    throw std::invalid_argument("the size of a queue must not be negative: " +
                                std::to_string(maxsize));
  }
  all_done_.set();
}

void QueueBase::task_done() {
  if (unfinished_ == 0) throw std::logic_error("task_done() called too many times");
  if (--unfinished_ == 0) all_done_.set();
}

void QueueBase::close() noexcept {
  closed_ = true;
  refuse_all(putters_);
  refuse_all(getters_);
}

void QueueBase::throw_closed() { throw ClosedError("the queue is closed"); }
void QueueBase::throw_full() { throw QueueFull(); }
void QueueBase::throw_empty() { throw QueueEmpty(); }

}  // namespace coronado::detail
