#include <coronado/testing/temp_folder.hpp>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <system_error>

namespace coronado {

namespace fs = std::filesystem;

TempFolder::TempFolder() : path_((fs::temp_directory_path() / "coronado-XXXXXX").string()) {
  if (::mkdtemp(path_.data()) == nullptr) {
    throw std::system_error(errno, std::generic_category(), "cannot make " + path_);
  }
}

TempFolder::~TempFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

std::string TempFolder::at(std::string_view name) const {
  return (fs::path(path_) / name).string();
}

std::string TempFolder::write(std::string_view name, std::string_view content) const {
  const fs::path file = at(name);
  fs::create_directories(file.parent_path());
  errno = 0;
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  out << content << std::flush;
  if (!out)
    throw std::system_error(errno, std::generic_category(), "cannot write " + file.string());
  return file.string();
}

}  // namespace coronado
