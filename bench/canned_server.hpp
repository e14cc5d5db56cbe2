// A server with one answer, in a process of its own, for the benchmarks of clients.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <ctime>
#include <stdexcept>

// Serves one connection: each read is a request. Ends with it.
class CannedServer {
 public:
  CannedServer() {
    const int listening = listen_on_loopback();
    child_ = ::fork();
    if (child_ < 0) throw std::runtime_error("cannot fork");
    if (child_ == 0) {
      serve(listening);
      ::_exit(0);
    }
    ::close(listening);
  }
  ~CannedServer() { ::waitpid(child_, nullptr, 0); }
  CannedServer(const CannedServer&) = delete;
  CannedServer& operator=(const CannedServer&) = delete;

  std::uint16_t port() const noexcept { return port_; }
  static constexpr std::size_t kBodySize = 13;

 private:
  static constexpr char kResponse[] =
      "HTTP/1.1 200 OK\r\nServer: bench\r\nDate: Wed, 25 Nov 2026 08:00:00 GMT\r\n"
      "Content-Type: text/plain; charset=utf-8\r\nContent-Length: 13\r\n\r\nHello, World!";

  int listen_on_loopback() {
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
    port_ = ntohs(address.sin_port);
    return fd;
  }

  static void serve(int listening) {
    const int fd = ::accept(listening, nullptr, nullptr);
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    char buffer[4096];
    while (::read(fd, buffer, sizeof buffer) > 0) {
      if (::write(fd, kResponse, sizeof kResponse - 1) < 0) break;
    }
  }

  std::uint16_t port_ = 0;
  pid_t child_ = -1;
};

// CPU time of this process.
inline double bench_cpu_seconds() {
  timespec spent{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent);
  return static_cast<double>(spent.tv_sec) + static_cast<double>(spent.tv_nsec) * 1e-9;
}

inline void bench_report(long count, double cpu_seconds) {
  std::printf("%ld requests, %.3f us of CPU each\n", count,
              cpu_seconds * 1e6 / static_cast<double>(count));
}
