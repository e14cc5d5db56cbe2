#include <coronado/base/json_typed.hpp>

#include <coronado/base/describe.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <deque>
#include <list>
#include <map>
#include <optional>
#include <span>
#include <unordered_map>

namespace shop {

struct Address {
  std::string street;
  std::string zip;
};
BOOST_DESCRIBE_STRUCT(Address, (), (street, zip))

struct Entity {
  std::int64_t id = 0;
};
BOOST_DESCRIBE_STRUCT(Entity, (), (id))

struct User : Entity {
  std::string name;
  std::optional<Address> address;
  std::vector<std::string> tags;
  std::map<std::string, int> scores;
  bool active = false;
  std::uint8_t level = 0;
  float ratio = 0;
};
BOOST_DESCRIBE_STRUCT(User, (Entity), (name, address, tags, scores, active, level, ratio))

struct Message {
  std::string_view message;
};
BOOST_DESCRIBE_STRUCT(Message, (), (message))

struct Empty {};
BOOST_DESCRIBE_STRUCT(Empty, (), ())

// Not described: reads and writes itself.
struct Color {
  int rgb = 0;
};
void append_json(std::string& out, const Color& color) {
  out += "\"#" + std::to_string(color.rgb) + "\"";
}
void read_json(coronado::JsonReader& reader, Color& color) {
  const auto number = coronado::parse_int<int>(reader.read_string().substr(1));
  if (!number) reader.note("expected a colour");
  color.rgb = number.value_or(0);
}

}  // namespace shop

