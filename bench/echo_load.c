// A closed-loop load for an echo on 127.0.0.1: every connection sends the next message as soon as
// the last one has come back.
//
//     echo_load PORT [--connections 64] [--size 64] [--seconds 3] [--warmup 0.4]
//
// Every message is compared with what was sent; no two in a row are the same. Prints one JSON object:
//
//     total      messages that came back, from start to end, for the server's CPU time per message
//     messages   those of the measured time; messages_per_second is of these
//     wrong      messages that came back changed
//     errors     connections that broke
//     cpu        share of one core that this program used: near 1, it is the limit itself

#include "load_client.h"

#include <getopt.h>

enum { kMaxEvents = 512, kMostBytes = 1 << 20 };

struct connection {
  int fd;
  uint64_t number;  // of messages sent
  size_t unsent;
  size_t awaited;  // bytes that have not come back
};

static struct {
  int port, connections;
  size_t size;
  double seconds, warmup;
} options = {.connections = 64, .size = 64, .seconds = 3, .warmup = 0.4};

static int poller;
static char message[kMostBytes];
static char buffer[kMostBytes];
static uint64_t total, messages, wrong, errors;
static int measuring;

// Byte `at` of the message with that number.
static char byte_of(uint64_t number, size_t at) { return (char)(number * 31 + at * 7); }

static void fail(struct connection* connection, const char* what) {
  if (++errors == 1) fprintf(stderr, "echo_load: %s: %s\n", what, strerror(errno));
  close(connection->fd);
  connection->fd = -1;
}

static void send_rest(struct connection* connection) {
  size_t from = options.size - connection->unsent;
  for (size_t i = from; i < options.size; ++i) message[i] = byte_of(connection->number, i);
  ssize_t count =
      send(connection->fd, message + from, connection->unsent, MSG_NOSIGNAL | MSG_DONTWAIT);
  if (count < 0 && errno != EAGAIN) return fail(connection, "send");
  if (count > 0) connection->unsent -= (size_t)count;
}

static void send_next(struct connection* connection) {
  ++connection->number;
  connection->unsent = connection->awaited = options.size;
  send_rest(connection);
}

static void on_readable(struct connection* connection) {
  ssize_t count = recv(connection->fd, buffer, kMostBytes, MSG_DONTWAIT);
  if (count < 0 && errno == EAGAIN) return;
  if (count <= 0) return fail(connection, "the connection ended");
  size_t size = (size_t)count;
  size_t from = options.size - connection->awaited;
  int good = size <= connection->awaited;
  for (size_t i = 0; good && i < size; ++i) {
    good = buffer[i] == byte_of(connection->number, from + i);
  }
  if (!good) {
    ++wrong;
    return fail(connection, "a wrong message");
  }
  connection->awaited -= size;
  if (connection->awaited) return;
  ++total;
  messages += (uint64_t)measuring;
  send_next(connection);
}

static void open_connection(struct connection* connection) {
  connection->fd = new_socket(SOCK_STREAM);
  if (connect_to(connection->fd, options.port)) {
    perror("echo_load: connect");
    exit(1);
  }
}

static void run(void) {
  struct epoll_event events[kMaxEvents];
  double measure_from = now() + options.warmup;
  double end = measure_from + options.seconds;
  double measured_from = end, cpu = 0, time = 0;
  while (time < end && errors == 0) {
    int count = epoll_wait(poller, events, kMaxEvents, 20);
    for (int i = 0; i < count; ++i) {
      struct connection* connection = events[i].data.ptr;
      if (events[i].events & EPOLLOUT && connection->unsent) send_rest(connection);
      if (connection->fd >= 0 && events[i].events & ~(uint32_t)EPOLLOUT) on_readable(connection);
    }
    time = now();
    if (!measuring && time >= measure_from) {
      measuring = 1;
      measured_from = time;
      cpu = cpu_seconds();
    }
  }
  double seconds = measuring ? time - measured_from : 1;
  printf(
      "{\"total\": %lu, \"messages\": %lu, \"seconds\": %.3f, \"messages_per_second\": %.1f, "
      "\"wrong\": %lu, \"errors\": %lu, \"cpu\": %.3f}\n",
      total, messages, seconds, (double)messages / seconds, wrong, errors,
      (cpu_seconds() - cpu) / seconds);
}

static void parse_options(int argc, char** argv) {
  static const struct option known[] = {{"connections", required_argument, NULL, 'c'},
                                        {"size", required_argument, NULL, 'b'},
                                        {"seconds", required_argument, NULL, 's'},
                                        {"warmup", required_argument, NULL, 'w'},
                                        {NULL, 0, NULL, 0}};
  for (int option; (option = getopt_long(argc, argv, "", known, NULL)) != -1;) {
    switch (option) {
      case 'c': options.connections = atoi(optarg); break;
      case 'b': options.size = (size_t)atol(optarg); break;
      case 's': options.seconds = atof(optarg); break;
      case 'w': options.warmup = atof(optarg); break;
      default: exit(2);
    }
  }
  if (optind != argc - 1 || options.connections < 1 || options.size < 1 ||
      options.size > kMostBytes) {
    fprintf(stderr, "usage: echo_load PORT [--connections N] [--size BYTES] [--seconds S]\n");
    exit(2);
  }
  options.port = atoi(argv[optind]);
}

int main(int argc, char** argv) {
  parse_options(argc, argv);
  poller = epoll_create1(0);
  struct connection* connections = calloc((size_t)options.connections, sizeof *connections);
  for (int i = 0; i < options.connections; ++i) {
    struct connection* connection = &connections[i];
    open_connection(connection);
    connection->number = (uint64_t)i;
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = connection};
    epoll_ctl(poller, EPOLL_CTL_ADD, connection->fd, &event);
    send_next(connection);
  }
  run();
  return errors != 0;
}
