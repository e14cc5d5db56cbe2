#include <coronado/ops/serve.hpp>

#include <coronado/testing/temp_folder.hpp>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <coronado/http/websocket_client.hpp>
#include <coronado/net/netutil.hpp>
#include <coronado/net/tls.hpp>
#include <coronado/testing/raw_client.hpp>
#include <coronado/testing/test_certificates.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <iterator>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "tests/net/tcp_pair.hpp"

extern char** environ;

namespace coronado::web {
namespace {

using namespace std::chrono_literals;

/// A pipe whose reading end is ours.
struct Output {
  Output() { EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0); }
  ~Output() {
    for (const int fd : ends) {
      if (fd >= 0) ::close(fd);
    }
  }
  void close_writer() { ::close(std::exchange(ends[1], -1)); }

  /// Reads until `text` has come, or all of it when there is no text. Gives up after 20 s.
  bool read_until(std::string_view wanted) {
    while (wanted.empty() || text.find(wanted) == std::string::npos) {
      pollfd waiting{ends[0], POLLIN, 0};
      if (::poll(&waiting, 1, 20'000) != 1) return false;
      char buffer[4096];
      const ssize_t size = ::read(ends[0], buffer, sizeof buffer);
      if (size <= 0) return wanted.empty();
      text.append(buffer, static_cast<std::size_t>(size));
    }
    return true;
  }

  int ends[2] = {-1, -1};
  std::string text;
};

/// A running serve_child.
class Child {
 public:
  explicit Child(std::vector<std::string> arguments, std::vector<std::string> environment = {}) {
    const std::string program =
        (std::filesystem::read_symlink("/proc/self/exe").parent_path() / "serve_child").string();
    arguments.insert(arguments.begin(), program);
    std::vector<char*> argv;
    for (std::string& each : arguments) argv.push_back(each.data());
    argv.push_back(nullptr);
    std::vector<char*> envp;
    for (std::string& each : environment) envp.push_back(each.data());
    for (char** each = environ; *each != nullptr; ++each) envp.push_back(*each);
    envp.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, out.ends[1], 1);
    posix_spawn_file_actions_adddup2(&actions, err.ends[1], 2);
    EXPECT_EQ(::posix_spawn(&pid_, program.c_str(), &actions, nullptr, argv.data(), envp.data()),
              0);
    posix_spawn_file_actions_destroy(&actions);
    out.close_writer();
    err.close_writer();
  }
  ~Child() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
  }

  /// The port of its "listening" line.
  std::uint16_t port() {
    EXPECT_TRUE(out.read_until("\n")) << err.text;
    EXPECT_TRUE(out.text.starts_with("listening ")) << out.text;
    return static_cast<std::uint16_t>(std::stoi(out.text.substr(10)));
  }
  void signal(int number) { ::kill(pid_, number); }

