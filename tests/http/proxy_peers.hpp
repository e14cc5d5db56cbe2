/// Proxies for the tests of the clients: HTTP CONNECT and SOCKS 5.
#pragma once

#include <coronado/net/tcpclient.hpp>

#include <string>

#include "tests/http/client_fixture.hpp"

namespace coronado::client_test {

/// Copies bytes both ways until either side ends.
inline Task<> copy(IOStream& from, IOStream& to) {
  for (std::string bytes = co_await from.read_some(); !bytes.empty();
       bytes = co_await from.read_some()) {
    co_await to.write(bytes);
  }
}
inline Task<> splice(IOStream& stream, SocketAddress to) {
  TCPClient client;
  TCPStream other = co_await client.connect(std::move(to));
  co_await race(copy(stream, other), copy(other, stream));
}

/// A proxy for CONNECT that leads everything to `to`, and notes what it was asked.
inline Peer::Script tunnel(std::string& asked, SocketAddress to) {
  return [&asked, to](IOStream& stream) -> Task<> {
    asked = co_await stream.read_until("\r\n\r\n");
    co_await stream.write("HTTP/1.1 200 Connection established\r\nVia: p\r\n\r\n");
    co_await splice(stream, to);
  };
}

/// A SOCKS proxy; `asked` is what it was told to connect to.
inline Peer::Script socks(std::string& asked, SocketAddress to, bool login, char code = 0) {
  return [&asked, to, login, code](IOStream& stream) -> Task<> {
    const std::string greeting = co_await stream.read_bytes(2);
    const std::string methods = co_await stream.read_bytes(static_cast<std::size_t>(greeting[1]));
    co_await stream.write(login ? std::string("\x05\x02", 2) : std::string("\x05\x00", 2));
    if (login) {
      const std::string shown = co_await stream.read_bytes(2 + 3 + 1 + 2);
      co_await stream.write(shown == "\x01\x03"
                                     "ada"
                                     "\x02"
                                     "pw"
                                ? std::string("\x01\x00", 2)
                                : std::string("\x01\x01", 2));
    }
    const std::string head = co_await stream.read_bytes(4);
    if (head[3] == 3) {
      const std::string size = co_await stream.read_bytes(1);
      asked = co_await stream.read_bytes(static_cast<std::size_t>(size[0]));
    } else {
      asked = co_await stream.read_bytes(head[3] == 1 ? 4 : 16);
    }
    asked += co_await stream.read_bytes(2);
    std::string answer("\x05\x00\x00\x01\x0A\x00\x00\x01\x12\x34", 10);
    answer[1] = code;
    co_await stream.write(answer);
    if (code == 0) co_await splice(stream, to);
  };
}

}  // namespace coronado::client_test
