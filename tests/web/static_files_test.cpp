#include <coronado/web/static_files.hpp>

#include <coronado/http/httputil.hpp>

#include <filesystem>
#include <fstream>

#include "tests/web/static_fixture.hpp"
#include "tests/web/web_fixture.hpp"

namespace coronado::web_test {
namespace {

using web::StaticFileOptions;
using web::StaticFiles;

constexpr std::string_view kRobots = "User-agent: *\nDisallow: /\n";  // 26 bytes

/// A folder behind an application, at /static/.
struct StaticBench : WebBench {
  explicit StaticBench(StaticFileOptions options = {}) {
    folder.write("robots.txt", kRobots);
    files = std::make_shared<StaticFiles>(folder.path, std::move(options));
    app.static_files("/static/{path:path}", files);
  }
  Folder folder;
  std::shared_ptr<StaticFiles> files;
};

/// Each way once as it is found in a thread, and once as it is known.
template <class Check>
void twice(Check check) {
  for (const char* round : {"looked up", "known"}) {
    SCOPED_TRACE(round);
    check();
  }
}

TEST(StaticFiles, AFile) {
  StaticBench bench;
  twice([&] {
    const RawResponse response = bench.get("/static/robots.txt");
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.body, kRobots);
    EXPECT_EQ(response.field("Content-Type"), "text/plain");
    EXPECT_EQ(response.field("Last-Modified"), "Thu, 02 Jan 2020 03:04:05 GMT");
    EXPECT_EQ(response.field("Accept-Ranges"), "bytes");
    EXPECT_EQ(response.field("ETag").size(), 34U);
    EXPECT_TRUE(response.field("ETag").starts_with('"'));
    for (const char* absent : {"Cache-Control", "Expires", "Vary", "Content-Encoding"}) {
      EXPECT_FALSE(response.has_field(absent)) << absent;
    }
  });
}

TEST(StaticFiles, HeadHasTheSameFields) {
  StaticBench bench;
  bench.folder.write("large", pattern_bytes(100'000));
  for (const char* path : {"/static/robots.txt", "/static/large"}) {
    twice([&] {
      const RawResponse head = bench.request("HEAD", path);
      const RawResponse get = bench.get(path);
      EXPECT_EQ(head.head, get.head);
      EXPECT_EQ(head.body, "");
    });
  }
}

TEST(StaticFiles, LargeFilesAndRanges) {
  StaticBench bench;
  const std::string content = pattern_bytes(1'500'000);
  bench.folder.write("large.bin", content);
  twice([&] {
    EXPECT_EQ(bench.get("/static/large.bin").body, content);
    const RawResponse part = bench.get("/static/large.bin", "Range: bytes=100000-1299999\r\n");
    EXPECT_EQ(part.status, 206);
    EXPECT_EQ(part.body, content.substr(100'000, 1'200'000));
    EXPECT_EQ(part.field("Content-Range"), "bytes 100000-1299999/1500000");
  });
}

TEST(StaticFiles, Ranges) {
  StaticBench bench;
  const RawResponse whole = bench.get("/static/robots.txt");
  for (const auto& [range, answer, body] : std::vector<std::array<std::string, 3>>{
           {"bytes=0-9", "bytes 0-9/26", "User-agent"},
           {"bytes=-4", "bytes 22-25/26", ": /\n"},
           {"bytes=1-10000000", "bytes 1-25/26", std::string(kRobots.substr(1))}}) {
    SCOPED_TRACE(range);
    const RawResponse response = bench.get("/static/robots.txt", "Range: " + range + "\r\n");
    EXPECT_EQ(response.status, 206);
    EXPECT_EQ(response.field("Content-Range"), answer);
    EXPECT_EQ(response.body, body);
    EXPECT_EQ(response.field("ETag"), whole.field("ETag"));
  }
  for (const char* range : {"bytes=0-", "asdf", "bytes=x-y"}) {
    const RawResponse response =
        bench.get("/static/robots.txt", "Range: " + std::string(range) + "\r\n");
    EXPECT_EQ(response.status, 200) << range;
    EXPECT_FALSE(response.has_field("Content-Range"));
  }
  for (const char* range : {"bytes=-0", "bytes=26", "bytes=10-3"}) {
    const RawResponse response =
        bench.get("/static/robots.txt", "Range: " + std::string(range) + "\r\n");
    EXPECT_EQ(response.status, 416) << range;
    EXPECT_EQ(response.field("Content-Range"), "bytes */26");
    EXPECT_EQ(response.body, "");
  }
  const RawResponse head = bench.request("HEAD", "/static/robots.txt", "Range: bytes=1-4\r\n");
  EXPECT_EQ(head.status, 206);
  EXPECT_EQ(head.field("Content-Length"), "4");
}

/// The body of a 206 with several ranges, as a client would take it apart: each with its field.
std::vector<std::pair<std::string, std::string>> parts_of(const RawResponse& response) {
  const std::string type = response.field("Content-Type");
  const std::string begin = "multipart/byteranges; boundary=";
  EXPECT_TRUE(type.starts_with(begin)) << type;
  const std::string delimiter = "--" + type.substr(begin.size());
  std::vector<std::pair<std::string, std::string>> parts;
  std::string rest = "\r\n" + response.body;
  while (rest.starts_with("\r\n" + delimiter + "\r\n")) {
    const std::size_t end = rest.find("\r\n" + delimiter, 1);
    const std::string part = rest.substr(delimiter.size() + 4, end - delimiter.size() - 4);
    const std::size_t body = part.find("\r\n\r\n");
    const std::string head = part.substr(0, body + 2);
    const std::size_t range = head.find("Content-Range: ") + 15;
    parts.emplace_back(head.substr(range, head.find('\r', range) - range), part.substr(body + 4));
    rest = rest.substr(end);
  }
  EXPECT_EQ(rest, "\r\n" + delimiter + "--\r\n");
  return parts;
}

TEST(StaticFiles, SeveralRanges) {
  StaticBench bench;
  const std::string content = pattern_bytes(200'000);
  bench.folder.write("large.bin", content);
  twice([&] {
    const RawResponse small = bench.get("/static/robots.txt", "Range: bytes=0-3,-2,5-5\r\n");
    EXPECT_EQ(small.status, 206);
    EXPECT_FALSE(small.has_field("Content-Range"));
    const auto parts = parts_of(small);
    ASSERT_EQ(parts.size(), 3U);
    EXPECT_EQ(parts[0], std::pair(std::string("bytes 0-3/26"), std::string("User")));
    EXPECT_EQ(parts[1], std::pair(std::string("bytes 24-25/26"), std::string("/\n")));
    EXPECT_EQ(parts[2], std::pair(std::string("bytes 5-5/26"), std::string("a")));
    const auto large =
        parts_of(bench.get("/static/large.bin", "Range: bytes=10-99999,150000-159999\r\n"));
    ASSERT_EQ(large.size(), 2U);
    EXPECT_EQ(large[0].second, content.substr(10, 99'990));
    EXPECT_EQ(large[1].second, content.substr(150'000, 10'000));
  });
  const RawResponse head = bench.request("HEAD", "/static/robots.txt", "Range: bytes=0-3,5-5\r\n");
  EXPECT_EQ(head.status, 206);
  EXPECT_EQ(head.body, "");
}

TEST(StaticFiles, ConditionalRequests) {
  StaticBench bench;
  const std::string etag = bench.get("/static/robots.txt").field("ETag");
  const auto status = [&](const std::string& fields) {
    return bench.get("/static/robots.txt", fields).status;
  };
  const RawResponse same = bench.get("/static/robots.txt", "If-None-Match: " + etag + "\r\n");
  EXPECT_EQ(same.status, 304);
  EXPECT_EQ(same.field("ETag"), etag);
  EXPECT_FALSE(same.has_field("Content-Type"));
  EXPECT_FALSE(same.has_field("Content-Length"));
  EXPECT_EQ(status("If-Modified-Since: Thu, 02 Jan 2020 03:04:05 GMT\r\n"), 304);
  EXPECT_EQ(status("If-Modified-Since: Thu, 02 Jan 2020 03:04:04 GMT\r\n"), 200);
  EXPECT_EQ(status("If-None-Match: " + etag + "\r\nRange: bytes=0-9\r\n"), 304);
  EXPECT_EQ(status("If-Range: " + etag + "\r\nRange: bytes=0-9\r\n"), 206);
  EXPECT_EQ(status("If-Range: \"old\"\r\nRange: bytes=0-9\r\n"), 200);
  EXPECT_EQ(status("If-Match: \"old\"\r\n"), 412);
}

TEST(StaticFiles, TheTagIsOfTheContent) {
  StaticBench bench;
  bench.folder.write("a", "one");
  bench.folder.write("b", "one", Folder::kTime + 5);
  bench.folder.write("c", "two");
  const std::string tag = bench.get("/static/a").field("ETag");
  EXPECT_EQ(bench.get("/static/b").field("ETag"), tag);
  EXPECT_NE(bench.get("/static/c").field("ETag"), tag);
}

TEST(StaticFiles, ALargeFileThatMayYetChangeHasAWeakTag) {
  StaticBench bench;
  bench.folder.write("old", pattern_bytes(1'200'000));
  // `ctime` cannot be set: it has just been written, whatever its time says.
  EXPECT_TRUE(bench.get("/static/old").field("ETag").starts_with("W/\""));
}

TEST(StaticFiles, AVersionMayBeKeptForLong) {
  StaticBench bench({.cache_control = "no-cache"});
  const RawResponse versioned = bench.get("/static/robots.txt?v=abc");
  EXPECT_EQ(versioned.field("Cache-Control"), "max-age=315360000");
  EXPECT_TRUE(parse_http_date(versioned.field("Expires")).has_value());
  EXPECT_EQ(bench.get("/static/robots.txt?w=1").field("Cache-Control"), "no-cache");
  EXPECT_EQ(bench.get("/static/robots.txt").field("Cache-Control"), "no-cache");
}

TEST(StaticFiles, CompressedSiblings) {
  StaticBench bench;
  bench.folder.write("app.js", std::string(1000, 'j'));
  bench.folder.write("app.js.br", "brotli");
  bench.folder.write("app.js.gz", "gzip");
  bench.folder.write("large.js", std::string(300'000, 'j'));
  bench.folder.write("large.js.gz", pattern_bytes(100'000));
  twice([&] {
    const auto get = [&](const std::string& accept, std::string_view path = "/static/app.js") {
      return bench.get(path, "Accept-Encoding: " + accept + "\r\n");
    };
    const RawResponse br = get("gzip, br");
    EXPECT_EQ(br.body, "brotli");
    EXPECT_EQ(br.field("Content-Encoding"), "br");
    EXPECT_EQ(br.field("Content-Type"), "text/javascript");
    EXPECT_EQ(br.field("Vary"), "Accept-Encoding");
    EXPECT_EQ(get("br;q=0.2, gzip;q=0.8").body, "gzip");
    EXPECT_EQ(get("zstd, gzip;q=0.1").body, "gzip");
    EXPECT_EQ(get("br;q=0").body, std::string(1000, 'j'));
    const RawResponse plain = bench.get("/static/app.js");
    EXPECT_EQ(plain.body, std::string(1000, 'j'));
    EXPECT_EQ(plain.field("Vary"), "Accept-Encoding");
    EXPECT_NE(plain.field("ETag"), br.field("ETag"));
    const RawResponse same = bench.get(
        "/static/app.js", "Accept-Encoding: br\r\nIf-None-Match: " + br.field("ETag") + "\r\n");
    EXPECT_EQ(same.status, 304);
    EXPECT_EQ(same.field("Vary"), "Accept-Encoding");
    EXPECT_EQ(get("gzip", "/static/large.js").body, pattern_bytes(100'000));
    const RawResponse part =
        bench.get("/static/app.js", "Accept-Encoding: br\r\nRange: bytes=1-2\r\n");
    EXPECT_EQ(part.body, "ro");
    EXPECT_EQ(part.field("Content-Encoding"), "br");
  });
  EXPECT_EQ(bench.get("/static/app.js.gz").field("Content-Type"), "application/gzip");
}

TEST(StaticFiles, SiblingsCanBeLeftAlone) {
  StaticBench bench({.precompressed = {}});
  bench.folder.write("app.js", "plain");
  bench.folder.write("app.js.br", "brotli");
  const RawResponse response = bench.get("/static/app.js", "Accept-Encoding: br\r\n");
  EXPECT_EQ(response.body, "plain");
  EXPECT_FALSE(response.has_field("Vary"));
}

TEST(StaticFiles, ChangesAreSeen) {
  StaticBench bench({.validity = Duration::zero()});
  bench.folder.write("a.txt", "one");
  bench.folder.write("large", pattern_bytes(80'000));
  EXPECT_EQ(bench.get("/static/a.txt").body, "one");
  bench.folder.write("a.txt", "two");  // as long, and by its time as old
  EXPECT_EQ(bench.get("/static/a.txt").body, "two");
  EXPECT_EQ(bench.get("/static/large").body.size(), 80'000U);
  bench.folder.write("large", pattern_bytes(90'000));
  EXPECT_EQ(bench.get("/static/large").body, pattern_bytes(90'000));
  bench.folder.write("a.txt.gz", "packed");
  EXPECT_EQ(bench.get("/static/a.txt", "Accept-Encoding: gzip\r\n").body, "packed");
  std::filesystem::remove(bench.folder.at("a.txt"));
  EXPECT_EQ(bench.get("/static/a.txt").status, 404);
}

TEST(StaticFiles, WhatIsKnownIsBelievedForAWhile) {
  StaticBench bench({.validity = 10s});
  bench.folder.write("a.txt", "one");
  bench.folder.write("large", pattern_bytes(80'000));
  EXPECT_EQ(bench.get("/static/a.txt").body, "one");
  EXPECT_EQ(bench.get("/static/large").body.size(), 80'000U);
  bench.folder.write("a.txt", "two");
  bench.folder.write("large", "short");
  EXPECT_EQ(bench.get("/static/a.txt").body, "one");
  EXPECT_EQ(bench.get("/static/large").body, "short");  // its descriptor tells at once
  bench.loop.run_sync([]() -> Task<> { co_await sleep(11s); }());
  EXPECT_EQ(bench.get("/static/a.txt").body, "two");
  bench.folder.write("a.txt", "three");
  bench.files->reset();
  EXPECT_EQ(bench.get("/static/a.txt").body, "three");
}

TEST(StaticFiles, WhatIsKeptIsBounded) {
  StaticBench bench({.validity = 1h, .max_kept_total = 20'000, .max_known = 3});
  for (int i = 0; i < 10; ++i) {
    const std::string name = "f" + std::to_string(i);
    bench.folder.write(name, "old");
    EXPECT_EQ(bench.get("/static/" + name).body, "old");
    bench.folder.write(name, "new");
  }
  EXPECT_EQ(bench.get("/static/f0").body, "new");  // it had been forgotten
  EXPECT_EQ(bench.get("/static/f9").body, "old");
  bench.folder.write("huge", std::string(30'000, 'h'));
  twice([&] { EXPECT_EQ(bench.get("/static/huge").body.size(), 30'000U); });
  EXPECT_EQ(bench.get("/static/f9").body, "old");  // it has not made room for what does not fit
}

TEST(StaticFiles, NothingOutsideIsReached) {
  StaticBench bench;
  bench.folder.write("sub/file", "inside");
  const std::string name = bench.folder.path.substr(bench.folder.path.rfind('/') + 1);
  std::ofstream(bench.folder.path + "_foo.txt") << "outside";
  bench.folder.link(bench.folder.path + "_foo.txt", "link.txt");
  bench.folder.link("..", "up");
  for (const std::string& path : std::vector<std::string>{
           "../" + name + "_foo.txt", "%2e%2e/" + name + "_foo.txt", "..%2f" + name + "_foo.txt",
           "%2e%2e%2f" + name + "_foo.txt", "%2E%2E/" + name + "_foo.txt",
           "sub/../../" + name + "_foo.txt", "sub/%2e%2e/..%2F" + name + "_foo.txt",
           "%2fetc/passwd", "/etc/passwd", "//etc/passwd", std::string("link.txt"),
           "up/" + name + "_foo.txt"}) {
    SCOPED_TRACE(path);
    twice([&] {
      bench.log.lines.clear();
      const RawResponse response = bench.get("/static/" + path);
      EXPECT_EQ(response.status, 403);
      EXPECT_EQ(response.body,
                "<html><title>403: Forbidden</title><body>403: Forbidden</body></html>");
      EXPECT_EQ(bench.log.count("leads out of its folder"), 1U);
    });
  }
  for (const std::string& path :
       std::vector<std::string>{"%252e%252e/" + name + "_foo.txt", "..%5c" + name + "_foo.txt",
                                "....//" + name + "_foo.txt", std::string("a%00.txt"),
                                std::string("robots.txt%00.png"), std::string("robots.txt/")}) {
    EXPECT_EQ(bench.get("/static/" + path).status, 404) << path;
  }
  EXPECT_EQ(bench.get("/static/%c0%ae%c0%ae/" + name + "_foo.txt").status, 400);
  EXPECT_EQ(bench.get("/static/x%0aE%20forged").status, 404);
  EXPECT_EQ(bench.log.count("\n"), 0U);
  std::filesystem::remove(bench.folder.path + "_foo.txt");
}

TEST(StaticFiles, WhatIsThereButNotServed) {
  StaticBench bench;
  bench.folder.write("sub/file", "inside");
  bench.folder.write(".env", "secret");
  bench.folder.write("sub/.git/config", "secret");
  bench.folder.write(".well-known/security.txt", "contact");
  ASSERT_EQ(::mkfifo(bench.folder.at("pipe").c_str(), 0600), 0);
  EXPECT_EQ(bench.get("/static/sub").status, 403);
  EXPECT_EQ(bench.get("/static/sub/").status, 403);
  EXPECT_EQ(bench.get("/static/").status, 403);
  EXPECT_EQ(bench.get("/static/pipe").status, 403);
  EXPECT_EQ(bench.get("/static/nothing").status, 404);
  EXPECT_EQ(bench.get("/static/" + std::string(300, 'x')).status, 404);
  EXPECT_EQ(bench.get("/static/robots.txt/x").status, 404);
  EXPECT_EQ(bench.get("/static/.env").status, 404);
  EXPECT_EQ(bench.get("/static/%2eenv").status, 404);
  EXPECT_EQ(bench.get("/static/sub/.git/config").status, 404);
  EXPECT_EQ(bench.get("/static/.well-known/security.txt").body, "contact");
  const RawResponse posted = bench.request("POST", "/static/robots.txt", "", "x");
  EXPECT_EQ(posted.status, 405);
  EXPECT_EQ(posted.field("Allow"), "GET, HEAD, OPTIONS");
}

TEST(StaticFiles, AFileThatMayNotBeReadIs403) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may read everything";
  StaticBench bench;
  bench.folder.write("locked", "x");
  ASSERT_EQ(::chmod(bench.folder.at("locked").c_str(), 0), 0);
  EXPECT_EQ(bench.get("/static/locked").status, 403);
}

TEST(StaticFiles, HiddenFilesAndLinksByOption) {
  StaticBench bench({.hidden_files = true, .symlinks = web::Symlinks::kFollow});
  Folder other;
  other.write("file", "elsewhere");
  bench.folder.write(".env", "shown");
  bench.folder.link(other.path, "other");
  EXPECT_EQ(bench.get("/static/.env").body, "shown");
  EXPECT_EQ(bench.get("/static/other/file").body, "elsewhere");
  EXPECT_EQ(bench.get("/static/../x").status, 403);
}

TEST(StaticFiles, IndexFiles) {
  StaticBench bench({.default_filename = "index.html"});
  bench.folder.write("index.html", "home");
  bench.folder.write("docs/index.html", "docs");
  bench.folder.write("empty/file", "x");
  bench.folder.write("odd/index.html/x", "x");
  twice([&] {
    EXPECT_EQ(bench.get("/static/").body, "home");
    EXPECT_EQ(bench.get("/static/docs/").body, "docs");
    EXPECT_EQ(bench.get("/static/docs/").field("Content-Type"), "text/html");
    const RawResponse response = bench.get("/static/docs?a=1");
    EXPECT_EQ(response.status, 301);
    EXPECT_EQ(response.field("Location"), "/static/docs/?a=1");
  });
  EXPECT_EQ(bench.get("/static/empty/").status, 404);
  EXPECT_EQ(bench.get("/static/odd/").status, 403);
}

TEST(StaticFiles, AFolderIsNoOpenRedirect) {
  WebBench bench;
  Folder folder;
  folder.write("docs/index.html", "docs");
  bench.app.static_files(re("/+[^/]*/(.*)"),
                         std::make_shared<StaticFiles>(
                             folder.path, StaticFileOptions{.default_filename = "index.html"}));
  EXPECT_EQ(bench.get("/x/docs").field("Location"), "/x/docs/");
  for (const char* path : {"//evil.example/docs", "///evil.example/docs"}) {
    const RawResponse response = bench.get(path);
    EXPECT_NE(response.status, 301) << path;
    EXPECT_FALSE(response.has_field("Location")) << path;
  }
}

TEST(StaticFiles, ContentTypesByOption) {
  StaticBench bench(
      {.content_types = {{"glsl", "text/x-glsl"}, {"txt", "text/x-own"}}, .charset = "utf-8"});
  bench.folder.write("a.GLSL", "x");
  bench.folder.write("a.json", "{}");
  bench.folder.write("a.png", "x");
  EXPECT_EQ(bench.get("/static/a.GLSL").field("Content-Type"), "text/x-glsl; charset=utf-8");
  EXPECT_EQ(bench.get("/static/robots.txt").field("Content-Type"), "text/x-own; charset=utf-8");
  EXPECT_EQ(bench.get("/static/a.json").field("Content-Type"), "application/json; charset=utf-8");
  EXPECT_EQ(bench.get("/static/a.png").field("Content-Type"), "image/png");
}

TEST(StaticFiles, NamesWithEscapes) {
  StaticBench bench;
  bench.folder.write("caf\xc3\xa9 100%.txt", "x");
  EXPECT_EQ(bench.get("/static/caf%C3%A9%20100%25.txt").body, "x");
  bench.folder.write("a+b", "plus");
  EXPECT_EQ(bench.get("/static/a+b").body, "plus");
  bench.folder.write("none", "");
  twice([&] {
    EXPECT_EQ(bench.get("/static/none").status, 200);
    EXPECT_EQ(bench.get("/static/none").field("Content-Length"), "0");
  });
}

TEST(StaticFiles, AFileThatShrinksCutsTheConnection) {
  StaticBench bench;
  bench.folder.write("large", pattern_bytes(3'000'000));
  RawClient& client = bench.client();
  client.send("GET /static/large HTTP/1.1\r\nHost: x\r\n\r\n");
  client.transport().pause_receive();
  bench.loop.run_sync([]() -> Task<> { co_await sleep(1s); }());
  ASSERT_EQ(::truncate(bench.folder.at("large").c_str(), 1000), 0);
  client.transport().resume_receive();
  const RawResponse response = bench.loop.run_sync(client.read_response(), Duration(1h));
  EXPECT_EQ(response.status, 200);
  EXPECT_TRUE(response.truncated);
  EXPECT_LT(response.body.size(), 3'000'000U);
  EXPECT_EQ(bench.log.count("too early while it was sent"), 1U);
  EXPECT_EQ(bench.get("/static/large").body.size(), 1000U);
}

TEST(StaticFiles, AClientThatGoesAwayIsNoError) {
  StaticBench bench;
  bench.folder.write("large", pattern_bytes(3'000'000));
  bench.client().send("GET /static/large HTTP/1.1\r\nHost: x\r\n\r\n");
  bench.loop.run_sync(
      [](RawClient& client) -> Task<> { co_await client.peek(1000); }(bench.client()));
  bench.connection->close();
  bench.loop.run_sync([]() -> Task<> { co_await sleep(1s); }());
  EXPECT_EQ(bench.log.count("error"), 0U);
  EXPECT_EQ(bench.server->connection_count(), 0U);
}

TEST(StaticFiles, TheServerMayCompressWhatHasNoSibling) {
  StaticBench bench;
  bench.folder.write("small.txt", std::string(2000, 'a'));
  bench.folder.write("large.txt", std::string(200'000, 'a'));
  bench.folder.write("packed.txt", std::string(2000, 'a'));
  bench.folder.write("packed.txt.gz", "packed");
  bench.server = std::make_unique<HTTPServer>(
      bench.loop, bench.app, HTTPServerOptions{.compress_response = ResponseCompression{}});
  for (const char* path : {"/static/small.txt", "/static/large.txt"}) {
    const RawResponse response = bench.get(path, "Accept-Encoding: gzip\r\n");
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.field("Content-Encoding"), "gzip") << path;
    EXPECT_LT(response.body.size(), 2000U) << path;
    EXPECT_TRUE(response.field("ETag").starts_with("W/")) << path;
  }
  EXPECT_EQ(bench.get("/static/packed.txt", "Accept-Encoding: gzip\r\n").body, "packed");
  const RawResponse part =
      bench.get("/static/large.txt", "Accept-Encoding: gzip\r\nRange: bytes=0-9\r\n");
  EXPECT_EQ(part.body, std::string(10, 'a'));
  EXPECT_FALSE(part.has_field("Content-Encoding"));
}

TEST(StaticFiles, AFunctionMayChooseTheFile) {
  StaticBench bench;
  bench.folder.write("7.pdf", "seven");
  bench.app.get("/reports/{id:uint}",
                [files = bench.files](HTTPExchange& exchange, std::uint64_t id) {
                  return files->serve(exchange, std::to_string(id) + ".pdf");
                });
  twice([&] {
    const RawResponse response = bench.get("/reports/7");
    EXPECT_EQ(response.body, "seven");
    EXPECT_EQ(response.field("Content-Type"), "application/pdf");
    EXPECT_EQ(bench.get("/reports/8").status, 404);
    EXPECT_EQ(bench.request("HEAD", "/reports/7").field("Content-Length"), "5");
  });
}

TEST(StaticFiles, AWrongFolderOrPrefixIsToldAtOnce) {
  web::Application app;
  EXPECT_THROW(app.static_files("/static/", "/nowhere/at/all"), UsageError);
  EXPECT_THROW(app.static_files("/static", "/tmp"), UsageError);
  EXPECT_THROW(app.static_files("/{a}/", "/tmp"), UsageError);
  try {
    StaticFiles files("/etc/passwd");
    FAIL();
  } catch (const UsageError& error) {
    EXPECT_STREQ(error.what(), "static files: \"/etc/passwd\" is no folder that can be read");
  }
}

TEST(StaticFiles, TheFolderMayBeExchanged) {
  Folder releases;
  releases.write("one/a.txt", "one");
  releases.write("two/a.txt", "two");
  releases.link("one", "current");
  WebBench bench;
  bench.app.static_files("/", releases.at("current"), {.validity = Duration::zero()});
  EXPECT_EQ(bench.get("/a.txt").body, "one");
  std::filesystem::remove(releases.at("current"));
  releases.link("two", "current");
  EXPECT_EQ(bench.get("/a.txt").body, "two");
}

}  // namespace
}  // namespace coronado::web_test
