// Something for the inspector to show: tasks that wait for each kind of thing.
#pragma once

#include <coronado/web.hpp>

namespace tour {

// A minute of tasks that read, write, sleep, and wait for a lock, a queue and a time limit.
class Conversation {
 public:
  // Starts one; nothing happens while one goes on.
  void start(coronado::IOLoop& loop);

  // Cancels it and waits until its tasks have ended.
  coronado::Task<> stop();

  bool going_on() const noexcept { return !main_.done(); }

 private:
  coronado::TaskHandle<> main_;
};

}  // namespace tour
