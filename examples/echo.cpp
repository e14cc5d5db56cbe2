// Tornado's TCP echo: every line comes back. `echo 8888`, then `nc localhost 8888`.
#include <coronado/coro/locks.hpp>
#include <coronado/coro/timeout.hpp>
#include <coronado/net/tcpserver.hpp>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>

using namespace coronado;
using namespace std::chrono_literals;

// [echo]
Task<> echo(TCPStream stream) {
  for (;;) {
    const std::string line = co_await stream.read_until("\n", 64 * 1024);
    co_await stream.write(line);  // waits while the client does not read
  }  // the client's end is an exception here, and ends the task
}
// [/echo]

// [main]
/// Runs until SIGINT or SIGTERM, then gives the clients a second.
Task<> serve(IOLoop& loop, std::uint16_t port) {
  TCPServer server(loop, echo);
  server.listen(port, {.address = "localhost"});
  std::printf("listening %u\n", server.port());
  std::fflush(stdout);
  Event stop;
  for (const int signal : {SIGINT, SIGTERM}) {
    loop.add_signal_handler(signal, [&stop] { stop.set(); });
  }
  co_await stop.wait();
  co_await server.drain(loop.now() + 1s);
}

int main(int argc, char** argv) try {
  IOLoop loop;
  loop.run_sync(serve(loop, static_cast<std::uint16_t>(argc > 1 ? std::atoi(argv[1]) : 8888)));
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
// [/main]
