// What the floors share: one thread, sockets registered once and edge-triggered, nothing else.
//
// A floor includes this file and defines on_turn and on_event, which are called for every return of
// epoll_wait and for every event of a connection, and FLOOR_NAME.

#pragma once

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { kBuffer = 256 * 1024, kMaxSockets = 65536, kMaxEvents = 512 };

static void on_turn(void);
static void on_event(int fd, uint32_t events);

static int is_readable(uint32_t events) {
  return (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
}

// Send what fits. Returns how much that is, or -1 when the connection is broken.
static ssize_t send_some(int fd, const char* data, size_t size) {
  size_t sent = 0;
  while (sent < size) {
    ssize_t count = send(fd, data + sent, size - sent, MSG_NOSIGNAL);
    if (count < 0 && errno == EAGAIN) break;
    if (count < 0) return -1;
    sent += (size_t)count;
  }
  return (ssize_t)sent;
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
    perror(FLOOR_NAME ": listen");
    exit(1);
  }
  return fd;
}

int main(int argc, char** argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: " FLOOR_NAME " PORT\n");
    return 2;
  }
  int listener = listen_on(atoi(argv[1]));
  int poller = epoll_create1(0);
  struct epoll_event events[kMaxEvents];
  struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.fd = listener};
  epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event);
  for (;;) {
    int count = epoll_wait(poller, events, kMaxEvents, -1);
    on_turn();
    for (int i = 0; i < count; ++i) {
      if (events[i].data.fd == listener) {
        on_connection(poller, listener);
      } else {
        on_event(events[i].data.fd, events[i].events);
      }
    }
  }
}
