// What a small GET over a kept connection costs the client, beside a server that does next to
// nothing, in a process of its own. The requests are for 1,000 URLs, one after the other.
//
//     client_bench N
//
// Prints the requests and this process's CPU time; client_compare.py counts its instructions, and those
// of a client written by hand.
#include <coronado/http/httpclient.hpp>
#include <coronado/loop/ioloop.hpp>

#include <cstdlib>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "bench/canned_server.hpp"

using coronado::HTTPClient;
using coronado::HTTPClientResponse;
using coronado::IOLoop;
using coronado::Task;

namespace {

Task<> fetch_all(std::vector<std::string> urls, long count) {
  HTTPClient client;
  for (long i = 0; i < count; ++i) {
    const std::string& url = urls[static_cast<std::size_t>(i) % urls.size()];
    const HTTPClientResponse response = co_await client.fetch(url);
    if (response.body.size() != CannedServer::kBodySize) throw std::runtime_error("wrong body");
  }
  if (client.stats().connects > 1) throw std::runtime_error("connection was not kept");
}

}  // namespace

int main(int argc, char** argv) {
  const long count = argc > 1 ? std::atol(argv[1]) : 100'000;
  const CannedServer server;
  IOLoop loop;
  const double before = bench_cpu_seconds();
  const std::string site = "http://127.0.0.1:" + std::to_string(server.port());
  std::vector<std::string> urls;
  for (int i = 0; i < 1000; ++i) urls.push_back(site + "/plaintext?n=" + std::to_string(i));
  loop.run_sync(fetch_all(std::move(urls), count));
  bench_report(count, bench_cpu_seconds() - before);
}
