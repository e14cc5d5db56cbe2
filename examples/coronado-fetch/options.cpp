#include "options.hpp"

#include <coronado/base/error.hpp>
#include <coronado/base/strings.hpp>
#include <coronado/ops/options.hpp>

#include <cstdio>
#include <memory>
#include <utility>

using coronado::HTTPBodyWriter;
using coronado::HTTPRequest;
using coronado::Task;
using coronado::UsageError;

namespace {

using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

// Reads a file while it is sent. After a redirect it is read once more, which the standard input is not.
coronado::Function<Task<>(HTTPBodyWriter&)> file_producer(std::string path) {
  struct Producer {
    std::string path;
    bool used = false;
    Task<> operator()(HTTPBodyWriter& writer) {
      if (path == "-" && std::exchange(used, true)) {
        throw UsageError(
            "the standard input is gone, and is to be sent again: name a file instead");
      }
      return send(path, writer);
    }
    static Task<> send(std::string path, HTTPBodyWriter& writer) {
      const bool standard = path == "-";
      const File file(standard ? stdin : std::fopen(path.c_str(), "rb"),
                      standard ? +[](std::FILE*) { return 0; } : &std::fclose);
      if (file == nullptr) throw UsageError("cannot read " + path);
      std::string piece(64 * 1024, '\0');
      while (const std::size_t size = std::fread(piece.data(), 1, piece.size(), file.get())) {
        co_await writer.write({piece.data(), size});
      }
    }
  };
  return Producer{.path = std::move(path)};
}

}  // namespace

std::optional<int> Options::parse(int argc, const char* const* argv) {
  coronado::OptionParser parser(
      "Fetches a URL.\n\nExit codes: 0 success, 1 a status of 400 or more, 2 wrong usage, 3 no "
      "connection,\n4 out of time, 5 the response broke off or is no HTTP, 6 the output cannot be "
      "written.");
  parser.define("URL", url, "What to fetch, http or https");
  parser.define("--method", method, "GET; with --data POST");
  parser.define("--header", headers, "\"Name: value\", several times if need be");
  parser.define("--data", data, "The body, or @FILE, or @- for the standard input");
  parser.define("--output", output, "A file for the body, which appears when it is whole");
  parser.define("--compressed", compressed, "Ask for a compressed response, and decompress it");
  parser.define("--include", include, "Print status and header fields before the body");
  parser.define("--timing", timing, "Say on stderr how long each part took");
  parser.define("--quiet", quiet, "No progress on the terminal");
  parser.define("--no-redirects", no_redirects, "Do not follow redirects");
  parser.define("--insecure", insecure, "Do not check the server's certificate");
  parser.define("--ca", ca_certs, "Authorities to trust, in PEM, instead of the system's");
  parser.define("--cert", client_cert, "Our certificate, in PEM");
  parser.define("--key", client_key, "Its key");
  parser.define("--user", user, "name:password");
  parser.define("--digest", digest, "Show them by Digest instead of Basic authentication");
  parser.define("--bearer", bearer, "A token for Bearer authentication");
  parser.define("--proxy", proxy,
                "http://host:port or socks5://host:port; else as http_proxy says");
  parser.define("--proxy-digest", proxy_digest,
                "Show the proxy's user by Digest instead of Basic authentication");
  parser.define("--unix", unix_socket, "Connect to this Unix socket");
  parser.define("--interface", interface, "Connect from this network interface, or this address");
  parser.define("--connect-timeout", connect_timeout, "Longest time to connect; 0: no limit");
  parser.define("--timeout", timeout,
                "Longest time until the head, and for each pause in the body; 0: no limit");
  if (const auto code = parser.parse(argc, argv)) return code;
  if (!url.empty()) return std::nullopt;
  std::fprintf(stderr, "%s: a URL is required; see --help\n", argv[0]);
  return 2;
}

HTTPRequest Options::request() const {
  HTTPRequest request;
  request.url = url.find("://") == std::string::npos ? "http://" + url : url;
  for (const std::string& line : headers) {
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos) throw UsageError("no colon in the header \"" + line + "\"");
    request.headers.add(line.substr(0, colon), line.substr(colon + 1));
  }
  if (data.starts_with('@')) {
    request.body_producer = file_producer(data.substr(1));
  } else if (!data.empty()) {
    request.body = data;
  }
  request.method = method.empty() ? (data.empty() ? "GET" : "POST") : method;
  request.allow_nonstandard_methods = true;
  request.decompress_response = compressed;
  request.follow_redirects = !no_redirects;
  request.validate_cert = !insecure;
  request.ca_certs = ca_certs;
  request.client_cert = client_cert;
  request.client_key = client_key;
  const std::size_t colon = user.find(':');
  request.auth_username = user.substr(0, colon);
  if (colon != std::string::npos) request.auth_password = user.substr(colon + 1);
  request.auth_mode = digest ? coronado::HTTPAuth::kDigest : coronado::HTTPAuth::kBasic;
  request.bearer_token = bearer;
  request.proxy_host = proxy;
  request.proxy_auth_mode = proxy_digest ? coronado::HTTPAuth::kDigest : coronado::HTTPAuth::kBasic;
  request.unix_socket = unix_socket;
  request.network_interface = interface;
  request.connect_timeout = connect_timeout;
  request.request_timeout = timeout;
  return request;
}
