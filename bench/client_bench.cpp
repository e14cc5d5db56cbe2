// What a small GET over a kept connection costs the client, beside a server that does next to
// nothing.
//
//     client_bench N
//
// Prints requests and CPU time. The server is a thread with canned responses: count the client's
// thread alone, or subtract two runs:
//
//     perf stat -e instructions:u --per-thread client_bench 200000
//     valgrind --tool=callgrind --separate-threads=yes client_bench 20000
#include <coronado/http/httpclient.hpp>
#include <coronado/loop/ioloop.hpp>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <stdexcept>
#include <string>
#include <thread>

using coronado::HTTPClient;
using coronado::HTTPClientResponse;
using coronado::IOLoop;
using coronado::Task;

namespace {

constexpr char kResponse[] =
    "HTTP/1.1 200 OK\r\nServer: bench\r\nDate: Wed, 25 Nov 2026 08:00:00 GMT\r\n"
    "Content-Type: text/plain; charset=utf-8\r\nContent-Length: 13\r\n\r\nHello, World!";

int listen_on_loopback(std::uint16_t& port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* general = reinterpret_cast<sockaddr*>(&address);
  if (::bind(fd, general, size) != 0 || ::listen(fd, 8) != 0 ||
      ::getsockname(fd, general, &size) != 0) {
    throw std::runtime_error("cannot listen");
  }
  port = ntohs(address.sin_port);
  return fd;
}

// One connection; each read is a request.
void serve(int listening) {
  const int fd = ::accept(listening, nullptr, nullptr);
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  char buffer[4096];
  while (::read(fd, buffer, sizeof buffer) > 0) {
    if (::write(fd, kResponse, sizeof kResponse - 1) < 0) break;
  }
  ::close(fd);
}

Task<> fetch_all(std::string url, long count) {
  HTTPClient client;
  for (long i = 0; i < count; ++i) {
    const HTTPClientResponse response = co_await client.fetch(url);
    if (response.body.size() != 13) throw std::runtime_error("wrong body");
  }
  if (client.stats().connects > 1) throw std::runtime_error("connection was not kept");
}

double thread_cpu_seconds() {
  timespec spent{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &spent);
  return static_cast<double>(spent.tv_sec) + static_cast<double>(spent.tv_nsec) * 1e-9;
}

}  // namespace

int main(int argc, char** argv) {
  const long count = argc > 1 ? std::atol(argv[1]) : 100'000;
  std::uint16_t port = 0;
  const int listening = listen_on_loopback(port);
  std::thread server(serve, listening);
  {
    IOLoop loop;
    const double before = thread_cpu_seconds();
    const auto begin = std::chrono::steady_clock::now();
    loop.run_sync(fetch_all("http://127.0.0.1:" + std::to_string(port) + "/plaintext", count));
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    const double cpu = thread_cpu_seconds() - before;
    std::printf("%ld requests in %.3f s: %.2f us each, %.2f us of CPU in the client's thread\n",
                count, took.count(), took.count() * 1e6 / static_cast<double>(count),
                cpu * 1e6 / static_cast<double>(count));
  }
  server.join();
  ::close(listening);
}
