// The floor for large bodies: the least work a server can do to take one in, or to send one.
//
//     stream_floor PORT       serves 127.0.0.1:PORT until it is killed
//
//     POST /upload            reads the body, answers how many bytes it had
//     GET  /download?N        N bytes
//
// One blocking connection at a time, one buffer of 64 KiB, a recv or a send for each fill of it. It
// trusts its peer.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { kBuffer = 64 * 1024 };

static char buffer[kBuffer + 1];

static int send_all(int fd, const char* data, size_t size) {
  while (size) {
    ssize_t count = send(fd, data, size, MSG_NOSIGNAL);
    if (count <= 0) return 0;
    data += count;
    size -= (size_t)count;
  }
  return 1;
}

static int answer(int fd, const char* body) {
  char text[256];
  int size = snprintf(text, sizeof text,
                      "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\n\r\n%s",
                      strlen(body), body);
  return send_all(fd, text, (size_t)size);
}

// `got` bytes of the body came with the head.
static int take(int fd, unsigned long long size, size_t got) {
  unsigned long long left = size - got;
  while (left) {
    ssize_t count = recv(fd, buffer, left < kBuffer ? (size_t)left : kBuffer, 0);
    if (count <= 0) return 0;
    left -= (unsigned long long)count;
  }
  char text[32];
  snprintf(text, sizeof text, "%llu", size);
  return answer(fd, text);
}

static int give(int fd, unsigned long long size) {
  char head[128];
  int head_size = snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Length: %llu\r\n\r\n", size);
  if (!send_all(fd, head, (size_t)head_size)) return 0;
  memset(buffer, 'x', kBuffer);
  for (unsigned long long left = size; left;) {
    size_t piece = left < kBuffer ? (size_t)left : kBuffer;
    if (!send_all(fd, buffer, piece)) return 0;
    left -= piece;
  }
  return 1;
}

static void serve(int fd) {
  for (int open = 1; open;) {
    size_t have = 0;
    char* end = NULL;
    while (!end) {
      ssize_t count = recv(fd, buffer + have, kBuffer - have, 0);
      if (count <= 0) return;
      have += (size_t)count;
      buffer[have] = 0;
      end = strstr(buffer, "\r\n\r\n");
    }
    if (*buffer == 'P') {
      const char* length = strcasestr(buffer, "\r\nContent-Length: ");
      unsigned long long size = length ? strtoull(length + 18, NULL, 10) : 0;
      open = take(fd, size, have - (size_t)(end + 4 - buffer));
    } else {
      const char* query = strchr(buffer, '?');
      open = give(fd, query && query < end ? strtoull(query + 1, NULL, 10) : 0);
    }
  }
}

int main(int argc, char** argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: stream_floor PORT\n");
    return 2;
  }
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
  struct sockaddr_in address = {.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)atoi(argv[1])),
                                .sin_addr = {htonl(INADDR_LOOPBACK)}};
  if (bind(listener, (struct sockaddr*)&address, sizeof address) || listen(listener, 16)) {
    perror("stream_floor: listen");
    return 1;
  }
  for (;;) {
    int fd = accept(listener, NULL, NULL);
    if (fd < 0) continue;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    serve(fd);
    close(fd);
  }
}
