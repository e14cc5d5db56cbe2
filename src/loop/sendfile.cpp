#include "loop/sendfile.hpp"

#include <sys/sendfile.h>

#include <cerrno>
#include <csignal>

namespace coronado {

FileSending send_file_now(int channel, int file, std::uint64_t offset, std::size_t count) noexcept {
  static const bool ignored =
      (ignore_broken_pipe_signal(), true);  // no flag keeps it from sendfile
  static_cast<void>(ignored);
  auto from = static_cast<off_t>(offset);
  FileSending result;
  while (result.sent < count) {
    const ssize_t n = ::sendfile(channel, file, &from, count - result.sent);
    if (n > 0) {
      result.sent += static_cast<std::size_t>(n);
      continue;
    }
    if (n == 0 || errno == EIO) break;
    if (errno == EINTR) continue;
    const bool full = errno == EAGAIN || errno == EWOULDBLOCK;
    const bool no_way = errno == EINVAL || errno == ESPIPE || errno == ENOSYS || errno == EOVERFLOW;
    if (no_way && result.sent != 0) break;
    result.error = full ? EAGAIN : no_way ? EINVAL : errno;
    break;
  }
  return result;
}

void ignore_broken_pipe_signal() noexcept {
  struct sigaction present{};
  ::sigaction(SIGPIPE, nullptr, &present);
  if (present.sa_handler == SIG_DFL) ::signal(SIGPIPE, SIG_IGN);
}

}  // namespace coronado
