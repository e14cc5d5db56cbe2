#include <coronado/web/output_transform.hpp>

#include <coronado/web/standard_middleware.hpp>
#include <coronado/web/static_file_handler.hpp>

#include <algorithm>

#include "tests/http/coded_body.hpp"
#include "tests/web/static_fixture.hpp"
#include "tests/web/web_fixture.hpp"

namespace coronado::web_test {
namespace {

using http_test::some_text;
using http_test::unpacked;

/// Lets a span pass.
void pass(WebBench& bench, Duration span) {
  bench.loop.run_sync([](Duration span) -> Task<> { co_await sleep(span); }(span));
}

/// Shouts, and says at the end how many bytes it was given.
class Shout final : public web::OutputTransform {
 public:
  bool transform_first_chunk(int& status, HeaderBlock& headers, std::string& chunk,
                             bool finishing) override {
    headers.set("X-Shout", std::to_string(status));
    return OutputTransform::transform_first_chunk(status, headers, chunk, finishing);
  }
  void transform_chunk(std::string& chunk, bool finishing) override {
    size_ += chunk.size();
    std::ranges::transform(chunk, chunk.begin(), [](unsigned char c) { return std::toupper(c); });
    if (finishing) chunk += "!" + std::to_string(size_);
  }

 private:
  std::size_t size_ = 0;
};

/// Puts a letter behind each piece, so that the order can be seen.
template <char kLetter>
class Append final : public web::OutputTransform {
 public:
  void transform_chunk(std::string& chunk, bool) override { chunk += kLetter; }
};

struct Page : web::RequestHandler {
  Task<> get() override {
    set_header("ETag", "\"tag\"");
    set_header("Accept-Ranges", "bytes");
    set_header("Content-Digest", "sha-256=:AAAA:");
    write("page");
    co_return;
  }
};

struct Pieces : web::RequestHandler {
  Task<> get() override {
    for (const char* piece : {"one ", "two ", "three "}) {
      write(piece);
      co_await flush();
      co_await sleep(1s);
    }
    write("end");
  }
};

struct Promised : web::RequestHandler {
  Task<> get() override {
    set_header("Content-Length", request().query() == "short" ? 9 : 8);
    for (const char* piece : {"1234", "5678"}) {
      write(piece);
      co_await flush();
    }
    if (request().query() == "long") write("9");
  }
};

/// Both kinds of handlers, whole and in pieces.
void add_pages(web::Application& app) {
  app.add<Page>("/class");
  app.add<Pieces>("/class-pieces");
  app.add<Promised>("/promised");
  app.get("/function", [] { return "page"; });
  app.get("/task", []() -> Task<web::Response> { co_return web::text("page", 203); });
  app.get("/function-pieces", [](HTTPExchange& exchange) -> Task<> {
    exchange.start({}, std::nullopt, "one ");
    co_await exchange.drain();
    exchange.write("two");
    exchange.finish();
  });
  app.get("/nothing", [] {});
}

TEST(OutputTransform, ChangesTheHeadAndTheBodyOfBothKindsOfHandlers) {
  WebBench bench;
  add_pages(bench.app);
  bench.app.use(web::output_transform<Shout>());
  for (const auto& [path, status] :
       {std::pair("/class", 200), std::pair("/function", 200), std::pair("/task", 203)}) {
    const RawResponse response = bench.get(path);
    EXPECT_EQ(response.body, "PAGE!4") << path;
    EXPECT_EQ(response.field("Content-Length"), "6");
    EXPECT_EQ(response.field("X-Shout"), std::to_string(status));
    EXPECT_EQ(bench.request("HEAD", path).fields, response.fields);
  }
  const RawResponse missing = bench.get("/missing");
  EXPECT_EQ(missing.status, 404);
  EXPECT_TRUE(missing.body.starts_with("<HTML>")) << missing.body;
  EXPECT_EQ(missing.field("X-Shout"), "404");
}

TEST(OutputTransform, IsGivenWhatIsStreamedPieceByPiece) {
  WebBench bench;
  add_pages(bench.app);
  bench.app.use(web::output_transform<Shout>());
  const RawResponse pieces = bench.get("/class-pieces");
  EXPECT_TRUE(pieces.chunked);
  EXPECT_EQ(pieces.body, "ONE TWO THREE END!17");
  EXPECT_EQ(bench.get("/function-pieces").body, "ONE TWO!7");
  // Each leaves at once.
  RawClient& client = bench.client();
  client.send("GET /class-pieces HTTP/1.1\r\nHost: x\r\n\r\n");
  pass(bench, 500ms);
  EXPECT_TRUE(client.received().ends_with("4\r\nONE \r\n")) << client.received();
}

TEST(OutputTransform, TheLengthThatAHandlerPromisedIsStillChecked) {
  WebBench bench;
  add_pages(bench.app);
  bench.app.use(web::output_transform<Shout>());
  const RawResponse right = bench.get("/promised");
  EXPECT_TRUE(right.chunked);
  EXPECT_FALSE(right.has_field("Content-Length"));
  EXPECT_EQ(right.body, "12345678!8");
  EXPECT_TRUE(bench.get("/promised?short").truncated);
  EXPECT_TRUE(bench.get("/promised?long").truncated);
}

TEST(OutputTransform, TheFirstThatIsRegisteredHasTheLastWord) {
  WebBench bench;
  bench.app.use(web::output_transform<Append<'a'>>()).use(web::output_transform<Append<'b'>>());
  bench.app.get("/", [] { return "x"; }, {.middleware = {web::output_transform<Append<'c'>>()}});
  bench.app.get("/twice", [](HTTPExchange& exchange) {
    exchange.start({}, std::nullopt, "x");
    exchange.write("y");
    exchange.finish();
  });
  EXPECT_EQ(bench.get("/").body, "xcba");
  EXPECT_EQ(bench.get("/twice").body, "xbaybaba");
}

TEST(OutputTransform, TheBodyIsCompressedBehindIt) {
  WebBench bench;
  bench.app.get("/", [] { return web::text(some_text(5000)); });
  bench.app.add<Pieces>("/pieces");
  bench.app.use(web::output_transform<Shout>()).use(web::compression());
  std::string shouted = some_text(5000);
  std::ranges::transform(shouted, shouted.begin(), [](unsigned char c) { return std::toupper(c); });
  const RawResponse whole = bench.get("/", "Accept-Encoding: gzip\r\n");
  EXPECT_EQ(whole.field("Content-Encoding"), "gzip");
  EXPECT_EQ(whole.field("Content-Length"), std::to_string(whole.body.size()));
  EXPECT_EQ(unpacked("gzip", whole.body), shouted + "!5000");
  const RawResponse pieces = bench.get("/pieces", "Accept-Encoding: gzip\r\n");
  EXPECT_EQ(unpacked("gzip", pieces.body), "ONE TWO THREE END!17");
}

TEST(OutputTransform, WhatTheFieldsSaidOfTheOldBodyGoes) {
  WebBench bench;
  add_pages(bench.app);
  bench.app.set_automatic_etags(true);
  bench.app.use(web::output_transform<Shout>());
  const RawResponse page = bench.get("/class");
  EXPECT_EQ(page.field("ETag"), "W/\"tag\"");
  EXPECT_FALSE(page.has_field("Accept-Ranges"));
  EXPECT_FALSE(page.has_field("Content-Digest"));
  const RawResponse known = bench.get("/class", "If-None-Match: W/\"tag\"\r\n");
  EXPECT_EQ(known.status, 304);
  EXPECT_EQ(known.body, "");
  EXPECT_EQ(known.field("ETag"), "W/\"tag\"");
  EXPECT_EQ(known.field("X-Shout"), "304");
  const RawResponse nothing = bench.get("/nothing");
  EXPECT_EQ(nothing.status, 204);
  EXPECT_FALSE(nothing.has_field("Content-Length"));
  EXPECT_EQ(bench.get("/function").body, "PAGE!4");  // the connection is in step
}

/// Declares a tag of its own, and changes the status.
class Own final : public web::OutputTransform {
 public:
  bool transform_first_chunk(int& status, HeaderBlock& headers, std::string& chunk, bool) override {
    status = 202;
    headers.set("ETag", "\"own\"");
    chunk = "own";
    return true;
  }
};

/// Leaves bodies as they are.
class OnlyFields final : public web::OutputTransform {
 public:
  explicit OnlyFields(const HTTPServerRequest& request) : path_(request.path()) {}
  bool transform_first_chunk(int&, HeaderBlock& headers, std::string&, bool) override {
    headers.set("X-Path", path_);
    return false;
  }
  void transform_chunk(std::string& chunk, bool) override { chunk = "never called"; }

