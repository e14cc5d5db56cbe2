#include <coronado/net/netutil.hpp>

#include <coronado/testing/temp_folder.hpp>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <coronado/base/error.hpp>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <string>
#include <system_error>

namespace coronado {
namespace {

bool is_open(int fd) { return ::fcntl(fd, F_GETFD) != -1; }

TEST(Netutil, PortZeroIsChosenAndSharedByAllAddresses) {
  const std::vector<Socket> sockets = bind_sockets(0, {.address = "localhost"});
  ASSERT_FALSE(sockets.empty());
  const std::uint16_t port = local_port(sockets.front());
  EXPECT_NE(port, 0);
  for (const Socket& socket : sockets) {
    EXPECT_EQ(local_port(socket), port);
    EXPECT_NE(::fcntl(socket.fd(), F_GETFL) & O_NONBLOCK, 0);
    int listening = 0;
    socklen_t size = sizeof listening;
    ASSERT_EQ(::getsockopt(socket.fd(), SOL_SOCKET, SO_ACCEPTCONN, &listening, &size), 0);
    EXPECT_EQ(listening, 1);
  }
}

TEST(Netutil, AnOccupiedPortIsNamed) {
  const std::vector<Socket> first = bind_sockets(0, {.address = "127.0.0.1"});
  const std::uint16_t port = local_port(first.front());
  try {
    bind_sockets(port, {.address = "127.0.0.1"});
    FAIL() << "bound twice";
  } catch (const AddressInUseError& error) {
    EXPECT_EQ(error.code(), std::errc::address_in_use);
    EXPECT_EQ(error.address(), "127.0.0.1:" + std::to_string(port));
    EXPECT_EQ(error.what(), "cannot listen on " + error.address() + ": Address already in use");
  }
}

TEST(Netutil, ReusePortLetsWorkersShareOne) {
  const std::vector<Socket> first = bind_sockets(0, {.address = "127.0.0.1", .reuse_port = true});
  const std::uint16_t port = local_port(first.front());
  const std::vector<Socket> second =
      bind_sockets(port, {.address = "127.0.0.1", .reuse_port = true});
  EXPECT_EQ(local_port(second.front()), port);
}

TEST(Netutil, AnAddressThatDoesNotResolveIsNamed) {
  try {
    bind_sockets(0, {.address = "999.1.1.1"});
    FAIL() << "bound";
  } catch (const BindError& error) {
    EXPECT_EQ(error.address(), "999.1.1.1:0");
    EXPECT_NE(std::string(error.what()).find("999.1.1.1:0 ("), std::string::npos) << error.what();
  }
}

TEST(Netutil, ASocketClosesWhatItOwns) {
  int fd = -1;
  {
    Socket socket(::socket(AF_INET, SOCK_STREAM, 0));
    fd = socket.fd();
    Socket moved = std::move(socket);
    EXPECT_FALSE(socket);  // NOLINT(bugprone-use-after-move): what a moved-from socket promises
    EXPECT_TRUE(is_open(fd));
  }
  EXPECT_FALSE(is_open(fd));
  Socket kept(::socket(AF_INET, SOCK_STREAM, 0));
  const int released = kept.release();
  kept = Socket();
  EXPECT_TRUE(is_open(released));
  ::close(released);
}

TEST(Netutil, NumericAddresses) {
  for (const char* good : {"1.2.3.4", "::1", "fe80::1", "::ffff:1.2.3.4"}) {
    EXPECT_TRUE(is_valid_ip(good)) << good;
  }
  for (const std::string bad :
       {"", "localhost", "4.4.4.4<", "1.2.3", "1.2.3.4.5", "::1%", "1.2.3.4 "}) {
    EXPECT_FALSE(is_valid_ip(bad)) << bad;
  }
  EXPECT_FALSE(is_valid_ip(std::string_view("1.2.3.4\0", 8)));
}

TEST(Netutil, Networks) {
  const auto contains = [](const char* network, const char* address) {
    const auto parsed = IPNetwork::from_text(network);
    EXPECT_TRUE(parsed) << network;
    return parsed && parsed->contains(*SocketAddress::from_ip(address));
  };
  EXPECT_TRUE(contains("10.0.0.0/8", "10.255.1.2"));
  EXPECT_FALSE(contains("10.0.0.0/8", "11.0.0.0"));
  EXPECT_TRUE(contains("192.168.128.0/17", "192.168.200.1"));
  EXPECT_FALSE(contains("192.168.128.0/17", "192.168.127.255"));
  EXPECT_TRUE(contains("127.0.0.1", "127.0.0.1"));
  EXPECT_FALSE(contains("127.0.0.1", "127.0.0.2"));
  EXPECT_TRUE(contains("0.0.0.0/0", "8.8.8.8"));
  EXPECT_FALSE(contains("0.0.0.0/0", "::1"));
  EXPECT_TRUE(contains("fd00::/8", "fdff::1"));
  EXPECT_FALSE(contains("2001:db8::/33", "2001:db8:8000::"));
  EXPECT_FALSE(IPNetwork::from_text("10.0.0.0/8")->contains(SocketAddress::from_path("/x")));
  for (const char* bad : {"", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.1/8", "10.0.0.0/8x",
                          "10.0.0.0/-1", "::/129", "fe80::1%lo/64", "localhost", "10.0.0.0/8/8"}) {
    EXPECT_FALSE(IPNetwork::from_text(bad)) << bad;
  }
}

class UnixSocketTest : public testing::Test {
 protected:
  std::string path() const { return folder_.at("socket"); }
  const TempFolder folder_;
};

TEST_F(UnixSocketTest, TheFileHasTheModeAskedFor) {
  const auto mode = [this] {
    struct stat status{};
    EXPECT_EQ(::stat(path().c_str(), &status), 0);
    return status.st_mode & 07777;
  };
  const mode_t before = ::umask(0);
  {
    const Socket socket = bind_unix_socket(path());
    EXPECT_NE(::fcntl(socket.fd(), F_GETFL) & O_NONBLOCK, 0);
    EXPECT_EQ(mode(), 0600U);
  }
  ::umask(077);
  const Socket socket = bind_unix_socket(path(), {.mode = 0666});
  ::umask(before);
  EXPECT_EQ(mode(), 0666U);
}

TEST_F(UnixSocketTest, AStaleFileIsReplacedAndALiveOneIsNot) {
  {
    const Socket first = bind_unix_socket(path());
    try {
      bind_unix_socket(path());
      FAIL();
    } catch (const AddressInUseError& error) {
      EXPECT_EQ(error.address(), "unix:" + path());
      EXPECT_NE(std::string(error.what()).find(path()), std::string::npos) << error.what();
    }
  }
  EXPECT_TRUE(std::filesystem::exists(path()));  // nobody listens any more
  const Socket second = bind_unix_socket(path());
  EXPECT_TRUE(second);
}

TEST_F(UnixSocketTest, OtherFilesStay) {
  std::ofstream(path()) << "precious";
  try {
    bind_unix_socket(path());
    FAIL();
  } catch (const BindError& error) {
    EXPECT_EQ(error.code(), std::errc::file_exists);
    EXPECT_NE(std::string(error.what()).find("the file is no socket"), std::string::npos);
  }
  EXPECT_EQ(std::filesystem::file_size(path()), 8U);
}

TEST_F(UnixSocketTest, PathsThatCannotBe) {
  EXPECT_THROW(bind_unix_socket(""), std::system_error);
  EXPECT_THROW(bind_unix_socket(std::string(200, 'x')), std::system_error);
  EXPECT_THROW(bind_unix_socket(folder_.at("missing/socket")), std::system_error);
  const std::string abstract =
      std::string(1, '\0') + "coronado-netutil-" + std::to_string(::getpid());
  const Socket first = bind_unix_socket(abstract);
  EXPECT_THROW(bind_unix_socket(abstract), std::system_error);
}

/// Runs `body` in a child process, whose descriptors and environment it may change.
/// Returns  The exit code.
template <class Body>
int in_child(Body body) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(body());
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/// Puts `sockets` where a service manager puts them.
void pass_on(std::vector<Socket> sockets, const char* count, const char* names) {
  int fd = 100;
  for (Socket& socket : sockets) ::dup2(socket.release(), fd++);
  for (int i = 100; i < fd; ++i) ::dup2(i, i - 97);
  ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
  ::setenv("LISTEN_FDS", count, 1);
  ::setenv("LISTEN_FDNAMES", names, 1);
}

TEST(InheritedSockets, AreTakenOnce) {
  EXPECT_EQ(in_child([] {
              std::vector<Socket> sockets = bind_sockets(0, {.address = "127.0.0.1"});
              const std::uint16_t port = local_port(sockets.front());
              sockets.push_back(std::move(bind_sockets(0, {.address = "127.0.0.1"}).front()));
              pass_on(std::move(sockets), "2", "web:admin");
              const std::vector<InheritedSocket> got = inherited_sockets();
              if (got.size() != 2) return 1;
              if (got[0].name != "web" || got[1].name != "admin") return 2;
              if (local_port(got[0].socket) != port || got[1].socket.fd() != 4) return 3;
              if ((::fcntl(4, F_GETFD) & FD_CLOEXEC) == 0) return 4;
              if (::getenv("LISTEN_FDS") != nullptr || !inherited_sockets().empty()) return 5;
              return 0;
            }),
            0);
}

TEST(InheritedSockets, AreNotThoseOfAnotherProcess) {
  EXPECT_EQ(in_child([] {
              if (!inherited_sockets().empty()) return 1;
              pass_on(bind_sockets(0, {.address = "127.0.0.1"}), "1", "");
              ::setenv("LISTEN_PID", "1", 1);
              return inherited_sockets().empty() ? 0 : 2;
            }),
            0);
}

TEST(InheritedSockets, NonsenseIsRefused) {
  for (const char* count : {"x", "-1", "99999", "1x"}) {
    EXPECT_EQ(in_child([count] {
                pass_on({}, count, "");
                try {
                  inherited_sockets();
                  return 1;
                } catch (const UsageError&) {
                  return 0;
                }
              }),
              0)
        << count;
  }
  EXPECT_EQ(in_child([] {
              std::vector<Socket> sockets;
              sockets.emplace_back(::socket(AF_INET, SOCK_STREAM, 0));  // does not listen
              pass_on(std::move(sockets), "1", "");
              try {
                inherited_sockets();
                return 1;
              } catch (const UsageError& error) {
                return std::string(error.what()).contains("descriptor 3") ? 0 : 2;
              }
            }),
            0);
}

}  // namespace
}  // namespace coronado
