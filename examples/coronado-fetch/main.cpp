// Fetches a URL from the command line.
//
//     coronado-fetch http://example.org/ --include --timing
//     coronado-fetch https://example.org/big.iso --output=big.iso
//     coronado-fetch http://localhost:8080/things --data='{"a":1}' --header='Content-Type: text/json'
#include <coronado/base/error.hpp>
#include <coronado/base/strings.hpp>
#include <coronado/http/httpclient.hpp>
#include <coronado/loop/ioloop.hpp>

#include <unistd.h>

#include <cstdio>
#include <stdexcept>
#include <string>

#include "options.hpp"
#include "output.hpp"

using namespace coronado;

namespace {

// What ends the program; see --help.
enum ExitCode : int {
  kSuccess = 0,
  kErrorStatus = 1,
  kWrongUsage = 2,
  kNoConnection = 3,
  kOutOfTime = 4,
  kBrokenResponse = 5,
  kNoOutput = 6,
};

void print_head(Output& output, const HTTPClientResponse& response) {
  output.write("HTTP " + std::to_string(response.code) + " " + response.reason + "\r\n" +
               response.headers.to_string() + "\r\n");
}

void print_timing(const HTTPClientResponse& response) {
  const HTTPTimeInfo& times = response.time_info;
  const auto line = [](const char* name, Duration span) {
    std::fprintf(stderr, "%-12s%10.3f ms\n", name,
                 std::chrono::duration<double, std::milli>(span).count());
  };
  line("redirects", times.redirect);
  line("name", times.namelookup);
  line("connect", times.connect);
  line("handshake", times.appconnect);
  line("first byte", times.first_byte);
  line("body", times.body);
  line("total", times.total);
}

std::optional<std::uint64_t> length_of(const HTTPClientResponse& response) {
  const auto field = response.headers.find("Content-Length");
  return field ? parse_int<std::uint64_t>(*field) : std::nullopt;
}

Task<int> fetch(const Options& options) {
  HTTPClientOptions how;
  how.user_agent = "coronado-fetch";
  how.proxies = HTTPProxies::from_environment();
  HTTPClient client(std::move(how));
  HTTPClientStream stream = co_await client.open(options.request());
  const HTTPClientResponse& response = stream.response();
  Output output(options.output);
  if (options.include) print_head(output, response);
  {
    const bool on = !options.quiet && !options.output.empty() && ::isatty(STDERR_FILENO) == 1;
    Progress progress(on, length_of(response));
    for (std::string piece = co_await stream.read_some(); !piece.empty();
         piece = co_await stream.read_some()) {
      output.write(piece);
      progress.add(piece.size());
    }
  }
  output.finish();
  if (options.timing) print_timing(response);
  if (response.code < 400) co_return kSuccess;
  std::fprintf(stderr, "coronado-fetch: %s %s: HTTP %d: %s\n", response.method.c_str(),
               response.effective_url.c_str(), response.code, response.reason.c_str());
  co_return kErrorStatus;
}

int explain(const std::exception& error, ExitCode code) {
  std::fprintf(stderr, "coronado-fetch: %s\n", error.what());
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  if (const auto code = options.parse(argc, argv)) return *code;
  try {
    // One fetch, and nobody else who waits: that the trust store takes its time is no news.
    IOLoop loop({.slow_step_threshold = coronado::Duration::zero()});
    return loop.run_sync(fetch(options));
  } catch (const HTTPTimeoutError& error) {
    return explain(error, kOutOfTime);
  } catch (const HTTPConnectError& error) {
    return explain(error, kNoConnection);
  } catch (const HTTPClientError& error) {
    return explain(error, kBrokenResponse);
  } catch (const OutputError& error) {
    return explain(error, kNoOutput);
  } catch (const std::exception& error) {  // the arguments made no request
    return explain(error, kWrongUsage);
  }
}
