#include "net/tls_budget.hpp"

#include <algorithm>
#include <vector>

namespace coronado {
namespace {

/// The budgets of this thread's loops: one for each context in use.
thread_local std::vector<HandshakeBudget*> budgets;

}  // namespace

std::shared_ptr<HandshakeBudget> HandshakeBudget::of(IOLoop& loop, const void* owner,
                                                     unsigned steps_per_turn) {
  for (HandshakeBudget* each : budgets) {
    if (&each->loop_ == &loop && each->owner_ == owner) return each->shared_from_this();
  }
  auto made = std::make_shared<HandshakeBudget>(loop, owner, std::max(1U, steps_per_turn));
  budgets.push_back(made.get());
  return made;
}

HandshakeBudget::~HandshakeBudget() { std::erase(budgets, this); }

bool HandshakeBudget::take() {
  if (used_ == limit_ || !waiting_.empty()) return false;
  schedule();
  ++used_;
  return true;
}

void HandshakeBudget::wait(HandshakeStep& step) {
  schedule();
  waiting_.push_back(step);
}

void HandshakeBudget::schedule() {
  if (scheduled_) return;
  loop_.post([weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->begin_turn();
  });
  scheduled_ = true;
}

void HandshakeBudget::begin_turn() {
  scheduled_ = false;
  used_ = 0;
  while (used_ < limit_ && !waiting_.empty()) {
    ++used_;
    waiting_.pop_front().run_step();
  }
  if (used_ != 0) schedule();  // the count ends with this turn
}

}  // namespace coronado