 private:
  std::string path_;
};

TEST(OutputTransform, MayGiveAnotherStatusAndAnotherTag) {
  WebBench bench;
  add_pages(bench.app);
  bench.app.use(web::output_transform<Own>());
  const RawResponse page = bench.get("/class");
  EXPECT_EQ(page.status, 202);
  EXPECT_EQ(page.reason, "Accepted");
  EXPECT_EQ(page.field("ETag"), "\"own\"");
  EXPECT_EQ(page.body, "own");
}

TEST(OutputTransform, OneThatLeavesTheBodyCostsItNothing) {
  WebBench bench;
  add_pages(bench.app);
  bench.app.set_automatic_etags(true);
  bench.app.use(web::output_transform<OnlyFields>());
  const RawResponse page = bench.get("/class");
  EXPECT_EQ(page.body, "page");
  EXPECT_EQ(page.field("X-Path"), "/class");
  EXPECT_EQ(page.field("ETag"), "\"tag\"");
  EXPECT_EQ(page.field("Accept-Ranges"), "bytes");
  EXPECT_EQ(bench.get("/promised").field("Content-Length"), "8");
  EXPECT_EQ(bench.get("/class-pieces").body, "one two three end");
  // What another variant is called is kept, though it is not changed this time.
  EXPECT_EQ(bench.get("/class", "If-None-Match: W/\"tag\"\r\n").field("ETag"), "W/\"tag\"");
  EXPECT_EQ(bench.get("/class", "If-None-Match: \"tag\"\r\n").field("ETag"), "\"tag\"");
}

TEST(OutputTransform, NoneIsMadeWhereTheFunctionGivesNone) {
  WebBench bench;
  add_pages(bench.app);
  bench.app.use(web::output_transform(
      [](web::WebExchange& exchange) -> std::unique_ptr<web::OutputTransform> {
        if (exchange.request().query() != "loud") return nullptr;
        return std::make_unique<Shout>();
      }));
  EXPECT_EQ(bench.get("/function").body, "page");
  EXPECT_EQ(bench.get("/function?loud").body, "PAGE!4");
  EXPECT_EQ(bench.get("/function").body, "page");
}

/// Throws at the piece that has `x` in it, or at the end.
class Fragile final : public web::OutputTransform {
 public:
  explicit Fragile(const HTTPServerRequest& request) : when_(request.query()) {}
  bool transform_first_chunk(int&, HeaderBlock& headers, std::string&, bool) override {
    headers.set("X-Fragile", "1");
    if (when_ == "first") throw std::runtime_error("broken: first");
    return true;
  }
  void transform_chunk(std::string&, bool finishing) override {
    if (when_ == (finishing ? "last" : "middle")) throw std::runtime_error("broken: " + when_);
  }

