// A closed-loop load generator for 127.0.0.1: every connection asks again as soon as it is
// answered.
//
//     load PORT --path /plaintext --expect 'Hello, World!' [options]
//
//     --connections N   64      --seconds S   3       measured, after
//     --depth N         1       --warmup S    0.4     not measured
//     --post N          POST N bytes and expect them back
//     --close           a new connection for each request, until the server closes it
//
// Every answer is checked: status 200, and the expected body. Prints one JSON object:
//
//     total      correct answers from start to end, for the server's CPU time per request
//     requests   those of the measured time; requests_per_second, p50_us, p99_us are of these
//     wrong      answers with another status or body
//     errors     connections refused, reset or closed early
//     cpu        share of one core that this program used: near 1, it is the limit itself

#include "load_client.h"

#include <getopt.h>
#include <signal.h>

enum {
  kBuffer = 1 << 20,
  kMaxEvents = 512,
  kSubBuckets = 64,  // half of them used per power of two: latencies are kept to 3 %
  kBuckets = 64 * kSubBuckets,
  kMaxErrors = 10000,
};

static struct {
  int port;
  int connections;
  int depth;
  double seconds;
  double warmup;
  const char* path;
  const char* expect;
  size_t expect_size;
  int post;
  int close;
} options = {.connections = 64,
             .depth = 1,
             .seconds = 3,
             .warmup = 0.4,
             .path = "/",
             .expect = "",
             .post = -1};

struct connection {
  int fd;
  int waiting;    // answers still to come in this batch
  size_t unsent;  // bytes of the batch
  char* input;    // what has come of an incomplete answer
  size_t input_size;
  uint64_t begin;
};

static struct connection* connections;
static int poller;
static char* batch;
static size_t batch_size;
static char buffer[kBuffer];
static size_t answer_size;  // of the last good answer: the next one most often has the same
static int measuring;
static int broken;
static uint64_t total, requests, wrong, errors;
static uint64_t histogram[kBuckets];

static uint64_t now_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

// Exact below 64 ns; above, the 6 leading bits and the power of two make the bucket.
static void record(uint64_t ns) {
  int power = ns < kSubBuckets ? 0 : 58 - __builtin_clzll(ns);
  ++histogram[(uint64_t)power * kSubBuckets + (ns >> power)];
}

static double percentile_us(double part) {
  uint64_t before = (uint64_t)((double)requests * part), seen = 0;
  for (int i = 0; i < kBuckets; ++i) {
    seen += histogram[i];
    if (seen > before) {
      return (double)((uint64_t)(i % kSubBuckets) << (i / kSubBuckets)) / 1000;
    }
  }
  return 0;
}

static void fail(const char* what) {
  if (++errors == 1) fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
  if (errors > kMaxErrors) broken = 1;
}

static void watch(struct connection* connection, int operation, uint32_t what) {
  struct epoll_event event = {.events = what, .data.ptr = connection};
  epoll_ctl(poller, operation, connection->fd, &event);
}

static void open_connection(struct connection* connection) {
  int fd = new_socket(SOCK_STREAM | SOCK_NONBLOCK);
  if (options.close) bind_next_source(fd);
  connection->fd = fd;
  connection->waiting = options.depth;
  connection->unsent = batch_size;
  connection->input_size = 0;
  connection->begin = now_ns();
  if (connect_to(fd, options.port) && errno != EINPROGRESS) fail("connect");
  watch(connection, EPOLL_CTL_ADD, EPOLLIN | EPOLLOUT);
}

static void reopen(struct connection* connection) {
  close(connection->fd);
  if (!broken) open_connection(connection);
}

static void send_batch(struct connection* connection) {
  size_t before = connection->unsent;
  ssize_t count = send(connection->fd, batch + batch_size - before, before, MSG_NOSIGNAL);
  if (count < 0 && errno != EAGAIN) {
    fail("send");
    reopen(connection);
    return;
  }
  if (count > 0) connection->unsent -= (size_t)count;
}

// Size of the answer at the start of `data`; 0 when it is not complete. Sets `*good`.
static size_t take_answer(const char* data, size_t size, int* good) {
  // The short way: the same size as the last one, with the expected body at its end.
  size_t tail = options.expect_size + 4;
  *good = 1;
  if (answer_size && size >= answer_size && !memcmp(data, "HTTP/1.1 200", 12) &&
      !memcmp(data + answer_size - tail, "\r\n\r\n", 4) &&
      !memcmp(data + answer_size - options.expect_size, options.expect, options.expect_size)) {
    return answer_size;
  }
  const char* blank = memmem(data, size, "\r\n\r\n", 4);
  if (!blank) return 0;
  size_t head = (size_t)(blank - data) + 4;
  size_t body = 0;
  for (const char* line = data; line < blank; line = (const char*)memchr(line, '\n', head) + 1) {
    if (!strncasecmp(line, "content-length:", 15)) body = (size_t)atol(line + 15);
  }
  if (size < head + body) return 0;
  *good = !memcmp(data, "HTTP/1.1 200", 12) && body == options.expect_size &&
          !memcmp(data + head, options.expect, body);
  if (*good) answer_size = head + body;
  return head + body;
}

static void on_answers(struct connection* connection, const char* data, size_t size) {
  size_t at = 0;
  while (connection->waiting && at < size) {
    int good;
    size_t used = take_answer(data + at, size - at, &good);
    if (!used) break;
    at += used;
    --connection->waiting;
    if (!good) {
      ++wrong;
      continue;
    }
    ++total;
    if (!measuring) continue;
    ++requests;
    record(now_ns() - connection->begin);
  }
  if (!connection->waiting && at < size) ++wrong;  // more than was asked for
  size_t rest = connection->waiting ? size - at : 0;
  if (rest) {
    char* copy = malloc(rest);
    if (!copy) abort();
    memcpy(copy, data + at, rest);
    free(connection->input);
    connection->input = copy;
  }
  connection->input_size = rest;
}

