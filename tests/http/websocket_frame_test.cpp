#include "http/websocket_frame.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace coronado {
namespace {

using Status = WebSocketHeadResult::Status;

std::string write(const WebSocketFrameHead& head) {
  std::array<char, kMostHeadBytes> out;
  return std::string(out.data(), write_frame_head(head, out));
}

const char* error_of(std::string_view bytes) {
  WebSocketFrameHead head;
  const WebSocketHeadResult result = read_frame_head(bytes, head);
  return result.status == Status::kError ? result.reason : "no error";
}

TEST(WebSocketFrame, HeadsRoundTripAndMayComeInPieces) {
  for (const std::uint64_t size : {0ULL, 1ULL, 125ULL, 126ULL, 65535ULL, 65536ULL, 1ULL << 62}) {
    for (const bool masked : {false, true}) {
      WebSocketFrameHead head;
      head.opcode = WebSocketOpcode::kText;
      head.final = size % 2 == 0;
      head.compressed = masked;
      head.masked = masked;
      if (masked) head.mask = {1, 2, 3, 4};
      head.size = size;
      const std::string bytes = write(head);
      WebSocketFrameHead read;
      for (std::size_t part = 0; part < bytes.size(); ++part) {
        EXPECT_EQ(read_frame_head(bytes.substr(0, part), read).status, Status::kMore);
      }
      const WebSocketHeadResult result = read_frame_head(bytes + "payload", read);
      EXPECT_EQ(result.status, Status::kHead);
      EXPECT_EQ(result.consumed, bytes.size());
      EXPECT_EQ(read.opcode, head.opcode);
      EXPECT_EQ(read.final, head.final);
      EXPECT_EQ(read.compressed, head.compressed);
      EXPECT_EQ(read.masked, head.masked);
      EXPECT_EQ(read.mask, head.mask);
      EXPECT_EQ(read.size, size);
    }
  }
}

TEST(WebSocketFrame, ExamplesOfTheSpecification) {  // RFC 6455 5.7
  WebSocketFrameHead head;
  ASSERT_EQ(read_frame_head("\x81\x05Hello", head).consumed, 2U);
  EXPECT_EQ(head.opcode, WebSocketOpcode::kText);
  EXPECT_EQ(head.size, 5U);
  std::string masked = "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58";
  ASSERT_EQ(read_frame_head(masked, head).consumed, 6U);
  std::string payload = masked.substr(6);
  apply_mask(payload, head.mask);
  EXPECT_EQ(payload, "Hello");
}

TEST(WebSocketFrame, RefusedHeads) {
  EXPECT_STREQ(error_of("\xa1\x05"), "a reserved bit is set");
  EXPECT_STREQ(error_of("\x91\x05"), "a reserved bit is set");
  EXPECT_STREQ(error_of("\x83\x05"), "unknown opcode");
  EXPECT_STREQ(error_of("\x8f\x05"), "unknown opcode");
  EXPECT_STREQ(error_of(std::string_view("\x09\x00", 2)), "a control frame is fragmented");
  EXPECT_STREQ(error_of("\x89\x7e"), "a control frame is too long");
  EXPECT_STREQ(error_of(std::string_view("\xc9\x00", 2)), "a control frame is compressed");
  EXPECT_STREQ(error_of(std::string_view("\x82\x7e\x00\x7d", 4)),
               "a length is not in its shortest form");
  EXPECT_STREQ(error_of(std::string_view("\x82\x7f\0\0\0\0\0\0\xff\xff", 10)),
               "a length is not in its shortest form");
  EXPECT_STREQ(error_of(std::string_view("\x82\x7f\x80\0\0\0\0\0\0\0", 10)),
               "a length has its highest bit set");
  EXPECT_STREQ(error_of("\xc1\x05"), "no error");
}

TEST(WebSocketFrame, MasksInAnyPieces) {
  const WebSocketMask mask{'\x12', '\x34', '\x56', '\x78'};
  std::string plain;
  for (int i = 0; i < 100; ++i) plain += static_cast<char>(i * 5);
  std::string expected = plain;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    expected[i] = static_cast<char>(expected[i] ^ mask[i % 4]);
  }
  for (std::size_t size = 1; size <= plain.size(); ++size) {
    std::string bytes = plain;
    for (std::size_t at = 0; at < bytes.size(); at += size) {
      const std::span<char> all(bytes);
      apply_mask(all.subspan(at, std::min(size, bytes.size() - at)), mask, at);
    }
    EXPECT_EQ(bytes, expected) << size;
  }
}

}  // namespace
}  // namespace coronado
