// The protocol from the outside, section by section as Autobahn's suite goes through it, at both ends: a
// server and a client that echo messages, and a peer that sends frames, right and wrong.
#include "http/websocket_connection.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "tests/http/server_fixture.hpp"
#include "tests/http/websocket_wire.hpp"

namespace coronado {
namespace {

using http_test::close_payload;
using http_test::LogCatcher;
using http_test::WireFrame;
using Opcode = WebSocketOpcode;

class Echo final : public WebSocketListener {
 public:
  Task<> opened(WebSocketConnection& socket) override {
    socket_ = &socket;
    return {};
  }
  Task<> received(const WebSocketMessage& message) override {
    socket_->send(message.is_text ? Opcode::kText : Opcode::kBinary, message.data, true, true);
    return {};
  }

 private:
  WebSocketConnection* socket_ = nullptr;
};

/// "[text hello]"; of something long, how long it is and a hash.
std::string show(std::string_view kind, std::string_view payload) {
  std::string text = "[" + std::string(kind) + " ";
  if (payload.size() <= 125) return text.append(payload).append("]");
  return text + std::to_string(payload.size()) + " bytes #" +
         std::to_string(std::hash<std::string_view>()(payload)) + "]";
}
std::string text(std::string_view payload) { return show("text", payload); }
std::string binary(std::string_view payload) { return show("binary", payload); }
std::string closed(int code) { return "[close " + std::to_string(code) + "]"; }

/// Takes apart what an end has sent.
class Reader {
 public:
  Reader(bool masked, Decompressor* inflate, bool forgets)
      : masked_(masked), inflate_(inflate), forgets_(forgets) {}

  std::string read(std::string bytes) {
    std::string log;
    while (!bytes.empty()) {
      WebSocketFrameHead head;
      const auto result = read_frame_head(bytes, head);
      if (result.status != WebSocketHeadResult::Status::kHead) return log + "[no frame]";
      if (head.masked != masked_ || !head.final) log += "[wrong frame]";
      if (bytes.size() < result.consumed + head.size) return log + "[half a frame]";
      std::string payload = bytes.substr(result.consumed, head.size);
      if (head.masked) apply_mask(payload, head.mask);
      bytes.erase(0, result.consumed + head.size);
      log += frame(head, std::move(payload));
    }
    return log;
  }

  int compressed() const { return compressed_; }

 private:
  std::string frame(const WebSocketFrameHead& head, std::string payload) {
    if (head.compressed) payload = inflated(std::move(payload));
    switch (head.opcode) {
      case Opcode::kText: return text(payload);
      case Opcode::kBinary: return binary(payload);
      case Opcode::kPing: return show("ping", payload);
      case Opcode::kPong: return show("pong", payload);
      case Opcode::kContinuation: return show("continuation", payload);
      case Opcode::kClose: break;
    }
    if (payload.empty()) return closed(1005);
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(payload.at(i)); };
    return closed(byte(0) << 8 | byte(1));
  }

  std::string inflated(std::string payload) {
    ++compressed_;
    if (inflate_ == nullptr) return "compressed, which was not agreed upon";
    std::string out;
    payload.append("\0\0\xff\xff", 4);
    if (inflate_->append(payload, 10'000'000, out) == Decompressor::Status::kMalformed)
      return "broken";
    if (forgets_) inflate_->reset();
    return out;
  }

  bool masked_;
  Decompressor* inflate_;
  bool forgets_;
  int compressed_ = 0;
};

/// One end that echoes: a server's or a client's; bytes come to it in pieces.
class WebSocketCases : public testing::TestWithParam<std::tuple<bool, std::size_t>> {
 protected:
  bool is_server() const { return std::get<0>(GetParam()); }
  std::size_t piece() const { return std::get<1>(GetParam()); }

  /// As the peer of that end writes it.
  std::string wire(WireFrame frame) const {
    frame.masked = is_server();
    return http_test::wire(std::move(frame));
  }
  std::string close_frame(int code, std::string_view reason = "") const {
    return wire({.opcode = Opcode::kClose, .payload = close_payload(code, reason)});
  }
  /// With these reserved bits.
  std::string reserved(WireFrame frame, int bits) const {
    std::string bytes = wire(std::move(frame));
    bytes[0] = static_cast<char>(bytes[0] | bits << 4);
    return bytes;
  }
  /// A message in fragments of that size.
  std::string fragmented(Opcode opcode, std::string_view payload, std::size_t size,
                         bool compressed = false) const {
    std::string bytes;
    for (std::size_t at = 0; at == 0 || at < payload.size(); at += size) {
      bytes += wire({.opcode = at == 0 ? opcode : Opcode::kContinuation,
                     .payload = std::string(payload.substr(at, size)),
                     .final = at + size >= payload.size(),
                     .compressed = compressed && at == 0});
    }
    return bytes;
  }

