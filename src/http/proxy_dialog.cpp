#include "http/proxy_dialog.hpp"

#include <coronado/base/crypto.hpp>
#include <coronado/loop/ioloop.hpp>
#include <coronado/net/iostream.hpp>

#include <stdexcept>

#include "http/quote.hpp"
#include "http/response_parser.hpp"

namespace coronado {
namespace {

std::string connect_request(const std::string& host, std::uint16_t port, const HTTPProxy& proxy) {
  const std::string to =
      (host.find(':') == std::string::npos ? host : "[" + host + "]") + ":" + std::to_string(port);
  std::string text = "CONNECT " + to + " HTTP/1.1\r\nHost: " + to + "\r\n";
  if (!proxy.username.empty() || !proxy.password.empty()) {
    text += "Proxy-Authorization: " + basic_credentials(proxy.username, proxy.password) + "\r\n";
  }
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

}  // namespace

std::string basic_credentials(std::string_view username, std::string_view password) {
  return "Basic " + base64_encode(std::string(username) + ":" + std::string(password));
}

Task<std::unique_ptr<Transport>> http_connect(std::unique_ptr<Transport> transport,
                                              std::string host, std::uint16_t port,
                                              HTTPProxy proxy) {
  IOStream stream(*IOLoop::current(), std::move(transport));
  const HTTPLimits limits;
  co_await stream.write(connect_request(host, port, proxy));
  ReceivedHead head;
  do {
    const std::string text = co_await stream.read_until("\r\n\r\n", limits.max_header_size);
    std::size_t searched = 0;
    const ParseResult result =
        parse_response_head(text.data(), text.size(), searched, limits, head);
    if (result.status != ParseStatus::kComplete) {
      refuse(std::string("sent no HTTP response: ") + result.reason);
    }
  } while (head.status < 200);
  if (head.status / 100 != 2) {
    refuse("refused: " + std::to_string(head.status) + " " +
           (head.reason.empty() ? reason_phrase(head.status) : head.reason));
  }
  if (stream.buffered() != 0) refuse("sent more than its answer");
  co_return stream.release_transport();
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
