/// Proxies for the tests of the clients: HTTP CONNECT and SOCKS 5.
#pragma once

#include <coronado/net/tcpclient.hpp>

#include <string>
#include <vector>

#include "http/digest_auth.hpp"
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

/// An HTTP proxy that lets ada with the password pw through, who must show herself by Digest.
struct DigestProxy {
  /// What it does with the connection on which it has asked for credentials.
  enum class Then : unsigned char {
    kGoesOn,   ///< it waits for another request
    kCloses,   ///< it says so, and closes
    kVanishes  ///< it closes and has not said so
  };
  Then then = Then::kGoesOn;
  SocketAddress to = {};                ///< where tunnels lead; the other requests get "ok"
  std::vector<std::string> asked = {};  ///< the heads that have come

  Peer::Script script() {
    return [this](IOStream& stream) -> Task<> { co_await serve(stream); };
  }

 private:
  static constexpr const char* kChallenge = "Digest realm=\"p\", nonce=\"n1\", qop=\"auth\"";

  static std::string between(const std::string& text, const std::string& before, char after) {
    const std::size_t at = text.find(before);
    if (at == std::string::npos) return "";
    const std::size_t begin = at + before.size();
    return text.substr(begin, text.find(after, begin) - begin);
  }
  /// The answer to the challenge must be one for the request line.
  static bool is_right(const std::string& head) {
    const std::string shown = between(head, "Proxy-Authorization: ", '\r');
    const std::string count = between(shown, "nc=", ',');
    if (count.empty()) return false;
    const std::string method = head.substr(0, head.find(' '));
    const auto challenge = DigestChallenge::find({kChallenge});
    const std::string answer = challenge->answer(
        method, between(head, method + " ", ' '), "ada", "pw", between(shown, "cnonce=\"", '"'),
        static_cast<unsigned>(std::stoul(count, nullptr, 16)));
    const std::string response = "response=\"";
    return between(shown, response, '"') == between(answer, response, '"');
  }
  Task<> serve(IOStream& stream) {
    for (;;) {
      asked.push_back(co_await stream.read_until("\r\n\r\n"));
      const std::string head = asked.back();
      if (const std::string size = between(head, "Content-Length: ", '\r'); !size.empty()) {
        co_await stream.read_bytes(std::stoul(size));
      }
      if (!is_right(head)) {
        co_await stream.write("HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: " +
                              std::string(kChallenge) +
                              (then == Then::kCloses ? "\r\nConnection: close" : "") +
                              "\r\nContent-Length: 4\r\n\r\nwho?");
        if (then == Then::kGoesOn) continue;
        co_return co_await stream.shutdown();
      }
      if (head.starts_with("CONNECT ")) {
        co_await stream.write("HTTP/1.1 200 OK\r\n\r\n");
        co_return co_await splice(stream, to);
      }
      co_await stream.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    }
  }
};

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