namespace coronado {
namespace {

template <class T>
std::string text_of(const T& value) {
  std::string out = ">";
  append_json(out, value);
  return out.substr(1);
}

template <class T>
std::string errors_of(std::string_view text) {
  const auto result = try_json_decode<T>(text);
  if (result) return "(no error)";
  std::string list;
  for (const JsonFieldError& field : result.error().fields())
    list += field.path + ": " + field.message + "\n";
  return list.empty() ? result.error().what() : list;
}

TEST(JsonTyped, WritesValues) {
  EXPECT_EQ(text_of(true), "true");
  EXPECT_EQ(text_of(nullptr), "null");
  EXPECT_EQ(text_of(static_cast<short>(-5)), "-5");
  EXPECT_EQ(text_of(~0ull), "18446744073709551615");
  EXPECT_EQ(text_of(0.1f), "0.1");
  EXPECT_EQ(text_of(0.1), "0.1");
  EXPECT_EQ(text_of("literal"), "\"literal\"");
  EXPECT_EQ(text_of(std::string("a\"b")), "\"a\\\"b\"");
  EXPECT_EQ(text_of(std::optional<int>()), "null");
  EXPECT_EQ(text_of(std::optional<int>(3)), "3");
  EXPECT_EQ(text_of(std::vector<bool>{true, false}), "[true,false]");
  EXPECT_EQ(text_of(std::vector<std::vector<int>>{{1}, {}, {2, 3}}), "[[1],[],[2,3]]");
  const int numbers[] = {1, 2};
  EXPECT_EQ(text_of(std::span<const int>(numbers)), "[1,2]");
  EXPECT_EQ(text_of(std::list<std::string_view>{"x"}), "[\"x\"]");
  EXPECT_EQ(text_of(std::map<std::string, std::optional<double>>{{"a", 1.5}, {"b\n", {}}}),
            "{\"a\":1.5,\"b\\n\":null}");
  EXPECT_EQ(text_of(std::map<std::string, int>{}), "{}");
  EXPECT_EQ(text_of(std::vector<Json>{1, "x"}), "[1,\"x\"]");
  EXPECT_EQ(text_of(shop::Empty{}), "{}");
  EXPECT_THROW(text_of(std::nan("")), std::invalid_argument);
  EXPECT_THROW(text_of(-HUGE_VALF), std::invalid_argument);
}

TEST(JsonTyped, WritesDescribedStructs) {
  EXPECT_EQ(json_encode(shop::Message{"Hello, World!"}), R"({"message":"Hello, World!"})");
  shop::User user;
  user.id = 7;
  user.name = "Ada";
  user.tags = {"a", "b"};
  user.scores = {{"x", 1}};
  EXPECT_EQ(json_encode(user),
            R"({"id":7,"name":"Ada","address":null,"tags":["a","b"],"scores":{"x":1},)"
            R"("active":false,"level":0,"ratio":0.0})");
  user.address = shop::Address{"Main St.", "10115"};
  const auto again = json_decode<shop::User>(json_encode(user));
  EXPECT_EQ(json_encode(again), json_encode(user));
}

TEST(JsonTyped, StringsOfEveryLengthAndSpecialPlace) {
  for (std::size_t length = 0; length < 40; ++length) {
    const std::string plain(length, 'x');
    EXPECT_EQ(text_of(plain), "\"" + plain + "\"");
    for (std::size_t at = 0; at < length; ++at) {
      for (const auto& [special, escaped] :
           std::initializer_list<std::pair<char, std::string>>{{'"', "\\\""},
                                                               {'\\', "\\\\"},
                                                               {'\x1f', "\\u001f"},
                                                               {'\0', "\\u0000"},
                                                               {'\x80', "\uFFFD"},
                                                               {'<', "<"},
                                                               {'/', "/"},
                                                               {'\x7f', "\x7f"}}) {
        std::string text = plain;
        text[at] = special;
        EXPECT_EQ(text_of(text),
                  "\"" + plain.substr(0, at) + escaped + plain.substr(at + 1) + "\"");
      }
      if (at + 1 < length) {
        std::string text = plain;
        text[at] = '<';
        text[at + 1] = '/';
        EXPECT_EQ(text_of(text), "\"" + plain.substr(0, at) + "<\\/" + plain.substr(at + 2) + "\"");
      }
    }
  }
}

TEST(JsonTyped, ReadsValues) {
  EXPECT_EQ(json_decode<bool>("true"), true);
  EXPECT_EQ(json_decode<int>(" -12 "), -12);
  EXPECT_EQ(json_decode<std::uint64_t>("18446744073709551615"), ~0ull);
  EXPECT_EQ(json_decode<double>("7"), 7.0);
  EXPECT_EQ(json_decode<float>("0.5"), 0.5f);
  EXPECT_EQ(json_decode<std::string>("\"a\\u0041\""), "aA");
  EXPECT_EQ(json_decode<std::optional<int>>("null"), std::nullopt);
  EXPECT_EQ(json_decode<std::optional<int>>("1"), 1);
  EXPECT_EQ(json_decode<std::vector<bool>>("[true,false]"), (std::vector<bool>{true, false}));
  EXPECT_EQ(json_decode<std::deque<int>>("[]"), std::deque<int>());
  EXPECT_EQ((json_decode<std::unordered_map<std::string, std::vector<int>>>(R"({"a\n":[1,2]})")
                 .at("a\n")),
            (std::vector<int>{1, 2}));
  EXPECT_EQ(json_decode<std::vector<Json>>("[1,{\"a\":2}]")[1]["a"], 2);
  std::vector<int> reused = {9, 9};
  decode_json_into("[1]", reused);
  EXPECT_EQ(reused, std::vector<int>{1});
}

TEST(JsonTyped, ReadsDescribedStructs) {
  const auto user = json_decode<shop::User>(R"({
    "unknown": [{"a": ["\u0041", 1e5]}], "ratio": 2, "name": "A\"b", "level": 255, "active": true,
    "scores": {"x": 1, "y": -2}, "tags": [], "address": {"zip": "1", "street": "S", "zip": "2"}, "id": 5})");
  EXPECT_EQ(user.id, 5);
  EXPECT_EQ(user.name, "A\"b");
  EXPECT_EQ(user.level, 255);
  EXPECT_TRUE(user.active);
  EXPECT_EQ(user.scores.at("y"), -2);
  EXPECT_EQ(user.address->street, "S");
  EXPECT_EQ(user.address->zip, "2");
  EXPECT_EQ(user.ratio, 2.0f);
  EXPECT_NO_THROW(json_decode<shop::Empty>("{\"a\":1}"));
}

TEST(JsonTyped, EveryWrongFieldIsReported) {
  EXPECT_EQ(errors_of<shop::User>(R"({"id": 1.5, "name": 7, "address": {"zip": 10115},
                                      "tags": ["a", 2, {"b": [3]}, null], "scores": {"x": "y"},
                                      "active": "yes", "level": 256})"),
            "id: expected integer, got 1.5\n"
            "name: expected string, got number\n"
            "address.zip: expected string, got number\n"
            "address.street: missing\n"
            "tags[1]: expected string, got number\n"
            "tags[2]: expected string, got object\n"
            "tags[3]: expected string, got null\n"
            "scores.x: expected integer, got string\n"
            "active: expected bool, got string\n"
            "level: expected integer from 0 to 255, got 256\n"
            "ratio: missing\n");
  EXPECT_EQ(errors_of<shop::User>("[]"), ": expected object, got array\n");
  EXPECT_EQ(
      errors_of<std::vector<shop::Address>>(R"([{"street":"","zip":""},{"street":"","zip":1}])"),
      "[1].zip: expected string, got number\n");
  EXPECT_EQ(errors_of<std::int8_t>("-129"), ": expected integer from -128 to 127, got -129\n");
  EXPECT_EQ(errors_of<std::uint64_t>("-1"),
            ": expected integer from 0 to 18446744073709551615, got -1\n");
  EXPECT_EQ(errors_of<std::int64_t>("9223372036854775808"),
            ": expected integer from -9223372036854775808 to 9223372036854775807, got "
            "9223372036854775808\n");
  EXPECT_EQ(errors_of<float>("1e39"), ": expected number up to 3.4028234663852886e+38, got 1e39\n");
  EXPECT_EQ((errors_of<std::map<std::string, int>>("{\"a\":{}}")),
            "a: expected integer, got object\n");
  const auto error = try_json_decode<shop::Address>("{\n \"street\": 1, \"zip\": 2}").error();
  EXPECT_STREQ(error.what(), "street: expected string, got number");
  EXPECT_EQ(error.line(), 2u);
  EXPECT_EQ(error.column(), 12u);
  EXPECT_EQ(error.fields().size(), 2u);
}

