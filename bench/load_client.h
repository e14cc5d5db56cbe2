// What the loads share: the clock, their own CPU time, and connections to 127.0.0.1.

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
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { kSources = 16 };  // source addresses that take turns, so that ports do not run out

static inline double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

// CPU time that this program has used.
static inline double cpu_seconds(void) {
  struct rusage used;
  getrusage(RUSAGE_SELF, &used);
  return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
         (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

static inline struct sockaddr_in loopback(int port) {
  return (struct sockaddr_in){.sin_family = AF_INET,
                              .sin_port = htons((uint16_t)port),
                              .sin_addr = {htonl(INADDR_LOOPBACK)}};
}

// A socket that sends at once; `kind` is SOCK_STREAM with its flags. -1: errno says why.
static inline int new_socket(int kind) {
  int fd = socket(AF_INET, kind, 0);
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
  return fd;
}

// Binds a socket that is connected and closed often to the next of the source addresses.
static inline void bind_next_source(int fd) {
  static uint32_t source;
  struct sockaddr_in from = loopback(0);
  from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + source++ % kSources);
  setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &(int){1}, sizeof(int));
  bind(fd, (struct sockaddr*)&from, sizeof from);
}

// 0, or -1 with errno.
static inline int connect_to(int fd, int port) {
  struct sockaddr_in to = loopback(port);
  return connect(fd, (struct sockaddr*)&to, sizeof to);
}
