#include "web/debug_page.hpp"

#include <coronado/coro/timeout.hpp>

#include "tests/web/web_fixture.hpp"

namespace coronado::web_test {
namespace {

Task<std::string> look_up(std::string id) {
  co_await sleep(1ms);
  throw std::runtime_error("what <b>broke</b>");
  co_return id;
}

struct Breaks : web::RequestHandler {
  Task<> get() override { write(co_await look_up(path_argument(0))); }
};

TEST(DebugPage, IsServedOnlyWhenAskedFor) {
  WebBench bench;
  bench.app.add<Breaks>("/class/{id}");
  bench.app.get("/function/{id}", look_up);
  constexpr std::string_view fields =
      "Cookie: secret=1\r\nX-Seen: yes\r\nAuthorization: Basic eA==\r\n";
  for (const char* path : {"/class/7?x=<i>", "/function/7?x=<i>"}) {
    bench.app.set_serve_traceback(false);
    EXPECT_EQ(bench.get(path, fields).body.find("broke"), std::string::npos);
    bench.app.set_serve_traceback(true);
    const RawResponse page = bench.get(path, fields);
    EXPECT_EQ(page.status, 500);
    EXPECT_NE(page.body.find("std::runtime_error"), std::string::npos) << path;
    EXPECT_NE(page.body.find("what &lt;b&gt;broke&lt;/b&gt;"), std::string::npos);
    EXPECT_NE(page.body.find("<th scope=\"row\">id</th><td>7</td>"), std::string::npos);
    EXPECT_NE(page.body.find("X-Seen"), std::string::npos);
    EXPECT_EQ(page.body.find("secret=1"), std::string::npos);
    EXPECT_EQ(page.body.find("eA=="), std::string::npos);
    EXPECT_EQ(page.body.find("<i>"), std::string::npos);
    EXPECT_NE(page.body.find("look_up() at or behind the co_await of "), std::string::npos);
  }
  EXPECT_EQ(bench.log.count("look_up() at or behind the co_await of "), 4U);
}

TEST(DebugPage, TheAwaitTraceLeadsFromTheHandlerToTheThrow) {
  WebBench bench;
  bench.app.set_serve_traceback(true).add<Breaks>("/{id}");
  const std::string page = bench.get("/7").body;
  const std::size_t handler = page.find(" coronado::web_test::Breaks::get()\n");
  const std::size_t thrown = page.find("thrown in coronado::web_test::look_up() ");
  EXPECT_NE(handler, std::string::npos) << page;
  EXPECT_NE(thrown, std::string::npos) << page;
  EXPECT_LT(handler, thrown);
}

}  // namespace
}  // namespace coronado::web_test
