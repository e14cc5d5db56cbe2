#include <coronado/web/auth/openid.hpp>

#include <coronado/web/json.hpp>

#include "tests/web/auth/login_fixture.hpp"

namespace coronado::web_test {
namespace {

std::string argument(const ArgumentList& arguments, std::string_view name) {
  for (const auto& [key, value] : arguments) {
    if (key == name) return value;
  }
  return {};
}

struct Login : web::RequestHandler {
  explicit Login(web::OpenIDClient* openid) : openid_(*openid) {}
  Task<> get() override {
    if (request().query().find("openid.mode") == std::string_view::npos) {
      openid_.authenticate_redirect(*this, "/login");
      co_return;
    }
    const Json user = co_await openid_.get_authenticated_user(*this);
    write(json_encode(user));
  }
  web::OpenIDClient& openid_;
};

struct OpenIDBench : LoginBench {
  OpenIDBench() : openid(client, "http://provider.test/openid") {
    provider.get("/openid", [this](const HTTPServerRequest& request) {
      asked = request.query_arguments();
      return web::redirect(url_concat(argument(asked, "openid.return_to"), answer));
    });
    provider.post("/openid", [this](const HTTPServerRequest& request) {
      checked = request.body_arguments();
      return web::text(verdict, status);
    });
    site.add<Login>("/login", &openid);
    set("openid.ns", "http://specs.openid.net/auth/2.0");
    set("openid.mode", "id_res");
    set("openid.return_to", "http://site.test/login");
    set("openid.claimed_id", "http://ada.example/");
    set("openid.ns.ext1", "http://openid.net/srv/ax/1.0");
    set("openid.ext1.type.a", "http://axschema.org/contact/email");
    set("openid.ext1.value.a", "ada@example.org");
    set("openid.ext1.type.b", "http://axschema.org/namePerson/first");
    set("openid.ext1.value.b", "Ada");
    set("openid.ext1.type.c", "http://axschema.org/namePerson/last");
    set("openid.ext1.value.c", "L.");
    set("openid.ext1.type.d", "http://axschema.org/pref/language");
    set("openid.ext1.value.d", "EN");
    set("openid.signed",
        "return_to,claimed_id,ns.ext1,ext1.type.a,ext1.value.a,ext1.type.b,ext1.value.b,ext1.type."
        "c,"
        "ext1.value.c,ext1.type.d,ext1.value.d");
  }
  void set(const char* name, const char* value) {
    std::erase_if(answer, [name](const auto& each) { return each.first == name; });
    answer.emplace_back(name, value);
  }
  web::OpenIDClient openid;
  ArgumentList asked;
  ArgumentList answer;
  ArgumentList checked;
  std::string verdict = "ns:http://specs.openid.net/auth/2.0\nis_valid:true\n";
  int status = 200;
};

void with_bench(std::function<Task<>(OpenIDBench&)> body) {
  run_async([&]() -> Task<> {
    OpenIDBench bench;
    co_await body(bench);
    co_await bench.close();
  });
}

TEST(OpenID, ALogin) {
  with_bench([](OpenIDBench& bench) -> Task<> {
    const HTTPClientResponse page = co_await bench.visit("http://site.test/login");
    EXPECT_EQ(page.code, 200);
    EXPECT_EQ(json_decode(page.body), (Json{{"first_name", "Ada"},
                                            {"last_name", "L."},
                                            {"name", "Ada L."},
                                            {"email", "ada@example.org"},
                                            {"locale", "en"},
                                            {"claimed_id", "http://ada.example/"}}));
    EXPECT_EQ(argument(bench.asked, "openid.mode"), "checkid_setup");
    EXPECT_EQ(argument(bench.asked, "openid.realm"), "http://site.test/");
    EXPECT_EQ(argument(bench.asked, "openid.ax.required"),
              "firstname,fullname,lastname,email,language,username");
    EXPECT_EQ(argument(bench.checked, "openid.mode"), "check_authentication");
    EXPECT_EQ(argument(bench.checked, "openid.claimed_id"), "http://ada.example/");
  });
}

TEST(OpenID, WhatIsNotSignedDoesNotCount) {
  with_bench([](OpenIDBench& bench) -> Task<> {
    bench.set("openid.signed", "return_to,claimed_id");
    const HTTPClientResponse page = co_await bench.visit("http://site.test/login");
    EXPECT_EQ(json_decode(page.body), (Json{{"claimed_id", "http://ada.example/"}}));
  });
}

TEST(OpenID, WhatIsRefused) {
  struct Case {
    std::function<void(OpenIDBench&)> change;
    int status;
    const char* log;
  };
  const Case cases[] = {
      {[](OpenIDBench& b) { b.verdict = "is_valid:false\n"; }, 401, "does not stand by"},
      // In the text of an error it means nothing.
      {[](OpenIDBench& b) { b.verdict = "error:is_valid:true\nis_valid:false\n"; }, 401,
       "does not stand by"},
      {[](OpenIDBench& b) { b.status = 500; }, 502, "http://provider.test/openid answers 500"},
      {[](OpenIDBench& b) { b.set("openid.mode", "cancel"); }, 403, "the mode is \"cancel\""},
      {[](OpenIDBench& b) { b.set("openid.signed", "return_to"); }, 401, "nobody is named"},
      {[](OpenIDBench& b) { b.set("openid.signed", "claimed_id"); }, 403, "for another page"},
  };
  for (const Case& each : cases) {
    with_bench([&each](OpenIDBench& bench) -> Task<> {
      each.change(bench);
      const HTTPClientResponse page = co_await bench.visit("http://site.test/login");
      EXPECT_EQ(page.code, each.status) << each.log;
      EXPECT_EQ(bench.log.count(each.log), 1U) << each.log;
    });
  }
}

TEST(OpenID, AttributesAreChecked) {
  with_bench([](OpenIDBench& bench) -> Task<> {
    struct Wrong : web::RequestHandler {
      explicit Wrong(web::OpenIDClient* openid) : openid_(*openid) {}
      Task<> get() override {
        openid_.authenticate_redirect(*this, "", {"shoe size"});
        co_return;
      }
      web::OpenIDClient& openid_;
    };
    bench.site.add<Wrong>("/wrong", &bench.openid);
    const HTTPClientResponse page = co_await bench.visit("http://site.test/wrong");
    EXPECT_EQ(page.code, 500);
    EXPECT_EQ(bench.log.count("OpenID has no attribute \"shoe size\""), 1U);
  });
}

}  // namespace
}  // namespace coronado::web_test
