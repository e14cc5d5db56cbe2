#include <coronado/base/escape.hpp>

#include <gtest/gtest.h>

#include <string>

namespace coronado {
namespace {

TEST(Escape, XHTML) {
  EXPECT_EQ(xhtml_escape("<a href=\"x\">'&'</a>"),
            "&lt;a href=&quot;x&quot;&gt;&#x27;&amp;&#x27;&lt;/a&gt;");
  EXPECT_EQ(xhtml_escape(""), "");
  EXPECT_EQ(xhtml_escape("plain \xC3\xA9"), "plain \xC3\xA9");
  std::string out = "kept:";
  append_xhtml_escaped(out, "a<b");
  EXPECT_EQ(out, "kept:a&lt;b");
}

TEST(Escape, SpecialCharactersAreFoundAtEveryPlace) {
  for (std::size_t size = 0; size < 40; ++size) {
    for (int byte = 0; byte < 256; ++byte) {
      const char c = static_cast<char>(byte);
      const bool special = std::string_view("&<>\"'").find(c) != std::string_view::npos;
      for (std::size_t place = 0; place < size; ++place) {
        std::string text(size, 'x');
        text[place] = c;
        const char* begin = text.data();
        ASSERT_EQ(find_xhtml_special(begin, begin + size) - begin,
                  static_cast<std::ptrdiff_t>(special ? place : size))
            << byte << " at " << place << " of " << size;
      }
    }
  }
  EXPECT_EQ(xhtml_reference('<'), "&lt;");
}

TEST(Escape, XHTMLUnescape) {
  EXPECT_EQ(xhtml_unescape("&lt;&gt;&amp;&quot;&#x27;&#39;&apos;"), "<>&\"'''");
  EXPECT_EQ(xhtml_unescape("foo&#32;bar&#x20;baz&#X41;"), "foo bar bazA");
  EXPECT_EQ(xhtml_unescape("&eacute;&euro;&AElig;&zwnj;"), "é€Æ\u200C");
  EXPECT_EQ(xhtml_unescape("&#128512;&#x1F600;"), "😀😀");
  EXPECT_EQ(xhtml_unescape("&#0;&#xD800;&#x110000;&#99999999999999999999;"),
            "\uFFFD\uFFFD\uFFFD\uFFFD");
  EXPECT_EQ(xhtml_unescape("&#128;&#x9f;"), "€Ÿ");
  for (const char* kept :
       {"&", "&;", "&#;", "&#x;", "&#xyz;", "&nosuch;", "&lt", "a & b; c", "&#1a;"}) {
    EXPECT_EQ(xhtml_unescape(kept), kept);
  }
  EXPECT_EQ(xhtml_unescape("&&lt;"), "&<");
  EXPECT_EQ(xhtml_unescape("&amp;lt;"), "&lt;");
  const std::string nasty = "<script>\"it's\" & more</script>";
  EXPECT_EQ(xhtml_unescape(xhtml_escape(nasty)), nasty);
}

TEST(Escape, URL) {
  EXPECT_EQ(url_escape("a b/c~d+\xC3\xA9&="), "a+b%2Fc~d%2B%C3%A9%26%3D");
  EXPECT_EQ(url_escape("a b/c", URLPart::kPath), "a%20b/c");
  EXPECT_EQ(url_escape("a b/c", URLPart::kSegment), "a%20b%2Fc");
  EXPECT_EQ(url_unescape("a+b%2fc%C3%A9"), "a b/c\xC3\xA9");
  EXPECT_EQ(url_unescape("a+b", URLPart::kPath), "a+b");
  EXPECT_EQ(url_unescape("%", URLPart::kPath), "%");
  EXPECT_EQ(url_unescape("%4"), "%4");
  EXPECT_EQ(url_unescape("%4g%%41"), "%4g%A");
  EXPECT_EQ(url_unescape("%00"), std::string(1, '\0'));
  std::string all;
  for (int c = 0; c < 256; ++c) all += static_cast<char>(c);
  for (URLPart part : {URLPart::kQuery, URLPart::kPath, URLPart::kSegment}) {
    EXPECT_EQ(url_unescape(url_escape(all, part), part), all);
  }
}

TEST(Escape, Squeeze) {
  EXPECT_EQ(squeeze("  a\t\r\n b  c\x01 "), "a b c");
  EXPECT_EQ(squeeze(" \n"), "");
  EXPECT_EQ(squeeze("a"), "a");
}

TEST(Escape, UTF8) {
  const std::string valid[] = {
      "", "plain", "é€😀", std::string("\0", 1), "\xF4\x8F\xBF\xBF", "\xED\x9F\xBF"};
  for (const std::string& text : valid) {
    EXPECT_TRUE(is_valid_utf8(text));
    EXPECT_EQ(replace_invalid_utf8(text), text);
  }
  // Unicode 3.9, table 3-8 and its neighbours: one U+FFFD for each maximal subpart.
  const std::pair<std::string, int> broken[] = {
      {"\x80", 1},         {"\xC0\xAF", 2},     {"\xE0\x80\xBF", 3}, {"\xF0\x81\x82\x41", 3},
      {"\xED\xA0\x80", 3}, {"\xF4\x90\x80", 3}, {"\xFF", 1},         {"\xE2\x82", 1},
      {"\xF0\x9F\x98", 1}, {"\xE1\x80\xE2", 2}};
  for (const auto& [text, count] : broken) {
    EXPECT_FALSE(is_valid_utf8(text));
    std::string expected;
    for (int i = 0; i < count; ++i) expected += "\uFFFD";
    if (text.ends_with('\x41')) expected += 'A';
    EXPECT_EQ(replace_invalid_utf8(text), expected);
    EXPECT_EQ(replace_invalid_utf8("a" + text + "é"), "a" + expected + "é");
  }
}

TEST(Escape, AppendUTF8) {
  std::string out;
  for (char32_t c : {U'a', U'é', U'€', U'😀', char32_t{0xD800}, char32_t{0x110000}})
    append_utf8(out, c);
  EXPECT_EQ(out, "aé€😀\uFFFD\uFFFD");
}

}  // namespace
}  // namespace coronado
