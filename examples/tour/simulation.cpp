// A race that one run in hundreds shows, found on a simulated network.
#include <coronado/base/describe.hpp>
#include <coronado/net/tcpclient.hpp>
#include <coronado/testing/raw_client.hpp>
#include <coronado/testing/sim_network.hpp>

#include <algorithm>
#include <pages/simulation.html.hpp>
#include <set>

#include "process.hpp"
#include "stops.hpp"

namespace tour {
namespace {

using coronado::IOLoop;
using coronado::SimHost;
using coronado::SimNetwork;
using coronado::Task;
using namespace std::chrono_literals;

constexpr std::uint64_t kMostSeeds = 2000;
constexpr std::size_t kLogLines = 60;

// Gives each name to one client, if it is careful.
class Registry final : public coronado::AcceptHandler {
 public:
  Registry(SimNetwork& network, SimHost& host, bool careful)
      : network_(network),
        host_(host),
        acceptor_(network.loop().reactor().listen(host.address(7), {}, *this)),
        careful_(careful) {}

  // [race]
  Task<bool> claim(std::string name) {
    if (owned_.contains(name)) co_return false;
    co_await write_journal(name);  // others run meanwhile
    owned_.insert(name);
    co_return true;
  }
  // [/race]

  // [careful]
  Task<bool> claim_carefully(std::string name) {
    if (!owned_.insert(name).second) co_return false;  // before any await
    co_await write_journal(name);
    co_return true;
  }
  // [/careful]

 private:
  Task<> write_journal(std::string) { co_await coronado::sleep(network_.random_span(3ms)); }

  Task<> serve(std::unique_ptr<coronado::Transport> transport) {
    coronado::RawClient client(std::move(transport));
    const std::string name = co_await client.read_to_end();
    const bool given = co_await (careful_ ? claim_carefully(name) : claim(name));
    client.send(given ? "yours" : "taken");
  }

  void on_accept(std::unique_ptr<coronado::Transport> transport) noexcept override {
    host_.spawn(serve(std::move(transport)));
  }
  void on_accept_error(std::error_code) noexcept override {}

  SimNetwork& network_;
  SimHost& host_;
  std::unique_ptr<coronado::Acceptor> acceptor_;
  std::set<std::string> owned_;
  bool careful_;
};

Task<std::string> ask_for(SimNetwork& network, std::string name) {
  co_await coronado::sleep(network.random_span(1s));
  coronado::RawClient client(co_await coronado::connect_to(network.host("server").address(7)));
  client.send(name);
  client.shutdown_write();
  co_return co_await client.read_to_end();
}

// [run]
// Three want the same name; returns how many were told that it is theirs.
Task<int> run(SimNetwork& network, bool careful) {
  SimHost& server = network.add_host("server");
  Registry registry(network, server, careful);
  std::vector<Task<std::string>> clients;
  for (int i = 0; i < 3; ++i) clients.push_back(ask_for(network, "ada"));
  const auto answers = co_await coronado::multi(std::move(clients));
  co_await network.stop_hosts();
  co_return static_cast<int>(std::ranges::count(answers, "yours"));
}
// [/run]

struct SearchWanted {
  bool careful = false;
  std::uint64_t first = 1;
  std::uint64_t count = 1;
};
BOOST_DESCRIBE_STRUCT(SearchWanted, (), (careful, first, count))
void describe_rules(web::Rules<SearchWanted>& rules) {
  rules.field(&SearchWanted::first).between(1, 1e9);
  rules.field(&SearchWanted::count).between(1, kMostSeeds);
}

struct SearchResult {
  std::uint64_t runs = 0;
  std::uint64_t failing_seed = 0;  // 0: every run has passed
  int owners = 0;                  // in the last run
  std::string events;              // of the last run
  std::string fingerprint;
  double simulated_s = 0;
  double took_ms = 0;
};
BOOST_DESCRIBE_STRUCT(SearchResult, (),
                      (runs, failing_seed, owners, events, fingerprint, simulated_s, took_ms))

std::string hex_of(std::uint64_t number) {
  std::string text(16, '0');
  for (std::size_t i = text.size(); i-- > 0; number >>= 4)
    text[i] = "0123456789abcdef"[number & 15];
  return text;
}

void run_seed(std::uint64_t seed, bool careful, SearchResult& result) {
  IOLoop loop({.reactor = coronado::ReactorKind::kSim, .shuffle_seed = seed});
  {
    SimNetwork network(
        loop, {.seed = seed, .link = {.latency = 1ms, .jitter = 20ms}, .log_lines = kLogLines});
    const coronado::TimePoint begin = loop.now();
    result.owners = loop.run_sync(run(network, careful));
    result.simulated_s += milliseconds_between(begin, loop.now()) / 1000;
    result.events = network.log();
    result.fingerprint = hex_of(network.fingerprint());
  }
  loop.close();
}

SearchResult search(SearchWanted wanted) {
  SearchResult result;
  const auto begin = std::chrono::steady_clock::now();
  while (result.runs < wanted.count && result.failing_seed == 0) {
    const std::uint64_t seed = wanted.first + result.runs++;
    run_seed(seed, wanted.careful, result);
    if (result.owners != 1) result.failing_seed = seed;
  }
  const auto took = std::chrono::steady_clock::now() - begin;
  result.took_ms = std::chrono::duration<double, std::milli>(took).count();
  return result;
}

}  // namespace

void add_simulation(web::Application& app, const SharedSite& site) {
  app.add<SimplePage<pages::simulation_html>>("/simulation", site);
  app.post("/api/search", [](web::JsonBody<SearchWanted> wanted) -> Task<web::Response> {
    // Its loops run in a thread of their own; this one goes on.
    co_return web::json(co_await coronado::offload([wanted = *wanted] { return search(wanted); }));
  });
}

}  // namespace tour
