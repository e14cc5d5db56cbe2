#include "http/websocket_receiver.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace coronado {
namespace {

using Event = WebSocketReceiver::Event;
using Opcode = WebSocketOpcode;

constexpr bool kFinal = true;

std::string frame(Opcode opcode, std::string payload, bool final = kFinal, bool masked = true,
                  bool compressed = false) {
  WebSocketFrameHead head;
  head.opcode = opcode;
  head.final = final;
  head.compressed = compressed;
  head.masked = masked;
  if (masked) head.mask = {'\x37', '\xfa', '\x21', '\x3d'};
  head.size = payload.size();
  std::array<char, kMostHeadBytes> bytes;
  std::string text(bytes.data(), write_frame_head(head, bytes));
  if (masked) apply_mask(payload, head.mask);
  return text + payload;
}

std::string code(int number, std::string_view reason = "") {
  std::string payload{static_cast<char>(number >> 8), static_cast<char>(number & 0xFF)};
  return payload.append(reason);
}

/// Everything a receiver tells, as text, when the bytes come in pieces of `size`.
std::string events(WebSocketReceiver receiver, std::string_view bytes, std::size_t size) {
  std::string log;
  std::string kept;
  for (std::size_t at = 0; at < bytes.size(); at += size) {
    kept.append(bytes.substr(at, size));
    for (;;) {
      const WebSocketReceiver::Step step = receiver.feed(kept);
      switch (step.event) {
        case Event::kMore: break;
        case Event::kMessage: log += step.text ? "[text " : "[binary "; break;
        case Event::kPing: log += "[ping "; break;
        case Event::kPong: log += "[pong "; break;
        case Event::kClose: log += "[close " + std::to_string(step.code) + " "; break;
        case Event::kError: log += "[error " + std::to_string(step.code) + " "; break;
      }
      if (step.event != Event::kMore) log.append(step.payload).append("]");
      kept.erase(0, step.consumed);
      if (step.event == Event::kMore) break;
    }
    EXPECT_LE(kept.size(), kMostHeadBytes);
  }
  return log;
}

/// The same in every fragmentation, or all of them one behind the other.
std::string events(std::string_view bytes, WebSocketReceiverOptions options = {}) {
  std::string first;
  for (std::size_t size = 1; size <= std::min<std::size_t>(bytes.size(), 40); ++size) {
    const std::string log = events(WebSocketReceiver(options), bytes, size);
    if (size == 1) first = log;
    if (log != first)
      return "in pieces of 1: " + first + "\nof " + std::to_string(size) + ": " + log;
  }
  const std::string whole = events(WebSocketReceiver(options), bytes, bytes.size());
  return whole == first ? whole : "in pieces: " + first + "\nwhole: " + whole;
}

TEST(WebSocketReceiver, Messages) {
  EXPECT_EQ(events(frame(Opcode::kText, "hello") + frame(Opcode::kBinary, "\xff") +
                   frame(Opcode::kText, "") + frame(Opcode::kBinary, std::string(300, 'x'))),
            "[text hello][binary \xff][text ][binary " + std::string(300, 'x') + "]");
}

TEST(WebSocketReceiver, FragmentsWithControlFramesBetween) {  // RFC 6455 5.4
  EXPECT_EQ(events(frame(Opcode::kText, "one ", !kFinal) + frame(Opcode::kPing, "are you there") +
                   frame(Opcode::kContinuation, "", !kFinal) + frame(Opcode::kPong, "") +
                   frame(Opcode::kContinuation, "two") + frame(Opcode::kText, "next")),
            "[ping are you there][pong ][text one two][text next]");
}

TEST(WebSocketReceiver, ACharacterMayBeCutBetweenFragments) {
  EXPECT_EQ(
      events(frame(Opcode::kText, "\xe2", !kFinal) + frame(Opcode::kContinuation, "\x82", !kFinal) +
             frame(Opcode::kContinuation, "\xac")),
      "[text \xe2\x82\xac]");
  EXPECT_EQ(events(frame(Opcode::kText, "a\xf0\x9f\x98", !kFinal) +
                   frame(Opcode::kContinuation, "\x80z")),
            "[text a\xf0\x9f\x98\x80z]");
}

TEST(WebSocketReceiver, TextThatIsNotUTF8) {
  const std::string refused = "[error 1007 a text is not valid UTF-8]";
  EXPECT_EQ(events(frame(Opcode::kText, "a\xff")), refused);
  EXPECT_EQ(events(frame(Opcode::kText, "cut \xe2\x82")), refused);
  EXPECT_EQ(
      events(frame(Opcode::kText, "cut \xe2\x82", !kFinal) + frame(Opcode::kContinuation, "")),
      refused);
  // Known to be wrong before the message is complete (RFC 6455 8.1).
  EXPECT_EQ(events(frame(Opcode::kText, "\xed\xa0\x80", !kFinal)), refused);
  EXPECT_EQ(
      events(frame(Opcode::kText, "\xf4", !kFinal) + frame(Opcode::kContinuation, "\x90", !kFinal)),
      refused);
}

TEST(WebSocketReceiver, BrokenSequences) {
  EXPECT_EQ(events(frame(Opcode::kContinuation, "x")),
            "[error 1002 there is no message to continue]");
  EXPECT_EQ(events(frame(Opcode::kText, "x", !kFinal) + frame(Opcode::kText, "y")),
            "[error 1002 the message before is not complete]");
  EXPECT_EQ(events(frame(Opcode::kText, "x", kFinal, false)), "[error 1002 a frame is not masked]");
  EXPECT_EQ(events(frame(Opcode::kText, "x"), {.masked = false}), "[error 1002 a frame is masked]");
  EXPECT_EQ(events(frame(Opcode::kText, "x", kFinal, true, true)),
            "[error 1002 a reserved bit is set]");
  EXPECT_EQ(events("\x83\x80mask and what follows"), "[error 1002 unknown opcode]");
}

TEST(WebSocketReceiver, AMessageThatIsTooBig) {
  const std::string refused = "[error 1009 the message is too big]";
  const WebSocketReceiverOptions ten{.max_message_size = 10};
  EXPECT_EQ(events(frame(Opcode::kText, std::string(10, 'x')), ten), "[text xxxxxxxxxx]");
  EXPECT_EQ(events(frame(Opcode::kText, std::string(11, 'x')), ten), refused);
  EXPECT_EQ(
      events(frame(Opcode::kText, "12345", !kFinal) + frame(Opcode::kContinuation, "678901"), ten),
      refused);
}

TEST(WebSocketReceiver, TheEnd) {
  EXPECT_EQ(events(frame(Opcode::kClose, "")), "[close 1005 ]");
  EXPECT_EQ(events(frame(Opcode::kClose, code(1000, "bye")) + frame(Opcode::kText, "ignored")),
            "[close 1000 bye]");
  EXPECT_EQ(events(frame(Opcode::kClose, "x")), "[error 1002 a close frame has half a code]");
  EXPECT_EQ(events(frame(Opcode::kClose, code(1000, "\xff"))),
            "[error 1007 a reason is not valid UTF-8]");
  for (const int bad : {0, 999, 1004, 1005, 1006, 1015, 2999, 5000, 65535}) {
    EXPECT_EQ(events(frame(Opcode::kClose, code(bad))),
              "[error 1002 a close frame has no valid code]")
        << bad;
  }
  for (const int good : {1001, 1003, 1007, 1014, 3000, 4999}) {
    EXPECT_EQ(events(frame(Opcode::kClose, code(good))), "[close " + std::to_string(good) + " ]");
  }
}

// --- permessage-deflate --------------------------------------------------------------------------

/// Compresses messages as RFC 7692 7.2.1 says.
class Sender {
 public:
  std::string message(std::string_view text) {
    std::string packed;
    compressor_->append(text, Compressor::Flush::kSync, packed);
    EXPECT_TRUE(packed.ends_with(std::string_view("\0\0\xff\xff", 4)));
    packed.resize(packed.size() - 4);
    return packed;
  }
  void reset() { compressor_->reset(); }

