// The floor of a TCP echo: the least work that a server on epoll can do for it.
//
//     echo_floor PORT       serves 127.0.0.1:PORT until it is killed
//
// One thread, sockets registered once and edge-triggered; one receive and one send for what has come
// on a connection. It trusts its peer to read: what the socket does not take is kept, and while it
// is, the connection is not read.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { kBuffer = 256 * 1024, kMaxSockets = 65536, kMaxEvents = 512 };

// What the peer has not taken yet.
static struct {
  char* data;
  size_t size;
} unsent[kMaxSockets];
static char buffer[kBuffer];

static void end_connection(int fd) {
  free(unsent[fd].data);
  unsent[fd].data = NULL;
  unsent[fd].size = 0;
  close(fd);
}

// Send what fits and keep the rest. Returns 0 when the connection is broken.
static int send_all(int fd, const char* data, size_t size) {
  size_t sent = 0;
  while (sent < size) {
    ssize_t count = send(fd, data + sent, size - sent, MSG_NOSIGNAL);
    if (count < 0 && errno == EAGAIN) break;
    if (count < 0) return 0;
    sent += (size_t)count;
  }
  if (sent == size) return 1;
  char* rest = malloc(size - sent);
  if (!rest) abort();
  memcpy(rest, data + sent, size - sent);
  unsent[fd].data = rest;
  unsent[fd].size = size - sent;
  return 1;
}

static void on_readable(int fd) {
  while (!unsent[fd].size) {
    ssize_t count = recv(fd, buffer, kBuffer, 0);
    if (count < 0 && errno == EAGAIN) return;
    if (count <= 0 || !send_all(fd, buffer, (size_t)count)) return end_connection(fd);
    if (count < kBuffer) return;  // a short read: drained
  }
}

static void on_writable(int fd) {
  char* data = unsent[fd].data;
  size_t size = unsent[fd].size;
  unsent[fd].data = NULL;
  unsent[fd].size = 0;
  int open = send_all(fd, data, size);
  free(data);
  if (!open) return end_connection(fd);
  on_readable(fd);
}

static void on_connection(int poller, int listener) {
  for (;;) {
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
    if (fd < 0) return;
    if (fd >= kMaxSockets) {
      close(fd);
      continue;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.fd = fd};
    epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event);
  }
}

static int listen_on(int port) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
  struct sockaddr_in address = {.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)port),
                                .sin_addr = {htonl(INADDR_LOOPBACK)}};
  if (bind(fd, (struct sockaddr*)&address, sizeof address) || listen(fd, 4096)) {
    perror("echo_floor: listen");
    exit(1);
  }
  return fd;
}

int main(int argc, char** argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: echo_floor PORT\n");
    return 2;
  }
  int listener = listen_on(atoi(argv[1]));
  int poller = epoll_create1(0);
  struct epoll_event events[kMaxEvents];
  struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.fd = listener};
  epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event);
  for (;;) {
    int count = epoll_wait(poller, events, kMaxEvents, -1);
    for (int i = 0; i < count; ++i) {
      int fd = events[i].data.fd;
      if (fd == listener) {
        on_connection(poller, listener);
      } else if (unsent[fd].size) {
        if (events[i].events & EPOLLOUT) on_writable(fd);
      } else if (events[i].events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) {
        on_readable(fd);
      }
    }
  }
}
