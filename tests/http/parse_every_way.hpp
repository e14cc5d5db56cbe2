/// Parsing a request head in every way there is, for the tests of the parser and the head.
///
/// Layer: http (tests).
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/http1_parser.hpp"

namespace coronado {

using Parser = decltype(&parse_request_head);
inline constexpr Parser kParsers[] = {parse_request_head, parse_request_head_scalar};

/// A copy whose end is the end of its allocation, so that AddressSanitizer sees an over-read.
struct Exact {
  explicit Exact(std::string_view text) : bytes(new char[text.size()]), size(text.size()) {
    std::copy(text.begin(), text.end(), bytes.get());
  }
  std::unique_ptr<char[]> bytes;
  std::size_t size;
};

/// Everything a head says, as text, so that two heads can be compared.
inline std::string describe(const RequestHead& head) {
  const auto text = [](std::string_view view) { return "<" + std::string(view) + "> "; };
  std::string all = text(head.method()) + std::to_string(static_cast<int>(head.method_id())) + " " +
                    text(head.target()) + text(head.path()) + text(head.query()) +
                    text(head.authority()) + std::to_string(head.minor_version()) + " " +
                    std::to_string(static_cast<int>(head.framing())) + " " +
                    std::to_string(head.content_length()) + " ";
  for (const bool flag : {head.keep_alive(), head.expects_continue(), head.upgrade(),
                          head.has_body(), head.target_is_https()}) {
    all += flag ? "1" : "0";
  }
  for (const HeaderField& field : head.fields()) {
    all += "\n" + text(field.name) + std::to_string(static_cast<int>(field.id)) + text(field.value);
    if (field.id != FieldId::kOther) {
      all += text(head.find(field.id).value_or("?")) + std::to_string(head.count(field.id));
    }
  }
  return all + "\n" + text(head.bytes());
}

struct Outcome {
  ParseResult result;
  std::string head;
};

inline Outcome parse_whole(Parser parser, std::string_view text, const HTTPLimits& limits = {}) {
  const Exact exact(text);
  RequestHead head;
  std::size_t searched = 0;
  const ParseResult result = parser(exact.bytes.get(), exact.size, searched, limits, head);
  return {result, result.status == ParseStatus::kComplete ? describe(head) : ""};
}

/// Feeds `text` in steps that end at `cuts` and at its end; stops at the first answer.
inline Outcome parse_pieces(Parser parser, std::string_view text,
                            const std::vector<std::size_t>& cuts, const HTTPLimits& limits = {}) {
  std::size_t searched = 0;
  RequestHead head;
  for (std::size_t cut : cuts) {
    const Exact exact(text.substr(0, cut));
    const ParseResult result = parser(exact.bytes.get(), exact.size, searched, limits, head);
    if (result.status != ParseStatus::kIncomplete) {
      return {result, result.status == ParseStatus::kComplete ? describe(head) : ""};
    }
    EXPECT_EQ(searched, cut);
  }
  return {};
}

/// Parses `text` in every way there is and checks that the answers agree. Returns the answer.
inline Outcome parse_every_way(std::string_view text, const HTTPLimits& limits = {}) {
  const Outcome expected = parse_whole(parse_request_head, text, limits);
  const auto check = [&](const Outcome& got, const std::string& how) {
    EXPECT_EQ(got.result.status, expected.result.status) << how << ": " << text;
    EXPECT_EQ(got.result.http_status, expected.result.http_status) << how << ": " << text;
    EXPECT_EQ(got.result.consumed, expected.result.consumed) << how << ": " << text;
    EXPECT_EQ(got.head, expected.head) << how;
  };
  std::vector<std::size_t> all_cuts;
  for (std::size_t cut = 0; cut <= text.size(); ++cut) all_cuts.push_back(cut);
  for (const Parser parser : kParsers) {
    const std::string name = parser == parse_request_head ? "fast" : "scalar";
    check(parse_whole(parser, text, limits), name + " whole");
    if (parser == parse_request_head) {
      check(parse_whole(parse_request_head_scalar, text, limits), "scalar whole");
    }
    check(parse_pieces(parser, text, all_cuts, limits), name + " byte by byte");
    for (const std::size_t cut : all_cuts) {
      check(parse_pieces(parser, text, {cut, text.size()}, limits),
            name + " cut at " + std::to_string(cut));
    }
  }
  // What follows a head belongs to the next message and changes nothing.
  if (expected.result.status == ParseStatus::kComplete) {
    for (const Parser parser : kParsers) {
      check(
          parse_whole(parser, std::string(text) + "GET /next HTTP/1.1\r\nHost: b\r\n\r\n", limits),
          "followed");
    }
  }
  return expected;
}

inline void expect_refused(std::string_view text, int status, const HTTPLimits& limits = {}) {
  const Outcome outcome = parse_every_way(text, limits);
  EXPECT_EQ(outcome.result.status, ParseStatus::kError) << text;
  EXPECT_EQ(outcome.result.http_status, status) << text << "\n" << outcome.result.reason;
  EXPECT_STRNE(outcome.result.reason, "");
}

/// The head of `text`, which must be accepted in every way.
class Accepted {
 public:
  explicit Accepted(std::string_view text, const HTTPLimits& limits = {}) : text_(text) {
    const Outcome outcome = parse_every_way(text_, limits);
    EXPECT_EQ(outcome.result.status, ParseStatus::kComplete)
        << text << "\n"
        << outcome.result.http_status << " " << outcome.result.reason;
    std::size_t searched = 0;
    parse_request_head(text_.data(), text_.size(), searched, limits, head_);
  }
  const RequestHead* operator->() const { return &head_; }

 private:
  std::string text_;
  RequestHead head_;
};

inline std::string with_fields(std::string_view fields) {
  return "POST /x HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "\r\n";
}

}  // namespace coronado
