/// A site, a browser, and a provider on a simulated network.
#pragma once

#include <coronado/http/cookie_jar.hpp>
#include <coronado/http/httpclient.hpp>
#include <coronado/http/httpserver.hpp>
#include <coronado/testing/async_test.hpp>
#include <coronado/testing/sim_network.hpp>
#include <coronado/web/application.hpp>

#include <functional>
#include <memory>
#include <string>

#include "tests/http/client_fixture.hpp"

namespace coronado::web_test {

using namespace std::chrono_literals;
using client_test::Door;
using http_test::LogCatcher;

/// http://site.test is what is tested; the test adds its routes. http://provider.test is what it asks;
/// the test gives that its routes, too.
struct LoginBench {
  LoginBench()
      : network(*IOLoop::current()),
        site_host(network.add_host("site.test", {"10.0.1.1"})),
        provider_host(network.add_host("provider.test", {"10.0.1.2"})),
        site_server(*IOLoop::current(), site),
        provider_server(*IOLoop::current(), provider),
        client(HTTPClientOptions{.resolver = network.names()}),
        jar(std::make_shared<CookieJar>()),
        browser(HTTPClientOptions{.resolver = network.names(), .cookies = jar}),
        site_door(std::make_unique<Door>(site_server, site_host.address(80))),
        provider_door(std::make_unique<Door>(provider_server, provider_host.address(80))) {}

  /// What the browser sees at last.
  Task<HTTPClientResponse> visit(std::string url, bool follow = true) {
    HTTPClientResponse page = co_await browser.fetch(
        {.url = std::move(url), .follow_redirects = follow, .raise_error = false});
    co_return page;
  }

  Task<> close() {
    client.close();
    browser.close();
    site_door.reset();
    provider_door.reset();
    co_await site_server.close();
    co_await provider_server.close();
  }

  LogCatcher log;
  SimNetwork network;
  SimHost& site_host;
  SimHost& provider_host;
  web::Application site;
  web::Application provider;
  HTTPServer site_server;
  HTTPServer provider_server;
  HTTPClient client;  // the site's
  std::shared_ptr<CookieJar> jar;
  HTTPClient browser;
  std::unique_ptr<Door> site_door;
  std::unique_ptr<Door> provider_door;
};

}  // namespace coronado::web_test