  /// The exit code; -1 when it did not exit by itself.
  int wait() {
    EXPECT_TRUE(err.read_until(""));  // its end is the end of the program
    EXPECT_TRUE(out.read_until(""));
    int status = 0;
    ::waitpid(std::exchange(pid_, -1), &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  Output out;
  Output err;

 private:
  pid_t pid_ = -1;
};

class Serve : public ::testing::Test {
 protected:
  std::unique_ptr<RawClient> connect(std::uint16_t port) {
    return std::make_unique<RawClient>(connect_loopback(loop_, port));
  }
  RawResponse get(RawClient& client, const std::string& path) {
    client.send("GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n");
    return loop_.run_sync(client.read_response(), 20s);
  }
  IOLoop loop_;
};

TEST_F(Serve, WrongOptionsAreNamed) {
  struct Case {
    std::vector<std::string> arguments;
    std::string named;
  };
  for (const Case& each :
       {Case{{"--port=65536"}, "--port"}, Case{{"--port=-1"}, "--port"},
        Case{{"--prot=80"}, "--prot"}, Case{{"--workers=many"}, "--workers"},
        Case{{"--idle-timeout=soon"}, "--idle-timeout"}, Case{{"--reactor=select"}, "--reactor"},
        Case{{"--log-level=loud"}, "--log-level"}, Case{{"99999"}, "99999"},
        Case{{"--proxy-protocol=maybe"}, "--proxy-protocol"},
        Case{{"--proxy-protocol=trusted"}, "--trusted-proxy"},
        Case{{"--trusted-proxy=10.0.0.0/8"}, "--proxy-protocol=trusted"},
        Case{{"--proxy-protocol=trusted", "--trusted-proxy=10.0.0.0/99"}, "10.0.0.0/99"}}) {
    SCOPED_TRACE(each.arguments[0]);
    Child child(each.arguments);
    EXPECT_EQ(child.wait(), 2);
    EXPECT_NE(child.err.text.find(each.named), std::string::npos) << child.err.text;
    EXPECT_EQ(std::ranges::count(child.err.text, '\n'), 1);
    EXPECT_EQ(child.out.text, "");
  }
}

TEST_F(Serve, HelpNamesTheOptions) {
  Child child({"--help"});
  EXPECT_EQ(child.wait(), 0);
  for (const char* option : {"--port", "--workers", "--max-body-size", "--max-connections-per-peer",
                             "--proxy-protocol", "--trusted-proxy", "--drain-timeout"}) {
    EXPECT_NE(child.out.text.find(option), std::string::npos) << option;
  }
}

TEST_F(Serve, OccupiedPortEndsTheProgram) {
  const std::vector<Socket> taken = bind_sockets(0, {.address = "127.0.0.1"});
  const std::string port = std::to_string(local_port(taken.front()));
  for (const char* workers : {"--workers=1", "--workers=2"}) {
    Child child({"--port=" + port, workers});
    EXPECT_EQ(child.wait(), 1);
    EXPECT_NE(child.err.text.find(port), std::string::npos) << child.err.text;
    EXPECT_EQ(std::ranges::count(child.err.text, '\n'), 1) << child.err.text;
    EXPECT_EQ(child.out.text, "");
  }
}

TEST_F(Serve, FactoryThatThrowsEndsTheProgram) {
  for (const auto& [workers, fail_at] :
       {std::pair("--workers=1", "FAIL_AT=1"), std::pair("--workers=3", "FAIL_AT=1"),
        std::pair("--workers=3", "FAIL_AT=3")}) {
    Child child({"--port=0", workers}, {fail_at});
    EXPECT_EQ(child.wait(), 1);
    EXPECT_EQ(child.err.text, "the factory has failed\n");
    EXPECT_EQ(child.out.text, "");
  }
}

TEST_F(Serve, WorkersShareThePort) {
  Child child({"--port=0", "--workers=2", "--log-level=off"});
  const std::uint16_t port = child.port();
  std::set<std::string> threads;
  for (int i = 0; i < 1000 && threads.size() < 2; ++i) {
    auto client = connect(port);
    threads.insert(get(*client, "/thread").body);
  }
  EXPECT_EQ(threads.size(), 2U);
  child.signal(SIGTERM);
  EXPECT_EQ(child.wait(), 0);
  EXPECT_EQ(child.err.text, "");
}

TEST_F(Serve, PortAsFirstArgument) {
  Child child({"0", "--log-level=off"});
  auto client = connect(child.port());
  EXPECT_EQ(get(*client, "/").body, "home");
  child.signal(SIGINT);
  EXPECT_EQ(child.wait(), 0);
}

TEST_F(Serve, TerminationDrains) {
  for (const char* workers : {"--workers=1", "--workers=2"}) {
    SCOPED_TRACE(workers);
    Child child({"--port=0", workers, "--log-level=warning"});
    const std::uint16_t port = child.port();
    auto upload = connect(port);
    upload->send("POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab");
    loop_.run_sync(
        [](RawClient& client) -> Task<> {
          while (client.received().find("begun") == std::string::npos) {
            co_await client.peek(client.received().size() + 1);
          }
        }(*upload),
        20s);
    auto idle = connect(port);
    EXPECT_EQ(get(*idle, "/").body, "home");
    child.signal(SIGTERM);
    EXPECT_EQ(loop_.run_sync(idle->read_to_end(), 20s), "");  // it drains now
    upload->send("cde");
    const RawResponse response = loop_.run_sync(upload->read_response(), 20s);
    EXPECT_EQ(response.body, "begun abcde");
    EXPECT_FALSE(response.truncated);
    EXPECT_EQ(loop_.run_sync(upload->read_to_end(), 20s), "");
    upload->close();
    EXPECT_EQ(child.wait(), 0);
    EXPECT_EQ(child.err.text, "");
  }
}

TEST_F(Serve, SecondSignalCutsTheDrainShort) {
  for (const char* workers : {"--workers=1", "--workers=2"}) {
    SCOPED_TRACE(workers);
    Child child({"--port=0", workers, "--log-level=off", "--drain-timeout=1h"});
    const std::uint16_t port = child.port();
    // With two workers each of them gets a request, whichever they are.
    std::vector<std::unique_ptr<RawClient>> uploads;
    for (int i = 0; i < 20; ++i) {
      uploads.push_back(connect(port));
      uploads.back()->send("POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab");
      loop_.run_sync(uploads.back()->peek(100), 20s);
    }
    auto idle = connect(port);
    EXPECT_EQ(get(*idle, "/").body, "home");
    child.signal(SIGTERM);
    EXPECT_EQ(loop_.run_sync(idle->read_to_end(), 20s), "");
    child.signal(SIGTERM);
    EXPECT_EQ(child.wait(), 0);
    EXPECT_TRUE(loop_.run_sync(uploads.front()->read_response(), 20s).truncated);
  }
}

TEST_F(Serve, DrainTimeoutCuts) {
  Child child({"--port=0", "--log-level=warning", "--drain-timeout=50ms"});
  auto upload = connect(child.port());
  upload->send("POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab");
  loop_.run_sync(upload->peek(100), 20s);
  child.signal(SIGTERM);
  EXPECT_EQ(child.wait(), 0);
  EXPECT_NE(child.err.text.find("still in progress"), std::string::npos) << child.err.text;
}

constexpr const char* kProxyHeader = "PROXY TCP4 192.0.2.7 192.0.2.1 4711 443\r\n";

TEST_F(Serve, TrustedProxiesNameTheirClients) {
  Child child({"--port=0", "--proxy-protocol=trusted", "--trusted-proxy=10.0.0.0/8",
               "--trusted-proxy=127.0.0.0/8"});
  const std::uint16_t port = child.port();
  auto proxied = connect(port);
  proxied->send(kProxyHeader);
  EXPECT_EQ(get(*proxied, "/peer").body, "192.0.2.7");
  EXPECT_TRUE(child.err.read_until("200 GET /peer (192.0.2.7)")) << child.err.text;
  auto plain = connect(port);
  plain->send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");  // from a proxy, and without the header
  EXPECT_EQ(loop_.run_sync(plain->read_to_end(), 20s), "");
  EXPECT_TRUE(child.err.read_until("PROXY protocol, connection from 127.0.0.1")) << child.err.text;
  child.signal(SIGTERM);
  EXPECT_EQ(child.wait(), 0);
}

TEST_F(Serve, OthersThanTrustedProxiesAreServedAsTheyAre) {
  Child child(
      {"--port=0", "--proxy-protocol=trusted", "--trusted-proxy=10.0.0.0/8", "--log-level=off"});
  const std::uint16_t port = child.port();
  auto plain = connect(port);
  EXPECT_EQ(get(*plain, "/peer").body, "127.0.0.1");
  auto liar = connect(port);
  liar->send(kProxyHeader);
  EXPECT_EQ(get(*liar, "/peer").status, 400);
  child.signal(SIGTERM);
  EXPECT_EQ(child.wait(), 0);
}

TEST_F(Serve, TheProxyHeaderMayBeRequiredOfEverybody) {
  Child child({"--port=0", "--proxy-protocol=required", "--proxy-timeout=1ms", "--workers=2"});
  const std::uint16_t port = child.port();
  auto silent = connect(port);
  EXPECT_EQ(loop_.run_sync(silent->read_to_end(), 20s), "");
  EXPECT_TRUE(child.err.read_until("no header in time")) << child.err.text;
  child.signal(SIGTERM);
  EXPECT_EQ(child.wait(), 0);
}

/// PEM files that go with the test.
struct Files {
  void issue(const std::string& common_name) const {
    const TestCertificate made = authority.issue(
        {.common_name = common_name, .dns_names = {"localhost"}, .ip_addresses = {"127.0.0.1"}});
    folder.write("cert.pem", made.certificate_pem);
    folder.write("key.pem", made.key_pem);
  }
  std::vector<std::string> options() const {
    return {"--port=0", "--tls-cert=" + folder.at("cert.pem"), "--tls-key=" + folder.at("key.pem")};
  }
  std::unique_ptr<TLSTransport> connect(IOLoop& loop, std::uint16_t port) const {
    return loop.run_sync(
        tls_handshake(connect_loopback(loop, port),
                      TLSContext::client({.trust = {.ca_pem = authority.certificate_pem()}}),
                      "localhost"),
        20s);
  }
  TestAuthority authority{"Test CA"};
  TempFolder folder;
};

TEST_F(Serve, CertificatesAreReadAgainAtTheHangUpSignal) {
  const Files files;
  files.issue("first");
  Child child(files.options());
  const std::uint16_t port = child.port();
  auto before = files.connect(loop_, port);
  EXPECT_EQ(before->peer_certificate()->common_name, "first");
  EXPECT_EQ(before->alpn(), "");
  RawClient kept(std::move(before));
  EXPECT_EQ(get(kept, "/protocol").body, "https");

  files.issue("second");
  child.signal(SIGHUP);
  EXPECT_TRUE(child.err.read_until("read again")) << child.err.text;
  EXPECT_EQ(files.connect(loop_, port)->peer_certificate()->common_name, "second");
  EXPECT_EQ(get(kept, "/").body, "home");

  files.folder.write("cert.pem", "nonsense");
  child.signal(SIGHUP);
  EXPECT_TRUE(child.err.read_until("the old TLS certificates stay")) << child.err.text;
  EXPECT_NE(child.err.text.find(files.folder.at("cert.pem")), std::string::npos);
  EXPECT_EQ(files.connect(loop_, port)->peer_certificate()->common_name, "second");
  kept.close();
  child.signal(SIGTERM);
  EXPECT_EQ(child.wait(), 0);
}

TEST_F(Serve, HTTPSHasAPortBesideHTTP) {
  const Files files;
  files.issue("localhost");
  const std::uint16_t tls_port = local_port(bind_sockets(0, {.address = "127.0.0.1"}).front());
  std::vector<std::string> options = files.options();
  options.push_back("--tls-port=" + std::to_string(tls_port));
  options.push_back("--workers=2");
  Child child(options);
  const std::uint16_t port = child.port();
  EXPECT_TRUE(child.out.read_until(" tls\n"));
  EXPECT_NE(child.out.text.find("listening " + std::to_string(tls_port) + " tls\n"),
            std::string::npos);
  const auto plain = connect(port);
  EXPECT_EQ(get(*plain, "/protocol").body, "http");
  RawClient secure(files.connect(loop_, tls_port));
  EXPECT_EQ(get(secure, "/protocol").body, "https");
  // Both drain: a request in progress on either port is finished.
  secure.send("POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab");
  loop_.run_sync(
      [](RawClient& client) -> Task<> {
        while (client.received().find("begun") == std::string::npos) {
          co_await client.peek(client.received().size() + 1);
        }
      }(secure),
      20s);
  child.signal(SIGTERM);
  EXPECT_EQ(loop_.run_sync(plain->read_to_end(), 20s), "");  // it drains now
  secure.send("cde");
  EXPECT_EQ(loop_.run_sync(secure.read_response(), 20s).body, "begun abcde");
  secure.close();
  EXPECT_EQ(child.wait(), 0);
  Child alone({"--port=0", "--tls-port=1"});
  EXPECT_EQ(alone.wait(), 2);
  EXPECT_NE(alone.err.text.find("--tls-port"), std::string::npos) << alone.err.text;
}

TEST_F(Serve, TheKernelIsAskedToEncryptWhenTheOptionSaysSo) {
  const Files files;
  files.issue("localhost");
  const bool offered = tls_test::kernel_offers_tls();
  for (const bool wanted : {false, true}) {
    SCOPED_TRACE(wanted);
    std::vector<std::string> options = files.options();
    options.push_back("--log-level=debug");
    if (wanted) options.push_back("--tls-kernel");
    Child child(options);
    const std::uint16_t port = child.port();
    RawClient client(files.connect(loop_, port));
    EXPECT_EQ(get(client, "/encrypts").body, wanted && offered ? "the kernel" : "OpenSSL");
    client.close();
    child.signal(SIGTERM);
    EXPECT_EQ(child.wait(), 0);
    // It was asked, and said no.
    const bool refused =
        child.err.text.find("the kernel does not encrypt what is sent") != std::string::npos;
    EXPECT_EQ(refused, wanted && !offered) << child.err.text;
  }
}

TEST_F(Serve, WrongCertificatesEndTheProgram) {
  const Files files;
  Child absent(files.options());
  EXPECT_EQ(absent.wait(), 1);
  EXPECT_NE(absent.err.text.find(files.folder.at("cert.pem") + ": No such file"), std::string::npos)
      << absent.err.text;
  Child alone({"--port=0", "--tls-key=key.pem"});
  EXPECT_EQ(alone.wait(), 2);
  EXPECT_NE(alone.err.text.find("--tls-key"), std::string::npos) << alone.err.text;
}

TEST_F(Serve, UserSignalPrintsTheTasks) {
  Child child({"--port=0", "--workers=2", "--log-level=off"});
  auto upload = connect(child.port());
  upload->send("POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab");
  loop_.run_sync(upload->peek(100), 20s);
  child.signal(SIGUSR1);
  EXPECT_TRUE(child.err.read_until("serve_child.cpp:")) << child.err.text;
  EXPECT_NE(child.err.text.find("/upload"), std::string::npos) << child.err.text;
  const std::string has = "   has a stream with " + to_string(upload->transport().local());
  EXPECT_TRUE(child.err.read_until(has + " (HTTP)")) << child.err.text;
  upload->send("cde");
  EXPECT_EQ(loop_.run_sync(upload->read_response(), 20s).body, "begun abcde");
  child.signal(SIGTERM);
  EXPECT_EQ(child.wait(), 0);
}

TEST_F(Serve, UserSignalPrintsTheConnections) {
  const Files files;
  files.issue("localhost");
  Child child(files.options());
  const std::uint16_t port = child.port();
  RawClient idle(files.connect(loop_, port));
  EXPECT_EQ(get(idle, "/").body, "home");
  RawClient guest(files.connect(loop_, port));
  guest.send(
      "GET /room HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
  EXPECT_EQ(loop_.run_sync(guest.read_response(), 20s).status, 101);
  loop_.run_sync(guest.peek(4), 20s);  // the greeting: it waits for messages now
  child.signal(SIGUSR1);
  const std::string unused = "a stream that no task uses, with ";
  EXPECT_TRUE(child.err.read_until(unused + to_string(idle.transport().local()) +
                                   " (HTTP, TLS 1.3, TLS_AES_256_GCM_SHA384)\n"))
      << child.err.text;
  EXPECT_NE(child.err.text.find("   has a stream with " + to_string(guest.transport().local()) +
                                " (WebSocket, TLS 1.3, TLS_AES_256_GCM_SHA384)\n"),
            std::string::npos)
      << child.err.text;
  idle.close();
  guest.close();
  child.signal(SIGTERM);
  EXPECT_EQ(child.wait(), 0);
}

TEST_F(Serve, WorkersCallAndTellEachOther) {
  Child child({"--port=0", "--workers=3", "--log-level=off"});
  const std::uint16_t port = child.port();
  auto client = connect(port);
  std::istringstream names(get(*client, "/threads").body);
  const std::set<std::string> threads(std::istream_iterator<std::string>(names), {});
  EXPECT_EQ(threads.size(), 3U);
  EXPECT_EQ(get(*client, "/broadcast").body, "broadcast");
  get(*client, "/threads");  // comes to each worker behind the broadcast
  std::set<std::string> heard;
  for (int i = 0; i < 1000 && heard.size() < 3; ++i) {
    auto other = connect(port);
    const std::string answer = get(*other, "/heard").body;
    EXPECT_TRUE(answer.ends_with(" called")) << answer;
    heard.insert(answer);
  }
  EXPECT_EQ(heard.size(), 3U);
  child.signal(SIGTERM);
  EXPECT_EQ(child.wait(), 0);
}

class ServeForked : public Serve {};

TEST_F(ServeForked, ProcessesShareThePort) {
  Child child({"--port=0", "--processes=2", "--log-level=warning"});
  const std::uint16_t port = child.port();
  std::set<std::string> processes;
  for (int i = 0; i < 1000 && processes.size() < 2; ++i) {
    auto client = connect(port);
    processes.insert(get(*client, "/process").body);
  }
  EXPECT_EQ(processes, (std::set<std::string>{"0", "1"}));
  child.signal(SIGTERM);
  EXPECT_EQ(child.wait(), 0);
  EXPECT_EQ(child.err.text, "");
  EXPECT_EQ(std::ranges::count(child.out.text, '\n'), 1);  // "listening" once
}

TEST_F(ServeForked, AProcessThatCrashesIsReplacedAndTheOthersGoOn) {
  Child child({"--port=0", "--processes=2", "--log-level=warning"});
  const std::uint16_t port = child.port();
  auto client = connect(port);
  const std::string crashed = get(*client, "/process").body;
  client->send("GET /crash HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(loop_.run_sync(client->read_to_end(), 20s), "");
  EXPECT_TRUE(child.err.read_until("restarting")) << child.err.text;
  EXPECT_NE(child.err.text.find("child " + crashed + " "), std::string::npos) << child.err.text;
  // Nobody is refused meanwhile, and the number comes back.
  bool back = false;
  for (int i = 0; i < 1000 && !back; ++i) {
    auto next = connect(port);
    back = get(*next, "/process").body == crashed;
  }
  EXPECT_TRUE(back);
  child.signal(SIGTERM);
  EXPECT_EQ(child.wait(), 0);
}

/// A visitor of the room that serve_child has for all its processes.
struct Visitor {
  WebSocket socket;
  std::string process;
};

Task<Visitor> visit_room(std::uint16_t port) {
  WebSocket socket =
      co_await websocket_connect({.url = "http://127.0.0.1:" + std::to_string(port) + "/room"});
  const auto first = co_await socket.read();
  std::string process(first ? first->data : "gone");
  co_return Visitor{std::move(socket), std::move(process)};
}

/// One who is in that process, wherever chance puts those who come.
Task<Visitor> visit_process(std::uint16_t port, std::string process) {
  for (int i = 0; i < 1000; ++i) {
    Visitor visitor = co_await visit_room(port);
    if (visitor.process == process) co_return visitor;
  }
  throw std::runtime_error("nobody came to process " + process);
}

Task<std::string> hear(Visitor& visitor) {
  const auto message = co_await visitor.socket.read();
  co_return message ? (message->is_text ? "" : "bytes ") + std::string(message->data) : "gone";
}

TEST_F(ServeForked, TopicsAreHeardInAllProcesses) {
  Child child({"--port=0", "--processes=3", "--workers=2", "--log-level=warning"});
  const std::uint16_t port = child.port();
  const std::string large(1'000'000, 'x');
  const auto talk = [](std::uint16_t there, const std::string& long_text) -> Task<> {
    Visitor one = co_await visit_process(there, "0");
    Visitor two = co_await visit_process(there, "1");
    Visitor three = co_await visit_process(there, "2");
    for (const std::string& text : {std::string("hello"), std::string(), long_text}) {
      co_await one.socket.send(text);
      EXPECT_EQ(co_await hear(one), text);
      EXPECT_EQ(co_await hear(two), text);
      EXPECT_EQ(co_await hear(three), text);
    }
    co_await three.socket.send_binary("\xff");
    EXPECT_EQ(co_await hear(one), "bytes \xff");
    EXPECT_EQ(co_await hear(two), "bytes \xff");
    EXPECT_EQ(co_await hear(three), "bytes \xff");
  };
  loop_.run_sync(talk(port, large), 60s);

  // One that is restarted hears again, and is heard.
  auto client = connect(port);
  const std::string crashed = get(*client, "/process").body;
  client->send("GET /crash HTTP/1.1\r\nHost: x\r\n\r\n");
  loop_.run_sync(client->read_to_end(), 20s);
  const auto talk_again = [](std::uint16_t there, std::string reborn) -> Task<> {
    Visitor back = co_await visit_process(there, reborn);
    Visitor other = co_await visit_process(there, reborn == "0" ? "1" : "0");
    co_await other.socket.send("anybody?");
    EXPECT_EQ(co_await hear(back), "anybody?");
    co_await back.socket.send("here");
    EXPECT_EQ(co_await hear(other), "anybody?");
    EXPECT_EQ(co_await hear(other), "here");
  };
  loop_.run_sync(talk_again(port, crashed), 60s);
  child.signal(SIGTERM);
  EXPECT_EQ(child.wait(), 0);
}

TEST_F(ServeForked, TerminationDrains) {
  Child child({"--port=0", "--processes=2", "--log-level=warning"});
  auto upload = connect(child.port());
  upload->send("POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab");
  loop_.run_sync(
      [](RawClient& client) -> Task<> {
        while (client.received().find("begun") == std::string::npos) {
          co_await client.peek(client.received().size() + 1);
        }
      }(*upload),
      20s);
  child.signal(SIGTERM);
  upload->send("cde");
  EXPECT_EQ(loop_.run_sync(upload->read_response(), 20s).body, "begun abcde");
  upload->close();
  EXPECT_EQ(child.wait(), 0);
  EXPECT_EQ(child.err.text, "");
}

TEST_F(ServeForked, AHangUpSignalWithoutCertificatesEndsNobody) {
  Child child({"--port=0", "--processes=2", "--log-level=warning"});
  auto upload = connect(child.port());
  upload->send("POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab");
  loop_.run_sync(upload->peek(100), 20s);
  child.signal(SIGHUP);
  child.signal(SIGUSR1);  // passed on behind it, and answered
  EXPECT_TRUE(child.err.read_until("serve_child.cpp:")) << child.err.text;
  upload->send("cde");
  EXPECT_EQ(loop_.run_sync(upload->read_response(), 20s).body, "begun abcde");
  child.signal(SIGTERM);
  EXPECT_EQ(child.wait(), 0);
  EXPECT_EQ(child.err.text.find("restarting"), std::string::npos) << child.err.text;
}

TEST_F(ServeForked, WrongOptionsAreNamedOnce) {
  Child child({"--port=0", "--processes=2", "--tls-key=key.pem"});
  EXPECT_EQ(child.wait(), 2);
  EXPECT_EQ(std::ranges::count(child.err.text, '\n'), 1) << child.err.text;
}

TEST_F(ServeForked, AFactoryThatThrowsEndsAll) {
  Child child({"--port=0", "--processes=2", "--log-level=error"}, {"FAIL_AT=1"});
  EXPECT_EQ(child.wait(), 1);
  EXPECT_NE(child.err.text.find("the factory has failed\n"), std::string::npos) << child.err.text;
  EXPECT_NE(child.err.text.find("giving up\n"), std::string::npos) << child.err.text;
  EXPECT_EQ(child.out.text, "");
}

}  // namespace
}  // namespace coronado::web
