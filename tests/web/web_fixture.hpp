/// What the tests of the web layer share: an application behind a server, in virtual time.
#pragma once

#include <coronado/web/application.hpp>

#include "tests/http/server_fixture.hpp"

namespace coronado::web_test {

using namespace std::chrono_literals;
using http_test::ask;
using http_test::LogCatcher;

struct WebBench {
  WebBench() : loop({.reactor = ReactorKind::kSim}) {}
  ~WebBench() {
    if (server) loop.run_sync(server->close());
  }

  RawClient& client() {
    if (!server) server = std::make_unique<HTTPServer>(loop, app);
    if (!connection || connection->ended()) {
      auto [client, accepted] = make_memory_transports(loop);
      server->serve(std::move(accepted));
      connection = std::make_unique<RawClient>(std::move(client));
    }
    return *connection;
  }

  /// One request, one response.   Params  fields  Each with its CRLF.
  RawResponse request(std::string_view method, std::string_view target,
                      std::string_view fields = "", std::string_view body = "") {
    std::string text(method);
    text.append(" ").append(target).append(" HTTP/1.1\r\nHost: Example.com:8080\r\n");
    text.append(fields);
    if (!body.empty()) text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    text.append("\r\n").append(body);
    const auto kind = method == "HEAD" ? RawRequestKind::kHead : RawRequestKind::kUsual;
    return loop.run_sync(ask(client(), text, kind), Duration(1h));
  }
  RawResponse get(std::string_view target, std::string_view fields = "") {
    return request("GET", target, fields);
  }
  RawResponse post_form(std::string_view target, std::string_view body) {
    return request("POST", target, "Content-Type: application/x-www-form-urlencoded\r\n", body);
  }

  LogCatcher log;
  IOLoop loop;
  web::Application app;
  std::unique_ptr<HTTPServer> server;
  std::unique_ptr<RawClient> connection;
};

}  // namespace coronado::web_test
