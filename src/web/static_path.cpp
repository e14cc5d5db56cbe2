#include "web/static_path.hpp"

#include <coronado/base/error.hpp>
#include <coronado/base/escape.hpp>
#include <coronado/base/strings.hpp>

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

namespace coronado::web {
namespace {

constexpr int kReadFlags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
constexpr int kFolderFlags = O_PATH | O_DIRECTORY | O_CLOEXEC;
constexpr int kRaces = 8;  // somebody renames folders meanwhile: so often we try again

class Descriptor {
 public:
  explicit Descriptor(int fd) noexcept : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const noexcept { return fd_; }
  void reset(int fd) noexcept {
    if (fd_ >= 0) ::close(fd_);
    fd_ = fd;
  }

 private:
  int fd_;
};

int open_with_openat2(int folder, const std::string& path, Symlinks symlinks) noexcept {
  open_how how{};
  how.flags = static_cast<std::uint64_t>(kReadFlags);
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  if (symlinks == Symlinks::kRefuse) how.resolve |= RESOLVE_NO_SYMLINKS;
  long fd = -EAGAIN;
  for (int tries = 0; fd == -EAGAIN && tries < kRaces; ++tries) {
    fd = ::syscall(SYS_openat2, folder, path.empty() ? "." : path.c_str(), &how, sizeof how);
    if (fd < 0) fd = -errno;
  }
  return static_cast<int>(fd);
}

/// Goes one folder at a time and follows no link.
int open_step_by_step(int folder, std::string_view path) noexcept {
  Descriptor here(::dup(folder));
  for (std::size_t slash = path.find('/'); slash != std::string_view::npos;
       slash = path.find('/')) {
    const std::string name(path.substr(0, slash));
    here.reset(::openat(here.get(), name.c_str(), kFolderFlags | O_NOFOLLOW));
    if (here.get() < 0) return -errno;
    path.remove_prefix(slash + 1);
  }
  const std::string name(path.empty() ? std::string_view(".") : path);
  const int fd = ::openat(here.get(), name.c_str(), kReadFlags | O_NOFOLLOW);
  return fd < 0 ? -errno : fd;
}

}  // namespace

std::string clean_static_path(std::string_view path, bool hidden) {
  if (!is_valid_utf8(path)) throw HTTPError(400, "a path of a file is not valid UTF-8");
  // No name has them, and they would forge lines of the log.
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  if (std::ranges::any_of(path, is_control)) {
    throw HTTPError(404, "a path of a file with a control character");
  }
  const auto refuse = [&] {
    return HTTPError(403, std::string(path) + " leads out of its folder");
  };
  if (path.starts_with('/')) throw refuse();
  if (path.ends_with('/')) path.remove_suffix(1);
  std::vector<std::string_view> names;
  bool odd = false;
  for_each_part(path, '/', [&](std::string_view name) {
    if (name == "..") throw refuse();
    odd = odd || ((name.empty() || name == ".") && !path.empty());
    names.push_back(name);
  });
  // It would be the same file by another name, past what guards the path.
  if (odd) throw HTTPError(404, std::string(path) + " has an empty segment");
  std::string clean;
  for (const std::string_view name : names) {
    const bool well_known = clean.empty() && name == ".well-known";
    if (name.starts_with('.') && !hidden && !well_known) {
      throw HTTPError(404, std::string(path) + " is hidden");
    }
    if (!clean.empty()) clean += '/';
    clean += name;
  }
  return clean;
}

int open_below(const std::string& folder, const std::string& path, Symlinks symlinks,
               bool use_openat2) noexcept {
  try {
    const Descriptor root(::open(folder.c_str(), kFolderFlags));
    if (root.get() < 0) return -errno;
    if (symlinks == Symlinks::kFollow) {
      const int fd = ::openat(root.get(), path.empty() ? "." : path.c_str(), kReadFlags);
      return fd < 0 ? -errno : fd;
    }
    const int fd = use_openat2 ? open_with_openat2(root.get(), path, symlinks) : -ENOSYS;
    // EPERM: a sandbox that does not know the call.
    if (fd != -ENOSYS && fd != -EPERM) return fd;
    return open_step_by_step(root.get(), path);
  } catch (const std::bad_alloc&) {
    return -ENOMEM;
  }
}

}  // namespace coronado::web
