// Compressed responses of both kinds of handlers, and forms that come compressed.
#include <coronado/web/application.hpp>

#include "tests/http/coded_body.hpp"
#include "tests/web/web_fixture.hpp"

namespace coronado::web_test {
namespace {

using http_test::packed;
using http_test::some_text;
using http_test::unpacked;

struct Page : web::RequestHandler {
  Task<> get() override {
    set_header("ETag", "\"tag\"");
    if (request().query() == "image") set_header("Content-Type", "image/png");
    write(some_text(5000));
    co_return;
  }
  Task<> post() override {
    write(get_body_argument("name"));
    co_return;
  }
};

struct Flushing : web::RequestHandler {
  Task<> get() override {
    for (int i = 0; i < 3; ++i) {
      write("line " + std::to_string(i) + "\n");
      co_await flush();
      co_await sleep(1s);
    }
    write("end");
  }
};

struct CompressionTest : ::testing::Test {
  CompressionTest() {
    bench.app.add<Page>("/class");
    bench.app.add<Flushing>("/flushing");
    bench.app.get("/function", [] { return some_text(5000); });
    bench.app.get("/task", []() -> Task<web::Response> {
      co_return web::html(some_text(5000)).with("Vary", "Origin");
    });
    bench.app.get("/small", [] { return "small"; });
    HTTPServerOptions options;
    options.compress_response = ResponseCompression{};
    options.decompress_request = true;
    bench.server = std::make_unique<HTTPServer>(bench.loop, bench.app, options);
  }
  WebBench bench;
};

TEST_F(CompressionTest, BothKindsOfHandlers) {
  for (const char* path : {"/class", "/function", "/task"}) {
    for (const char* coding : {"gzip", "br", "zstd"}) {
      const RawResponse response =
          bench.get(path, "Accept-Encoding: " + std::string(coding) + "\r\n");
      EXPECT_EQ(response.field("Content-Encoding"), coding);
      EXPECT_EQ(response.field("Content-Length"), std::to_string(response.body.size()));
      EXPECT_EQ(unpacked(coding, response.body), some_text(5000));
      const RawResponse head =
          bench.request("HEAD", path, "Accept-Encoding: " + std::string(coding) + "\r\n");
      EXPECT_EQ(head.fields, response.fields) << path;
    }
    EXPECT_EQ(bench.get(path).body, some_text(5000));
  }
  EXPECT_EQ(bench.get("/class", "Accept-Encoding: br\r\n").field("ETag"), "W/\"tag\"");
  EXPECT_EQ(bench.get("/task").field("Vary"), "Origin, Accept-Encoding");
  EXPECT_EQ(bench.get("/small", "Accept-Encoding: br\r\n").body, "small");
  EXPECT_EQ(bench.get("/class?image", "Accept-Encoding: br\r\n").body, some_text(5000));
}

TEST_F(CompressionTest, EachFlushIsReadableAtOnce) {
  RawClient& client = bench.client();
  client.send("GET /flushing HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n");
  const RawResponse response = bench.loop.run_sync(client.read_response(), Duration(1h));
  EXPECT_TRUE(response.chunked);
  EXPECT_EQ(unpacked("gzip", response.body), "line 0\nline 1\nline 2\nend");
}

TEST_F(CompressionTest, FormsMayComeCompressed) {
  const std::string body = packed("gzip", "name=value");
  EXPECT_EQ(bench
                .request("POST", "/class",
                         "Content-Type: application/x-www-form-urlencoded\r\n"
                         "Content-Encoding: gzip\r\n",
                         body)
                .body,
            "value");
}

}  // namespace
}  // namespace coronado::web_test
