#include "net/spawn.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace coronado {
namespace {

TEST(Spawn, CommandText) {
  EXPECT_EQ(command_text({"ls", "-l", "my file", ""}), "ls -l 'my file' ''");
}

TEST(Spawn, StreamsStayClearOfTheStandardOnes) {
  // As in a program that was started with its standard input closed.
  const int saved = ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
  ::close(STDIN_FILENO);
  const ChildStreams streams = open_child_streams(
      {.input = Stdio::pipe(), .output = Stdio::null(), .error = Stdio::to_output()});
  for (const int fd : streams.child) EXPECT_GE(fd, 3);
  EXPECT_EQ(streams.child[1], streams.child[2]);
  // Only our end of the pipe does not block, and neither end is inherited.
  const int ours = streams.ours[0].get();
  EXPECT_NE(::fcntl(ours, F_GETFL) & O_NONBLOCK, 0);
  EXPECT_EQ(::fcntl(streams.child[0], F_GETFL) & O_NONBLOCK, 0);
  EXPECT_NE(::fcntl(ours, F_GETFD) & FD_CLOEXEC, 0);
  EXPECT_NE(::fcntl(streams.child[0], F_GETFD) & FD_CLOEXEC, 0);
  EXPECT_EQ(streams.ours[1].get(), -1);
  if (saved >= 0) {
    ::dup2(saved, STDIN_FILENO);
    ::close(saved);
  }
}

TEST(Spawn, InheritedStreamsOpenNothing) {
  const ChildStreams streams = open_child_streams({});
  EXPECT_EQ(streams.child, (std::array<int, 3>{-1, -1, -1}));
  EXPECT_TRUE(streams.opened.empty());
}

}  // namespace
}  // namespace coronado
