// The subscribers of a fan-out on 127.0.0.1, and the one who speaks to them.
//
//     fanout_load PORT [--subscribers 10000] [--size 64] [--messages 60] [--warmup 2]
//
// It opens WebSockets at /fanout, sends the messages for warming up, prints `ready`, and waits for a
// line on its standard input. Then the first of the connections sends `messages` texts, each when the
// one before has reached everybody, and every one is compared with what was sent. It prints one JSON
// object, and waits for the end of its input, so that the server can be looked at before they leave:
//
//     delivered  messages that came, over all subscribers; delivered_per_second is of these
//     wrong      messages that came changed
//     errors     connections that broke
//     cpu        share of one core that this program used: near 1, it is the limit itself

#include "load_client.h"

#include <getopt.h>

enum { kMaxEvents = 512, kMostBytes = 32768, kHead = 4, kMask = 4 };

struct subscriber {
  int fd;
  size_t got;  // of the present message's frame
};

static struct {
  int port, subscribers, messages, warmup;
  size_t size;
} options = {.subscribers = 10000, .messages = 60, .warmup = 2, .size = 64};

static int poller;
static struct subscriber* subscribers;
static unsigned char expected[kHead + kMostBytes];  // the frame that comes
static size_t expected_size;
static unsigned char buffer[kHead + kMostBytes];
static uint64_t delivered, wrong, errors;
static int awaited;  // subscribers that have not heard the present message

static void die(const char* what) {
  fprintf(stderr, "fanout_load: %s: %s\n", what, strerror(errno));
  exit(1);
}

static void open_subscriber(struct subscriber* subscriber) {
  static const char request[] =
      "GET /fanout HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
  int fd = subscriber->fd = new_socket(SOCK_STREAM);
  if (fd < 0) die("socket (see ulimit -n)");
  // Its end leaves nothing behind: the next run needs the ports.
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){.l_onoff = 1}, sizeof(struct linger));
  if (connect_to(fd, options.port)) die("connect");
  if (send(fd, request, sizeof request - 1, MSG_NOSIGNAL) < 0) die("send");
  char head[1024];
  size_t size = 0;
  while (size < 4 || memcmp(head + size - 4, "\r\n\r\n", 4) != 0) {
    ssize_t count = recv(fd, head + size, sizeof head - 1 - size, 0);
    if (count <= 0) die("handshake");
    size += (size_t)count;
  }
  head[size] = 0;
  if (!strstr(head, " 101 ") || !strstr(head, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")) {
    fprintf(stderr, "fanout_load: no WebSocket: %s\n", head);
    exit(1);
  }
  struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.ptr = subscriber};
  epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event);
}

// The first subscriber sends the text of that number, masked, and everybody is to hear it.
static void say(int number) {
  unsigned char frame[kHead + kMask + kMostBytes];
  size_t head = options.size < 126 ? 2 : 4;
  frame[0] = 0x81;
  frame[1] = 0x80 | (head == 2 ? (unsigned char)options.size : 126);
  frame[2] = (unsigned char)(options.size >> 8);
  frame[3] = (unsigned char)options.size;
  memcpy(expected, frame, head);
  expected[1] &= 0x7f;
  memcpy(frame + head, "\x37\xfa\x21\x3d", kMask);
  for (size_t i = 0; i < options.size; ++i) {
    expected[head + i] = (unsigned char)('a' + ((size_t)number + i) % 26);
    frame[head + kMask + i] = expected[head + i] ^ frame[head + i % kMask];
  }
  expected_size = head + options.size;
  size_t size = expected_size + kMask;
  if (send(subscribers[0].fd, frame, size, MSG_NOSIGNAL) != (ssize_t)size) die("send");
  awaited = options.subscribers;
}

static void fail(struct subscriber* subscriber, uint64_t* counter) {
  ++*counter;
  --awaited;
  close(subscriber->fd);
}

static void on_readable(struct subscriber* subscriber) {
  ssize_t count = recv(subscriber->fd, buffer, sizeof buffer, MSG_DONTWAIT);
  if (count < 0 && errno == EAGAIN) return;
  if (count <= 0) return fail(subscriber, &errors);
  size_t size = (size_t)count;
  if (size > expected_size - subscriber->got ||
      memcmp(buffer, expected + subscriber->got, size) != 0) {
    return fail(subscriber, &wrong);
  }
  subscriber->got += size;
  if (subscriber->got < expected_size) return;
  subscriber->got = 0;
  ++delivered;
  --awaited;
}

static void deliver(int messages) {
  struct epoll_event events[kMaxEvents];
  for (int number = 0; number < messages && wrong + errors == 0; ++number) {
    say(number);
    while (awaited > 0 && wrong + errors == 0) {
      int count = epoll_wait(poller, events, kMaxEvents, 10000);
      if (count <= 0) ++errors;  // nothing for ten seconds
      for (int i = 0; i < count; ++i) on_readable(events[i].data.ptr);
    }
  }
}

static void parse_options(int argc, char** argv) {
  static const struct option known[] = {{"subscribers", required_argument, NULL, 'c'},
                                        {"size", required_argument, NULL, 'b'},
                                        {"messages", required_argument, NULL, 'm'},
                                        {"warmup", required_argument, NULL, 'w'},
                                        {NULL, 0, NULL, 0}};
  for (int option; (option = getopt_long(argc, argv, "", known, NULL)) != -1;) {
    switch (option) {
      case 'c': options.subscribers = atoi(optarg); break;
      case 'b': options.size = (size_t)atol(optarg); break;
      case 'm': options.messages = atoi(optarg); break;
      case 'w': options.warmup = atoi(optarg); break;
      default: exit(2);
    }
  }
  if (optind != argc - 1 || options.subscribers < 1 || options.size < 1 ||
      options.size > kMostBytes || options.messages < 1) {
    fprintf(stderr, "usage: fanout_load PORT [--subscribers N] [--size BYTES] [--messages N]\n");
    exit(2);
  }
  options.port = atoi(argv[optind]);
}

int main(int argc, char** argv) {
  parse_options(argc, argv);
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  poller = epoll_create1(0);
  subscribers = calloc((size_t)options.subscribers, sizeof *subscribers);
  for (int i = 0; i < options.subscribers; ++i) open_subscriber(&subscribers[i]);
  deliver(options.warmup);
  delivered = 0;
  printf("ready\n");
  fflush(stdout);
  if (getchar() == EOF) return 1;
  double begin = now(), cpu = cpu_seconds();
  deliver(options.messages);
  double seconds = now() - begin;
  printf(
      "{\"delivered\": %lu, \"seconds\": %.3f, \"delivered_per_second\": %.1f, \"wrong\": %lu, "
      "\"errors\": %lu, \"cpu\": %.3f}\n",
      delivered, seconds, (double)delivered / seconds, wrong, errors,
      (cpu_seconds() - cpu) / seconds);
  fflush(stdout);
  while (getchar() != EOF) continue;
  return wrong + errors != 0;
}
