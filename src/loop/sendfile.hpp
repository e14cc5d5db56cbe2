/// `send_file_now`: what the transports over descriptors do to send a file.
#pragma once

#include <cstddef>
#include <cstdint>

namespace coronado {

struct FileSending {
  std::size_t sent = 0;
  /// Why it stopped. 0: all was sent, or the file ends here or cannot be read; EAGAIN: the channel
  /// takes no more now; EINVAL: it does not take such a file at all. Any other: it is broken.
  int error = 0;
};

/// Sends without waiting, from a file to a socket or pipe that does not block.
FileSending send_file_now(int channel, int file, std::uint64_t offset, std::size_t count) noexcept;

/// A write to a channel without a reader must be an error, not the end of the process. Leaves a
/// program's own handler as it is.
void ignore_broken_pipe_signal() noexcept;

}  // namespace coronado
