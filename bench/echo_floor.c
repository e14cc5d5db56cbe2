// The floor of a TCP echo: the least work that a server on epoll can do for it.
//
//     echo_floor PORT       serves 127.0.0.1:PORT until it is killed
//
// One thread, sockets registered once and edge-triggered; one receive and one send for what has come
// on a connection. It trusts its peer to read: what the socket does not take is kept, and while it
// is, the connection is not read.

#define FLOOR_NAME "echo_floor"
#include "floor_server.h"

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
  ssize_t sent = send_some(fd, data, size);
  if (sent < 0) return 0;
  size -= (size_t)sent;
  if (!size) return 1;
  char* rest = malloc(size);
  if (!rest) abort();
  memcpy(rest, data + sent, size);
  unsent[fd].data = rest;
  unsent[fd].size = size;
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

static void on_turn(void) {}

static void on_event(int fd, uint32_t events) {
  if (unsent[fd].size) {
    if (events & EPOLLOUT) on_writable(fd);
  } else if (is_readable(events)) {
    on_readable(fd);
  }
}
