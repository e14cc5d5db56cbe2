/// Starts a program: the system's part of `Subprocess`.
#pragma once

#include <coronado/net/subprocess.hpp>

#include <sys/types.h>

#include <array>

namespace coronado {

/// A descriptor that is closed at the end.
class OwnedDescriptor {
 public:
  OwnedDescriptor() noexcept = default;
  explicit OwnedDescriptor(int fd) noexcept : fd_(fd) {}
  OwnedDescriptor(OwnedDescriptor&& other) noexcept : fd_(other.release()) {}
  OwnedDescriptor& operator=(OwnedDescriptor&& other) noexcept;
  ~OwnedDescriptor();
  int get() const noexcept { return fd_; }
  int release() noexcept { return std::exchange(fd_, -1); }

 private:
  int fd_ = -1;
};

/// The descriptors of a child's standard streams, and our ends of the pipes among them.
struct ChildStreams {
  std::array<int, 3> child = {-1, -1, -1};  ///< -1: inherited. Never below 3.
  std::array<OwnedDescriptor, 3> ours;      ///< non-blocking
  std::vector<OwnedDescriptor> opened;      ///< what `child` refers to and the parent closes
};

/// Throws  std::system_error, std::invalid_argument; nothing stays open.
ChildStreams open_child_streams(const SubprocessOptions& options);

/// Starts the program; returns when it has been loaded.
/// Throws  std::system_error, std::invalid_argument
pid_t spawn_process(const std::vector<std::string>& argv, const SubprocessOptions& options,
                    const ChildStreams& streams);

/// The command as a person would type it, more or less: for messages.
std::string command_text(const std::vector<std::string>& argv);

}  // namespace coronado
