#include <coronado/http/server_sent_event.hpp>

#include <gtest/gtest.h>

#include <stdexcept>
#include <vector>

namespace coronado {
namespace {

using namespace std::chrono_literals;

std::vector<ServerSentEvent> parse(EventStreamParser& parser, std::string_view text,
                                   std::size_t piece = 1000) {
  std::vector<ServerSentEvent> events;
  for (std::size_t at = 0; at < text.size(); at += piece) {
    std::string_view bytes = text.substr(at, piece);
    while (auto event = parser.next(bytes)) events.push_back(std::move(*event));
    EXPECT_TRUE(bytes.empty());
  }
  return events;
}

/// "name/data/id" of each event, the same for pieces of every size.
std::string told(std::string_view text) {
  std::string first;
  for (std::size_t piece = text.size(); piece > 0; --piece) {
    EventStreamParser parser;
    std::string all;
    for (const ServerSentEvent& event : parse(parser, text, piece)) {
      all += "[" + event.event + "/" + event.data + "/" + event.id.value_or("?") + "]";
    }
    if (piece == text.size()) first = all;
    EXPECT_EQ(all, first) << piece;
  }
  return first;
}

TEST(EventStreamParser, TheExamplesOfTheStandard) {
  EXPECT_EQ(told("data: This is the first message.\n\ndata: This is the second message, it\n"
                 "data: has two lines.\n\ndata: This is the third message.\n\n"),
            "[message/This is the first message./]"
            "[message/This is the second message, it\nhas two lines./]"
            "[message/This is the third message./]");
  EXPECT_EQ(told("event: add\ndata: 73857293\n\nevent: remove\ndata: 2153\n\n"),
            "[add/73857293/][remove/2153/]");
  EXPECT_EQ(told("data: YHOO\ndata: +2\ndata: 10\n\n"), "[message/YHOO\n+2\n10/]");
  // Four blocks: the third has no id of its own and resets it, the last is not complete.
  EXPECT_EQ(told(": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\n"
                 "data:  third event"),
            "[message/first event/1][message/second event/]");
  EXPECT_EQ(told("data\n\ndata\ndata\n\ndata:"), "[message//][message/\n/]");
  EXPECT_EQ(told("data:test\n\ndata: test\n\n"), "[message/test/][message/test/]");
}

TEST(EventStreamParser, LinesEndInThreeWays) {
  EXPECT_EQ(told("data: a\r\ndata: b\rdata: c\ndata: d\r\n\r\n"), "[message/a\nb\nc\nd/]");
  EXPECT_EQ(told("data: a\r\rdata: b\r\n\ndata: c\n\r"), "[message/a/][message/b/][message/c/]");
}

TEST(EventStreamParser, OddLines) {
  EXPECT_EQ(told("\xEF\xBB\xBF"
                 "data: a\n\n"),
            "[message/a/]");
  EXPECT_EQ(told("data: a\n\xEF\xBB\xBF"
                 "data: b\n\n"),
            "[message/a/]");
  EXPECT_EQ(told("data:  two spaces:and colons\n\n"), "[message/ two spaces:and colons/]");
  EXPECT_EQ(told("Data: a\n data: b\nfield: c\n:data: d\n::\n\n"), "");
  EXPECT_EQ(told("event: x\n\ndata: the name is forgotten\n\n"),
            "[message/the name is forgotten/]");
  EXPECT_EQ(told("event: x\nevent: y\ndata: a\n\n"), "[y/a/]");
  EXPECT_EQ(told("event: x\nevent\ndata: a\n\n"), "[message/a/]");
  EXPECT_EQ(told("data: \xff\xc3\n\n"), "[message/\xEF\xBF\xBD\xEF\xBF\xBD/]");
  EXPECT_EQ(told(std::string("data: a\0b\n\n", 11)), std::string("[message/a\0b/]", 14));
}

TEST(EventStreamParser, IdsStayUntilAnotherComes) {
  EXPECT_EQ(told("id: 1\ndata: a\n\ndata: b\n\nid:\ndata: c\n\nid: 2\n\ndata: d\n\n"),
            "[message/a/1][message/b/1][message/c/][message/d/2]");
  EXPECT_EQ(told(std::string("id: 1\ndata: a\n\nid: 2\0\ndata: b\n\n", 31)),
            "[message/a/1][message/b/1]");
  EventStreamParser parser;
  parse(parser, "id: 1\ndata: a\n\nid: 2\ndata: cut off\n");
  EXPECT_EQ(parser.last_event_id(), "1");
  parser.restart();
  EXPECT_EQ(parse(parser, "data: b\n\n").at(0),
            (ServerSentEvent{.event = "message", .data = "b", .id = "1"}));
}

TEST(EventStreamParser, RetryIsDigitsOnly) {
  EventStreamParser parser;
  parse(parser, "retry: 10x\nretry: -1\nretry:\nretry: 1.5\nretry:  5\n");
  EXPECT_EQ(parser.retry(), std::nullopt);
  parse(parser, "retry: 1500\n");
  EXPECT_EQ(parser.retry(), 1500ms);
  parse(parser, "retry: 99999999999999999999999999\n");
  EXPECT_EQ(parser.retry(), 24h);
  parser.restart();
  EXPECT_EQ(parser.retry(), 24h);
}

TEST(EventStreamParser, AnEventHasALimit) {
  const std::string fits = "data: " + std::string(90, 'x') + "\n\n";
  for (const std::size_t piece : {std::size_t{1}, std::size_t{1000}}) {
    EventStreamParser parser(100);
    EXPECT_EQ(parse(parser, fits + fits + ": comment\n" + fits, piece).size(), 3U);
    EXPECT_THROW(parse(parser, "data: " + std::string(200, 'x'), piece), std::length_error);
    EventStreamParser other(100);
    std::string lines;
    for (int i = 0; i < 20; ++i) lines += "data: 012345\n";
    EXPECT_THROW(parse(other, lines, piece), std::length_error);
  }
}

std::string written(const ServerSentEvent& event) {
  std::string out;
  append_event(out, event);
  return out;
}

TEST(AppendEvent, WritesWhatThereIs) {
  EXPECT_EQ(written({.data = "a"}), "data: a\n\n");
  EXPECT_EQ(written({}), "data: \n\n");
  EXPECT_EQ(written({.event = "e", .data = "a\nb\r\n\rc\n", .id = "7", .retry = 1500ms}),
            "event: e\nid: 7\nretry: 1500\ndata: a\ndata: b\ndata: \ndata: c\ndata: \n\n");
  EXPECT_EQ(written({.id = ""}), "id: \ndata: \n\n");
  std::string out;
  append_comment(out, "");
  append_comment(out, "one\ntwo");
  EXPECT_EQ(out, ":\n\n: one\n: two\n\n");
}

TEST(AppendEvent, IsReadBack) {
  for (const ServerSentEvent& event :
       {ServerSentEvent{.event = "e", .data = " a: b\n\n c", .id = "1"},
        ServerSentEvent{.event = "message", .data = "", .id = ""}}) {
    EventStreamParser parser;
    EXPECT_EQ(parse(parser, written(event)).at(0), event);
  }
}

TEST(AppendEvent, WhatCannotBeSaidIsRefused) {
  std::string out = "before";
  for (const ServerSentEvent& event :
       {ServerSentEvent{.event = "a\nb"}, ServerSentEvent{.event = "a\r"},
        ServerSentEvent{.id = "1\n"}, ServerSentEvent{.id = std::string("a\0", 2)},
        ServerSentEvent{.retry = -1ms}}) {
    EXPECT_THROW(append_event(out, event), std::invalid_argument);
  }
  EXPECT_EQ(out, "before");
}

}  // namespace
}  // namespace coronado
