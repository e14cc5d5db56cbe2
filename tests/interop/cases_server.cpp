// The small application that cases_test.py asks: the fixture of Tornado's own black-box tests.
//
//     cases_server --port=N [limits; see --help]
#include <coronado/base/strings.hpp>
#include <coronado/coro/locks.hpp>
#include <coronado/http/multipart.hpp>
#include <coronado/web.hpp>
#include <coronado/web/security.hpp>
#include <coronado/websocket.hpp>

#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace web = coronado::web;
using coronado::ArgumentList;
using coronado::HTTPError;
using coronado::HTTPServerRequest;
using coronado::Json;
using coronado::Task;

namespace {

Json lists(const ArgumentList& query, const ArgumentList& body) {
  Json object = Json::object();
  for (const ArgumentList* arguments : {&query, &body}) {
    for (const auto& [name, value] : *arguments) object[name].push_back(value);
  }
  return object;
}

struct Hello : web::RequestHandler {
  Task<> get() override {
    set_header("Content-Type", "text/plain");
    write("Hello world");
    co_return;
  }
  Task<> post() override {
    write("Got " + std::to_string(request().body().size()) + " bytes in POST");
    co_return;
  }
  Task<> put() override { return post(); }
};

// All arguments, and the files of a form; `get_arguments` checks that they are UTF-8.
struct Echo : web::RequestHandler {
  Task<> get() override {
    for (const auto& [name, value] : request().query_arguments()) get_argument(name);
    set_header("Content-Type", "application/json");
    Json all = lists(request().query_arguments(), request().body_arguments());
    for (const coronado::HTTPFile& file : request().files()) all[file.name] = file.filename;
    write(coronado::json_encode(all));
    co_return;
  }
  Task<> post() override { return get(); }
};

// Ten bytes, flushed, and five more.
struct Flush : web::RequestHandler {
  Task<> get() override {
    write("0123456789");
    co_await flush();
    write("abcde");
  }
};

Task<std::string> read_page(std::string name) {
  if (name != "home") throw std::runtime_error("on purpose");
  co_return name;
}

Task<std::string> load_page(std::string name) {
  std::string page = co_await read_page(std::move(name));
  co_return page;
}

struct Fails : web::RequestHandler {
  Task<> get() override { write(co_await load_page("missing")); }
};

// Answers with the status and reason that the query says.
struct Status : web::RequestHandler {
  Task<> get() override {
    const int code = coronado::parse_int<int>(get_argument("code")).value_or(500);
    set_status(code, get_argument("reason", ""));
    if (get_argument("error", "") == "yes") send_error(code, get_argument("reason", ""));
    co_return;
  }
};

// Text of so many bytes, for compression.
struct Text : web::RequestHandler {
  Task<> get() override {
    set_header("Content-Type", "text/plain");
    if (const auto vary = request().header("X-Vary")) set_header("Vary", *vary);
    write(std::string(coronado::parse_int<std::size_t>(get_argument("size")).value_or(0), 'x'));
    co_return;
  }
};

// Sets one cookie twice, or one as the query says.
struct Cookies : web::RequestHandler {
  Task<> get() override {
    try {
      set_cookie("a", get_argument("first", "b"));
      coronado::CookieOptions options;
      options.path = get_argument("path", "/");
      options.domain = get_argument("domain", "");
      set_cookie("a", get_argument("second", "e"), options);
    } catch (const std::invalid_argument& error) {
      throw HTTPError(400, error.what());
    }
    write(std::string(get_cookie("foo").value_or("none")));
    co_return;
  }
};

struct Tagged : web::RequestHandler {
  Task<> get() override {
    set_header("Content-Language", "en");
    write("tagged text");
    co_return;
  }
};

// What the client needs for a form: a token, and its cookie.
struct Protected : web::RequestHandler {
  Task<> get() override {
    write(xsrf_token());
    co_return;
  }
  Task<> post() override {
    check_xsrf_cookie();  // the other cases post without a token, so it is not for the application
    write("ok");
    co_return;
  }
};

// Signs a value and tells what a signed one holds.
struct Signed : web::RequestHandler {
  Task<> get() override {
    write(create_signed_value("name", get_argument("value")));
    co_return;
  }
  Task<> post() override {
    write(get_signed_cookie(get_argument("name")).value_or("none"));
    co_return;
  }
};

struct Singular : web::RequestHandler {
  Task<> get() override {
    Json all = Json::array();
    for (const std::string& each : get_arguments("foo")) all.push_back(each);
    set_header("Content-Type", "application/json");
    write(coronado::json_encode(Json{{"one", get_argument("foo")}, {"all", std::move(all)}}));
    co_return;
  }
  Task<> post() override { return get(); }
};

// Chooses "good" of what is offered; says goodbye when it is told to.
struct Socket : web::WebSocketHandler {
  explicit Socket(bool compression) {
    if (compression)
      options_.compression = coronado::WebSocketCompression{.forget_own_window = false};
    options_.max_message_size = 10UL * 1024 * 1024;
  }
  const coronado::WebSocketOptions& websocket_options() const override { return options_; }
  std::string select_subprotocol(const std::vector<std::string>& offered) override {
    for (const std::string& each : offered) {
      if (each == "good") return each;
    }
    return "";
  }
  Task<> on_message(const coronado::WebSocketMessage& message) override {
    if (message.data == "close me") {
      close(1001, "goodbye");
      try {
        write_message("too late");
      } catch (const std::exception&) {
        ++refused_writes;
      }
    } else if (message.data == "how often") {
      write_message(std::to_string(refused_writes));
    } else {
      write_message(message);
    }
    return {};
  }
  static inline int refused_writes = 0;

