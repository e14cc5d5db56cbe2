#include "web/arguments.hpp"

#include <coronado/http/multipart.hpp>

#include "tests/web/handler_fixture.hpp"

namespace coronado::web_test {
namespace {

using web::RequestHandler;

TEST(RequestHandler, ArgumentsOfQueryAndBody) {
  HandlerBench bench;
  bench.script.run = [](RequestHandler& handler) -> Task<> {
    handler.write(handler.get_argument("foo") + "|" + handler.get_query_argument("foo") + "|" +
                  handler.get_body_argument("foo") + "|");
    for (const std::string& each : handler.get_arguments("foo")) handler.write(each + ",");
    handler.write("|" + handler.get_argument("nope", "fallback"));
    handler.write("|" + std::to_string(handler.get_query_arguments("foo").size()));
    handler.write(std::to_string(handler.get_body_arguments("foo").size()));
    handler.write(std::to_string(handler.get_arguments("nope").size()));
    co_return;
  };
  EXPECT_EQ(bench.post_form("/h?foo=bar&foo=+q2%20", "foo=hello").body,
            "hello|q2|hello|bar,q2,hello,|fallback|210");
}

TEST(RequestHandler, BodyOfAnotherTypeHasNoArguments) {
  HandlerBench bench;
  bench.script.run = [](RequestHandler& handler) -> Task<> {
    handler.write(handler.get_argument("foo", "none"));
    co_return;
  };
  EXPECT_EQ(bench.request("POST", "/h", "Content-Type: text/plain\r\n", "foo=hello").body, "none");
  EXPECT_EQ(bench
                .request("POST", "/h",
                         "Content-Type: Application/X-WWW-Form-Urlencoded; charset=utf-8\r\n",
                         "foo=hello")
                .body,
            "hello");
}

TEST(RequestHandler, MissingAndInvalidArgumentsAre400) {
  HandlerBench bench;
  EXPECT_EQ(bench.now([](RequestHandler& h) { h.get_argument("foo"); }).status, 400);
  EXPECT_EQ(bench.log.count(": Missing argument foo"), 1U);
  EXPECT_EQ(bench.now([](RequestHandler& h) { h.get_body_argument("foo"); }, "/h?foo=1").body,
            R"({"type":"about:blank","title":"Bad Request","status":400,)"
            R"("detail":"Missing argument foo",)"
            R"("errors":[{"field":"foo","message":"missing argument"}]})");
  EXPECT_EQ(bench.now([](RequestHandler& h) { h.get_argument("foo"); }, "/h?foo=%FF").status, 400);
  EXPECT_EQ(bench.log.count("invalid unicode in argument foo"), 1U);
  EXPECT_EQ(
      bench.now([](RequestHandler& h) { h.write(h.get_argument("foo")); }, "/h?foo=%C3%A9").body,
      "\xC3\xA9");
  EXPECT_EQ(
      bench.now([](RequestHandler& h) { h.write(h.get_argument("foo")); }, "/h?foo=a%01b%0A").body,
      "a b");
  EXPECT_EQ(
      bench.now([](RequestHandler& h) { h.write(h.get_argument("a b", "?")); }, "/h?a+b=1").body,
      "1");
}

TEST(RequestHandler, MultipartForms) {
  WebBench bench;
  struct Form : RequestHandler {
    Task<> post() override {
      write(get_body_argument("note") + "|" + get_argument("note"));
      for (const HTTPFile& file : request().files()) {
        write("|" + file.name + "," + file.filename + "," + file.content_type + "," + file.body);
      }
      co_return;
    }
  };
  bench.app.add<Form>("/form");
  const std::string body =
      "--b\r\nContent-Disposition: form-data; name=note\r\n\r\nhello\r\n"
      "--b\r\nContent-Disposition: form-data; name=f; filename=g\r\n\r\ncontent\r\n--b--\r\n";
  const std::string type = "Content-Type: multipart/form-data; boundary=b\r\n";
  EXPECT_EQ(bench.request("POST", "/form", type, body).body,
            "hello|hello|f,g,application/unknown,content");
  EXPECT_EQ(bench.request("POST", "/form", type, body.substr(0, 90)).status, 400);
  EXPECT_EQ(bench.request("POST", "/form", "Content-Type: multipart/form-data\r\n", body).status,
            400);
  EXPECT_EQ(bench.request("POST", "/form", type + "Content-Encoding: gzip\r\n", body).status, 400);
  EXPECT_EQ(bench.log.count("unsupported Content-Encoding of a form: \"gzip\""), 1U);
}

TEST(RequestHandler, PathArguments) {
  WebBench bench;
  struct Paths : RequestHandler {
    Task<> get() override {
      write(path_argument(0UL) + "|" + path_argument("second"));
      EXPECT_THROW(path_argument(2UL), std::out_of_range);
      EXPECT_THROW(path_argument("third"), std::out_of_range);
      co_return;
    }
  };
  bench.app.add<Paths>("/p/{first}/{second}");
  EXPECT_EQ(bench.get("/p/a%2Fb/c+d").body, "a/b|c+d");
  EXPECT_EQ(bench.get("/p/a/%FF").status, 400);
}

/// Its clients speak Latin-1.
struct OldClient : web::RequestHandler {
  Task<> get() override {
    write(get_argument("q") + "|" + get_query_arguments("q").back() + "|" + path_argument(0UL) +
          "|" + get_argument("none", "as it is"));
    co_return;
  }
  std::string decode_argument(std::string_view value, std::string_view name) const override {
    std::string text(name);
    for (const char c : value) {
      const auto byte = static_cast<unsigned char>(c);
      if (byte < 0x80) {
        text += c;
      } else {
        text += static_cast<char>(0xC0 | (byte >> 6));
        text += static_cast<char>(0x80 | (byte & 0x3F));
      }
    }
    return text;
  }
};

TEST(Arguments, AHandlerMayReadThemInItsOwnWay) {
  WebBench bench;
  bench.app.add<OldClient>("/old/{name}");
  EXPECT_EQ(bench.get("/old/%E4?q=%E9%20").body, "q\u00e9 |q\u00e9 |\u00e4|as it is");
}

}  // namespace
}  // namespace coronado::web_test
