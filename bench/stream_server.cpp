// Large bodies both ways, as a user would write them, for stream_compare.py.
//
//     stream_server PORT
//
//     POST /upload        reads the body piece by piece, answers how many bytes it had
//     PUT  /upload        the same by `data_received`
//     GET  /download?N    N bytes, 64 KiB at a time
#include <coronado/web.hpp>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>

namespace web = coronado::web;
using coronado::HTTPExchange;
using coronado::Task;

namespace {

Task<std::string> take(HTTPExchange& exchange) {
  std::uint64_t size = 0;
  for (std::string piece = co_await exchange.read_body(); !piece.empty();
       piece = co_await exchange.read_body()) {
    size += piece.size();
  }
  co_return std::to_string(size);
}

struct Pushed : web::RequestHandler {
  Task<> data_received(std::string_view chunk) override {
    size_ += chunk.size();
    return {};
  }
  Task<> put() override {
    write(std::to_string(size_));
    co_return;
  }

 private:
  std::uint64_t size_ = 0;
};

Task<> give(HTTPExchange& exchange) {
  const std::string piece(64UL * 1024, 'x');
  std::uint64_t left = std::strtoull(std::string(exchange.request().query()).c_str(), nullptr, 10);
  exchange.start({.fields = "Content-Type: application/octet-stream\r\n"}, left);
  while (left != 0) {
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(left, piece.size()));
    exchange.write(std::string_view(piece).substr(0, size));
    left -= size;
    co_await exchange.drain();
  }
  exchange.finish();
}

}  // namespace

int main(int argc, char** argv) {
  web::ServeOptions options;
  options.port = static_cast<std::uint16_t>(argc > 1 ? std::atoi(argv[1]) : 0);
  options.http.limits.max_body_size = UINT64_MAX / 2;
  return web::serve(options, [] {
    web::Application app;
    app.post("/upload", take, {.stream_body = true});
    app.add<Pushed>("/upload");
    app.get("/download", give);
    return app;
  });
}