  /// What the end sends until it closes the connection.
  std::string raw_talk(std::string_view bytes, WebSocketOptions options = {},
                       std::optional<DeflateAgreement> deflate = std::nullopt) {
    const LogCatcher log;
    IOLoop loop({.reactor = ReactorKind::kSim});
    MemoryTransportOptions channel;
    channel.piece = piece();
    auto [near, far] = make_memory_transports(loop, channel);
    RawClient peer(std::move(near));
    auto* connection = new WebSocketConnection(
        {.is_server = is_server(),
         .options = std::make_shared<const WebSocketOptions>(std::move(options)),
         .deflate = deflate},
        std::make_unique<Echo>());
    far->pause_receive();
    connection->begin(loop, std::move(far), {});
    peer.send(bytes);
    std::string all = loop.run_sync(peer.read_to_end(), Duration(std::chrono::hours(1)));
    peer.close();
    return all;
  }
  std::string talk(std::string_view bytes, WebSocketOptions options = {}) {
    return Reader(!is_server(), nullptr, false).read(raw_talk(bytes, std::move(options)));
  }
  /// The same with a farewell behind it.
  std::string talk_and_close(std::string_view bytes, WebSocketOptions options = {}) {
    return talk(std::string(bytes) + close_frame(1000), std::move(options));
  }
};

std::string end_name(const testing::TestParamInfo<std::tuple<bool, std::size_t>>& info) {
  return (std::get<0>(info.param) ? "Server" : "Client") + std::to_string(std::get<1>(info.param));
}

INSTANTIATE_TEST_SUITE_P(Ends, WebSocketCases,
                         testing::Combine(testing::Bool(), testing::Values(1, 997, 65536)),
                         end_name);

std::string letters(std::size_t size) {
  std::string all(size, ' ');
  for (std::size_t i = 0; i < size; ++i) all[i] = static_cast<char>('a' + i * i % 25);
  return all;
}

// --- 1: framing ----------------------------------------------------------------------------------

TEST_P(WebSocketCases, Framing) {
  for (const std::size_t size : {0, 1, 125, 126, 127, 128, 65535, 65536}) {
    if (piece() == 1 && size > 1'000) break;
    const std::string payload = letters(size);
    EXPECT_EQ(talk_and_close(wire({.payload = payload})), text(payload) + closed(1000));
    EXPECT_EQ(talk_and_close(wire({.opcode = Opcode::kBinary, .payload = payload})),
              binary(payload) + closed(1000));
  }
}

// --- 2: pings and pongs --------------------------------------------------------------------------

TEST_P(WebSocketCases, Pings) {
  const auto ping = [&](std::string payload) {
    return wire({.opcode = Opcode::kPing, .payload = std::move(payload)});
  };
  const std::string bytes("\x00\xff\xfe\xfd", 4);
  std::string many;
  std::string answers;
  for (const std::string& each : {std::string(), std::string("Hello"), bytes, letters(125)}) {
    many += ping(each);
    answers += show("pong", each);
  }
  EXPECT_EQ(talk_and_close(many), answers + closed(1000));
  EXPECT_EQ(talk(ping(letters(126))), closed(1002));
  // Pongs that nobody has asked for are no matter.
  const std::string pong = wire({.opcode = Opcode::kPong, .payload = "unasked"});
  EXPECT_EQ(talk_and_close(pong + ping("p") + pong), "[pong p]" + closed(1000));
}

// --- 3: reserved bits ----------------------------------------------------------------------------

TEST_P(WebSocketCases, ReservedBits) {
  const std::string good = wire({.payload = "good"});
  for (int bits = 1; bits <= 7; ++bits) {
    for (const WireFrame& frame :
         {WireFrame{.payload = "x"}, WireFrame{.opcode = Opcode::kBinary, .payload = "x"},
          WireFrame{.opcode = Opcode::kPing}, WireFrame{.opcode = Opcode::kPong},
          WireFrame{.opcode = Opcode::kClose, .payload = close_payload(1000)},
          WireFrame{.payload = "x", .final = false}}) {
      EXPECT_EQ(talk(good + reserved(frame, bits) + good), "[text good]" + closed(1002)) << bits;
    }
    EXPECT_EQ(talk(wire({.payload = "x", .final = false}) +
                   reserved({.opcode = Opcode::kContinuation, .payload = "y"}, bits)),
              closed(1002));
  }
}

/// Compression takes the first bit, of a message's first frame alone.
TEST_P(WebSocketCases, ReservedBitsBesideCompression) {
  const auto code = [&](const std::string& bytes) {
    const WebSocketOptions options{.compression = WebSocketCompression{}};
    return Reader(!is_server(), nullptr, false).read(raw_talk(bytes, options, DeflateAgreement{}));
  };
  for (int bits = 1; bits <= 7; ++bits) {
    if (bits != 4) EXPECT_EQ(code(reserved({.payload = "x"}, bits)), closed(1002)) << bits;
    for (const Opcode opcode : {Opcode::kPing, Opcode::kPong, Opcode::kClose}) {
      EXPECT_EQ(code(reserved({.opcode = opcode}, bits)), closed(1002)) << bits;
    }
    EXPECT_EQ(code(wire({.payload = "x", .final = false}) +
                   reserved({.opcode = Opcode::kContinuation, .payload = "y"}, bits)),
              closed(1002));
  }
}

// --- 4: opcodes ----------------------------------------------------------------------------------

TEST_P(WebSocketCases, Opcodes) {
  const std::string good = wire({.payload = "good"});
  for (const int opcode : {3, 4, 5, 6, 7, 11, 12, 13, 14, 15}) {
    for (const char* payload : {"", "payload"}) {
      const std::string bad = wire({.opcode = static_cast<Opcode>(opcode), .payload = payload});
      EXPECT_EQ(talk(bad), closed(1002)) << opcode;
      EXPECT_EQ(talk(good + bad + wire({.opcode = Opcode::kPing})), "[text good]" + closed(1002));
    }
  }
}

// --- 5: fragmentation ----------------------------------------------------------------------------

TEST_P(WebSocketCases, Fragmentation) {
  const auto first = [&](std::string payload) {
    return wire({.payload = std::move(payload), .final = false});
  };
  const auto more = [&](std::string payload, bool last) {
    return wire({.opcode = Opcode::kContinuation, .payload = std::move(payload), .final = last});
  };
  const std::string ping = wire({.opcode = Opcode::kPing, .payload = "p"});
  EXPECT_EQ(talk_and_close(first("a") + more("b", false) + more("c", true)),
            "[text abc]" + closed(1000));
  EXPECT_EQ(talk_and_close(first("") + more("", false) + more("", true)), "[text ]" + closed(1000));
  EXPECT_EQ(talk_and_close(first("a") + ping + more("b", false) + ping + ping + more("c", true) +
                           first("d") + more("e", true)),
            "[pong p][pong p][pong p][text abc][text de]" + closed(1000));
  for (const Opcode control : {Opcode::kPing, Opcode::kPong, Opcode::kClose}) {
    EXPECT_EQ(talk(wire({.opcode = control, .final = false}) + more("", true)), closed(1002));
  }
  for (const bool last : {false, true}) {
    EXPECT_EQ(talk(more("x", last)), closed(1002));
    EXPECT_EQ(talk(wire({.payload = "good"}) + more("x", last) + wire({.payload = "never"})),
              "[text good]" + closed(1002));
    EXPECT_EQ(talk(first("a") + more("b", true) + more("c", last)), "[text ab]" + closed(1002));
  }
  EXPECT_EQ(talk(first("a") + first("b")), closed(1002));
  EXPECT_EQ(talk(first("a") + wire({.payload = "b"})), closed(1002));
  EXPECT_EQ(talk(first("a") + wire({.opcode = Opcode::kBinary, .payload = "b"})), closed(1002));
}

// --- 6: UTF-8 ------------------------------------------------------------------------------------

TEST_P(WebSocketCases, TextIsUTF8) {
  const std::string zero("\0", 1);
  for (const std::string& each :
       {std::string("Hello-\xc2\xb5@\xc3\x9f\xc3\xb6\xc3\xa4\xc3\xbc\xc3\xa0\xc3\xa1-UTF-8!!"),
        std::string("\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5"), zero, std::string("\x7f"),
        std::string("\xc2\x80"), std::string("\xdf\xbf"), std::string("\xe0\xa0\x80"),
        std::string("\xed\x9f\xbf"), std::string("\xee\x80\x80"), std::string("\xef\xbf\xbe"),
        std::string("\xef\xbf\xbf"), std::string("\xf0\x90\x80\x80"),
        std::string("\xf4\x8f\xbf\xbf")}) {
    EXPECT_EQ(talk_and_close(wire({.payload = each})), text(each) + closed(1000));
    EXPECT_EQ(talk_and_close(fragmented(Opcode::kText, each, 1)), text(each) + closed(1000));
  }
}

TEST_P(WebSocketCases, TextThatIsNotUTF8) {
  const char* const cases[] = {
      "\x80",                 // a continuation alone
      "\xbf\x80",             //
      "\xce\xba\xed\xa0\x80"  // a surrogate
      "edited",
      "\xed\xaf\xbf",              //
      "\xed\xa0\x80\xed\xb0\x80",  // a pair of them
      "\xc0\xaf",                  // not the shortest form
      "\xe0\x80\xaf",              //
      "\xe0\x9f\xbf",              //
      "\xf0\x80\x80\xaf",          //
      "\xf0\x8f\xbf\xbf",          //
      "\xf8\x80\x80\x80\xaf",      //
      "\xfc\x80\x80\x80\x80\xaf",  //
      "\xc1\xbf",                  //
      "\xf4\x90\x80\x80",          // beyond the last character
      "\xf5\x80\x80\x80",          //
      "\xfe",                      //
      "\xff",                      //
      "a\xc3(b",                   // cut by something else
      "Hello-\xc2\xb5@\xc3",       // cut by the end
      "\xe2\x82",                  //
      "\xf0\x9f\x98",              //
      "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xf4\x90\x80\x80"
      "edited",
  };
  for (const char* each : cases) {
    EXPECT_EQ(talk(wire({.payload = each})), closed(1007)) << each;
    EXPECT_EQ(talk(fragmented(Opcode::kText, each, 1)), closed(1007)) << each;
    EXPECT_EQ(talk(wire({.payload = "good"}) + wire({.payload = each})),
              "[text good]" + closed(1007));
    // In bytes that are no text it is no matter.
    EXPECT_EQ(talk_and_close(wire({.opcode = Opcode::kBinary, .payload = each})),
              binary(each) + closed(1000));
  }
}

/// RFC 6455 8.1: it fails where it is wrong; the rest of the message, or of the frame, never comes.
TEST_P(WebSocketCases, TextFailsAtOnce) {
  const std::string good = "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5";
  for (const char* bad : {"\xf4\x90", "\xed\xa0", "\xc0", "\xff"}) {
    EXPECT_EQ(talk(wire({.payload = good + bad, .final = false})), closed(1007));
    EXPECT_EQ(talk(wire({.payload = good, .final = false}) +
                   wire({.opcode = Opcode::kContinuation, .payload = bad, .final = false})),
              closed(1007));
    const std::string whole = wire({.payload = good + bad + "the rest that never comes"});
    EXPECT_EQ(talk(whole.substr(0, whole.size() - 10)), closed(1007));
  }
}

// --- 7: closing ----------------------------------------------------------------------------------

TEST_P(WebSocketCases, NothingFollowsAClose) {
  const std::string last = close_frame(1000, "bye");
  const std::string pinged = wire({.opcode = Opcode::kPing, .payload = "p"});
  EXPECT_EQ(talk(last), closed(1000));
  EXPECT_EQ(talk(wire({.payload = "x"}) + last), "[text x]" + closed(1000));
  EXPECT_EQ(talk(last + last), closed(1000));
  EXPECT_EQ(talk(last + pinged), closed(1000));
  EXPECT_EQ(talk(last + wire({.payload = "x"})), closed(1000));
  EXPECT_EQ(talk(wire({.payload = "a", .final = false}) + last +
                 wire({.opcode = Opcode::kContinuation, .payload = "b"})),
            closed(1000));
  const std::string large = letters(piece() == 1 ? 5'000 : 262'144);
  EXPECT_EQ(talk(wire({.payload = large}) + last + pinged), text(large) + closed(1000));
}

TEST_P(WebSocketCases, PayloadsOfAClose) {
  const auto close = [&](std::string payload) {
    return wire({.opcode = Opcode::kClose, .payload = std::move(payload)});
  };
  EXPECT_EQ(talk(close("")), closed(1005));
  EXPECT_EQ(talk(close("x")), closed(1002));
  EXPECT_EQ(talk(close(close_payload(1000))), closed(1000));
  EXPECT_EQ(talk(close_frame(1000, letters(123))), closed(1000));
  EXPECT_EQ(talk(close_frame(1000, letters(124))), closed(1002));
  EXPECT_EQ(talk(close_frame(1000, "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5")), closed(1000));
  EXPECT_EQ(talk(close_frame(1000, "\xce\xba\xed\xa0\x80")), closed(1007));
}

TEST_P(WebSocketCases, CodesOfAClose) {
  for (const int code : {1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014,
                         3000, 3999, 4000, 4999}) {
    EXPECT_EQ(talk(close_frame(code)), closed(code));
    EXPECT_EQ(talk(close_frame(code, "a reason")), closed(code));
  }
  for (const int code : {0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535}) {
    EXPECT_EQ(talk(close_frame(code)), closed(1002)) << code;
  }
}

// --- 9: limits -----------------------------------------------------------------------------------

TEST_P(WebSocketCases, Limits) {
  const std::size_t size = piece() == 1 ? 5'000 : 1 << 18;
  const std::string large = letters(size);
  const WebSocketOptions exact{.max_message_size = size};
  const WebSocketOptions less{.max_message_size = size - 1};
  for (const std::size_t fragment : {size, size / 4, std::size_t{1'000}}) {
    const std::string sent = fragmented(Opcode::kText, large, fragment);
    EXPECT_EQ(talk_and_close(sent, exact), text(large) + closed(1000));
    EXPECT_EQ(talk(sent, less), closed(1009));
    EXPECT_EQ(talk_and_close(fragmented(Opcode::kBinary, large, fragment), exact),
              binary(large) + closed(1000));
  }
  // A length that promises too much is refused before its bytes come, and needs no memory.
  for (const std::string& length : {std::string("\x7f\x7f\xff\xff\xff\xff\xff\xff\xff", 9),
                                    std::string("\x7f\x00\x00\x00\x01\x00\x00\x00\x00", 9)}) {
    std::string head = "\x82" + length;
    if (is_server()) {
      head[1] = static_cast<char>(head[1] | 0x80);
      head += "mask";
    }
    EXPECT_EQ(talk(head), closed(1009));
  }
  // Lengths that are not in their shortest form, or use the highest bit.
  for (const std::string& length :
       {std::string("\x7e\x00\x7d", 3), std::string("\x7f\x00\x00\x00\x00\x00\x00\xff\xff", 9),
        std::string("\x7f\x80\x00\x00\x00\x00\x00\x00\x00", 9)}) {
    std::string head = "\x82" + length;
    if (is_server()) head[1] = static_cast<char>(head[1] | 0x80);
    EXPECT_EQ(talk(head + "mask"), closed(1002));
  }
}

/// Of megabytes, which would take their time in small pieces.
class LargeWebSocketCases : public WebSocketCases {};

INSTANTIATE_TEST_SUITE_P(Ends, LargeWebSocketCases,
                         testing::Combine(testing::Bool(), testing::Values(65536)), end_name);

TEST_P(LargeWebSocketCases, Messages) {
  const WebSocketOptions options{.max_message_size = 16 << 20, .max_buffered = 32 << 20};
  const std::string largest = letters(16 << 20);
  EXPECT_EQ(talk_and_close(wire({.payload = largest}), options), text(largest) + closed(1000));
  EXPECT_EQ(talk_and_close(fragmented(Opcode::kBinary, largest, 1 << 20), options),
            binary(largest) + closed(1000));
  const std::string large = letters(1 << 20);
  EXPECT_EQ(talk_and_close(fragmented(Opcode::kText, large, 64)), text(large) + closed(1000));
}

TEST_P(WebSocketCases, ManySmallMessages) {
  std::string sent;
  std::string expected;
  for (int i = 0; i < 1'000; ++i) {
    const std::string each = "message " + std::to_string(i);
    sent += wire({.payload = each});
    expected += text(each);
  }
  EXPECT_EQ(talk_and_close(sent), expected + closed(1000));
}

// --- 10: a message in many fragments -------------------------------------------------------------

TEST_P(WebSocketCases, ManyFragments) {
  const std::string large = letters(piece() == 1 ? 5'000 : 65'536);
  EXPECT_EQ(talk_and_close(fragmented(Opcode::kText, large, 1'300)), text(large) + closed(1000));
}

/// RFC 6455 5.1: a server's peer masks, a client's does not.
TEST_P(WebSocketCases, Masks) {
  const std::string wrong = http_test::wire({.payload = "x", .masked = !is_server()});
  EXPECT_EQ(talk(wrong), closed(1002));
  EXPECT_EQ(talk(wire({.payload = "good"}) + wrong), "[text good]" + closed(1002));
}

// --- 12 and 13: permessage-deflate in every form -------------------------------------------------

class WebSocketDeflateCases : public WebSocketCases {
 protected:
  /// Sends messages of many sizes, compressed as agreed upon, and expects them back.
  void exchange(const DeflateAgreement& agreed) {
    const int own = is_server() ? agreed.server_window_bits : agreed.client_window_bits;
    const int peers = is_server() ? agreed.client_window_bits : agreed.server_window_bits;
    const bool end_forgets = is_server() ? agreed.server_forgets : agreed.client_forgets;
    const bool peer_forgets = is_server() ? agreed.client_forgets : agreed.server_forgets;
    const auto deflate = make_compressor(Coding::kRawDeflate, {.window_bits = peers});
    const auto inflate = make_decompressor(Coding::kRawDeflate, own);
    std::string sent;
    std::string expected;
    int count = 0;
    for (const std::size_t size : {16, 64, 256, 1'024, 4'096, 8'192, 32'768, 70'000}) {
      if (piece() == 1 && size > 5'000) break;
      for (const bool repeated : {false, true}) {
        const std::string payload = repeated ? std::string(size, 'r') : letters(size);
        std::string packed;
        compress_payload(*deflate, payload, packed);
        if (peer_forgets) deflate->reset();
        const std::size_t fragment = repeated ? packed.size() : packed.size() / 3 + 1;
        sent += fragmented(Opcode::kText, packed, fragment, true);
        sent += wire({.opcode = Opcode::kBinary, .payload = "plain"});
        expected += text(payload) + "[binary plain]";
        count += 2;
      }
    }
    const WebSocketOptions options{.compression = WebSocketCompression{.threshold = 1}};
    Reader reader(!is_server(), inflate.get(), end_forgets);
    EXPECT_EQ(reader.read(raw_talk(sent + close_frame(1000), options, agreed)),
              expected + closed(1000));
    EXPECT_EQ(reader.compressed(), count);
  }
};

INSTANTIATE_TEST_SUITE_P(Ends, WebSocketDeflateCases,
                         testing::Combine(testing::Bool(), testing::Values(1, 997, 65536)),
                         end_name);

TEST_P(WebSocketDeflateCases, EveryForm) {
  for (const bool server_forgets : {false, true}) {
    for (const bool client_forgets : {false, true}) {
      for (const int server_bits : {8, 9, 12, 15}) {
        for (const int client_bits : {8, 9, 12, 15}) {
          SCOPED_TRACE(testing::Message() << server_forgets << client_forgets << " " << server_bits
                                          << " " << client_bits);
          exchange({.server_forgets = server_forgets,
                    .client_forgets = client_forgets,
                    .server_window_bits = server_bits,
                    .client_window_bits = client_bits});
        }
      }
    }
  }
}

TEST_P(WebSocketDeflateCases, WhatIsNoDeflateOrNoText) {
  const WebSocketOptions options{.max_message_size = 100'000,
                                 .compression = WebSocketCompression{}};
  const auto code = [&](std::string payload) {
    const std::string bytes = wire({.payload = std::move(payload), .compressed = true});
    return Reader(!is_server(), nullptr, false).read(raw_talk(bytes, options, DeflateAgreement{}));
  };
  const auto packed = [](std::string_view payload) {
    std::string out;
    compress_payload(*make_compressor(Coding::kRawDeflate), payload, out);
    return out;
  };
  EXPECT_EQ(code("\xff\xff\xff"), closed(1007));
  EXPECT_EQ(code(packed("caf\xe9")), closed(1007));
  EXPECT_EQ(code(packed(std::string(100'001, 'x'))), closed(1009));
}

}  // namespace
}  // namespace coronado