TEST(JsonTyped, NamesTwentyFieldsAndSaysThatThereAreMore) {
  const auto fields = [](int count) {
    std::string text = "[1";
    for (int i = 1; i < count; ++i) text += ",1";
    return try_json_decode<std::vector<std::string>>(text + "]").error().fields();
  };
  EXPECT_EQ(fields(20).size(), 20u);
  EXPECT_EQ(fields(20).back().path, "[19]");
  for (const int count : {21, 100}) {
    EXPECT_EQ(fields(count).size(), 21u);
    EXPECT_EQ(fields(count).back().path, "");
    EXPECT_EQ(fields(count).back().message, "more values do not fit");
  }
}

TEST(JsonTyped, AKeyInAPathIsWhatItMeans) {
  EXPECT_EQ((errors_of<std::map<std::string, int>>(R"({"a\u0062\n": []})")),
            "ab\n: expected integer, got array\n");
  EXPECT_EQ(errors_of<shop::Address>(R"({"str\u0065et": 1, "zip": ""})"),
            "street: expected string, got number\n");
}

TEST(JsonTyped, BadTextWinsOverWrongFields) {
  EXPECT_EQ(errors_of<shop::Address>(R"({"street": 1, "zip": )"),
            "line 1, column 22: expected value, got end of text");
  EXPECT_EQ(errors_of<shop::Address>(R"({"unknown": [1,], "street": "", "zip": ""})"),
            "line 1, column 16: expected value, got ']'");
  EXPECT_EQ(errors_of<shop::Address>(R"({"street": "", "zip": ""} 1)"),
            "line 1, column 27: expected end of text, got '1'");
  EXPECT_NE(errors_of<std::vector<std::vector<int>>>(std::string(65, '[')).find("nested deeper"),
            std::string::npos);
}

TEST(JsonTyped, TypesThatReadAndWriteThemselves) {
  EXPECT_EQ(json_encode(std::vector<shop::Color>{{1}, {2}}), R"(["#1","#2"])");
  EXPECT_EQ(json_decode<std::vector<shop::Color>>(R"(["#1","#2"])")[1].rgb, 2);
  EXPECT_EQ(errors_of<std::vector<shop::Color>>(R"(["#1","#x"])"), "[1]: expected a colour\n");
}

}  // namespace
}  // namespace coronado
