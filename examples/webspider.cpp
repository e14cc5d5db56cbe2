// Follows the links of a site, several pages at a time, and says what it found.
//
//     webspider                    serves a small site of its own and crawls that
//     webspider host [port]        crawls from / over plain HTTP
#include <coronado/base/log.hpp>
#include <coronado/coro/queues.hpp>
#include <coronado/http/httpserver.hpp>
#include <coronado/net/tcpclient.hpp>
#include <coronado/web.hpp>

#include <cstdio>
#include <cstdlib>
#include <set>
#include <string>

namespace web = coronado::web;
using namespace std::chrono_literals;
using coronado::Task, coronado::TaskGroup, coronado::TCPStream;

namespace {

constexpr int kWorkers = 10;
constexpr std::size_t kMaxPage = 1024 * 1024;

struct Page {
  int status = 0;
  std::string body;
};

// [fetch]
/// A GET as it was in the beginning: the body ends with the connection.
Task<Page> fetch(coronado::TCPClient& client, std::string host, std::uint16_t port,
                 std::string path) {
  TCPStream stream = co_await client.connect(host, port, {.timeout = 10s});
  co_await stream.write("GET " + path + " HTTP/1.0\r\nHost: " + host + "\r\n\r\n");
  const std::string head = co_await stream.read_until("\r\n\r\n", 64 * 1024);
  Page page;
  page.status = std::atoi(head.substr(std::min(head.find(' '), head.size())).c_str());
  page.body = co_await stream.read_until_close(kMaxPage);
  co_return page;
}
// [/fetch]

/// The paths on the same site that a page links to.
std::vector<std::string> links_of(const std::string& page) {
  constexpr std::string_view kBegin = "href=\"";
  std::vector<std::string> links;
  for (std::size_t at = page.find(kBegin); at != page.npos; at = page.find(kBegin, at)) {
    at += kBegin.size();
    const std::size_t end = page.find_first_of("\"#", at);
    if (end == page.npos) break;
    if (page[at] == '/' && page[at + 1] != '/') links.push_back(page.substr(at, end - at));
  }
  return links;
}

// [crawl]
struct Crawl {
  std::string host;
  std::uint16_t port;
  coronado::TCPClient client{};
  coronado::Queue<std::string> paths{};
  std::set<std::string> seen{};
  std::size_t broken = 0;

  void add(const std::string& path) {
    if (seen.insert(path).second) paths.put_nowait(path);
  }

  Task<> work() {
    for (;;) {
      const std::string path = co_await paths.get();
      try {
        const Page page = co_await with_timeout(30s, fetch(client, host, port, path));
        for (const std::string& link : links_of(page.body)) add(link);
        if (page.status != 200) ++broken;
        std::printf("%d %6zu bytes  %s\n", page.status, page.body.size(), path.c_str());
      } catch (const std::exception& error) {
        ++broken;
        std::printf("%s: %s\n", path.c_str(), error.what());
      }
      paths.task_done();
    }
  }
};

/// Returns  False when not one page could be had.
Task<bool> crawl(std::string host, std::uint16_t port) {
  Crawl state{.host = std::move(host), .port = port};
  state.add("/");
  co_await coronado::with_group([&](TaskGroup& group) -> Task<> {
    for (int i = 0; i < kWorkers; ++i) group.spawn(state.work(), "worker");
    co_await state.paths.join();  // every path has been taken, and is done
    group.cancel();
  });
  const std::size_t pages = state.seen.size();
  std::printf("%zu %s, %zu broken\n", pages, pages == 1 ? "page" : "pages", state.broken);
  co_return state.broken < pages;
}
// [/crawl]

/// Forty pages that link to each other, and one link that leads nowhere.
web::Application make_site() {
  web::Application site;
  const auto page = [](long number) -> Task<web::Response> {
    co_await coronado::sleep(20ms);
    std::string text = "<a href=\"/\">home</a>";
    for (long next : {2 * number + 1, 2 * number + 2}) {
      if (next < 40) text += "<a href=\"/page/" + std::to_string(next) + "\">on</a>";
    }
    if (number == 39) text += "<a href=\"/nowhere\">broken</a>";
    co_return web::html(text);
  };
  site.get("/", [page] { return page(0); });
  site.get("/page/{number:int}", page);
  return site;
}

Task<bool> crawl_own_site() {
  coronado::access_log().set_level(coronado::LogLevel::kOff);  // the crawler says the same
  web::Application site = make_site();
  coronado::HTTPServer server(*coronado::IOLoop::current(), site);
  server.listen(0, {.address = "127.0.0.1"});
  const bool found = co_await crawl("127.0.0.1", server.port());
  co_await server.close();
  co_return found;
}

}  // namespace

int main(int argc, char** argv) {
  const int port = argc > 2 ? std::atoi(argv[2]) : 80;
  coronado::IOLoop loop;
  const bool found =
      loop.run_sync(argc > 1 ? crawl(argv[1], static_cast<std::uint16_t>(port)) : crawl_own_site());
  return found ? 0 : 1;
}
