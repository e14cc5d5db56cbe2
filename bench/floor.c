// The floor: the least work an HTTP/1.1 server on epoll can do, as the measure for real ones.
//
//     floor PORT       serves 127.0.0.1:PORT until it is killed
//
//     GET  /plaintext         "Hello, World!"
//     GET  /json              {"message":"Hello, World!"}
//     GET  /api/NAME/ID       ID
//     POST /echo              the body
//
// One thread, sockets registered once and edge-triggered, one receive and one send per batch of
// pipelined requests, a cached head with the date. It trusts its peer: no limits, no timeouts, and
// only the fields Connection and Content-Length are looked at. What a framework costs is its
// distance from here.

#define FLOOR_NAME "floor"
#include "floor_server.h"

#include <strings.h>
#include <time.h>

enum { kAnswerRoom = 1024 };

// Bytes that wait for the rest of a request, or for the peer to read.
struct bytes {
  char* data;
  size_t size;
};

struct connection {
  struct bytes input;
  struct bytes output;
};

struct request {
  const char* path;
  const char* body;
  size_t body_size;
  size_t size;  // of head and body; 0: not complete yet
  int post;
  int close;
};

static struct connection connections[kMaxSockets];
static char input[kBuffer];
static char output[kBuffer];
static char head_text[192];
static char head_json[192];
static size_t head_text_size;
static size_t head_json_size;

static void keep(struct bytes* bytes, const char* data, size_t size) {
  char* copy = size ? malloc(size) : NULL;
  if (size && !copy) abort();
  if (size) memcpy(copy, data, size);
  free(bytes->data);
  bytes->data = copy;
  bytes->size = size;
}

// The part of the head that all answers of one second share.
static void refresh_heads(void) {
  static time_t last;
  struct timespec now;
  clock_gettime(CLOCK_REALTIME_COARSE, &now);
  if (now.tv_sec == last) return;
  last = now.tv_sec;
  struct tm utc;
  char date[40];
  gmtime_r(&now.tv_sec, &utc);
  strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", &utc);
  const char* form =
      "HTTP/1.1 200 OK\r\nServer: floor\r\nDate: %s\r\nContent-Type: %s\r\nContent-Length: ";
  head_text_size = (size_t)snprintf(head_text, sizeof head_text, form, date, "text/plain");
  head_json_size = (size_t)snprintf(head_json, sizeof head_json, form, date, "application/json");
}

static void parse(const char* data, size_t size, struct request* request) {
  memset(request, 0, sizeof *request);
  const char* end = data + size;
  const char* line = data;
  request->post = *data == 'P';
  request->path = data + (request->post ? 5 : 4);
  for (;;) {
    const char* newline = memchr(line, '\n', (size_t)(end - line));
    if (!newline) return;
    const char* next = newline + 1;
    if (newline - line <= 1) {  // the empty line: end of the head
      if ((size_t)(end - next) < request->body_size) return;
      request->body = next;
      request->size = (size_t)(next - data) + request->body_size;
      return;
    }
    size_t length = (size_t)(newline - line);
    if (length > 16 && (line[0] | 32) == 'c') {
      if (!strncasecmp(line, "connection: close", 17)) request->close = 1;
      if (!strncasecmp(line, "content-length: ", 16)) request->body_size = (size_t)atol(line + 16);
    }
    line = next;
  }
}

static char* answer(char* out, int json, const char* body, size_t size) {
  size_t head = json ? head_json_size : head_text_size;
  memcpy(out, json ? head_json : head_text, head);
  out += head;
  char digits[20];
  int count = 0;
  for (size_t rest = size; count == 0 || rest; rest /= 10)
    digits[count++] = (char)('0' + rest % 10);
  while (count) *out++ = digits[--count];
  memcpy(out, "\r\n\r\n", 4);
  memcpy(out + 4, body, size);
  return out + 4 + size;
}

static char* handle(char* out, const struct request* request) {
  if (request->post) return answer(out, 0, request->body, request->body_size);
  switch (request->path[1]) {
    case 'p':
      return answer(out, 0, "Hello, World!", 13);
    case 'j': {
      static const char open[] = "{\"message\":\"";
      char body[64];
      memcpy(body, open, sizeof open - 1);
      memcpy(body + sizeof open - 1, "Hello, World!\"}", 15);
      return answer(out, 1, body, sizeof open - 1 + 15);
    }
    default: {  // /api/NAME/ID
      const char* end = strchr(request->path, ' ');
      const char* id = memrchr(request->path, '/', (size_t)(end - request->path));
      return answer(out, 0, id + 1, (size_t)(end - id - 1));
    }
  }
}

static void end_connection(int fd) {
  keep(&connections[fd].input, NULL, 0);
  keep(&connections[fd].output, NULL, 0);
  close(fd);
}

// Send what fits and keep the rest. Returns 0 when the connection is broken.
static int send_all(int fd, const char* data, size_t size) {
  ssize_t sent = send_some(fd, data, size);
  if (sent < 0) return 0;
  keep(&connections[fd].output, data + sent, size - (size_t)sent);
  return 1;
}

// Answer every complete request in the first `size` bytes of `input` and keep the rest.
// Returns 0 when the connection is to be ended.
static int answer_batch(int fd, size_t size) {
  size_t at = 0;
  int open = 1;
  while (open && at < size) {
    char* out = output;
    while (open && at < size) {
      struct request request;
      parse(input + at, size - at, &request);
      if (!request.size || (size_t)(out - output) + request.body_size + kAnswerRoom > kBuffer)
        break;
      out = handle(out, &request);
      at += request.size;
      open = !request.close;
    }
    if (out == output) break;
    if (!send_all(fd, output, (size_t)(out - output))) return 0;
    if (connections[fd].output.size) break;  // the peer does not read: neither do we
  }
  keep(&connections[fd].input, input + at, size - at);
  return open;
}

static void on_readable(int fd) {
  struct connection* connection = &connections[fd];
  while (!connection->output.size) {
    size_t kept = connection->input.size;
    if (kept == kBuffer) return end_connection(fd);
    if (kept) memcpy(input, connection->input.data, kept);
    ssize_t count = recv(fd, input + kept, kBuffer - kept, 0);
    if (count < 0 && errno == EAGAIN) return;
    if (count <= 0 || !answer_batch(fd, kept + (size_t)count)) return end_connection(fd);
    if ((size_t)count < kBuffer - kept) return;  // a short read: drained
  }
}

static void on_writable(int fd) {
  struct bytes rest = connections[fd].output;
  connections[fd].output = (struct bytes){0};
  int open = send_all(fd, rest.data, rest.size);
  free(rest.data);
  if (!open) end_connection(fd);
}

static void on_turn(void) { refresh_heads(); }

static void on_event(int fd, uint32_t events) {
  int stalled = connections[fd].output.size != 0;
  if (stalled && (events & EPOLLOUT)) on_writable(fd);
  if (stalled || is_readable(events)) on_readable(fd);
}
