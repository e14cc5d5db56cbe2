/// `HandshakeBudget`: how much of a loop's time handshakes may take.
///
/// A step of a handshake costs up to a millisecond of arithmetic, a thousand times what a request
/// costs. So only so many are made in one turn of the loop; the others wait, first come first
/// served, and the loop serves everybody else in between.
#pragma once

#include <coronado/base/intrusive_list.hpp>
#include <coronado/loop/ioloop.hpp>

#include <memory>

namespace coronado {

/// A handshake that has something to do.
class HandshakeStep : public ListHook {
 public:
  /// The step may destroy itself, or others.
  virtual void run_step() noexcept = 0;

 protected:
  ~HandshakeStep() = default;
};

/// Threads  The loop's thread only.
class HandshakeBudget final : public std::enable_shared_from_this<HandshakeBudget> {
 public:
  /// The budget of an owner (a context) on a loop; shared as long as somebody holds it.
  static std::shared_ptr<HandshakeBudget> of(IOLoop& loop, const void* owner,
                                             unsigned steps_per_turn);

  HandshakeBudget(IOLoop& loop, const void* owner, unsigned steps_per_turn) noexcept
      : loop_(loop), owner_(owner), limit_(steps_per_turn) {}
  ~HandshakeBudget();
  HandshakeBudget(const HandshakeBudget&) = delete;
  HandshakeBudget& operator=(const HandshakeBudget&) = delete;

  /// True: the caller may make a step now, and it is counted. False: it is to `wait`.
  bool take();

  /// Has the step run in a later turn.
  void wait(HandshakeStep& step);

 private:
  void schedule();
  void begin_turn();

  IOLoop& loop_;
  const void* owner_;
  unsigned limit_;
  unsigned used_ = 0;  // in this turn
  bool scheduled_ = false;
  IntrusiveList<HandshakeStep> waiting_;
};

}  // namespace coronado