 private:
  std::unique_ptr<Compressor> compressor_ = make_compressor(Coding::kRawDeflate);
};

std::string compressed_events(std::string_view bytes, std::size_t size, bool keep_window,
                              WebSocketReceiverOptions options = {}) {
  return events(WebSocketReceiver(options, make_decompressor(Coding::kRawDeflate), keep_window),
                bytes, size);
}

TEST(WebSocketReceiver, CompressedMessagesKeepTheirWindow) {
  Sender sender;
  std::string bytes;
  std::string expected;
  for (int i = 0; i < 5; ++i) {
    const std::string packed = sender.message("a text that repeats");
    if (i > 0) EXPECT_LT(packed.size(), 12U);  // it refers to the one before
    bytes += frame(Opcode::kText, packed, kFinal, true, true);
    bytes += frame(Opcode::kText, "plain");
    expected += "[text a text that repeats][text plain]";
  }
  for (const std::size_t size : {std::size_t{1}, std::size_t{7}, bytes.size()}) {
    EXPECT_EQ(compressed_events(bytes, size, true), expected);
  }
  EXPECT_TRUE(compressed_events(bytes, bytes.size(), false).contains("[error 1007"));
}

TEST(WebSocketReceiver, CompressedMessagesWithoutContextTakeover) {
  Sender sender;
  std::string bytes;
  for (int i = 0; i < 2; ++i) {
    const std::string packed = sender.message("hello hello hello");
    sender.reset();
    bytes += frame(Opcode::kBinary, packed.substr(0, 3), !kFinal, true, true);
    bytes += frame(Opcode::kContinuation, packed.substr(3));
  }
  for (const std::size_t size : {std::size_t{1}, std::size_t{7}, bytes.size()}) {
    EXPECT_EQ(compressed_events(bytes, size, false),
              "[binary hello hello hello][binary hello hello hello]");
  }
}

TEST(WebSocketReceiver, ExamplesOfTheCompressionSpecification) {  // RFC 7692 7.2.3
  const std::string one("\xf2\x48\xcd\xc9\xc9\x07\x00", 7);
  const std::string final_block("\xf3\x48\xcd\xc9\xc9\x07\x00\x00", 8);
  const std::string shared("\xf2\x00\x11\x00\x00", 5);
  const std::string bytes = frame(Opcode::kText, one, kFinal, true, true) +
                            frame(Opcode::kText, shared, kFinal, true, true) +
                            frame(Opcode::kText, final_block, kFinal, true, true) +
                            frame(Opcode::kText, shared, kFinal, true, true);
  EXPECT_EQ(compressed_events(bytes, bytes.size(), true),
            "[text Hello][text Hello][text Hello][text Hello]");
}

TEST(WebSocketReceiver, ABombIsCutOff) {
  Sender sender;
  const std::string bomb = sender.message(std::string(1'000'000, 'x'));
  EXPECT_LT(bomb.size(), 2000U);
  const std::string bytes = frame(Opcode::kText, bomb, kFinal, true, true);
  EXPECT_EQ(compressed_events(bytes, 100, true, {.max_message_size = 50'000}),
            "[error 1009 the message is too big]");
}

TEST(WebSocketReceiver, MalformedCompression) {
  const std::string bytes = frame(Opcode::kText, "\xff\xff\xff", kFinal, true, true);
  EXPECT_EQ(compressed_events(bytes, 100, true), "[error 1007 a compressed message is malformed]");
}

}  // namespace
}  // namespace coronado
