#include <coronado/loop/file.hpp>

#include <coronado/testing/temp_folder.hpp>

#include <fcntl.h>
#include <gtest/gtest.h>

#include <array>
#include <system_error>

namespace coronado {
namespace {

class OpenFileTest : public testing::Test {
 protected:
  const TempFolder folder_;
  const std::string name_ = folder_.write("file", std::string(300'000, 'a') + "the end");
};

TEST_F(OpenFileTest, ReadsAtAnyPlace) {
  const auto file = OpenFile::open(name_);
  std::array<char, 10> buffer{};
  EXPECT_EQ(file->read(299'997, buffer), 10U);
  EXPECT_EQ(std::string(buffer.data(), 10), "aaathe end");
  EXPECT_EQ(file->read(300'003, buffer), 4U);
  EXPECT_EQ(std::string(buffer.data(), 4), " end");
  EXPECT_EQ(file->read(400'000, buffer), 0U);
}

TEST_F(OpenFileTest, SaysWhatIsInMemory) {
  const auto file = OpenFile::open(name_);
  file->load(0, 300'007);
  EXPECT_TRUE(file->in_memory(0, 300'007));
  EXPECT_TRUE(file->in_memory(123, 0));
  // What the system gives up when it is asked to, on file systems on a disk.
  const int fd = file->native_handle();
  if (::fdatasync(fd) != 0 || ::posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) != 0) GTEST_SKIP();
  if (file->in_memory(0, 300'007)) GTEST_SKIP() << "this file system is memory";
  file->load(0, 300'007);
  EXPECT_TRUE(file->in_memory(0, 300'007));
}

TEST_F(OpenFileTest, ErrorsNameTheFile) {
  try {
    static_cast<void>(OpenFile::open("/nowhere/x"));
    FAIL();
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code(), std::errc::no_such_file_or_directory);
    EXPECT_TRUE(std::string(error.what()).starts_with("cannot open /nowhere/x: "));
  }
  const auto folder = OpenFile::open("/tmp");
  std::array<char, 10> buffer{};
  EXPECT_THROW(static_cast<void>(folder->read(0, buffer)), std::system_error);
  folder->load(0, 10);  // says nothing
}

}  // namespace
}  // namespace coronado
