// What the command line of coronado-fetch says.
#pragma once

#include <coronado/base/clock.hpp>
#include <coronado/http/httpclient.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

struct Options {
  std::string url;
  std::string method;
  std::vector<std::string> headers;
  std::string data;
  std::string output;
  bool compressed = false;
  bool include = false;
  bool timing = false;
  bool quiet = false;
  bool no_redirects = false;
  bool insecure = false;
  std::string ca_certs;
  std::string client_cert;
  std::string client_key;
  std::string user;
  bool digest = false;
  bool proxy_digest = false;
  std::string bearer;
  std::string proxy;
  std::string unix_socket;
  std::string interface;
  coronado::Duration connect_timeout = std::chrono::seconds(20);
  coronado::Duration timeout = std::chrono::seconds(60);

  // The exit code when the program is to end now.
  std::optional<int> parse(int argc, const char* const* argv);

  // The request they describe.
  // Throws  UsageError  A header without colon, a file that cannot be read.
  //         HTTPInputError  A header that is none.
  coronado::HTTPRequest request() const;
};
