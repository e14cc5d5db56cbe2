/// What the tests of static files share: a folder that is removed at the end.
#pragma once

#include <coronado/testing/temp_folder.hpp>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ctime>
#include <string>
#include <string_view>

namespace coronado::web_test {

struct Folder {
  std::string at(std::string_view name) const { return temp.at(name); }

  /// Writes a file, and gives it the time of the year 2020: it has not changed for long.
  void write(std::string_view name, std::string_view content, std::time_t modified = kTime) const {
    temp.write(name, content);
    touch(name, modified);
  }
  void touch(std::string_view name, std::time_t modified) const {
    const timespec times[2] = {{modified, 0}, {modified, 0}};
    EXPECT_EQ(::utimensat(AT_FDCWD, at(name).c_str(), times, 0), 0);
  }
  void link(const std::string& to, std::string_view name) const {
    EXPECT_EQ(::symlink(to.c_str(), at(name).c_str()), 0);
  }

  static constexpr std::time_t kTime = 1577934245;  // Thu, 02 Jan 2020 03:04:05 GMT
  TempFolder temp;
  const std::string path = temp.path();
};

/// Bytes that differ from place to place.
inline std::string pattern_bytes(std::size_t size) {
  std::string bytes(size, '\0');
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>((i * 7 + i / 251) % 256);
  return bytes;
}

}  // namespace coronado::web_test
