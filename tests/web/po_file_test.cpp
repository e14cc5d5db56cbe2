#include "web/po_file.hpp"

#include <coronado/base/error.hpp>

#include <gtest/gtest.h>

#include <string>

namespace coronado::web::detail {
namespace {

constexpr std::string_view kHeader =
    "msgid \"\"\n"
    "msgstr \"\"\n"
    "\"Content-Type: text/plain; charset=UTF-8\\n\"\n"
    "\"Plural-Forms: nplurals=3; plural=n==1 ? 0 : n>=2 && n<=4 ? 1 : 2;\\n\"\n";

std::string with_header(std::string_view text) { return std::string(kHeader).append(text); }

/// What is said of a text that is broken; "none" of one that is not.
std::string problem(const std::string& text) {
  Catalog catalog;
  try {
    add_po(catalog, text, "cs.po");
  } catch (const UsageError& error) {
    return error.what();
  }
  return "none";
}

TEST(POFile, MessagesContextsAndPlurals) {
  Catalog catalog;
  add_po(catalog, "\xEF\xBB\xBF# Translators: nobody\n" + with_header(R"(
#. a greeting
#: main.cpp:3
msgid "hello"
msgstr "ahoj"

msgctxt "law"
msgid "right"
msgstr "právo"
msgid "right"
msgstr "vpravo"

#, c-format
msgid "%(n)d file"
msgid_plural "%(n)d files"
msgstr[0] "%(n)d soubor"
msgstr[1] "%(n)d soubory"
msgstr[2] "%(n)d souborů"
)"),
         "cs.po");
  EXPECT_EQ(*catalog.find("hello"), "ahoj");
  EXPECT_EQ(*catalog.find("right"), "vpravo");
  EXPECT_EQ(*catalog.find(std::string("law") + kContextSeparator + "right"), "právo");
  EXPECT_EQ(*catalog.find("%(n)d file", "%(n)d files", 1), "%(n)d soubor");
  EXPECT_EQ(*catalog.find("%(n)d file", "%(n)d files", 4), "%(n)d soubory");
  EXPECT_EQ(*catalog.find("%(n)d file", "%(n)d files", 5), "%(n)d souborů");
  EXPECT_EQ(catalog.find(""), nullptr);
}

TEST(POFile, TextsInPiecesAndWithEscapes) {
  Catalog catalog;
  add_po(catalog,
         "msgid \"\"\r\n\"two \"\r\n  \"pieces\"\r\nmsgstr \"a\\tb\\n\"\r\n\"\\\"c\\\" \\\\\"\r\n",
         "cs.po");
  EXPECT_EQ(*catalog.find("two pieces"), "a\tb\n\"c\" \\");
}

TEST(POFile, WhatIsNotTranslatedIsLeftOut) {
  Catalog catalog;
  add_po(catalog, with_header(R"(
msgid "empty"
msgstr ""

#, fuzzy, c-format
#| msgid "an older text"
msgid "guessed"
msgstr "odhad"

msgid "sure"
msgstr "jistě"

msgid "one"
msgid_plural "many"
msgstr[0] "jeden"
msgstr[1] ""
msgstr[2] ""

#~ msgid "gone"
#~ msgstr "pryč"
)"),
         "cs.po");
  for (const char* each : {"empty", "guessed", "one", "gone", "an older text"}) {
    EXPECT_EQ(catalog.find(each), nullptr) << each;
  }
  EXPECT_EQ(*catalog.find("sure"), "jistě");  // only the next message is fuzzy
}

TEST(POFile, BrokenOnesAreNamedWithTheLine) {
  EXPECT_EQ(problem(""), "none");
  EXPECT_EQ(problem("msgid \"a\"\nmsgstr \"b\"\n\nmsgid c\n"),
            "translations cs.po are broken: line 4: expected a text in quotes");
  const auto says = [](const std::string& text, const std::string& expected) {
    const std::string said = problem(text);
    EXPECT_NE(said.find(expected), std::string::npos) << text << '\n' << said;
  };
  says("\"a\"\n", "line 1: a text that belongs to nothing");
  says("msgid \"a\"\n# x\n\"b\"\n", "line 3: a text that belongs to nothing");
  says("msgstr \"a\"\n", "line 1: \"msgstr\" without msgid before it");
  says("\nmsgid \"a\"\n\nmsgid \"b\"\n", "line 4: a second \"msgid\"");
  says("msgid \"a\"\nmsgstr \"b\"\nmsgstr \"c\"\n", "line 3: a second \"msgstr\"");
  says("msgid \"a\"\nmsgtsr \"b\"\n", "line 2: expected \"msgstr\", got \"msgtsr\"");
  says("msgid \"a\"\nmsgid_plural \"b\"\nmsgstr[1] \"b\"\n",
       "line 3: expected \"msgstr[0]\", got \"msgstr[1]\"");
  says("msgid \"a\nmsgstr \"b\"\n", "line 1: expected a text in quotes");
  says("msgid \"a\\\"\n", "line 1: an escape that is not known, or a quote that does not end");
  says("msgid \"\\q\"\n", "line 1: an escape that is not known");
  says("msgid \"a\"b\"\n", "line 1: a quote inside of a text");
  says("msgid \"a\"\nmsgstr \"b\"\n\nmsgid \"c\"", "line 4: a message without msgstr");
  says("msgctxt \"a\"\n", "line 1: a context without msgid");
  says("msgid \"a\"\nmsgstr \"b\"\nmsgid \"a\"\nmsgstr \"c\"\n",
       "line 3: a message that was there before");
  says("msgid \"a\"\nmsgstr \"\xFF\"\n", "line 2: it is not in UTF-8");
  says("\nmsgid \"\"\nmsgstr \"Plural-Forms: nonsense\\n\"\n",
       "line 2: not a rule for plurals: \"nonsense\"");
  says(with_header("\nmsgid \"a\"\nmsgid_plural \"b\"\nmsgstr[0] \"c\"\nmsgstr[1] \"d\"\n"),
       "line 6: 2 forms, and the rule for plurals has 3");
}

TEST(POFile, CutAnywhereItIsReadOrRefused) {
  const std::string whole = with_header(
      "msgctxt \"c\"\nmsgid \"a\\n\"\nmsgid_plural \"b\"\nmsgstr[0] \"x\"\n"
      "msgstr[1] \"y\"\nmsgstr[2] \"z\"\n");
  EXPECT_EQ(problem(whole), "none");
  for (std::size_t size = 0; size < whole.size(); ++size) problem(whole.substr(0, size));
}

}  // namespace
}  // namespace coronado::web::detail
