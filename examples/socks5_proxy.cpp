// A SOCKS5 proxy (RFC 1928), for everybody on this machine or for one user (RFC 1929).
//     socks5_proxy [port [user:password]]        port 0: any free one
//     curl --socks5-hostname 127.0.0.1:1080 http://example.org/
#include <coronado/coro/combine.hpp>
#include <coronado/coro/timeout.hpp>
#include <coronado/net/tcpclient.hpp>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>

using namespace std::chrono_literals;
using namespace coronado;

namespace {

struct Target {
  std::string host;
  std::uint16_t port;
};

enum class Reply : char { kDone, kUnreachable = 4, kRefused, kNoCommand = 7, kNoType };

std::string encode(Reply reply) {
  return std::string("\x05") + static_cast<char>(reply) + std::string("\0\1\0\0\0\0\0\0", 8);
}

Task<unsigned> read_number(TCPStream& stream, std::size_t size) {
  const std::string bytes = co_await stream.read_bytes(size);
  unsigned value = 0;
  for (const char byte : bytes) value = value << 8 | static_cast<unsigned char>(byte);
  co_return value;
}

Task<std::string> read_text(TCPStream& stream) {
  co_return co_await stream.read_bytes(co_await read_number(stream, 1));
}

/// RFC 1928 4. Where the client wants to go; throws the reply to what cannot be done.
Task<Target> read_request(TCPStream& client) {
  const std::string head = co_await client.read_bytes(4);  // version, command, reserved, type
  Target target{};
  if (head[3] == 3) {
    target.host = co_await read_text(client);
  } else if (head[3] == 1 || head[3] == 4) {
    SocketAddress address;
    address.family = head[3] == 1 ? SocketAddress::Family::kIPv4 : SocketAddress::Family::kIPv6;
    const std::string bytes = co_await client.read_bytes(head[3] == 1 ? 4 : 16);
    bytes.copy(reinterpret_cast<char*>(address.ip.data()), bytes.size());
    target.host = address.host();
  } else {
    throw Reply::kNoType;
  }
  target.port = static_cast<std::uint16_t>(co_await read_number(client, 2));
  if (head[1] != 1) throw Reply::kNoCommand;  // only CONNECT
  co_return target;
}

/// One direction. A write waits until there is room: a slow reader slows its writer down.
Task<> pump(IOStream& from, IOStream& to) {
  std::string bytes;
  while (!(bytes = co_await from.read_some()).empty()) co_await to.write(bytes);
  co_await to.shutdown();  // the other direction goes on
}

struct Proxy final : AcceptHandler {
  /// RFC 1928 3, RFC 1929 2. Returns whether the client may go on.
  Task<bool> authenticate(TCPStream& client) {
    const unsigned version = co_await read_number(client, 1);
    const std::string methods = co_await read_text(client);
    const char wanted = account.empty() ? 0 : 2;
    const bool possible = version == 5 && methods.contains(wanted);
    co_await client.write(std::string("\x05") + (possible ? wanted : '\xff'));
    if (!possible || wanted == 0) co_return possible;
    co_await read_number(client, 1);
    const std::string user = co_await read_text(client);
    const std::string password = co_await read_text(client);
    const bool known = user + ":" + password == account;
    co_await client.write(std::string("\1") + (known ? '\0' : '\1'));
    co_return known;
  }

  Task<Reply> open(TCPStream& client, std::optional<TCPStream>& server) {
    try {
      const Target target = co_await read_request(client);
      server = co_await connector.connect(target.host, target.port);
    } catch (const Reply& refusal) {
      co_return refusal;
    } catch (const ConnectError& error) {
      const bool refused = error.code() == std::errc::connection_refused;
      co_return refused ? Reply::kRefused : Reply::kUnreachable;
    }
    co_return Reply::kDone;
  }

  Task<> serve(TCPStream client) {
    try {
      if (!co_await with_timeout(10s, authenticate(client))) co_return;
      std::optional<TCPStream> server;
      const Reply reply = co_await with_timeout(30s, open(client, server));
      co_await client.write(encode(reply));
      if (server) co_await multi(pump(client, *server), pump(*server, client));
    } catch (const std::exception&) {  // one of the two has gone: so does the other
    }
  }

  void on_accept(std::unique_ptr<Transport> transport) noexcept override {
    loop.spawn(serve(TCPStream(loop, std::move(transport))), "client");
  }
  void on_accept_error(std::error_code) noexcept override {}  // it goes on by itself

  std::string account;  // "user:password"; empty: everybody may
  TCPClient connector;
  IOLoop loop;  // goes first, and with it every connection
};

}  // namespace

int main(int argc, char** argv) try {
  const auto port = static_cast<std::uint16_t>(argc > 1 ? std::atoi(argv[1]) : 1080);
  Proxy proxy;
  if (argc > 2) proxy.account = argv[2];
  IOLoop& loop = proxy.loop;
  auto acceptor = loop.reactor().listen(*SocketAddress::from_ip("127.0.0.1", port), {}, proxy);
  std::printf("listening %d\n", acceptor->local().port);
  std::fflush(stdout);
  for (const int signal : {SIGTERM, SIGINT}) loop.add_signal_handler(signal, [&] { loop.stop(); });
  loop.run();
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
