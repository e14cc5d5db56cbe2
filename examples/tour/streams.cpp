// Events for a browser, and a download that goes at the pace of who reads it.
#include <coronado/base/describe.hpp>

#include <map>
#include <pages/streams.html.hpp>

#include "stops.hpp"

namespace tour {
namespace {

using coronado::HTTPExchange;
using coronado::Task;
using namespace std::chrono_literals;

constexpr std::uint64_t kFloodSize = std::uint64_t{256} << 20;
constexpr std::size_t kMostFloods = 100;

// [events]
Task<> send_ticks(HTTPExchange& exchange) {
  web::EventStream events(exchange);
  for (int tick = 1;; ++tick) {
    co_await events.send({.data = std::to_string(tick), .id = std::to_string(tick)});
    co_await coronado::sleep(1s);
  }
}
// [/events]

// How much has been sent of each download, by the name that its reader gave it.
class Floods {
 public:
  std::shared_ptr<std::uint64_t> begin(const std::string& name) {
    if (sent_.size() >= kMostFloods) sent_.erase(sent_.begin());
    return sent_[name] = std::make_shared<std::uint64_t>(0);
  }
  std::uint64_t sent(const std::string& name) const {
    const auto found = sent_.find(name);
    return found == sent_.end() ? 0 : *found->second;
  }

 private:
  std::map<std::string, std::shared_ptr<std::uint64_t>> sent_;
};

// [flood]
struct Flood : web::RequestHandler {
  explicit Flood(std::shared_ptr<Floods> floods) : floods_(std::move(floods)) {}

  Task<> get() override {
    const std::string piece(64 * 1024, '.');
    const std::shared_ptr<std::uint64_t> sent = floods_->begin(path_argument("name"));
    while (*sent < kFloodSize) {
      write(piece);
      co_await flush();  // waits while the client has enough to take
      *sent += piece.size();
    }
  }

 private:
  std::shared_ptr<Floods> floods_;
};
// [/flood]

}  // namespace

void add_streams(web::Application& app, const SharedSite& site) {
  app.add<SimplePage<pages::streams_html>>("/streams", site);
  app.get("/api/ticks", [](HTTPExchange& exchange) { return send_ticks(exchange); });
  auto floods = std::make_shared<Floods>();
  app.add<Flood>("/api/flood/{name:slug}", floods);
  app.get("/api/flood/{name:slug}/sent",
          [floods](const std::string& name) { return web::json({{"sent", floods->sent(name)}}); });
}

}  // namespace tour
