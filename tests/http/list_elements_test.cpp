#include "http/list_elements.hpp"

#include <gtest/gtest.h>

#include "http/http1_parser.hpp"

namespace coronado {
namespace {

TEST(ListElements, AreThoseOfAllFieldsOfTheName) {
  const std::string text =
      "GET / HTTP/1.1\r\nHost: x\r\nX-List: a, b\tc ,, \r\nOther: z\r\nx-list: "
      "d\r\nX-LIST:\r\n\r\n";
  RequestHead head;
  std::size_t searched = 0;
  ASSERT_EQ(parse_request_head(text.data(), text.size(), searched, HTTPLimits{}, head).status,
            ParseStatus::kComplete);
  EXPECT_EQ(list_elements(head, "X-List"), (std::vector<std::string>{"a", "b\tc", "d"}));
  EXPECT_TRUE(list_elements(head, "X-Lis").empty());
}

}  // namespace
}  // namespace coronado
