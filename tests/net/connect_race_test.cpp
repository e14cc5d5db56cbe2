#include "net/connect_race.hpp"

#include <gtest/gtest.h>

namespace coronado {
namespace {

using namespace std::chrono_literals;
using Family = SocketAddress::Family;

SocketAddress ip(const char* text) { return *SocketAddress::from_ip(text, 80); }

std::string drain(AddressQueue& queue) {
  std::string text;
  while (!queue.empty()) text += queue.take().host() + " ";
  return text;
}

TEST(AddressQueue, TheFamiliesTakeTurns) {
  AddressQueue queue;
  queue.add({ip("::1"), ip("::2"), ip("::3"), ip("1.0.0.1"), ip("1.0.0.2")});
  EXPECT_EQ(drain(queue), "::1 1.0.0.1 ::2 1.0.0.2 ::3 ");
  queue.add({ip("1.0.0.1"), ip("::9")});  // known, and new
  EXPECT_EQ(drain(queue), "::9 ");
}

TEST(AddressQueue, TheOneThatIsPreferredBegins) {
  AddressQueue queue;
  queue.add({ip("1.0.0.1"), ip("1.0.0.2"), ip("::1")});
  queue.prefer(Family::kIPv4);
  EXPECT_EQ(drain(queue), "1.0.0.1 ::1 1.0.0.2 ");
}

TEST(AddressQueue, OneAddressOfAnyKind) {
  AddressQueue queue;
  EXPECT_TRUE(queue.empty());
  queue.add({SocketAddress::from_path("/run/x")});
  EXPECT_EQ(queue.take().path(), "/run/x");
}

TEST(ConnectRace, SpansAreReadable) {
  EXPECT_EQ(describe_span(250ms), "250 ms");
  EXPECT_EQ(describe_span(3s), "3 s");
  EXPECT_EQ(describe_span(1500ms), "1.5 s");
  EXPECT_EQ(describe_span(0s), "0 ms");
}

}  // namespace
}  // namespace coronado
