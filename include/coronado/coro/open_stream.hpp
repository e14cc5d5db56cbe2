/// The open streams, for the picture of the tasks.
///
///     StreamInfo   what the picture tells of one
///     OpenStream   the base of what is shown there
///
/// Threads  Of the executor that the stream belongs to, but for the lists: they are guarded.
/// Layer: coro, which knows of streams only that there are some.
#pragma once

#include <coronado/base/intrusive_list.hpp>
#include <coronado/coro/executor.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace coronado {

/// One open stream.
struct StreamInfo {
  std::string peer = {};      ///< "192.0.2.7:4711"; "a stream" for one without an address
  std::string security = {};  ///< "TLS 1.3, TLS_AES_128_GCM_SHA256"; empty: none
  bool kernel_tls = false;    ///< the kernel encrypts what is sent
  std::size_t buffered = 0;   ///< bytes that have come and were not read
  std::size_t unsent = 0;     ///< bytes that were written and have not left
};

/// Something with a peer that a task reads and writes. It is listed from its making until it ends.
/// Cost  A lock that nobody holds for long at either; a store while it is read and written.
class OpenStream : public ListHook {
 public:
  /// A stream that is used by the task that runs now, if one does.
  explicit OpenStream(const Executor& executor);
  OpenStream(const OpenStream&) = delete;
  OpenStream& operator=(const OpenStream&) = delete;

  /// What it is now; called only while somebody looks.
  virtual StreamInfo info() const = 0;

  /// The task that used it last; 0: none yet.
  std::uint64_t task_id() const noexcept { return task_id_; }

  /// Those of one executor, in the order of their making.
  static std::vector<const OpenStream*> of(const Executor& executor);

 protected:
  ~OpenStream();

  /// The task that runs now uses it.
  void note_use() noexcept;
  /// It is not open any more.
  void note_end() noexcept;

 private:
  const Executor& executor_;
  std::uint64_t task_id_ = 0;
};

}  // namespace coronado
