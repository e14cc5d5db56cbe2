// A chat over raw TCP: `chat 8888`, then `nc localhost 8888` in several terminals.
//
// Each guest has two tasks: one reads lines, one writes what the others say. Between them is a
// queue, so that a guest who does not read holds up nobody else and is shown the door at last.
#include <coronado/coro/combine.hpp>
#include <coronado/coro/locks.hpp>
#include <coronado/coro/queues.hpp>
#include <coronado/coro/registry.hpp>
#include <coronado/coro/timeout.hpp>
#include <coronado/net/tcpserver.hpp>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <list>

using namespace coronado;
using namespace std::chrono_literals;

// [room]
/// What one guest is yet to be told.
struct Guest {
  std::string name;
  Queue<std::string> unsaid{100};
};

class Room {
 public:
  void tell_all(const std::string& line) {
    for (Guest* guest : guests_) {
      // A guest with a hundred lines unread is not listening.
      if (guest->unsaid.full()) guest->unsaid.close();
      if (!guest->unsaid.closed()) guest->unsaid.put_nowait(line);
    }
  }
  void enter(Guest& guest) {
    guests_.push_back(&guest);
    tell_all("* " + guest.name + " is here\n");
  }
  void leave(Guest& guest) {
    guests_.remove(&guest);
    tell_all("* " + guest.name + " has left\n");
  }

 private:
  std::list<Guest*> guests_;  // no lock: everything runs on one loop
};
// [/room]

// [guest]
/// Writes what there is to say; ends when the guest's queue is closed.
Task<> speak(TCPStream& stream, Guest& guest) {
  while (auto line = co_await guest.unsaid.next()) co_await stream.write(*line);
}

Task<> listen(TCPStream& stream, Guest& guest, Room& room) {
  for (;;) {
    std::string line = co_await stream.read_until("\n", 1024);
    room.tell_all(guest.name + ": " + line);
  }
}

/// One connection. `race` cancels the task that is left when the other has ended.
Task<> attend(TCPStream stream, Room& room) {
  co_await stream.write("What is your name?\n");
  Guest guest;
  try {
    guest.name = co_await with_timeout(1min, stream.read_until("\n", 64));
  } catch (const TimeoutError&) {
    co_return;  // nobody there
  }
  guest.name.erase(guest.name.find_last_not_of("\r\n") + 1);
  room.enter(guest);
  struct Leaving {
    Room& room;
    Guest& guest;
    ~Leaving() { room.leave(guest); }
  } leaving{room, guest};
  co_await race(speak(stream, guest), listen(stream, guest, room));
}
// [/guest]

Task<> serve(IOLoop& loop, std::uint16_t port) {
  Room room;
  TCPServer server(loop, [&room](TCPStream stream) { return attend(std::move(stream), room); },
                   {.listener = {.max_connections_per_peer = 20}});
  server.listen(port, {.address = "localhost"});
  std::printf("listening %u\n", server.port());
  std::fflush(stdout);
  Event stop;
  for (const int signal : {SIGINT, SIGTERM}) {
    loop.add_signal_handler(signal, [&stop] { stop.set(); });
  }
  // [inspection]
  // `kill -USR1` prints what everybody waits for, and each guest's stream.
  loop.add_signal_handler(SIGUSR1, [&loop] { std::fputs(dump_tasks(loop).c_str(), stderr); });
  // [/inspection]
  co_await stop.wait();
  room.tell_all("* the room is closing\n");
  co_await sleep(100ms);
  co_await server.close();
}

int main(int argc, char** argv) try {
  IOLoop loop;
  loop.run_sync(serve(loop, static_cast<std::uint16_t>(argc > 1 ? std::atoi(argv[1]) : 8888)));
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
