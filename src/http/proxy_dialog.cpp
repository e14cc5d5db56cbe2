#include "http/proxy_dialog.hpp"

#include <coronado/base/crypto.hpp>
#include <coronado/loop/ioloop.hpp>
#include <coronado/net/iostream.hpp>

#include <stdexcept>

#include "http/client_connection.hpp"
#include "http/digest_auth.hpp"
#include "http/quote.hpp"

namespace coronado {
namespace {

/// An answer to CONNECT that has a longer body is not read to its end.
constexpr std::uint64_t kMostRefusal = 64 * 1024;

/// Params  credentials  Of `Proxy-Authorization`; empty: none.
std::string connect_request(const std::string& authority, const std::string& credentials) {
  std::string text = "CONNECT " + authority + " HTTP/1.1\r\nHost: " + authority + "\r\n";
  if (!credentials.empty()) text += "Proxy-Authorization: " + credentials + "\r\n";
  return text + "\r\n";
}

[[noreturn]] void refuse(const std::string& why) { throw std::runtime_error("the proxy " + why); }

/// RFC 1928 6
const char* socks_reason(unsigned code) noexcept {
  switch (code) {
    case 1: return "general failure";
    case 2: return "not allowed by its rules";
    case 3: return "network unreachable";
    case 4: return "host unreachable";
    case 5: return "connection refused";
    case 6: return "out of hops";
    case 7: return "command not supported";
    case 8: return "address type not supported";
    default: return "unknown reason";
  }
}

void append_port(std::string& out, std::uint16_t port) {
  out += static_cast<char>(port >> 8);
  out += static_cast<char>(port & 0xFF);
}

std::string socks_request(const std::string& host, std::uint16_t port) {
  std::string text("\x05\x01\x00", 3);  // version 5, connect, reserved
  if (const auto address = SocketAddress::from_ip(host)) {
    const bool four = address->family == SocketAddress::Family::kIPv4;
    text += four ? '\x01' : '\x04';
    text.append(reinterpret_cast<const char*>(address->ip.data()), four ? 4 : 16);
  } else {
    text += '\x03';
    text += static_cast<char>(host.size());
    text += host;
  }
  append_port(text, port);
  return text;
}

/// Waits for the head of a final response.   Throws  std::runtime_error   Cancel  At once.
Task<> final_head(ClientConnection& connection, DigestLogin* login) {
  std::string why;
  try {
    for (;;) {
      const ResponseDecoder::Event event = connection.next().event;
      if (event == ResponseDecoder::Event::kHead) co_return;
      if (event == ResponseDecoder::Event::kMore) co_await connection.more();
    }
  } catch (const WireError& error) {
    const bool closed = error.kind() == WireError::Kind::kClosed;
    // It was closed while our answer was on its way.
    if (closed && login != nullptr && connection.used() && !connection.answered()) {
      login->take_back();
    }
    why = closed ? "closed the connection" : std::string("sent no HTTP response: ") + error.what();
  }
  refuse(why);
}

/// Reads the body of a refusal.   Returns  Whether another request can follow.   Cancel  At once.
Task<bool> can_go_on(ClientConnection& connection) {
  try {
    for (;;) {
      const ResponseDecoder::Event event = connection.next().event;
      if (event == ResponseDecoder::Event::kDone) co_return connection.reusable();
      if (event == ResponseDecoder::Event::kMore) co_await connection.more();
    }
  } catch (const WireError&) {  // then over another connection
  }
  co_return false;
}

}  // namespace

std::string basic_credentials(std::string_view username, std::string_view password) {
  return "Basic " + base64_encode(std::string(username) + ":" + std::string(password));
}

Task<std::unique_ptr<Transport>> http_connect(std::unique_ptr<Transport> transport,
                                              std::string host, std::uint16_t port, HTTPProxy proxy,
                                              DigestLogin* login) {
  const std::string authority =
      (host.find(':') == std::string::npos ? host : "[" + host + "]") + ":" + std::to_string(port);
  ClientConnection connection(std::move(transport), {});
  for (;;) {
    std::string credentials;
    if (login != nullptr) {
      credentials = login->show("CONNECT", authority, proxy.username, proxy.password);
    } else if (proxy.has_user()) {
      credentials = basic_credentials(proxy.username, proxy.password);
    }
    connection.begin(ResponseDecoder::Request::kConnect, kMostRefusal);
    connection.write(connect_request(authority, credentials));
    co_await final_head(connection, login);
    const ReceivedHead& head = connection.decoder().head();
    if (head.status / 100 == 2) break;
    const bool asks = head.status == 407 && login != nullptr && proxy.has_user() &&
                      login->take(head.headers.get_list("Proxy-Authenticate"));
    const std::string why =
        "refused: " + std::to_string(head.status) + " " +
        (head.reason.empty() ? std::string(reason_phrase(head.status)) : head.reason);
    if (!asks || !co_await can_go_on(connection)) refuse(why);
  }
  std::string rest;
  transport = connection.release(rest);
  if (!rest.empty()) refuse("sent more than its answer");
  co_return transport;
}

Task<std::unique_ptr<Transport>> socks5_connect(std::unique_ptr<Transport> transport,
                                                std::string host, std::uint16_t port,
                                                HTTPProxy proxy) {
  IOStream stream(*IOLoop::current(), std::move(transport));
  const bool has_user = !proxy.username.empty() || !proxy.password.empty();
  co_await stream.write(has_user ? std::string_view("\x05\x02\x00\x02", 4)
                                 : std::string_view("\x05\x01\x00", 3));
  const std::string chosen = co_await stream.read_bytes(2);
  if (chosen[0] != '\x05') refuse("does not speak SOCKS 5");
  if (chosen[1] == '\x02' && has_user) {
    if (proxy.username.size() > 255 || proxy.password.size() > 255) {
      refuse("can take no user or password of more than 255 bytes");
    }
    std::string login = "\x01";
    login += static_cast<char>(proxy.username.size());
    login += proxy.username;
    login += static_cast<char>(proxy.password.size());
    login += proxy.password;
    co_await stream.write(login);
    const std::string answer = co_await stream.read_bytes(2);
    if (answer[1] != 0) refuse("does not accept the user or the password");
  } else if (chosen[1] != 0) {
    refuse("asks for another authentication");
  }
  co_await stream.write(socks_request(host, port));
  const std::string answer = co_await stream.read_bytes(5);
  if (answer[0] != '\x05') refuse("does not speak SOCKS 5");
  const auto code = static_cast<unsigned char>(answer[1]);
  if (code != 0) refuse(std::string("refused: ") + socks_reason(code));
  // The address that the proxy connects from follows; its first byte was read.
  std::size_t rest = 0;
  switch (answer[3]) {
    case 1: rest = 4 - 1 + 2; break;
    case 3: rest = static_cast<unsigned char>(answer[4]) + 2U; break;
    case 4: rest = 16 - 1 + 2; break;
    default: refuse("sent an unknown type of address");
  }
  const std::string address = co_await stream.read_bytes(rest);
  if (stream.buffered() != 0) refuse("sent more than its answer");
  co_return stream.release_transport();
}

}  // namespace coronado
