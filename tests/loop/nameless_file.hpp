// A file for those that send files.
#pragma once

#include <coronado/testing/temp_folder.hpp>

#include <fcntl.h>
#include <gtest/gtest.h>

#include <string_view>

namespace coronado {

/// A descriptor, the caller's, of a file with that content, which has no name any more.
inline int open_nameless_file(std::string_view content) {
  const TempFolder folder;
  const int fd = ::open(folder.write("content", content).c_str(), O_RDONLY | O_CLOEXEC);
  EXPECT_GE(fd, 0);
  return fd;
}

}  // namespace coronado