static void on_readable(struct connection* connection) {
  size_t kept = connection->input_size;
  if (kept) memcpy(buffer, connection->input, kept);
  ssize_t count = recv(connection->fd, buffer + kept, kBuffer - kept - 1, 0);
  if (count < 0 && errno == EAGAIN) return;
  if (count <= 0) {
    if (count < 0 || !options.close || connection->waiting) fail("connection ended early");
    reopen(connection);
    return;
  }
  buffer[kept + (size_t)count] = 0;
  on_answers(connection, buffer, kept + (size_t)count);
  if (connection->waiting || options.close) return;
  connection->waiting = options.depth;
  connection->unsent = batch_size;
  connection->begin = now_ns();
  send_batch(connection);
  if (connection->unsent) watch(connection, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
}

static void on_event(struct connection* connection, uint32_t events) {
  if (events & (EPOLLERR | EPOLLHUP) && !(events & EPOLLIN)) {
    fail("connection broken");
    reopen(connection);
    return;
  }
  if (events & EPOLLOUT) {
    if (connection->unsent) send_batch(connection);
    if (!connection->unsent) watch(connection, EPOLL_CTL_MOD, EPOLLIN);
  }
  if (events & EPOLLIN) on_readable(connection);
}

static void prepare_batch(void) {
  size_t body = options.post > 0 ? (size_t)options.post : 0;
  char* one = malloc(body + 1024);
  char* text = malloc(body + 1);
  for (size_t i = 0; i < body; ++i) text[i] = (char)('a' + i % 26);
  text[body] = 0;
  int head = sprintf(one,
                     "%s %.400s HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                     "Accept: text/plain,text/html;q=0.9,application/xhtml+xml;q=0.9,*/*;q=0.7\r\n"
                     "Connection: %s\r\n",
                     options.post < 0 ? "GET" : "POST", options.path,
                     options.close ? "close" : "keep-alive");
  if (options.post >= 0) {
    head += sprintf(one + head, "Content-Type: text/plain\r\nContent-Length: %zu\r\n", body);
    options.expect = text;
  }
  head += sprintf(one + head, "\r\n");
  memcpy(one + head, text, body);
  options.expect_size = strlen(options.expect);
  size_t size = (size_t)head + body;
  batch_size = size * (size_t)options.depth;
  batch = malloc(batch_size);
  for (int i = 0; i < options.depth; ++i) memcpy(batch + (size_t)i * size, one, size);
  free(one);
  if (options.expect != text) free(text);
}

static void run(void) {
  struct epoll_event events[kMaxEvents];
  uint64_t begin = now_ns();
  uint64_t measure_from = begin + (uint64_t)(options.warmup * 1e9);
  uint64_t end = measure_from + (uint64_t)(options.seconds * 1e9);
  uint64_t measured_from = end;
  double cpu = 0;
  uint64_t now = begin;
  while (now < end && !broken) {
    int count = epoll_wait(poller, events, kMaxEvents, 20);
    for (int i = 0; i < count; ++i) on_event(events[i].data.ptr, events[i].events);
    now = now_ns();
    if (!measuring && now >= measure_from) {
      measuring = 1;
      measured_from = now;
      cpu = cpu_seconds();
    }
  }
  double seconds = measuring ? (double)(now - measured_from) / 1e9 : 1;
  printf(
      "{\"total\": %lu, \"requests\": %lu, \"seconds\": %.3f, \"requests_per_second\": %.1f, "
      "\"p50_us\": %.1f, \"p99_us\": %.1f, \"wrong\": %lu, \"errors\": %lu, \"cpu\": %.3f}\n",
      total, requests, seconds, (double)requests / seconds, percentile_us(0.50),
      percentile_us(0.99), wrong, errors, (cpu_seconds() - cpu) / seconds);
}

static void parse_options(int argc, char** argv) {
  static const struct option known[] = {
      {"connections", required_argument, NULL, 'c'},
      {"depth", required_argument, NULL, 'd'},
      {"seconds", required_argument, NULL, 's'},
      {"warmup", required_argument, NULL, 'w'},
      {"path", required_argument, NULL, 'p'},
      {"expect", required_argument, NULL, 'e'},
      {"post", required_argument, NULL, 'b'},
      {"close", no_argument, NULL, 'x'},
      {NULL, 0, NULL, 0},
  };
  for (int option; (option = getopt_long(argc, argv, "", known, NULL)) != -1;) {
    switch (option) {
      case 'c': options.connections = atoi(optarg); break;
      case 'd': options.depth = atoi(optarg); break;
      case 's': options.seconds = atof(optarg); break;
      case 'w': options.warmup = atof(optarg); break;
      case 'p': options.path = optarg; break;
      case 'e': options.expect = optarg; break;
      case 'b': options.post = atoi(optarg); break;
      case 'x': options.close = 1; break;
      default: exit(2);
    }
  }
  if (optind != argc - 1 || options.connections < 1 || options.depth < 1 ||
      options.post > kBuffer / 4) {
    fprintf(stderr, "usage: load PORT --path PATH --expect BODY [options]\n");
    exit(2);
  }
  if (options.close) options.depth = 1;
  options.port = atoi(argv[optind]);
}

int main(int argc, char** argv) {
  parse_options(argc, argv);
  signal(SIGPIPE, SIG_IGN);
  prepare_batch();
  poller = epoll_create1(0);
  connections = calloc((size_t)options.connections, sizeof *connections);
  for (int i = 0; i < options.connections; ++i) open_connection(&connections[i]);
  run();
  return broken ? 1 : 0;
}
