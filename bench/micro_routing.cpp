/// What it costs to find the route of a request: among 10, 100 and 1,000 routes, of each kind. By time,
/// with Google Benchmark; or, for route_cost.py, which counts instructions, some matches and nothing
/// else:
///
///     micro_routing --only KIND ROUTES MATCHES
#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "web/route_table.hpp"

namespace {

using namespace coronado;

/// So many routes of one kind, and a path for each.
struct Routes {
  Routes(std::string_view kind, int count) {
    for (int i = 0; i < count; ++i) {
      char name[16];
      std::snprintf(name, sizeof name, "r%04d", i * 7919 % 10'000);  // spread over the alphabet
      const std::string base = "/api/" + std::string(name);
      if (kind == "regex") {
        table.add({}, re(base + "/([0-9]+)"), kMethodGet);
      } else if (kind == "parameter") {
        table.add({}, base + "/{id:int}/posts/{slug}", kMethodGet);
      } else {
        table.add({}, base + "/list", kMethodGet);
      }
      paths.push_back(base + (kind == "regex"       ? "/12345"
                              : kind == "parameter" ? "/12345/posts/hello-world"
                                                    : "/list"));
    }
  }

  /// Goes through the paths in turn.   Returns  False: one was not found.
  bool find_next() {
    RouteMatch match;
    const std::string& path = paths[at];
    const RouteResult result = table.match(kMethodGet, path, "localhost", match);
    const bool right = result == RouteResult::kFound && match.route == at;
    at = at + 1 == paths.size() ? 0 : at + 1;
    return right;
  }

  RouteTable table;
  std::vector<std::string> paths;
  std::size_t at = 0;
};

void find(benchmark::State& state, const char* kind) {
  Routes routes(kind, static_cast<int>(state.range(0)));
  for (auto _ : state) {
    if (!routes.find_next()) state.SkipWithError("a route was not found");
  }
}
BENCHMARK_CAPTURE(find, literal, "literal")->RangeMultiplier(10)->Range(10, 1000);
BENCHMARK_CAPTURE(find, parameter, "parameter")->RangeMultiplier(10)->Range(10, 1000);
BENCHMARK_CAPTURE(find, regex, "regex")->RangeMultiplier(10)->Range(10, 1000);

}  // namespace

int main(int argc, char** argv) {
  if (argc == 5 && std::string_view(argv[1]) == "--only") {
    Routes routes(argv[2], std::atoi(argv[3]));
    for (long i = std::atol(argv[4]); i > 0; --i) {
      if (!routes.find_next()) return 1;
    }
    return 0;
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
