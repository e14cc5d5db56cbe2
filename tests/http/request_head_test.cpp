#include <coronado/http/request_head.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "parse_every_way.hpp"

namespace coronado {
namespace {

TEST(RequestHead, CountsRepeatedFieldsAndFindsTheFirst) {
  const Accepted head(with_fields("Cookie: a\r\nX-A: 1\r\ncookie: b\r\nx-a: 2\r\nX-B: 3\r\n"));
  EXPECT_EQ(head->count(FieldId::kCookie), 2U);
  EXPECT_EQ(head->find(FieldId::kCookie), "a");
  EXPECT_EQ(head->count("X-a"), 2U);
  EXPECT_EQ(head->find("X-a"), "1");
  EXPECT_EQ(head->count("COOKIE"), 2U);
  EXPECT_EQ(head->count("Accept"), 0U);
  EXPECT_EQ(head->count(FieldId::kHost), 1U);
}

TEST(RequestHead, KeepsMoreFieldsThanFitInline) {
  std::string fields;
  for (int i = 0; i < 90; ++i)
    fields += "X-" + std::to_string(i) + ": v" + std::to_string(i) + "\r\n";
  const Accepted head(with_fields(fields + "Cookie: last\r\n"));
  ASSERT_EQ(head->field_count(), 92U);
  EXPECT_EQ(head->find("x-89"), "v89");
  EXPECT_EQ(head->find(FieldId::kCookie), "last");
  EXPECT_EQ(head->fields().size(), 92U);
}

TEST(RequestHead, FieldsCanBeTakenOut) {
  std::string fields = "Cookie: a\r\nX-A: 1\r\nCookie: b\r\n";
  for (int i = 0; i < 40; ++i) fields += "X-" + std::to_string(i) + ": y\r\n";
  const Accepted parsed(with_fields(fields + "Cookie: c\r\nX-Last: z\r\n"));
  RequestHead head = *parsed.operator->();
  head.erase(FieldId::kCookie);
  EXPECT_FALSE(head.contains(FieldId::kCookie));
  EXPECT_EQ(head.count(FieldId::kCookie), 0U);
  EXPECT_EQ(head.field_count(), parsed->field_count() - 3);
  EXPECT_EQ(head.find("X-A"), "1");
  EXPECT_EQ(head.find("X-Last"), "z");
  EXPECT_EQ(head.field(head.field_count() - 1).name, "X-Last");
  head.erase(FieldId::kCookie);
  EXPECT_EQ(head.field_count(), parsed->field_count() - 3);
}

TEST(RequestHead, FollowsItsBytesWhenTheyMove) {
  const std::string text =
      "\r\nPOST http://h/p?q HTTP/1.1\r\nHost: a\r\nX: y\r\nContent-Length: 5\r\n\r\n";
  RequestHead head;
  std::size_t searched = 0;
  ASSERT_EQ(parse_request_head(text.data(), text.size(), searched, {}, head).status,
            ParseStatus::kComplete);
  const std::string before = describe(head);
  auto moved = std::make_unique<std::string>(head.bytes());
  RequestHead copy = head;
  copy.rebase(moved->data());
  EXPECT_EQ(describe(copy), before);
  EXPECT_EQ(copy.path().data(), moved->data() + 13);
  EXPECT_EQ(describe(head), before);
}

TEST(RequestHead, IsEmptyWhenNewAndWhenCleared) {
  RequestHead fresh;
  RequestHead used;
  std::size_t searched = 0;
  const std::string text =
      "PUT /a?b HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\n";
  ASSERT_EQ(parse_request_head(text.data(), text.size(), searched, {}, used).status,
            ParseStatus::kComplete);
  used.clear();
  EXPECT_EQ(describe(used), describe(fresh));
  EXPECT_EQ(used.field_count(), 0U);
  EXPECT_EQ(used.target(), "");
  EXPECT_EQ(used.find("Connection"), std::nullopt);
}

TEST(RequestHead, IsReusedWithoutTraces) {
  RequestHead head;
  std::size_t searched = 0;
  std::string big =
      "POST http://x/y?z HTTP/1.1\r\nHost: a\r\nConnection: close, upgrade\r\nUpgrade: u\r\n"
      "Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n";
  for (int i = 0; i < 40; ++i) big += "Cookie: b\r\n";
  big += "\r\n";
  ASSERT_EQ(parse_request_head(big.data(), big.size(), searched, {}, head).status,
            ParseStatus::kComplete);
  // A refused request leaves no traces either.
  searched = 0;
  const std::string refused = "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n";
  ASSERT_EQ(parse_request_head(refused.data(), refused.size(), searched, {}, head).status,
            ParseStatus::kError);
  searched = 0;
  const std::string small = "GET / HTTP/1.1\r\nHost: b\r\n\r\n";
  ASSERT_EQ(parse_request_head(small.data(), small.size(), searched, {}, head).status,
            ParseStatus::kComplete);
  EXPECT_EQ(describe(head), parse_whole(parse_request_head, small).head);
}

}  // namespace
}  // namespace coronado
