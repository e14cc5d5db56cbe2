/// How long it takes to parse a request head: three typical heads, both scanners.
#include <benchmark/benchmark.h>

#include <string_view>

#include "http/http1_parser.hpp"

namespace {

using namespace coronado;

constexpr std::string_view kShort = "GET / HTTP/1.1\r\nHost: localhost:8080\r\n\r\n";

constexpr std::string_view kPlain =
    "GET /plaintext HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nUser-Agent: h2load nghttp2/1.52.0\r\n"
    "Accept: text/plain,text/html;q=0.9,application/xhtml+xml;q=0.9,application/xml;q=0.8,"
    "*/*;q=0.7\r\n\r\n";

constexpr std::string_view kBrowser =
    "GET /users/42/messages?limit=20&before=99 HTTP/1.1\r\nHost: www.example.com\r\n"
    "Connection: keep-alive\r\nCache-Control: max-age=0\r\nUpgrade-Insecure-Requests: 1\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/124.0.0.0 Safari/537.36\r\n"
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8\r\n"
    "Sec-Fetch-Site: none\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-User: ?1\r\n"
    "Sec-Fetch-Dest: document\r\nsec-ch-ua: \"Chromium\";v=\"124\"\r\n"
    "Accept-Encoding: gzip, deflate, br\r\nAccept-Language: en-US,en;q=0.9\r\n"
    "Cookie: session=0123456789abcdef; theme=dark\r\n\r\n";

void parse(benchmark::State& state, decltype(&parse_request_head) parser, std::string_view text) {
  const HTTPLimits limits;
  RequestHead head;
  for (auto _ : state) {
    std::size_t searched = 0;
    const ParseResult result = parser(text.data(), text.size(), searched, limits, head);
    if (result.status != ParseStatus::kComplete) state.SkipWithError(result.reason);
    benchmark::DoNotOptimize(head);
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
}

BENCHMARK_CAPTURE(parse, short_fast, parse_request_head, kShort);
BENCHMARK_CAPTURE(parse, plain_fast, parse_request_head, kPlain);
BENCHMARK_CAPTURE(parse, browser_fast, parse_request_head, kBrowser);
BENCHMARK_CAPTURE(parse, short_scalar, parse_request_head_scalar, kShort);
BENCHMARK_CAPTURE(parse, plain_scalar, parse_request_head_scalar, kPlain);
BENCHMARK_CAPTURE(parse, browser_scalar, parse_request_head_scalar, kBrowser);

}  // namespace

BENCHMARK_MAIN();
