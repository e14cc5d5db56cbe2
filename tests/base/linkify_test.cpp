#include <coronado/base/linkify.hpp>

#include <gtest/gtest.h>

namespace coronado {
namespace {

TEST(Linkify, MakesLinksOfURLs) {
  EXPECT_EQ(linkify("hello http://world.com/!"),
            "hello <a href=\"http://world.com/\">http://world.com/</a>!");
  EXPECT_EQ(linkify("hello http://world.com/with?param=true&stuff=yes"),
            "hello <a href=\"http://world.com/with?param=true&amp;stuff=yes\">"
            "http://world.com/with?param=true&amp;stuff=yes</a>");
  EXPECT_EQ(linkify("http://url.com/w(aaaaaaaaaaaa"),
            "<a href=\"http://url.com/w\">http://url.com/w</a>(aaaaaaaaaaaa");
  EXPECT_EQ(linkify("(http://url.com/Wiki_(letter)), www.external-link.com."),
            "(<a href=\"http://url.com/Wiki_(letter)\">http://url.com/Wiki_(letter)</a>), "
            "<a href=\"http://www.external-link.com\">www.external-link.com</a>.");
  EXPECT_EQ(linkify("two http://a.com, https://b.org/x"),
            "two <a href=\"http://a.com\">http://a.com</a>, "
            "<a href=\"https://b.org/x\">https://b.org/x</a>");
  EXPECT_EQ(linkify("none here: a.b <c>"), "none here: a.b &lt;c&gt;");
  EXPECT_EQ(linkify(""), "");
}

TEST(Linkify, TextIsEscapedAndSchemesAreChosen) {
  EXPECT_EQ(linkify("<script>http://x.y/\"onclick=\"z"),
            "&lt;script&gt;<a href=\"http://x.y/&quot;onclick=&quot;z\">"
            "http://x.y/&quot;onclick=&quot;z</a>");
  EXPECT_EQ(linkify("javascript://alert(1)"), "javascript://alert(1)");
  EXPECT_EQ(linkify("ftp://a.b"), "ftp://a.b");
  EXPECT_EQ(linkify("ftp://a.b", {.permitted_protocols = {"ftp"}}),
            "<a href=\"ftp://a.b\">ftp://a.b</a>");
  EXPECT_EQ(linkify("www.a.com http://b.com", {.require_protocol = true}),
            "www.a.com <a href=\"http://b.com\">http://b.com</a>");
}

TEST(Linkify, ExtraAttributes) {
  EXPECT_EQ(linkify("www.a.com", {.extra_params = " rel=\"nofollow\" "}),
            "<a href=\"http://www.a.com\" rel=\"nofollow\">www.a.com</a>");
}

TEST(Linkify, LongURLsAreShortened) {
  const LinkifyOptions shorten{.shorten = true};
  EXPECT_EQ(linkify("http://reallylong.com/link/that/exceedsthelenglimit.html", shorten),
            "<a href=\"http://reallylong.com/link/that/exceedsthelenglimit.html\" "
            "title=\"http://reallylong.com/link/that/exceedsthelenglimit.html\">"
            "http://reallylong.com/link...</a>");
  EXPECT_EQ(linkify("http://short.com/x", shorten),
            "<a href=\"http://short.com/x\">http://short.com/x</a>");
  const std::string made = linkify("http://" + std::string(200, 'a') + ".com", shorten);
  EXPECT_NE(made.find(">http://" + std::string(23, 'a') + "...</a>"), std::string::npos) << made;
}

TEST(Linkify, LongTextTakesLinearTime) {
  EXPECT_EQ(linkify(std::string(200'000, '(')).size(), 200'000U);
  std::string many;
  for (int i = 0; i < 2000; ++i) many += "http://a.b/" + std::to_string(i) + " ";
  EXPECT_NE(linkify(many).find(">http://a.b/1999</a> "), std::string::npos);
}

}  // namespace
}  // namespace coronado
