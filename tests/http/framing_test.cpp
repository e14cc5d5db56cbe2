#include "http/framing.hpp"

#include <gtest/gtest.h>

namespace coronado {
namespace {

TEST(Framing, ContentLengthIsDigitsOnly) {
  std::uint64_t length = 1;
  EXPECT_FALSE(parse_content_length("0", length));
  EXPECT_EQ(length, 0U);
  EXPECT_FALSE(parse_content_length("9223372036854775807", length));
  EXPECT_EQ(length, 9223372036854775807U);
  for (const char* wrong : {"", "+1", "-1", "1 ", "0x1", "1_0", "1,1"}) {
    EXPECT_STREQ(parse_content_length(wrong, length).reason, "invalid Content-Length") << wrong;
  }
  EXPECT_STREQ(parse_content_length("9223372036854775808", length).reason,
               "Content-Length out of range");
  EXPECT_EQ(length, 9223372036854775807U);
}

TEST(Framing, ChunkedIsTheOnlyCoding) {
  const auto status = [](std::initializer_list<const char*> values) {
    TransferCodings codings;
    for (const char* value : values) {
      if (const HeadError error = codings.add(value)) return error.status;
    }
    return codings.finish().status;
  };
  EXPECT_EQ(status({"chunked"}), 0);
  EXPECT_EQ(status({"CHUNKED"}), 0);
  EXPECT_EQ(status({"gzip, chunked"}), 501);
  EXPECT_EQ(status({"gzip", "chunked"}), 501);
  EXPECT_EQ(status({"gzip"}), 400);
  EXPECT_EQ(status({"chunked, chunked"}), 400);
  EXPECT_EQ(status({"chunked,"}), 400);
  EXPECT_EQ(status({"\vchunked"}), 400);
}

TEST(Framing, ConnectionOptionsInAnyCase) {
  ConnectionOptions options;
  options.add("Keep-Alive, x");
  options.add(" CLOSE ,upgrade");
  EXPECT_TRUE(options.close && options.keep_alive && options.upgrade);
  ConnectionOptions none;
  none.add("closed");
  EXPECT_FALSE(none.close || none.keep_alive || none.upgrade);
}

}  // namespace
}  // namespace coronado
