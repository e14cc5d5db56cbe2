#include "conversation.hpp"

#include <coronado/coro/locks.hpp>
#include <coronado/coro/queues.hpp>
#include <coronado/net/iostream.hpp>

#include <string>

namespace tour {
namespace {

using coronado::IOLoop;
using coronado::Lock;
using coronado::LockGuard;
using coronado::Queue;
using coronado::Task;
using coronado::TaskGroup;
using coronado::TCPStream;
using namespace std::chrono_literals;

constexpr auto kLength = 60s;

// A line that never ends.
Task<> listen(TCPStream& stream) { co_await stream.read_until("\n"); }

// Until the other side has read it, which it does not.
Task<> talk(TCPStream& stream) { co_await stream.write(std::string(std::size_t{8} << 20, 'x')); }

Task<> stand_in_line(Lock& lock) { const LockGuard guard = co_await lock.acquire(); }

Task<> wait_for_letters(Queue<std::string>& letters) {
  for (;;) co_await letters.get();
}

Task<> listen_a_while(TCPStream& stream) {
  try {
    co_await coronado::with_timeout(kLength / 2, stream.read_bytes(1));
  } catch (const coronado::TimeoutError&) {
    co_return;
  }
}

Task<> converse(IOLoop& loop) {
  auto [near, far] = coronado::stream_pair(loop);
  auto [mouth, deaf] = coronado::stream_pair(loop);
  auto [asked, silent] = coronado::stream_pair(loop);
  far.write_nowait("the beginning of a line ");
  Lock lock;
  const LockGuard guard = co_await lock.acquire();
  Queue<std::string> letters;
  TaskGroup group("conversation", TaskGroup::OnFailure::kLog);
  group.spawn(listen(near), "listener");
  group.spawn(talk(mouth), "talker");
  group.spawn(as_task(coronado::sleep(kLength)), "sleeper");
  group.spawn(listen_a_while(asked), "impatient listener");
  group.spawn(stand_in_line(lock), "in line for a lock");
  group.spawn(stand_in_line(lock), "in line as well");
  group.spawn(wait_for_letters(letters), "postman");
  try {
    co_await coronado::with_timeout(kLength, group.join());
  } catch (const coronado::TimeoutError&) {
    co_return;  // it was interesting long enough
  }
}

}  // namespace

void Conversation::start(IOLoop& loop) {
  if (!going_on()) main_ = loop.spawn(converse(loop), "conversation");
}

Task<> Conversation::stop() {
  main_.cancel();
  while (going_on()) co_await coronado::sleep(10ms);
}

}  // namespace tour
