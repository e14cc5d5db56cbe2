/// The open streams, for the picture of the tasks.
///
///     StreamInfo     what the picture tells of one
///     StreamSource   the base of what has streams to show
///     OpenStream     the base of a stream that is shown by itself
///
/// Threads  Of the executor that the streams belong to, but for the list of sources: it is guarded.
/// Layer: coro, which knows of streams only that there are some.
#pragma once

#include <coronado/base/function.hpp>
#include <coronado/base/intrusive_list.hpp>
#include <coronado/coro/executor.hpp>

#include <cstddef>
#include <cstdint>
#include <string>

namespace coronado {

/// One open stream.
struct StreamInfo {
  std::string peer = {};      ///< "192.0.2.7:4711"; "a stream" for one without an address
  std::string protocol = {};  ///< "HTTP", "WebSocket"; empty: whatever its task speaks
  std::string security = {};  ///< "TLS 1.3, TLS_AES_128_GCM_SHA256"; empty: none
  bool kernel_tls = false;    ///< the kernel encrypts what is sent
  std::size_t buffered = 0;   ///< bytes that have come and were not read
  std::size_t unsent = 0;     ///< bytes that were written and have not left
  std::uint64_t task_id = 0;  ///< the task that used it last; 0: none
  std::size_t alike = 0;      ///< others that differ in nothing but the peer and are left out
};

/// Something that has streams, one or many, and tells of them when somebody looks. It is listed from
/// its making until it ends.
/// Cost  A lock that nobody holds for long at either.
class StreamSource : public ListHook {
 public:
  using Visit = Function<void(StreamInfo)>;

  explicit StreamSource(const Executor& executor);
  StreamSource(const StreamSource&) = delete;
  StreamSource& operator=(const StreamSource&) = delete;

  /// Calls `visit` with each of its open streams as it is now.
  virtual void visit_streams(Visit& visit) const = 0;

  /// Calls `visit` with each stream of one executor, source by source in the order of their making.
  static void visit_all(const Executor& executor, Visit visit);

 protected:
  ~StreamSource();

  const Executor& executor() const noexcept { return executor_; }
  /// Nothing of it is to be shown any more.
  void note_end() noexcept;

 private:
  const Executor& executor_;
};

/// Something with a peer that a task reads and writes.
/// Cost  A store while it is read and written, and what a `StreamSource` costs.
class OpenStream : public StreamSource {
 public:
  /// A stream that is used by the task that runs now, if one does.
  explicit OpenStream(const Executor& executor) : StreamSource(executor) { note_use(); }

  /// What it is now, but for `task_id`; called only while somebody looks.
  virtual StreamInfo info() const = 0;

  /// The task that used it last; 0: none yet.
  std::uint64_t task_id() const noexcept { return task_id_; }

  void visit_streams(Visit& visit) const final;

 protected:
  ~OpenStream() = default;

  /// The task that runs now uses it.
  void note_use() noexcept;

 private:
  std::uint64_t task_id_ = 0;
};

}  // namespace coronado
