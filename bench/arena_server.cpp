// The HTTP/1.1 and WebSocket profiles of HttpArena, the field's public benchmark, written as its rules for production ask:
// the framework's defaults and its JSON and body APIs, nothing serialised in advance, no cache that skips work.
//
//     arena_server --data=DIR --static=DIR --tls-cert=FILE --tls-key=FILE
//
// Of the first folder it reads dataset.json, of the second the files below /static/; their .br and .gz
// siblings are sent to clients that take them, as web::StaticFileOptions::precompressed says. Without a
// certificate there is no TLS port.
//
// tests/interop/arena_test.py checks every answer.
#include <coronado/base/describe.hpp>
#include <coronado/base/error.hpp>
#include <coronado/base/strings.hpp>
#include <coronado/ops/options.hpp>
#include <coronado/web.hpp>
#include <coronado/websocket.hpp>

#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace web = coronado::web;
using coronado::HTTPError, coronado::HTTPServerRequest, coronado::Task, coronado::WebSocketMessage;

namespace {

struct Rating {
  std::int64_t score;
  std::int64_t count;
};
BOOST_DESCRIBE_STRUCT(Rating, (), (score, count))

// A product as it stands in dataset.json.
struct Item {
  std::int64_t id;
  std::string name;
  std::string category;
  std::int64_t price;
  std::int64_t quantity;
  bool active;
  std::vector<std::string> tags;
  Rating rating;
};
BOOST_DESCRIBE_STRUCT(Item, (), (id, name, category, price, quantity, active, tags, rating))
using Items = std::vector<Item>;

// The same with what an order of it costs, for one response.
struct PricedItem {
  std::int64_t id;
  std::string_view name;
  std::string_view category;
  std::int64_t price;
  std::int64_t quantity;
  bool active;
  std::span<const std::string> tags;
  Rating rating;
  std::int64_t total;
};
BOOST_DESCRIBE_STRUCT(PricedItem, (),
                      (id, name, category, price, quantity, active, tags, rating, total))

struct PriceList {
  std::vector<PricedItem> items;
  std::size_t count;
};
BOOST_DESCRIBE_STRUCT(PriceList, (), (items, count))

PriceList price_list(const Items& items, std::size_t count, std::int64_t multiplier) {
  PriceList list{{}, count};
  list.items.reserve(count);
  for (const Item& item : std::span(items).first(count)) {
    list.items.push_back({item.id, item.name, item.category, item.price, item.quantity, item.active,
                          item.tags, item.rating, item.price * item.quantity * multiplier});
  }
  return list;
}

std::string sum(web::Query<"a", std::int64_t> a, web::Query<"b", std::int64_t> b) {
  return std::to_string(*a + *b);
}

std::string sum_with_body(const HTTPServerRequest& request, web::Query<"a", std::int64_t> a,
                          web::Query<"b", std::int64_t> b) {
  const auto c = coronado::parse_int<std::int64_t>(request.body());
  if (!c) throw HTTPError(400, "the body is not an integer");
  return std::to_string(*a + *b + *c);
}

// Counts the bytes while they come.
struct Upload : web::RequestHandler {
  Task<> post() override {
    std::uint64_t size = 0;
    for (std::string piece = co_await read_body(); !piece.empty(); piece = co_await read_body()) {
      size += piece.size();
    }
    set_header("Content-Type", "text/plain; charset=utf-8");
    write(std::to_string(size));
  }
};

struct Echo : web::WebSocketHandler {
  Task<> open() override {
    release_request();
    return {};
  }
  Task<> on_message(const WebSocketMessage& message) override {
    write_message(message);
    return {};
  }
};

web::Application make_app(const Items& items, const std::string& files) {
  web::Application app;
  if (!files.empty()) app.static_files("/static/", files);
  app.get("/baseline11", sum);
  app.post("/baseline11", sum_with_body);
  app.get("/pipeline", [] { return "ok"; });
  app.get("/json/{count:int}",
          [&items](std::uint32_t count, web::Query<"m", std::int64_t> multiplier) {
            if (count < 1 || count > items.size())
              throw HTTPError(400, "so many items there are not");
            return price_list(items, count, *multiplier);
          });
  app.add<Upload>("/upload", {.stream_body = true});
  app.add<Echo>("/ws");
  return app;
}

Items load(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read it");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  return coronado::json_decode<Items>(text);
}

}  // namespace

int main(int argc, char** argv) {
  web::ServeOptions options;
  options.port = 8080;
  options.workers = 0;  // one a core
  options.log_level = "warning";
  options.compress_response = true;
  options.http.limits.max_body_size = 64ULL * 1024 * 1024;
  options.tls_port = 8081;
  std::string data = "/data";
  std::string files;

  coronado::OptionParser parser("The profiles of HttpArena.");
  options.define(parser);
  parser.define("--data", data, "Folder of dataset.json");
  parser.define("--static", files, "Folder below /static/");
  if (const std::optional<int> code = parser.parse(argc, argv)) return *code;
  if (options.tls_cert.empty()) options.tls_port = 0;
  const std::string path = data + "/dataset.json";
  try {
    const Items items = load(path);
    return web::serve(options, [&] { return make_app(items, files); });
  } catch (const std::runtime_error& error) {
    std::fprintf(stderr, "%s: %s: %s\n", argv[0], path.c_str(), error.what());
    return 1;
  }
}
