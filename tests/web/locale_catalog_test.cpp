#include "web/locale_catalog.hpp"

#include <coronado/base/error.hpp>
#include <coronado/testing/expect_log.hpp>

#include <gtest/gtest.h>

#include <utility>

#include "tests/web/mo_file.hpp"

namespace coronado::web::detail {
namespace {

std::string cells(std::string_view text) {
  std::string lines;
  for (const CSVRow& row : parse_csv(text)) {
    lines += std::to_string(row.line) + ':';
    for (const std::string& cell : row.cells) lines += '[' + cell + ']';
    if (row.unfinished) lines += '!';
  }
  return lines;
}

TEST(LocaleCatalog, RowsOfCSV) {
  EXPECT_EQ(cells(""), "");
  EXPECT_EQ(cells("a,b\nc , d"), "1:[a][b]2:[c][d]");
  EXPECT_EQ(cells("a,b\r\n\r\nc\r\n"), "1:[a][b]2:[]3:[c]");
  EXPECT_EQ(cells("\"a, \"\"b\"\"\",\"two\nlines\"\nnext"), "1:[a, \"b\"][two\nlines]3:[next]");
  EXPECT_EQ(cells("\"never closed\nx"), "1:[never closed\nx]!");
  EXPECT_EQ(cells(",,"), "1:[][][]");
}

TEST(LocaleCatalog, EncodingsOfCSV) {
  using namespace std::string_literals;
  EXPECT_EQ(decode_text("\xEF\xBB\xBFh\xC3\xA9"), "h\xC3\xA9");
  EXPECT_EQ(decode_text("\xFF\xFEh\0\xE9\0\x3D\xD8\x00\xDE"s), "h\xC3\xA9\xF0\x9F\x98\x80");
  EXPECT_EQ(decode_text("\xFE\xFF\0h\0\xE9"s), "h\xC3\xA9");
  EXPECT_EQ(decode_text("\xE9"), std::nullopt);
  EXPECT_EQ(decode_text("\xFF\xFEh"), std::nullopt);
  EXPECT_EQ(decode_text("\xFF\xFE\x3D\xD8"s), std::nullopt);  // half of a pair
  EXPECT_EQ(decode_text("\xFF\xFE\x00\xDE"s), std::nullopt);
}

TEST(LocaleCatalog, TablesOfCSV) {
  Catalog catalog;
  ExpectLog log("unrecognized plural indicator \"lots\" in de.csv line 3");
  ExpectLog alone("a text without translation in de.csv line 5");
  add_csv(catalog,
          "hello,hallo\n%(n)d books,%(n)d B\xC3\xBC"
          "cher,plural\nx,y,lots\na book,ein Buch,singular\n"
          "alone\nhello,guten Tag\n",
          "de.csv");
  EXPECT_EQ(*catalog.find("hello"), "guten Tag");  // the later one
  EXPECT_EQ(catalog.find("x"), nullptr);
  EXPECT_EQ(*catalog.find("a book", "%(n)d books", 1), "ein Buch");
  EXPECT_EQ(*catalog.find("a book", "%(n)d books", 2),
            "%(n)d B\xC3\xBC"
            "cher");
  EXPECT_EQ(catalog.find("a book"), nullptr);
}

TEST(LocaleCatalog, AQuoteThatDoesNotEndIsRefused) {
  Catalog catalog;
  try {
    add_csv(catalog, "a,b\n\"c\nd\",e\nf,\"g\nh,i\n", "de.csv");
    FAIL() << "it was read";
  } catch (const UsageError& error) {
    EXPECT_STREQ(error.what(), "translations de.csv are broken: line 4: a quote does not end");
  }
}

TEST(LocaleCatalog, CompiledCataloguesInBothByteOrders) {
  const std::vector<std::pair<std::string, std::string>> messages{
      {"",
       "Content-Type: text/plain; charset=UTF-8\nPlural-Forms: nplurals=3; plural=n==1 ? 0 : n<5 "
       "? 1 : 2;\n"},
      {std::string("file\0files", 10), std::string("soubor\0soubory\0soubor\xC5\xAF", 23)},
      {"hello", "ahoj"}};
  for (const bool big : {false, true}) {
    Catalog catalog;
    add_mo(catalog, web_test::mo_file(messages, big), "cs.mo");
    EXPECT_EQ(*catalog.find("hello"), "ahoj");
    EXPECT_EQ(*catalog.find("file", "files", 1), "soubor");
    EXPECT_EQ(*catalog.find("file", "files", 3), "soubory");
    EXPECT_EQ(*catalog.find("file", "files", -7), "soubor\xC5\xAF");
    EXPECT_EQ(catalog.find("other"), nullptr);
  }
}

TEST(LocaleCatalog, BrokenCataloguesAreNamed) {
  const std::string good = web_test::mo_file({{"a", "b"}}, false);
  const auto problem = [](const std::string& bytes) -> std::string {
    Catalog catalog;
    try {
      add_mo(catalog, bytes, "dir/x.mo");
    } catch (const UsageError& error) {
      return error.what();
    }
    return "none";
  };
  EXPECT_EQ(problem(good), "none");
  EXPECT_NE(problem("").find("dir/x.mo are broken: it is too short"), std::string::npos);
  EXPECT_NE(problem(std::string(40, 'x')).find("does not begin like"), std::string::npos);
  // Cut anywhere, or with any byte of its tables changed, it is refused or read, and nothing is
  // read beyond its end.
  for (std::size_t size = 0; size + 1 < good.size(); ++size) {  // the last byte is a NUL behind
    EXPECT_NE(problem(good.substr(0, size)), "none") << size;
  }
  for (std::size_t at = 8; at < 44; ++at) {
    std::string bad = good;
    bad[at] = '\xFF';
    problem(bad);
  }
  EXPECT_NE(problem(web_test::mo_file({{"a", "\xFF"}}, false)).find("message 0 is not in UTF-8"),
            std::string::npos);
  EXPECT_NE(problem(web_test::mo_file({{"", "Plural-Forms: nonsense\n"}}, false))
                .find("dir/x.mo are broken: not a rule for plurals: \"nonsense\""),
            std::string::npos);
}

}  // namespace
}  // namespace coronado::web::detail
