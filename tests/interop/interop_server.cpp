// The server that outside test suites and tools drive: small endpoints, each written as a user
// would write it.
//
//     interop_server --port=N [limits; see --help]
#include <coronado/base/crypto.hpp>
#include <coronado/base/error.hpp>
#include <coronado/base/escape.hpp>
#include <coronado/base/strings.hpp>
#include <coronado/http/multipart.hpp>
#include <coronado/web.hpp>
#include <coronado/websocket.hpp>

#include <algorithm>
#include <cstdio>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace web = coronado::web;
using coronado::ArgumentList;
using coronado::HTTPError;
using coronado::HTTPExchange;
using coronado::HTTPServerRequest;
using coronado::Json;
using coronado::Task;
using std::chrono::milliseconds;

namespace {

constexpr coronado::MethodMask kBodyMethods =
    coronado::kMethodPost | coronado::kMethodPut | coronado::kMethodPatch | coronado::kMethodDelete;

// Sends back what comes in, piece by piece: a body of any size passes through in constant memory.
struct Echo : web::RequestHandler {
  Task<> post() override { return echo(); }
  Task<> put() override { return echo(); }
  Task<> patch() override { return echo(); }
  Task<> del() override { return echo(); }

 private:
  Task<> echo() {
    set_header("Content-Type",
               request().header("Content-Type").value_or("application/octet-stream"));
    for (std::string piece = co_await read_body(); !piece.empty(); piece = co_await read_body()) {
      write(piece);
      co_await flush();
    }
  }
};

// Takes a form of any size apart while it arrives.
struct Upload : web::RequestHandler {
  Task<> post() override {
    const auto boundary =
        coronado::multipart_boundary(request().header("Content-Type").value_or(""));
    if (!boundary) throw HTTPError(400, "not multipart/form-data");
    coronado::MultipartReader reader(
        *boundary, [this] { return coronado::as_task(read_body()); }, request().multipart_limits());
    Json parts = Json::array();
    while (const coronado::MultipartPart* part = co_await reader.next_part()) {
      Json entry = {{"name", part->name}, {"filename", nullptr}};
      if (part->filename) entry["filename"] = *part->filename;
      entry["content_type"] = part->content_type;
      coronado::Hasher hasher(coronado::HashAlgorithm::kSHA256);
      std::uint64_t size = 0;
      for (std::string piece = co_await reader.read(); !piece.empty();
           piece = co_await reader.read()) {
        hasher.update(piece);
        size += piece.size();
      }
      std::string digest;
      coronado::append_hex(digest, hasher.finish());
      entry["size"] = size;
      entry["sha256"] = digest;
      parts.push_back(std::move(entry));
    }
    set_header("Content-Type", "application/json");
    write(coronado::json_encode(Json{{"parts", std::move(parts)}}));
  }
};

Json multimap(const ArgumentList& arguments) {
  Json object = Json::object();
  for (const auto& [name, value] : arguments) object[name].push_back(value);
  return object;
}

web::Response headers(const HTTPServerRequest& request) {
  Json object = Json::object();
  for (const auto& field : request.headers()) {
    object[coronado::ascii_lower(field.name)].push_back(field.value);
  }
  return web::json(object);
}

Task<std::string_view> wait(web::Query<"ms", std::uint32_t> ms) {
  co_await coronado::sleep(milliseconds(*ms));
  co_return "slept";
}

Task<> stream(HTTPExchange& exchange, web::Query<"chunks", std::optional<std::uint32_t>> chunks,
              web::Query<"size", std::optional<std::uint32_t>> size,
              web::Query<"ms", std::optional<std::uint32_t>> ms) {
  exchange.start({.fields = "Content-Type: text/plain; charset=utf-8\r\n"}, std::nullopt);
  for (std::uint32_t i = 0; i < chunks->value_or(10); ++i) {
    if (i > 0) co_await coronado::sleep(milliseconds(ms->value_or(0)));
    std::string piece = "chunk " + std::to_string(i);
    piece.resize(std::max<std::size_t>(piece.size() + 1, size->value_or(0)) - 1, 'x');
    exchange.write(piece + "\n");
    co_await exchange.drain();
  }
}

Task<> sse(HTTPExchange& exchange, web::Query<"n", std::optional<std::uint32_t>> n,
           web::Query<"ms", std::optional<std::uint32_t>> ms) {
  web::EventStream events(exchange);
  for (std::uint32_t i = 0; i < n->value_or(10); ++i) {
    if (i > 0) co_await coronado::sleep(milliseconds(ms->value_or(0)));
    const std::string number = std::to_string(i);
    co_await events.send({.data = "event " + number, .id = number});
  }
}

web::Response cookie(const HTTPServerRequest& request,
                     web::Query<"name", std::optional<std::string>> name,
                     web::Query<"value", std::optional<std::string>> value) {
  Json received = Json::object();
  for (const auto& [key, text] : request.cookies()) received[key] = text;
  web::Response response = web::json(received);
  if (!name->has_value()) return response;
  try {
    return std::move(response).with(
        "Set-Cookie",
        coronado::format_set_cookie(**name, value->value_or(""), {.http_only = true}));
  } catch (const std::invalid_argument& error) {
    throw HTTPError(400, error.what());
  }
}

web::Response redirect(web::Query<"to", std::optional<std::string>> to,
                       web::Query<"code", std::optional<int>> code) {
  try {
    return web::redirect(to->value_or("/plaintext"), code->value_or(302));
  } catch (const std::invalid_argument& error) {
    throw HTTPError(400, error.what());
  }
}

// Not `JsonBody<Json>`: the client is to read what is wrong with its text.
web::Response json(const HTTPServerRequest& request) {
  const auto value = coronado::try_json_decode(request.body());
  if (!value) return web::text(std::string(value.error().what()) + "\n", 400);
  return web::json(*value);
}

web::Response query(const HTTPServerRequest& request) {
  return web::json({{"path", coronado::url_unescape(request.path(), coronado::URLPart::kPath)},
                    {"args", multimap(request.query_arguments())}});
}

std::string header_lines(const HTTPServerRequest& request) {
  std::string lines;
  for (const auto& field : request.headers()) {
    lines.append(field.name).append(": ").append(field.value).append("\n");
  }
  return lines;
}

std::string cookie_lines(const HTTPServerRequest& request) {
  std::string lines;
  for (const auto& [name, value] : request.cookies()) lines.append(name + "=" + value + "\n");
  return lines;
}

Task<> echo_messages(coronado::WebSocket& socket) {
  while (const auto message = co_await socket.read()) co_await socket.send(*message);
}

web::WebSocketSettings any_page_may_echo() {
  web::WebSocketSettings settings{.any_origin = true};
  settings.options.max_message_size = 64ULL * 1024 * 1024;
  settings.options.compression = coronado::WebSocketCompression{.forget_own_window = false};
  return settings;
}

web::Application make_app(const std::string& files) {
  web::Application app;
  if (!files.empty()) app.static_files("/static/", files, {.default_filename = "index.html"});
  app.get("/", [] { return "OK"; });
  app.route(kBodyMethods, "/", [](const HTTPServerRequest& request) { return request.body(); });
  app.get("/plaintext", [] { return "Hello, World!"; });
  app.add<Echo>("/echo", {.stream_body = true});
  app.add<Upload>("/upload", {.stream_body = true});
  app.get("/headers", headers);
  app.get("/sleep", wait);
  app.get("/stream", stream);
  app.get("/sse", sse);
  app.get("/cookie", cookie);
  app.get("/redirect", redirect);
  app.post("/json", json);
  app.get("/query", query);
  app.get(coronado::re("/query/.*"), query);
  app.route(coronado::kMethodGet | coronado::kMethodPost | coronado::kMethodPut, "/probe/echo",
            header_lines);
  app.get("/probe/cookie", cookie_lines);
  app.get("/ws/echo", web::websocket(echo_messages, any_page_may_echo()));
  return app;
}

}  // namespace

int main(int argc, char** argv) {
  web::ServeOptions options;
  options.http.limits.max_body_size = 128ULL * 1024 * 1024;
  std::string files;

  coronado::OptionParser parser("The endpoints that interoperability tests drive.");
  options.define(parser);
  parser.define("--static", files, "Folder below /static/");
  if (const std::optional<int> code = parser.parse(argc, argv)) return *code;
  try {
    if (!files.empty()) static_cast<void>(web::StaticFiles(files));
  } catch (const coronado::UsageError& error) {
    std::fprintf(stderr, "%s: --static: %s\n", argv[0], error.what());
    return 2;
  }
  return web::serve(options, [&files] { return make_app(files); });
}