 private:
  coronado::WebSocketOptions options_;
};

// Limits inflated messages to 1,024 bytes.
struct SmallSocket : Socket {
  SmallSocket() : Socket(true) {
    small_.max_message_size = 1024;
    small_.compression.emplace();
  }
  const coronado::WebSocketOptions& websocket_options() const override { return small_; }

 private:
  coronado::WebSocketOptions small_;
};

web::Application make_app() {
  web::Application app;
  app.set_automatic_etags(true).set_serve_traceback(std::getenv("CASES_TRACEBACK") != nullptr);
  app.set_security({.cookie_secret = std::string("the secret of the cases")});
  app.add<Hello>("/");
  app.add<Hello>("/hello");
  app.add<Echo>("/echo");
  app.add<Flush>("/flush");
  app.add<Fails>("/err");
  app.add<Status>("/status");
  app.add<Text>("/text");
  app.add<Cookies>("/cookies");
  app.add<Tagged>("/tagged");
  app.add<Protected>("/protected");
  app.add<Signed>("/signed");
  app.add<web::RedirectHandler>("/swap/{first}/{second}/{rest:path}", "/swapped/{1}/{0}/{2}");
  app.get(coronado::re("/removeslash/?"), [] { return "ok"; },
          {.middleware = {web::remove_slash()}});
  app.get(coronado::re("/addslash/?"), [] { return "ok"; }, {.middleware = {web::add_slash()}});
  if (const char* folder = std::getenv("CASES_STATIC")) {
    app.static_files("/static/", folder, {.default_filename = "index.html"});
  }
  app.add<Singular>("/get_argument");
  app.get("/204", [] {});
  app.get(coronado::re("/slashes/([^/]*)/([^/]*)"), [](std::string first, std::string second) {
    return web::json(Json::array({first, second}));
  });
  app.get("/ip", [](const HTTPServerRequest& request) {
    return web::json({{"remote_ip", request.remote_ip()}, {"protocol", request.protocol()}});
  });
  app.add<Socket>("/ws/echo", true);
  app.add<Socket>("/ws/plain", false);
  app.add<SmallSocket>("/ws/small");
  return app;
}

}  // namespace

int main(int argc, char** argv) { return web::serve(argc, argv, make_app); }
