#include <coronado/loop/file.hpp>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <vector>

namespace coronado {
namespace {

constexpr std::size_t kProbeStride = 128 * 1024;  // what the kernel reads ahead at once, by default
constexpr std::size_t kLoadPiece = 128 * 1024;

/// Asks by the page table, for file systems that cannot be read without waiting.
bool mapped_pages_in_memory(int file, std::uint64_t offset, std::size_t count) noexcept {
  const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  const std::uint64_t start = offset / page * page;
  const auto size = static_cast<std::size_t>(offset - start) + count;
  void* const place = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, file, static_cast<off_t>(start));
  if (place == MAP_FAILED) return true;  // nobody can tell
  bool all = true;
  try {
    std::vector<unsigned char> pages((size + page - 1) / page);
    if (::mincore(place, size, pages.data()) == 0) {
      all = std::ranges::all_of(pages, [](unsigned char flags) { return (flags & 1) != 0; });
    }
  } catch (const std::bad_alloc&) {
  }
  ::munmap(place, size);
  return all;
}

}  // namespace

OpenFile::~OpenFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

std::shared_ptr<const OpenFile> OpenFile::open(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) throw std::system_error(errno, std::system_category(), "cannot open " + path);
  return std::make_shared<const OpenFile>(fd);
}

std::size_t OpenFile::read(std::uint64_t offset, std::span<char> to) const {
  std::size_t done = 0;
  while (done < to.size()) {
    const ssize_t n =
        ::pread(descriptor_, to.data() + done, to.size() - done, static_cast<off_t>(offset + done));
    if (n == 0) break;
    if (n > 0) {
      done += static_cast<std::size_t>(n);
    } else if (errno != EINTR) {
      throw std::system_error(errno, std::system_category(), "a file cannot be read");
    }
  }
  return done;
}

bool OpenFile::in_memory(std::uint64_t offset, std::size_t count) const noexcept {
  if (count == 0) return true;
  char byte = 0;
  const iovec to{&byte, 1};
  const std::uint64_t last = offset + count - 1;
  for (std::uint64_t at = offset;; at = std::min(at + kProbeStride, last)) {
    if (::preadv2(descriptor_, &to, 1, static_cast<off_t>(at), RWF_NOWAIT) < 0) {
      if (errno == EAGAIN) return false;
      return mapped_pages_in_memory(descriptor_, offset, count);
    }
    if (at == last) return true;
  }
}

void OpenFile::load(std::uint64_t offset, std::size_t count) const noexcept {
  ::posix_fadvise(descriptor_, static_cast<off_t>(offset), static_cast<off_t>(count),
                  POSIX_FADV_WILLNEED);
  try {
    std::vector<char> scratch(std::min(count, kLoadPiece));
    for (std::size_t done = 0; done < count;) {
      const std::size_t n =
          read(offset + done, std::span(scratch).first(std::min(scratch.size(), count - done)));
      if (n == 0) return;
      done += n;
    }
  } catch (const std::exception&) {  // whoever reads it hears of it
  }
}

}  // namespace coronado
