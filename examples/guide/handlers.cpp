#include "handlers.hpp"

#include <coronado/base/describe.hpp>

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "static_files.hpp"

namespace web = coronado::web;
using namespace std::chrono_literals;
using coronado::HTTPError;
using coronado::HTTPExchange;
using coronado::HTTPServerRequest;
using coronado::Task;

namespace guide {
namespace {

// [class]
struct Greeting : web::RequestHandler {
  Task<> get() override {
    set_header("Content-Type", "text/plain; charset=utf-8");
    write("Hello, " + get_argument("name", "world") + "\n");
    co_return;
  }
};
// [/class]

// [locale]
struct Basket : web::RequestHandler {
  Task<> get() override {
    const long count = std::stol(get_argument("count", "3"));
    set_header("Content-Type", "text/plain; charset=utf-8");
    write(locale().translate("a book", "books", count) + ": " + locale().friendly_number(count) +
          "\n");
    co_return;
  }
  std::string get_user_locale() override { return get_argument("language", ""); }
};
// [/locale]

// [shared]
struct Counters {
  std::map<std::string, int> by_name;
};

struct Count : web::RequestHandler {
  explicit Count(std::shared_ptr<Counters> counters) : counters_(std::move(counters)) {}

  Task<> post() override {
    const int count = ++counters_->by_name[path_argument("name")];
    write(std::to_string(count));
    co_return;
  }

 private:
  std::shared_ptr<Counters> counters_;
};
// [/shared]

// [struct]
struct Order {
  std::string item;
  int count;
  std::optional<std::string> note;
};
BOOST_DESCRIBE_STRUCT(Order, (), (item, count, note))
// [/struct]

// [json-handler]
web::Response take_order(web::JsonBody<Order> order) {
  if (order->count < 1) throw HTTPError(422, "an order of nothing", "Nothing Ordered");
  return web::json(*order, 201);
}
// [/json-handler]

// [extractor]
struct Page {
  int number;

  static Page from_request(const HTTPServerRequest& request) {
    const auto number = web::Query<"page", std::optional<int>>::from_request(request);
    if (number->value_or(1) < 1) throw HTTPError(400, "pages count from 1");
    return {number->value_or(1)};
  }
};
// [/extractor]

// [errors]
struct Teapot : web::RequestHandler {
  Task<> get() override {
    if (get_argument("drink", "tea") != "tea") throw HTTPError(418, "asked for coffee");
    write("tea");
    co_return;
  }

  void write_error(int status, const std::exception_ptr&) override {
    set_header("Content-Type", "application/json");
    write("{\"status\":" + std::to_string(status) + "}");
  }
};
// [/errors]

// [offload]
std::uint64_t fibonacci(unsigned n) { return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2); }

Task<std::string> compute(unsigned n) {
  if (n > 40) throw HTTPError(400, "that would take too long");
  const std::uint64_t result = co_await coronado::offload([n] { return fibonacci(n); });
  co_return std::to_string(result) + "\n";
}
// [/offload]

// [stream-out]
coronado::AsyncGenerator<std::string> countdown(int from) {
  for (int i = from; i > 0; --i) {
    co_yield std::to_string(i) + "\n";  // goes on when the client has taken it
    co_await coronado::sleep(100ms);
  }
}
// [/stream-out]

// [stream-in]
struct Upload : web::RequestHandler {
  Task<> post() override {
    std::size_t size = 0;
    for (std::string piece = co_await read_body(); !piece.empty(); piece = co_await read_body()) {
      size += piece.size();
    }
    write(std::to_string(size) + " bytes\n");
  }
};
// [/stream-in]

// [push]
struct Counted : web::RequestHandler {
  Task<> data_received(std::string_view chunk) override {
    size_ += chunk.size();
    return {};  // a task is waited for: the client is slowed down
  }
  Task<> put() override {  // the body is complete
    set_trailer("X-Size", std::to_string(size_));
    write("taken\n");
    co_return;
  }

