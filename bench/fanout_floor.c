// The floor of a fan-out: one `send` for each subscriber, and nothing else.
//
//     fanout_floor PORT     serves 127.0.0.1:PORT until it is killed
//
// One thread, sockets registered once and edge-triggered. A connection is answered as one handshake
// of fanout_load, whose key never changes, and then hears every message that any of them sends. It
// trusts its peers: what a socket does not take ends the program.

#define FLOOR_NAME "fanout_floor"
#include "floor_server.h"

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
    greeted[fd] = 0;  // the next to have this descriptor is another
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

static void on_turn(void) {}

static void on_event(int fd, uint32_t events) {
  if (is_readable(events)) on_readable(fd);
}
