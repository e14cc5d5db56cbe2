/// `OpenFile`: a file to read from, at any place, by tasks that must not wait for the disk.
///
///     auto file = OpenFile::open("disk.img");
///     if (!file->in_memory(at, size)) co_await offload([=] { file->load(at, size); });
///     std::size_t n = file->read(at, buffer);   // does not block now
///
/// Layer: loop.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace coronado {

/// A file opened for reading; closed with its last owner.
/// Threads  Any.
class OpenFile {
 public:
  /// Takes the descriptor over.
  explicit OpenFile(int descriptor) noexcept : descriptor_(descriptor) {}
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  ~OpenFile();

  /// Blocks.   Throws  std::system_error  "cannot open disk.img: ...".
  static std::shared_ptr<const OpenFile> open(const std::string& path);

  int native_handle() const noexcept { return descriptor_; }

  /// Reads from `offset` on. Blocks when that is not in memory.
  /// Returns  Fewer bytes than asked for only at the end of the file.
  /// Throws   std::system_error
  std::size_t read(std::uint64_t offset, std::span<char> to) const;

  /// Whether these bytes can be read without waiting for the disk, as far as the system tells; it is
  /// asked at every 128 KiB.
  bool in_memory(std::uint64_t offset, std::size_t count) const noexcept;

  /// Has the system keep these bytes in memory. Blocks: it is for `offload`. What cannot be read is
  /// left to `read`.
  void load(std::uint64_t offset, std::size_t count) const noexcept;

 private:
  int descriptor_;
};

}  // namespace coronado
