// The server of tls_compare.py: a page, and a file that is read and sent in pieces.
//
//     tls_server --port=N --tls-cert=FILE --tls-key=FILE --file=FILE
#include <coronado/web.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <memory>
#include <string>

namespace web = coronado::web;
using coronado::HTTPExchange;
using coronado::Task;

namespace {

constexpr std::size_t kPiece = 64 * 1024;

Task<> send_file(HTTPExchange& exchange, int fd) {
  const auto piece = std::make_unique_for_overwrite<char[]>(kPiece);
  const ::off_t size = ::lseek(fd, 0, SEEK_END);
  exchange.start({.fields = "Content-Type: application/octet-stream\r\n"},
                 static_cast<std::uint64_t>(size));
  ::off_t at = 0;
  while (at < size) {
    const ::ssize_t count = ::pread(fd, piece.get(), kPiece, at);
    if (count <= 0) throw coronado::HTTPError(500, "the file cannot be read");
    exchange.write({piece.get(), static_cast<std::size_t>(count)});
    at += count;
    co_await exchange.drain();
  }
  exchange.finish();
}

}  // namespace

int main(int argc, char** argv) {
  web::ServeOptions options;
  options.log_level = "warning";  // no line a request
  std::string file = "/dev/null";
  coronado::OptionParser parser("A page and a file over TLS.");
  options.define(parser);
  parser.define("--file", file, "What /bulk sends");
  if (const std::optional<int> code = parser.parse(argc, argv)) return *code;
  const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    std::perror(file.c_str());
    return 1;
  }
  return web::serve(options, [fd] {
    web::Application app;
    app.get("/", [] { return "Hello, World!"; });
    app.get("/bulk", [fd](HTTPExchange& exchange) { return send_file(exchange, fd); });
    return app;
  });
}
