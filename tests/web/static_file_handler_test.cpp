#include <coronado/web/static_file_handler.hpp>

#include "tests/web/static_fixture.hpp"
#include "tests/web/web_fixture.hpp"

namespace coronado::web_test {
namespace {

using web::StaticFileHandler;
using web::StaticFileOptions;
using web::StaticFiles;

constexpr std::string_view kRobots = "User-agent: *\nDisallow: /\n";  // 26 bytes

struct HandlerBench : WebBench {
  explicit HandlerBench(StaticFileOptions options = {}) {
    folder.write("robots.txt", kRobots);
    files = std::make_shared<StaticFiles>(folder.path, std::move(options));
  }
  Folder folder;
  std::shared_ptr<StaticFiles> files;
};

TEST(StaticFileHandler, AnswersAsTheFunctionDoes) {
  HandlerBench bench({.default_filename = "index.html"});
  const std::string content = pattern_bytes(700'000);
  bench.folder.write("large.bin", content);
  bench.folder.write("app.js", std::string(500, 'j'));
  bench.folder.write("app.js.br", "brotli");
  bench.folder.write("docs/index.html", "docs");
  bench.app.add<StaticFileHandler>("/class/{path:path}", bench.files);
  bench.app.static_files("/function/{path:path}", bench.files);
  const std::string etag = bench.get("/function/robots.txt").field("ETag");
  struct Case {
    std::string path;
    std::string fields;
    int status;
  };
  const std::vector<Case> cases{
      {"robots.txt", "", 200},
      {"large.bin", "", 200},
      {"app.js", "", 200},
      {"app.js", "Accept-Encoding: br\r\n", 200},
      {"docs/", "", 200},
      {"robots.txt", "Range: bytes=0-9\r\n", 206},
      {"large.bin", "Range: bytes=-400000\r\n", 206},
      {"robots.txt", "Range: bytes=26\r\n", 416},
      {"robots.txt", "If-None-Match: " + etag + "\r\n", 304},
      {"robots.txt", "If-None-Match: " + etag + "\r\nRange: bytes=0-9\r\n", 304},
      {"robots.txt", "If-Modified-Since: Thu, 02 Jan 2020 03:04:05 GMT\r\n", 304},
      {"robots.txt", "If-Match: \"x\"\r\n", 412},
      {"robots.txt?v=1", "Accept: */*\r\n", 200},
      {"nothing", "", 404},
      {"../x", "", 403},
      {"%2e%2e/x", "", 403},
      {"/etc/passwd", "", 403},
      {"%ff", "", 400},
      {".env", "", 404},
  };
  for (const char* method : {"GET", "HEAD"}) {
    for (const Case& each : cases) {
      SCOPED_TRACE(std::string(method) + " " + each.path + " " + each.fields);
      const RawResponse ours = bench.request(method, "/class/" + each.path, each.fields);
      const RawResponse other = bench.request(method, "/function/" + each.path, each.fields);
      EXPECT_EQ(ours.status, each.status);
      EXPECT_EQ(other.status, each.status);
      EXPECT_EQ(ours.body, other.body);
      for (const char* name :
           {"Content-Type", "Content-Length", "Content-Range", "ETag", "Vary", "Last-Modified",
            "Accept-Ranges", "Content-Encoding", "Cache-Control"}) {
        if (each.status == 304 && std::string_view(name) == "Accept-Ranges") continue;
        EXPECT_EQ(ours.field(name), other.field(name)) << name;
      }
    }
  }
  EXPECT_EQ(bench.get("/class/docs?x=1").field("Location"), "/class/docs/?x=1");
  EXPECT_EQ(bench.request("POST", "/class/robots.txt", "", "x").status, 405);
}

TEST(StaticFileHandler, SeveralRanges) {
  HandlerBench bench;
  bench.folder.write("large.bin", pattern_bytes(200'000));
  bench.app.add<StaticFileHandler>("/{path:path}", bench.files);
  const RawResponse response = bench.get("/large.bin", "Range: bytes=0-99999,199990-199999\r\n");
  EXPECT_EQ(response.status, 206);
  EXPECT_TRUE(response.field("Content-Type").starts_with("multipart/byteranges; boundary="));
  EXPECT_NE(response.body.find(pattern_bytes(200'000).substr(0, 100'000)), std::string::npos);
  EXPECT_NE(response.body.find("Content-Range: bytes 199990-199999/200000\r\n"), std::string::npos);
  EXPECT_FALSE(response.truncated);
}

/// Everything but the file itself is the class's own.
struct Generated : StaticFileHandler {
  using StaticFileHandler::StaticFileHandler;
  std::string parse_url_path(std::string_view path) const override {
    return "below/" + std::string(path);
  }
  std::string get_absolute_path(std::string_view root, std::string_view path) const override {
    return std::string(root) + "!" + std::string(path);
  }
  Task<std::optional<std::string>> validate_absolute_path(std::string root,
                                                          std::string absolute) override {
    EXPECT_EQ(root, "");
    if (absolute == "!below/none") throw HTTPError(404, "there is no such thing");
    if (absolute == "!below/moved") {
      redirect("/elsewhere");
      co_return std::nullopt;
    }
    co_return absolute;
  }
  std::uint64_t get_content_size() const override { return 10; }
  std::int64_t get_modified_time() const override { return Folder::kTime; }
  std::string get_content_type() const override { return "text/x-made"; }
  std::string get_content_version(std::string_view absolute) const override {
    return "v-" + std::string(absolute.substr(1));
  }
  AsyncGenerator<std::string> get_content(std::string absolute, std::uint64_t start,
                                          std::uint64_t end) override {
    EXPECT_TRUE(absolute.starts_with("!below/"));
    for (std::uint64_t at = start; at < end; ++at) {
      co_await moment();
      co_yield std::string(1, static_cast<char>('0' + at));
    }
  }
  void set_extra_headers(std::string_view path) override { set_header("X-Path", path); }
  std::chrono::seconds get_cache_time(std::string_view, std::int64_t,
                                      std::string_view mime) const override {
    return std::chrono::seconds(mime.size());
  }
};

TEST(StaticFileHandler, EveryStepCanBeOverridden) {
  WebBench bench;
  bench.app.add<Generated>("/{path:path}", std::shared_ptr<StaticFiles>());
  const RawResponse response = bench.get("/a");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "0123456789");
  EXPECT_EQ(response.field("Content-Length"), "10");
  EXPECT_EQ(response.field("ETag"), "\"v-below/a\"");
  EXPECT_EQ(response.field("X-Path"), "below/a");
  EXPECT_EQ(response.field("Content-Type"), "text/x-made");
  EXPECT_EQ(response.field("Cache-Control"), "max-age=11");
  EXPECT_EQ(bench.get("/a", "If-None-Match: \"v-below/a\"\r\n").status, 304);
  EXPECT_EQ(bench.get("/a", "Range: bytes=3-5\r\n").body, "345");
  EXPECT_EQ(bench.request("HEAD", "/a").field("Content-Length"), "10");
  EXPECT_EQ(bench.get("/none").status, 404);
  EXPECT_EQ(bench.get("/moved").field("Location"), "/elsewhere");
}

struct Stubborn : StaticFileHandler {
  using StaticFileHandler::StaticFileHandler;
  bool should_return_304() const override { return false; }
  std::string compute_etag() const override { return "\"mine\""; }
};

TEST(StaticFileHandler, The304IsTheHandlersToDecide) {
  HandlerBench bench;
  bench.app.add<Stubborn>("/{path:path}", bench.files);
  const RawResponse response = bench.get("/robots.txt", "If-None-Match: \"mine\"\r\n");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.field("ETag"), "\"mine\"");
  EXPECT_EQ(response.body, kRobots);
}

struct Broken : StaticFileHandler {
  using StaticFileHandler::StaticFileHandler;
  AsyncGenerator<std::string> get_content(std::string, std::uint64_t, std::uint64_t) override {
    co_yield std::string("User");
    throw std::runtime_error("the source is dry");
  }
};

TEST(StaticFileHandler, ContentThatFailsCutsTheConnection) {
  HandlerBench bench;
  bench.app.add<Broken>("/{path:path}", bench.files);
  const RawResponse response = bench.get("/robots.txt");
  EXPECT_TRUE(response.truncated);
  EXPECT_EQ(response.body, "User");
  EXPECT_EQ(bench.log.count("the source is dry"), 1U);
}

struct Unfinished : StaticFileHandler {
  using StaticFileHandler::StaticFileHandler;
  Task<std::optional<std::string>> validate_absolute_path(std::string,
                                                          std::string absolute) override {
    co_return absolute;
  }
};

TEST(StaticFileHandler, WhatIsLeftOutIsNamedInTheLog) {
  HandlerBench bench;
  bench.app.add<Unfinished>("/{path:path}", bench.files);
  EXPECT_EQ(bench.get("/robots.txt").status, 500);
  EXPECT_EQ(bench.log.count("has to override get_content"), 1U);
}

// --- set_static_path ---------------------------------------------------------------------------

struct Page : web::RequestHandler {
  Task<> get() override {
    write(static_url("robots.txt") + " " + static_url("robots.txt", true) + " " +
          static_url("robots.txt", false, false));
    return {};
  }
};

TEST(SetStaticPath, ServesAndMakesURLs) {
  HandlerBench bench;
  bench.folder.write("favicon.ico", "icon");
  bench.app.set_static_path(bench.folder.path);
  bench.app.add<Page>("/page");
  EXPECT_EQ(bench.get("/static/robots.txt").body, kRobots);
  EXPECT_EQ(bench.get("/robots.txt").body, kRobots);
  EXPECT_EQ(bench.get("/favicon.ico").body, "icon");
  EXPECT_EQ(bench.get("/favicon.ico").field("Content-Type"), "image/vnd.microsoft.icon");
  const std::string tag = bench.get("/robots.txt").field("ETag");
  const std::string url = "/static/robots.txt?v=" + tag.substr(1, tag.size() - 2);
  EXPECT_EQ(bench.get("/page").body,
            url + " http://Example.com:8080" + url + " /static/robots.txt");
  EXPECT_EQ(bench.get(url).field("Cache-Control"), "max-age=315360000");
  EXPECT_EQ(bench.app.static_url("nothing.css"), "/static/nothing.css");
  EXPECT_EQ(bench.app.static_url("../x"), "/static/../x");
  EXPECT_EQ(bench.log.count("could not open static file \"nothing.css\""), 1U);
}

struct Versioned : StaticFileHandler {
  Versioned(std::shared_ptr<StaticFiles> files, std::string word)
      : StaticFileHandler(std::move(files)), word_(std::move(word)) {}
  void set_extra_headers(std::string_view) override { set_header("X-Word", word_); }
  static std::string make_static_url(const web::StaticPath& settings, std::string_view path, bool) {
    return settings.url_prefix + "v1/" + std::string(path);
  }
  std::string parse_url_path(std::string_view path) const override {
    return std::string(path.starts_with("v1/") ? path.substr(3) : path);
  }

 private:
  std::string word_;
};

TEST(SetStaticPath, TheHandlerMayBeYours) {
  HandlerBench bench;
  bench.app.set_static_path<Versioned>(bench.folder.path, {.url_prefix = "/assets/"},
                                       std::string("word"));
  EXPECT_EQ(bench.app.static_url("robots.txt"), "/assets/v1/robots.txt");
  const RawResponse response = bench.get("/assets/v1/robots.txt");
  EXPECT_EQ(response.body, kRobots);
  EXPECT_EQ(response.field("X-Word"), "word");
  EXPECT_EQ(bench.get("/robots.txt").body, kRobots);
}

TEST(SetStaticPath, WhatIsWrongIsTold) {
  HandlerBench bench;
  EXPECT_THROW(static_cast<void>(bench.app.static_url("x")), UsageError);
  bench.app.add<Page>("/page");
  EXPECT_EQ(bench.get("/page").status, 500);
  EXPECT_EQ(bench.log.count("give the application its folder with set_static_path"), 1U);
  bench.app.set_static_path(bench.folder.path);
  EXPECT_THROW(bench.app.set_static_path(bench.folder.path), UsageError);
}

}  // namespace
}  // namespace coronado::web_test
