// The peer of client_bench: small GETs over a kept connection, written by hand with Boost.Beast, as its
// users do: a coroutine that writes a request and reads the response, with a time limit on both.
//
//     beast_client N
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include <cstdlib>
#include <exception>
#include <stdexcept>
#include <string>
#include <vector>

#include "bench/canned_server.hpp"

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using tcp = asio::ip::tcp;
// One thread: no strands and no locks are needed, and the concrete executor costs the least.
using Executor = asio::io_context::executor_type;
using Stream = beast::basic_stream<tcp, Executor>;
template <class T>
using Awaitable = asio::awaitable<T, Executor>;
constexpr asio::use_awaitable_t<Executor> use_awaitable;

namespace {

Awaitable<void> fetch_all(asio::io_context& context, std::uint16_t port, long count) {
  Stream stream(context);
  co_await stream.async_connect({asio::ip::address_v4::loopback(), port}, use_awaitable);
  stream.socket().set_option(tcp::no_delay(true));
  beast::flat_buffer buffer;
  std::vector<std::string> targets;
  for (int i = 0; i < 1000; ++i) targets.push_back("/plaintext?n=" + std::to_string(i));
  for (long i = 0; i < count; ++i) {
    const std::string& target = targets[static_cast<std::size_t>(i) % targets.size()];
    http::request<http::empty_body> request(http::verb::get, target, 11);
    request.set(http::field::host, "127.0.0.1");
    request.set(http::field::user_agent, "beast");
    request.set(http::field::accept_encoding, "gzip, deflate, br, zstd");
    stream.expires_after(std::chrono::seconds(20));
    co_await http::async_write(stream, request, use_awaitable);
    http::response<http::string_body> response;
    co_await http::async_read(stream, buffer, response, use_awaitable);
    if (response.result_int() != 200 || response.body().size() != CannedServer::kBodySize) {
      throw std::runtime_error("wrong response");
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  const long count = argc > 1 ? std::atol(argv[1]) : 100'000;
  const CannedServer server;
  asio::io_context context(1);
  std::exception_ptr failure;
  const double before = bench_cpu_seconds();
  asio::co_spawn(context, fetch_all(context, server.port(), count),
                 [&](std::exception_ptr error) { failure = error; });
  context.run();
  if (failure) std::rethrow_exception(failure);
  bench_report(count, bench_cpu_seconds() - before);
}
