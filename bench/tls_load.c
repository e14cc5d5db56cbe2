// A TLS 1.3 client for 127.0.0.1 that does one thing as fast as it can.
//
//     tls_load PORT full SECONDS        handshakes with a certificate, a connection each
//     tls_load PORT resumed SECONDS     handshakes that resume one session
//     tls_load PORT bulk SECONDS PATH   GET PATH over and over on a connection each, reading all
//
// The certificate is not verified: this measures the server. Prints one JSON object: `count`
// handshakes, `resumed` of them, `bytes` read, `errors`, `seconds`, and `cpu`, the share of a core
// that this program used.

#include "load_client.h"

#include <openssl/ssl.h>
#include <signal.h>

static int port;
static SSL_CTX* context;
static SSL_SESSION* session;
static char buffer[1 << 18];
static struct {
  long count, resumed, bytes, errors;
} result;

static int open_socket(void) {
  int fd = new_socket(SOCK_STREAM | SOCK_CLOEXEC);
  bind_next_source(fd);
  if (connect_to(fd, port) != 0) {
    close(fd);
    return -1;
  }
  return fd;
}

// One connection; sends `request` unless it is null, and reads to the end.
static void visit(const char* request, double until) {
  int fd = open_socket();
  if (fd < 0) {
    ++result.errors;
    return;
  }
  SSL* ssl = SSL_new(context);
  SSL_set_fd(ssl, fd);
  if (session != NULL) SSL_set_session(ssl, session);
  if (SSL_connect(ssl) == 1) {
    ++result.count;
    result.resumed += SSL_session_reused(ssl);
    if (request != NULL) {
      SSL_write(ssl, request, (int)strlen(request));
      int size;
      while ((size = SSL_read(ssl, buffer, sizeof buffer)) > 0) {
        result.bytes += size;
        if (now() > until) break;
      }
      if (session == NULL && SSL_SESSION_is_resumable(SSL_get0_session(ssl))) {
        session = SSL_get1_session(ssl);
      }
    }
    SSL_shutdown(ssl);
    shutdown(fd, SHUT_WR);
    if (request == NULL) {
      while (read(fd, buffer, sizeof buffer) > 0) {
      }
    }
  } else {
    ++result.errors;
  }
  SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
  SSL_free(ssl);
  close(fd);
}

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  signal(SIGPIPE, SIG_IGN);
  port = atoi(argv[1]);
  int bulk = strcmp(argv[2], "bulk") == 0;
  double seconds = atof(argv[3]);
  char request[512] = "GET / HTTP/1.0\r\n\r\n";
  if (bulk) {
    snprintf(request, sizeof request,
             "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", argv[4]);
  }
  context = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
  SSL_CTX_set_mode(context, SSL_MODE_AUTO_RETRY);
  SSL_CTX_set_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF);
  if (strcmp(argv[2], "resumed") == 0) {
    visit(request, now() + 10);
    if (session == NULL) {
      fprintf(stderr, "tls_load: the server gave no session\n");
      return 1;
    }
    memset(&result, 0, sizeof result);
  }
  double cpu = -cpu_seconds(), begin = now();
  while (now() < begin + seconds && result.errors < 100) {
    visit(bulk ? request : NULL, begin + seconds);
    if (bulk && session != NULL) {
      SSL_SESSION_free(session);
      session = NULL;
    }
  }
  double took = now() - begin;
  cpu += cpu_seconds();
  printf(
      "{\"count\": %ld, \"resumed\": %ld, \"bytes\": %ld, \"errors\": %ld, \"seconds\": %.3f, "
      "\"cpu\": %.3f}\n",
      result.count, result.resumed, result.bytes, result.errors, took, cpu / took);
  return 0;
}
