#include <coronado/web/stream_response.hpp>

#include "tests/web/static_fixture.hpp"
#include "tests/web/web_fixture.hpp"

namespace coronado::web_test {
namespace {

/// Lets a span pass.
void pass(WebBench& bench, Duration span) {
  bench.loop.run_sync([](Duration span) -> Task<> { co_await sleep(span); }(span));
}

/// Yields numbers, one a second; the one before it throws is `fails`.
AsyncGenerator<std::string> numbers(int count, int fails = -1) {
  for (int i = 0; i < count; ++i) {
    if (i == fails) throw std::runtime_error("no number " + std::to_string(i));
    co_yield std::to_string(i) + "\n";
    co_await sleep(1s);
  }
}

TEST(StreamResponse, SendsWhatAGeneratorYields) {
  WebBench bench;
  bench.app.get("/numbers", [] { return web::stream(numbers(3)); });
  bench.app.get("/table", []() -> Task<web::StreamResponse> {
    co_await sleep(1s);
    co_return web::stream(numbers(2), web::Response(203, "number\n", "text/csv"));
  });
  bench.app.get("/known", [] {
    return web::stream(numbers(2), web::Response(200).with("Content-Length", "4"));
  });
  const RawResponse numbers = bench.get("/numbers");
  EXPECT_TRUE(numbers.chunked);
  EXPECT_EQ(numbers.body, "0\n1\n2\n");
  EXPECT_EQ(numbers.field("Content-Type"), "text/plain; charset=utf-8");
  const RawResponse table = bench.get("/table");
  EXPECT_EQ(table.status, 203);
  EXPECT_EQ(table.body, "number\n0\n1\n");
  EXPECT_EQ(table.field("Content-Type"), "text/csv");
  const RawResponse known = bench.get("/known");
  EXPECT_EQ(known.field("Content-Length"), "4");
  EXPECT_FALSE(known.chunked);
  EXPECT_EQ(known.body, "0\n1\n");
}

TEST(StreamResponse, EachPieceLeavesAtOnce) {
  WebBench bench;
  bench.app.get("/numbers", [] { return web::stream(numbers(3)); });
  RawClient& client = bench.client();
  client.send("GET /numbers HTTP/1.1\r\nHost: x\r\n\r\n");
  pass(bench, 1500ms);
  EXPECT_TRUE(client.received().ends_with("2\r\n0\n\r\n2\r\n1\n\r\n")) << client.received();
}

TEST(StreamResponse, HeadDoesNotRunIt) {
  WebBench bench;
  bool ran = false;
  const auto mark = [](bool* ran) -> AsyncGenerator<std::string> {
    *ran = true;
    co_yield "x";
  };
  bench.app.get("/", [&ran, mark] { return web::stream(mark(&ran)); });
  EXPECT_EQ(bench.request("HEAD", "/").status, 200);
  EXPECT_FALSE(ran);
  EXPECT_EQ(bench.get("/").body, "x");
}

TEST(StreamResponse, OneThatFailsAtOnceIsAnErrorPageAndLaterIsCut) {
  WebBench bench;
  bench.app.get("/first", [] { return web::stream(numbers(3, 0)); });
  bench.app.get("/second", [] { return web::stream(numbers(3, 1)); });
  const RawResponse first = bench.get("/first");
  EXPECT_EQ(first.status, 500);
  EXPECT_EQ(first.body.find("number"), std::string::npos);
  const RawResponse second = bench.get("/second");
  EXPECT_EQ(second.status, 200);
  EXPECT_TRUE(second.truncated);
  EXPECT_EQ(second.body, "0\n");
  EXPECT_EQ(bench.log.count("no number"), 2U);
}

TEST(StreamResponse, AClientThatGoesAwayEndsIt) {
  WebBench bench;
  bool ended = false;
  const auto endless = [](bool* ended) -> AsyncGenerator<std::string> {
    struct Mark {
      bool& ended;
      ~Mark() { ended = true; }
    } mark{*ended};
    while (true) {
      co_yield "x";
      co_await sleep(1s);
    }
  };
  bench.app.get("/", [&ended, endless] { return web::stream(endless(&ended)); });
  RawClient& client = bench.client();
  client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  pass(bench, 3500ms);
  EXPECT_FALSE(ended);
  client.close();
  pass(bench, 1s);
  EXPECT_TRUE(ended);
}

TEST(FileResponse, SendsAFileWithItsTagAndRanges) {
  Folder folder;
  folder.write("a.txt", "hello");
  folder.write("large.bin", pattern_bytes(300'000));
  WebBench bench;
  bench.app.get("/a", [&] { return web::file(folder.at("a.txt")); });
  bench.app.get("/large",
                [&]() -> Task<web::FileResponse> { co_return web::file(folder.at("large.bin")); });
  bench.app.post("/a", [&] { return web::file(folder.at("a.txt")); });
  const RawResponse whole = bench.get("/a");
  EXPECT_EQ(whole.body, "hello");
  EXPECT_EQ(whole.field("Content-Type"), "text/plain");
  EXPECT_EQ(whole.field("Last-Modified"), "Thu, 02 Jan 2020 03:04:05 GMT");
  EXPECT_FALSE(whole.has_field("Content-Disposition"));
  const std::string tag = whole.field("ETag");
  EXPECT_EQ(bench.get("/a", "If-None-Match: " + tag + "\r\n").status, 304);
  const RawResponse part = bench.get("/a", "Range: bytes=1-2\r\n");
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(part.body, "el");
  EXPECT_EQ(bench.request("HEAD", "/a").field("Content-Length"), "5");
  EXPECT_EQ(bench.get("/large").body, pattern_bytes(300'000));
  // Conditions and ranges are for GET.
  const RawResponse posted =
      bench.request("POST", "/a", "If-None-Match: " + tag + "\r\nRange: bytes=1-2\r\n", "x");
  EXPECT_EQ(posted.status, 200);
  EXPECT_EQ(posted.body, "hello");
}

TEST(FileResponse, HasTheNameAndTypeThatItIsGiven) {
  Folder folder;
  folder.write("3f2a", "%PDF");
  WebBench bench;
  bench.app.get("/plain", [&] { return web::file(folder.at("3f2a"), {.content_type = "a/b"}); });
  bench.app.get("/save",
                [&] { return web::file(folder.at("3f2a"), {.download_as = "Mai \"24\".pdf"}); });
  bench.app.get("/chinese", [&] {
    return web::file(folder.at("3f2a"), {.download_as = "../\u62a5\u544a.pdf"});
  });
  const RawResponse plain = bench.get("/plain");
  EXPECT_EQ(plain.field("Content-Type"), "a/b");
  EXPECT_FALSE(plain.has_field("Content-Disposition"));
  const RawResponse save = bench.get("/save");
  EXPECT_EQ(save.field("Content-Type"), "application/pdf");
  EXPECT_EQ(save.field("Content-Disposition"),
            "attachment; filename=\"Mai _24_.pdf\"; filename*=UTF-8''Mai%20%2224%22.pdf");
  EXPECT_EQ(bench.get("/chinese").field("Content-Disposition"),
            "attachment; filename=\"______.pdf\"; filename*=UTF-8''%E6%8A%A5%E5%91%8A.pdf");
  const RawResponse ranges = bench.get("/save", "Range: bytes=0-0,2-2\r\n");
  EXPECT_TRUE(ranges.field("Content-Type").starts_with("multipart/byteranges"));
  EXPECT_EQ(bench.get("/save", "Range: bytes=1-2\r\n").field("Content-Type"), "application/pdf");
}

TEST(FileResponse, WhatIsNotThereIs404) {
  Folder folder;
  WebBench bench;
  bench.app.get("/none", [&] { return web::file(folder.at("none")); });
  bench.app.get("/folder", [&] { return web::file(folder.path); });
  for (const char* path : {"/none", "/folder"}) {
    const RawResponse response = bench.get(path);
    EXPECT_EQ(response.status, 404) << path;
    EXPECT_EQ(response.body.find(folder.path), std::string::npos);
  }
  EXPECT_EQ(bench.log.count("No such file"), 1U);
  EXPECT_EQ(bench.log.count("is a folder"), 1U);
}

}  // namespace
}  // namespace coronado::web_test
