#include "http/websocket_random.hpp"

#include <gtest/gtest.h>

#include <set>

namespace coronado {
namespace {

TEST(RandomWebsocketMask, MasksDiffer) {
  std::set<WebSocketMask> masks;
  for (int i = 0; i < 3000; ++i) masks.insert(random_websocket_mask());  // refills in between
  EXPECT_GT(masks.size(), 2990U);
}

}  // namespace
}  // namespace coronado