 private:
  std::size_t size_ = 0;
};
// [/push]

// [guard]
struct Private : web::RequestHandler {
  Task<> prepare() override {
    if (request().header("Authorization") != "Bearer secret") throw HTTPError(401);
    co_return;
  }
  Task<> get() override {
    write("for members only");
    co_return;
  }
};
// [/guard]

}  // namespace

void add_languages(web::Application& app) {
  // [locales]
  auto locales = std::make_shared<web::Locales>("en");
  locales->load_csv(EXAMPLE_DIR "/translations");
  app.set_locales(locales);
  // [/locales]
  app.add<Basket>("/basket");
}

void add_handlers(web::Application& app) {
  add_languages(app);
  // [routes]
  app.add<Greeting>("/greeting");
  app.get("/users/{id:int}", [](long id) { return web::json({{"id", id}}); });
  app.get("/files/{path:path}", [](std::string path) { return "no file " + path + "\n"; });
  app.get(coronado::re("/(\\d+)/(\\d+)"), [](int year, int month) {
    return std::to_string(year) + ", month " + std::to_string(month) + "\n";
  });
  // [/routes]

  // [parameters]
  app.get("/search", [](web::Query<"q"> words, web::Query<"limit", std::optional<int>> limit,
                        web::Header<"User-Agent", std::optional<std::string>> client) {
    return web::json({{"words", *words},
                      {"limit", limit->value_or(10)},
                      {"client", client->value_or("unknown")}});
  });
  // [/parameters]

  // [results]
  app.get("/text", [] { return "text/plain, 200"; });
  app.get("/page", [] { return web::html("<h1>HTML</h1>"); });
  app.get("/old", [] { return web::redirect("/text", 301); });
  app.del("/item", [] {});  // 204
  app.get("/cached", [] { return web::text("kept").with("Cache-Control", "max-age=60"); });
  app.get("/slow", []() -> Task<web::Response> {
    co_await coronado::sleep(1s);
    co_return web::json({{"waited", true}});
  });
  // [/results]

  // [arguments]
  auto counters = std::make_shared<Counters>();
  app.add<Count>("/count/{name}", counters);
  // [/arguments]

  // [stream-routes]
  app.get("/countdown", [] { return web::stream(countdown(10)); });
  app.get("/handbook", [] { return web::file("files/7f3a", {.download_as = "handbook.pdf"}); });
  app.add<Upload>("/upload", {.stream_body = true});
  // [/stream-routes]

  // [limits]
  app.add<Counted>("/avatar", {.max_body_size = 1024 * 1024, .body_timeout = 5s, .timeout = 10s});
  // [/limits]

  // [negotiation]
  app.get("/greeting-for-you", [](const HTTPServerRequest& request) {
    const auto type = coronado::choose_media_type(request, {"application/json", "text/plain"});
    const auto language = coronado::choose_language(request, {"en", "zh"});
    if (!type) throw HTTPError(406);
    const std::string hello = language == "zh" ? "你好" : "Hello";
    return (type == "text/plain" ? web::text(hello) : web::json({{"greeting", hello}}))
        .with("Vary", "Accept, Accept-Language");
  });
  // [/negotiation]

  app.get("/fibonacci/{n:uint}", compute);
  app.post("/orders", take_order);
  app.get("/list", [](Page page) { return "page " + std::to_string(page.number) + "\n"; });
  app.add<Teapot>("/teapot");
  app.add<Private>("/private");
  add_static_files(app, EXAMPLE_DIR "/../tour/static");
  add_routers(app);
}

web::ServeOptions with_compression() {
  // [compression]
  web::ServeOptions defaults;
  defaults.http.compress_response = coronado::ResponseCompression{
      .codings = {coronado::ContentCoding::kBrotli, coronado::ContentCoding::kGzip},
      .min_size = 4096};
  defaults.http.decompress_request = true;
  // [/compression]
  return defaults;
}

}  // namespace guide
