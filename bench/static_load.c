// A closed-loop load generator for static files on 127.0.0.1: every connection asks again as soon as
// it has all of its answer. Bodies are counted and thrown away by the kernel, so that it is the
// server that is measured.
//
//     static_load PORT PATH SIZE CONNECTIONS SECONDS WARMUP
//
// Prints one JSON object, with the words of load.c.

#include "load_client.h"

#include <signal.h>

enum { kMaxEvents = 256, kHead = 4096, kDiscard = 1 << 30 };

struct connection {
  int fd;
  long long left;  // of the body; negative: the head is awaited
};

static char request[1024];
static size_t request_size;
static long long wanted;
static uint64_t total, requests, wrong, errors;
static int measuring;

static void ask(struct connection* connection) {
  connection->left = -1;
  if (send(connection->fd, request, request_size, MSG_NOSIGNAL) != (ssize_t)request_size) ++errors;
}

// The head and perhaps some of the body. A head that comes in two is counted as wrong: it never does.
static void on_head(struct connection* connection) {
  char head[kHead];
  ssize_t count = recv(connection->fd, head, sizeof head - 1, MSG_PEEK | MSG_DONTWAIT);
  if (count <= 0) {
    if (count == 0 || errno != EAGAIN) ++errors, connection->left = 0, close(connection->fd);
    return;
  }
  head[count] = 0;
  char* blank = strstr(head, "\r\n\r\n");
  char* length = strcasestr(head, "\ncontent-length:");
  if (!blank || !length || strncmp(head, "HTTP/1.1 200", 12) || atoll(length + 16) != wanted) {
    ++wrong;
    close(connection->fd);
    return;
  }
  recv(connection->fd, head, (size_t)(blank + 4 - head), 0);
  connection->left = wanted;
}

static void on_readable(struct connection* connection) {
  if (connection->left < 0) on_head(connection);
  while (connection->left > 0) {
    size_t most = connection->left < kDiscard ? (size_t)connection->left : kDiscard;
    ssize_t count = recv(connection->fd, NULL, most, MSG_TRUNC | MSG_DONTWAIT);
    if (count <= 0) {
      if (count == 0 || errno != EAGAIN) ++errors, close(connection->fd);
      return;
    }
    connection->left -= count;
  }
  if (connection->left != 0) return;
  ++total;
  requests += (uint64_t)measuring;
  ask(connection);
}

int main(int argc, char** argv) {
  if (argc != 7) {
    fprintf(stderr, "usage: static_load PORT PATH SIZE CONNECTIONS SECONDS WARMUP\n");
    return 2;
  }
  signal(SIGPIPE, SIG_IGN);
  wanted = atoll(argv[3]);
  int count = atoi(argv[4]);
  request_size =
      (size_t)snprintf(request, sizeof request,
                       "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: */*\r\n\r\n", argv[2]);
  int poller = epoll_create1(0);
  struct connection* connections = calloc((size_t)count, sizeof *connections);
  for (int i = 0; i < count; ++i) {
    connections[i].fd = new_socket(SOCK_STREAM);
    if (connect_to(connections[i].fd, atoi(argv[1]))) {
      perror("connect");
      return 1;
    }
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = &connections[i]};
    epoll_ctl(poller, EPOLL_CTL_ADD, connections[i].fd, &event);
    ask(&connections[i]);
  }
  double begin = now(), measure_from = begin + atof(argv[6]), end = measure_from + atof(argv[5]);
  double measured_from = end, cpu = 0, time = begin;
  struct epoll_event events[kMaxEvents];
  while (time < end) {
    int ready = epoll_wait(poller, events, kMaxEvents, 20);
    for (int i = 0; i < ready; ++i) on_readable(events[i].data.ptr);
    time = now();
    if (!measuring && time >= measure_from)
      measuring = 1, measured_from = time, cpu = cpu_seconds();
  }
  double seconds = time > measured_from ? time - measured_from : 1;
  printf(
      "{\"total\": %lu, \"requests\": %lu, \"seconds\": %.3f, \"requests_per_second\": %.1f, "
      "\"wrong\": %lu, \"errors\": %lu, \"cpu\": %.3f}\n",
      total, requests, seconds, (double)requests / seconds, wrong, errors,
      (cpu_seconds() - cpu) / seconds);
  return 0;
}
