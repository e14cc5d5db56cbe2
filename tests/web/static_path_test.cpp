#include "web/static_path.hpp"

#include <coronado/base/error.hpp>

#include <gtest/gtest.h>

#include "tests/web/static_fixture.hpp"

namespace coronado::web_test {
namespace {

using web::clean_static_path;
using web::open_below;
using web::Symlinks;

int status_of(std::string_view path, bool hidden = false) {
  try {
    static_cast<void>(clean_static_path(path, hidden));
    return 200;
  } catch (const HTTPError& error) {
    EXPECT_FALSE(error.log_message().empty());
    return error.status();
  }
}

TEST(StaticPath, IsTakenAsItIs) {
  EXPECT_EQ(clean_static_path("", false), "");
  EXPECT_EQ(clean_static_path("a", false), "a");
  EXPECT_EQ(clean_static_path("a/b/c/", false), "a/b/c");
  EXPECT_EQ(clean_static_path("..a/...", true), "..a/...");
  EXPECT_EQ(clean_static_path("%2e%2e/x", false), "%2e%2e/x");   // decoded once, by the caller
  EXPECT_EQ(clean_static_path("..\\..\\x", true), "..\\..\\x");  // a name like any other here
}

TEST(StaticPath, NeverLeadsOut) {
  for (const char* path : {"..", "../x", "a/../../x", "a/b/../../../x", "/etc/passwd", "//etc", "/",
                           "./..", "a/..//../x", "a/../b", "a/.."}) {
    EXPECT_EQ(status_of(path), 403) << path;
    EXPECT_EQ(status_of(path, true), 403) << path;
  }
}

TEST(StaticPath, AFileHasOnePathOnly) {
  for (const char* path : {"a//b", "./a", "a/./b", "a//", ".", "a/."}) {
    EXPECT_EQ(status_of(path, true), 404) << path;
  }
}

TEST(StaticPath, WhatIsNoNameIsRefused) {
  using namespace std::string_view_literals;
  EXPECT_EQ(status_of("a\0b"sv), 404);
  EXPECT_EQ(status_of("../\0"sv), 404);
  EXPECT_EQ(status_of("a\nE forged"), 404);
  EXPECT_EQ(status_of("a\x7f"), 404);
  EXPECT_EQ(status_of("\xc0\xae\xc0\xae/x"), 400);  // overlong dots
  EXPECT_EQ(status_of("\xff"), 400);
}

TEST(StaticPath, HiddenNamesAreNotThere) {
  for (const char* path : {".env", "a/.git/config", ".git", "a/.well-known/x"}) {
    EXPECT_EQ(status_of(path), 404) << path;
    EXPECT_EQ(status_of(path, true), 200) << path;
  }
  EXPECT_EQ(status_of(".well-known/acme-challenge/x"), 200);
}

/// Whether the system has openat2, or may use it.
class StaticOpen : public testing::TestWithParam<bool> {
 protected:
  StaticOpen() {
    outside_.write("secret", "secret");
    inside_.write("a/b/file", "content");
    inside_.link("b", "a/inside");
    inside_.link("../a/b/file", "a/inside_too");
    inside_.link(outside_.path, "absolute");
    inside_.link("../" + outside_.path.substr(outside_.path.rfind('/') + 1), "relative");
    inside_.link("loop", "loop");
  }

  /// 0 when it can be opened, or the error.
  int open(const std::string& path, Symlinks symlinks = Symlinks::kInside) {
    const int fd = open_below(inside_.path, path, symlinks, GetParam());
    if (fd < 0) return -fd;
    ::close(fd);
    return 0;
  }

  Folder inside_;
  Folder outside_;
};

TEST_P(StaticOpen, FilesAndFolders) {
  EXPECT_EQ(open("a/b/file"), 0);
  EXPECT_EQ(open(""), 0);
  EXPECT_EQ(open("a/b"), 0);
  EXPECT_EQ(open("a/nothing"), ENOENT);
  EXPECT_EQ(open("a/b/file/x"), ENOTDIR);
  EXPECT_EQ(open(std::string(300, 'x')), ENAMETOOLONG);
}

TEST_P(StaticOpen, NoLinkLeadsOut) {
  for (const char* path : {"absolute/secret", "relative/secret", "absolute", "relative", "loop"}) {
    EXPECT_NE(open(path), 0) << path;
    EXPECT_NE(open(path, Symlinks::kRefuse), 0) << path;
  }
  EXPECT_EQ(open("absolute/secret", Symlinks::kFollow), 0);
  EXPECT_EQ(open("relative/secret", Symlinks::kFollow), 0);
}

TEST_P(StaticOpen, LinksInside) {
  EXPECT_NE(open("a/inside/file", Symlinks::kRefuse), 0);
  if (!GetParam()) return;  // without the call they are all refused
  EXPECT_EQ(open("a/inside/file"), 0);
  EXPECT_EQ(open("a/inside_too"), 0);
}

TEST_P(StaticOpen, APipeIsNotWaitedFor) {
  ASSERT_EQ(::mkfifo(inside_.at("pipe").c_str(), 0600), 0);
  EXPECT_EQ(open("pipe"), 0);  // at once; who opened it sees that it is no file
}

INSTANTIATE_TEST_SUITE_P(Ways, StaticOpen, testing::Bool(),
                         [](const auto& each) { return each.param ? "Openat2" : "StepByStep"; });

}  // namespace
}  // namespace coronado::web_test
