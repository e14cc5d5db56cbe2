#include <coronado/testing/temp_folder.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <system_error>

namespace coronado {
namespace {

namespace fs = std::filesystem;

std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

TEST(TempFolder, IsItsOwnAndGoesWithAllInIt) {
  std::string path;
  {
    const TempFolder one;
    const TempFolder other;
    path = one.path();
    EXPECT_NE(path, other.path());
    EXPECT_TRUE(fs::is_directory(path));
    EXPECT_EQ(fs::status(path).permissions() & fs::perms::others_all, fs::perms::none);
    one.write("sub/kept", "x");
    std::ofstream(one.at("by another")) << "y";
    EXPECT_EQ(one.at("sub/kept"), path + "/sub/kept");
  }
  EXPECT_FALSE(fs::exists(path));
}

TEST(TempFolder, WritesAndReplacesFiles) {
  const TempFolder folder;
  const std::string bytes("a\0\r\n", 4);
  const std::string path = folder.write("deep/in/it", bytes);
  EXPECT_EQ(path, folder.path() + "/deep/in/it");
  EXPECT_EQ(content_of(path), bytes);
  folder.write("deep/in/it", "b");
  EXPECT_EQ(content_of(path), "b");
}

TEST(TempFolder, AnErrorNamesThePath) {
  const TempFolder folder;
  fs::create_directory(folder.at("taken"));
  try {
    folder.write("taken", "x");
    FAIL();
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code(), std::errc::is_a_directory);
    EXPECT_THAT(error.what(), testing::HasSubstr("cannot write " + folder.at("taken")));
  }
}

}  // namespace
}  // namespace coronado
