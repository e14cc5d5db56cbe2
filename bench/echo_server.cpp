// An echo as the guide writes it, for echo_compare.py.
//
//     echo_server PORT       serves 127.0.0.1:PORT until SIGTERM
#include <coronado/loop/ioloop.hpp>
#include <coronado/net/tcpserver.hpp>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>

namespace {

using namespace coronado;

Task<> echo(TCPStream stream) {
  for (;;) {
    const std::string bytes = co_await stream.read_some();
    if (bytes.empty()) co_return;
    co_await stream.write(bytes);
  }
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 2) {
    std::fprintf(stderr, "usage: echo_server PORT\n");
    return 2;
  }
  IOLoop loop;
  TCPServer server(loop, echo);
  server.listen(static_cast<std::uint16_t>(std::atoi(argv[1])), {.address = "127.0.0.1"});
  loop.add_signal_handler(SIGTERM, [&] { loop.stop(); });
  loop.run();
  loop.run_sync(server.close());
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
