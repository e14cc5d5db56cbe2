/// How long it takes to compress a response of 10 KiB of JSON, beside what zlib itself takes for the
/// same bytes.
#include <benchmark/benchmark.h>
#include <zlib.h>

#include <string>

#include "http/response_encoder.hpp"

namespace {

using namespace coronado;

/// Records as an API sends them.
std::string json() {
  std::string text = "[";
  std::uint32_t state = 1;
  while (text.size() < 10 * 1024) {
    state = state * 1664525 + 1013904223;
    text += R"({"id": )" + std::to_string(state % 100'000) + R"(, "name": "user )" +
            std::to_string(state >> 20) + R"(", "active": true, "score": 0.)" +
            std::to_string(state >> 12) + "}, ";
  }
  text.resize(10 * 1024 - 1);
  return text + "]";
}

void zlib_alone(benchmark::State& state) {
  const std::string text = json();
  std::string out(compressBound(text.size()) + 64, '\0');
  for (auto _ : state) {
    z_stream stream{};
    deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    stream.avail_in = static_cast<uInt>(text.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    deflate(&stream, Z_FINISH);
    deflateEnd(&stream);
    benchmark::DoNotOptimize(out);
  }
}

void response(benchmark::State& state, ContentCoding coding) {
  const std::string text = json();
  ResponseEncoder encoder({});
  for (auto _ : state) {
    ResponseEncoder::Stream stream(encoder, coding);
    benchmark::DoNotOptimize(stream.last(text));
  }
  ResponseEncoder::Stream stream(encoder, coding);
  state.counters["bytes"] = static_cast<double>(stream.last(text).size());
}

BENCHMARK(zlib_alone);
BENCHMARK_CAPTURE(response, gzip, ContentCoding::kGzip);
BENCHMARK_CAPTURE(response, brotli, ContentCoding::kBrotli);
BENCHMARK_CAPTURE(response, zstd, ContentCoding::kZstd);

}  // namespace
