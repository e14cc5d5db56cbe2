// The floor of a fan-out: one `send` for each subscriber, and nothing else.
//
//     fanout_floor PORT     serves 127.0.0.1:PORT until it is killed
//
// One thread, sockets registered once and edge-triggered. A connection is answered as one handshake
// of fanout_load, whose key never changes, and then hears every message that any of them sends. It
// trusts its peers: what a socket does not take ends the program.

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

enum { kBuffer = 64 * 1024, kMaxSockets = 65536, kMaxEvents = 512 };

static const char answer[] =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

static char greeted[kMaxSockets];
static int subscribers[kMaxSockets];
static int subscriber_count;
static unsigned char buffer[kBuffer];
static unsigned char frame[kBuffer];

static void send_whole(int fd, const void* data, size_t size) {
  if (send(fd, data, size, MSG_NOSIGNAL) == (ssize_t)size) return;
  perror("fanout_floor: send");
  exit(1);
}

// The masked text frame in `buffer`, whole, goes out to everybody.
static void fan_out(size_t size) {
  size_t head = (buffer[1] & 0x7f) == 126 ? 4 : 2;
  size_t length = size - head - 4;
  const unsigned char* mask = buffer + head;
  memcpy(frame, buffer, head);
  frame[1] &= 0x7f;
  for (size_t i = 0; i < length; ++i) frame[head + i] = mask[4 + i] ^ mask[i % 4];
  for (int i = 0; i < subscriber_count; ++i) send_whole(subscribers[i], frame, head + length);
}

static void on_readable(int fd) {
  ssize_t count = recv(fd, buffer, kBuffer, 0);
  if (count < 0 && errno == EAGAIN) return;
  if (count <= 0) {
    close(fd);
    return;
  }
  if (greeted[fd]) {
    fan_out((size_t)count);
  } else {
    greeted[fd] = 1;
    subscribers[subscriber_count++] = fd;
    send_whole(fd, answer, sizeof answer - 1);
  }
}

static void on_connection(int poller, int listener) {
  for (;;) {
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
    if (fd < 0) return;
    if (fd >= kMaxSockets) abort();
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    greeted[fd] = 0;
    struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP | EPOLLET, .data.fd = fd};
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
    perror("fanout_floor: listen");
    exit(1);
  }
  return fd;
}

int main(int argc, char** argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: fanout_floor PORT\n");
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
      if (events[i].data.fd == listener) {
        on_connection(poller, listener);
      } else {
        on_readable(events[i].data.fd);
      }
    }
  }
}
