#include "http/websocket_handshake.hpp"

#include <gtest/gtest.h>

namespace coronado {
namespace {

TEST(WebsocketAccept, IsTheOneOfTheRfc) {
  EXPECT_EQ(websocket_accept("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

TEST(IsSameOrigin, ComparesHostAndPort) {
  EXPECT_TRUE(is_same_origin("http://example.org", "example.org"));
  EXPECT_TRUE(is_same_origin("https://Example.org:8443/path", "example.ORG:8443"));
  EXPECT_FALSE(is_same_origin("http://example.org:80", "example.org:8080"));
  EXPECT_FALSE(is_same_origin("http://evil.example", "example.org"));
  EXPECT_FALSE(is_same_origin("example.org", "example.org"));
  EXPECT_FALSE(is_same_origin("null", "null"));
}

struct Answer {
  const char* offer;
  const char* answer;  // null: declined
};

void PrintTo(const Answer& each, std::ostream* out) { *out << each.offer; }

class DeflateOffers : public testing::TestWithParam<Answer> {};

TEST_P(DeflateOffers, AreAnswered) {
  std::string answer;
  const WebSocketCompression keeping{.forget_own_window = false};
  const auto agreed = answer_deflate_offers({GetParam().offer}, keeping, answer);
  EXPECT_EQ(agreed.has_value(), GetParam().answer != nullptr);
  EXPECT_EQ(answer, GetParam().answer == nullptr ? "" : GetParam().answer);
}

INSTANTIATE_TEST_SUITE_P(
    RFC7692, DeflateOffers,
    testing::Values(
        Answer{"permessage-deflate", "permessage-deflate"},
        Answer{"permessage-deflate; client_max_window_bits", "permessage-deflate"},
        Answer{"permessage-deflate; client_max_window_bits=10",
               "permessage-deflate; client_max_window_bits=10"},
        Answer{"permessage-deflate; client_max_window_bits=\"9\"",
               "permessage-deflate; client_max_window_bits=9"},
        Answer{"permessage-deflate;server_max_window_bits=10",
               "permessage-deflate; server_max_window_bits=10"},
        Answer{"permessage-deflate; server_no_context_takeover",
               "permessage-deflate; server_no_context_takeover"},
        Answer{"permessage-deflate; client_no_context_takeover",
               "permessage-deflate; client_no_context_takeover"},
        Answer{"permessage-deflate; server_no_context_takeover; client_no_context_takeover; "
               "server_max_window_bits=15; client_max_window_bits=15",
               "permessage-deflate; server_no_context_takeover; client_no_context_takeover; "
               "server_max_window_bits=15; client_max_window_bits=15"},
        Answer{"permessage-deflate; server_max_window_bits=8; client_max_window_bits=8",
               "permessage-deflate; server_max_window_bits=8; client_max_window_bits=8"},
        // What is no offer is declined.
        Answer{"permessage-deflate; server_max_window_bits=7", nullptr},
        Answer{"permessage-deflate; server_max_window_bits=16", nullptr},
        Answer{"permessage-deflate; server_max_window_bits=010", nullptr},
        Answer{"permessage-deflate; server_max_window_bits", nullptr},
        Answer{"permessage-deflate; client_max_window_bits=x", nullptr},
        Answer{"permessage-deflate; client_max_window_bits; client_max_window_bits", nullptr},
        Answer{"permessage-deflate; server_no_context_takeover=1", nullptr},
        Answer{"permessage-deflate; server_no_context_takeover; server_no_context_takeover",
               nullptr},
        Answer{"permessage-deflate; unknown", nullptr}, Answer{"x-webkit-deflate-frame", nullptr}));

TEST(AnswerDeflateOffers, TakesTheFirstThatCanBeServed) {
  std::string answer;
  const auto agreed = answer_deflate_offers(
      {"permessage-deflate; server_max_window_bits=7", "permessage-deflate"}, {}, answer);
  ASSERT_TRUE(agreed);
  EXPECT_EQ(answer, "permessage-deflate; server_no_context_takeover");
}

TEST(AnswerDeflateOffers, OwnWishesAreSaid) {
  std::string answer;
  const WebSocketCompression wanted{
      .forget_peer_window = true, .own_window_bits = 11, .peer_window_bits = 12};
  auto agreed =
      answer_deflate_offers({"permessage-deflate; client_max_window_bits"}, wanted, answer);
  ASSERT_TRUE(agreed);
  EXPECT_EQ(answer,
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover; "
            "server_max_window_bits=11; client_max_window_bits=12");
  EXPECT_EQ(agreed->client_window_bits, 12);
  // A client that does not say so cannot be told its window.
  agreed = answer_deflate_offers({"permessage-deflate"}, wanted, answer);
  EXPECT_EQ(agreed->client_window_bits, 15);
}

}  // namespace
}  // namespace coronado