 private:
  std::string when_;
};

TEST(OutputTransform, OneThatThrowsBeforeTheHeadEndsInAnErrorPage) {
  for (const char* path : {"/class", "/function", "/task", "/class-pieces", "/function-pieces"}) {
    WebBench bench;
    add_pages(bench.app);
    bench.app.use([](web::WebExchange& exchange, web::Next next) -> Task<> {
      exchange.edit_head([](int, HeaderBlock& fields) { fields.set("X-Edited", "1"); });
      return next(exchange);
    });
    bench.app.use(web::output_transform<Fragile>());
    const RawResponse response = bench.get(std::string(path) + "?first");
    EXPECT_EQ(response.status, 500) << path;
    EXPECT_EQ(response.field("Content-Type"), "text/html; charset=UTF-8") << path;
    EXPECT_FALSE(response.has_field("X-Fragile"));
    EXPECT_TRUE(response.has_field("X-Edited"));
    EXPECT_EQ(response.body.find("broken"), std::string::npos);
    EXPECT_EQ(bench.log.count("broken: first"), 1U) << path;
    EXPECT_EQ(bench.get(path).status / 100, 2);  // the connection goes on
  }
}

TEST(OutputTransform, OneThatThrowsLaterCutsTheResponse) {
  for (const char* path : {"/class-pieces", "/function-pieces"}) {
    for (const char* when : {"middle", "last"}) {
      WebBench bench;
      add_pages(bench.app);
      bench.app.use(web::output_transform<Fragile>());
      const TimePoint begin = bench.loop.turn_time();
      const RawResponse response = bench.get(std::string(path) + "?" + when);
      EXPECT_LT(bench.loop.turn_time() - begin, 10s) << "cut only by a time limit";
      EXPECT_EQ(response.status, 200) << path;
      EXPECT_TRUE(response.truncated) << path << when;
      EXPECT_EQ(bench.log.count("broken: " + std::string(when)), 1U) << path << when;
    }
  }
}

TEST(OutputTransform, AStaticFileIsGivenWholeAndInItsPlainForm) {
  Folder folder;
  folder.write("a.txt", "hello");
  folder.write("a.txt.gz", "packed");
  folder.write("large.txt", std::string(300'000, 'x'));
  WebBench bench;
  const web::StaticFileOptions options{.precompressed = {ContentCoding::kGzip}};
  bench.app.set_static_path<web::StaticFileHandler>(folder.path, {"/class/", options});
  bench.app.static_files("/function/", folder.path, options);
  bench.app.static_files("/plain/", folder.path, options);
  for (const char* prefix : {"/class", "/function"}) {
    bench.app.use(prefix, web::output_transform<Shout>());
    const std::string path(prefix);
    for (const char* fields : {"Accept-Encoding: gzip\r\n", "Range: bytes=1-2\r\n", ""}) {
      const RawResponse response = bench.get(path + "/a.txt", fields);
      EXPECT_EQ(response.status, 200) << path << fields;
      EXPECT_EQ(response.body, "HELLO!5") << path << fields;
      EXPECT_FALSE(response.has_field("Accept-Ranges"));
      EXPECT_TRUE(response.field("ETag").starts_with("W/"));
    }
    EXPECT_EQ(bench.get(path + "/large.txt").body, std::string(300'000, 'X') + "!300000");
    const RawResponse head = bench.request("HEAD", path + "/large.txt");
    EXPECT_FALSE(head.has_field("Content-Length"));
    const std::string tag = bench.get(path + "/a.txt").field("ETag");
    EXPECT_EQ(bench.get(path + "/a.txt", "If-None-Match: " + tag + "\r\n").status, 304);
  }
  EXPECT_EQ(bench.get("/plain/a.txt", "Range: bytes=1-2\r\n").body, "el");
  EXPECT_EQ(bench.get("/plain/a.txt", "Accept-Encoding: gzip\r\n").body, "packed");
}

}  // namespace
}  // namespace coronado::web_test
