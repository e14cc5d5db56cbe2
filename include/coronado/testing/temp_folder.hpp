/// A folder for the files of one test.
///
///     TempFolder   a folder of its own, that goes with everything in it
///
/// Layer: testing.
#pragma once

#include <string>
#include <string_view>

namespace coronado {

/// A folder that nothing else uses, below the system's folder for temporary files ($TMPDIR, else
/// /tmp). It is removed at the end with all that is in it, whoever wrote that.
///
///     TempFolder folder;
///     const std::string config = folder.write("etc/app.conf", "port = 8888\n");
///     EXPECT_EQ(read_config(config).port, 8888);
///
/// Tests that run beside each other, in one process or in several, never meet in it.
///
/// Errors  The constructor and `write` throw std::system_error, which names the path.
/// Threads Any, one at a time.
/// Source  pytest's `tmp_path`.
class TempFolder final {
 public:
  TempFolder();
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  ~TempFolder();

  /// The folder's absolute path, without a slash at its end.
  const std::string& path() const noexcept { return path_; }

  /// The path of `name` in the folder, whether it is there or not.
  ///
  /// Params  name  A file or folder, relative to this one: "a.txt", "sub/b.txt".
  std::string at(std::string_view name) const;

  /// Makes the file `name`, or replaces what it holds; folders on the way are made.
  ///
  /// Params   name     As for `at`.
  ///          content  Its bytes.
  /// Returns  The file's path.
  std::string write(std::string_view name, std::string_view content) const;

 private:
  std::string path_;
};

}  // namespace coronado
