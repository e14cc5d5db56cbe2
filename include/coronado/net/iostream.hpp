/// Buffered, awaitable byte streams over sockets, pipes, TLS and memory.
///
///     IOStream        what every stream can do: read_bytes, read_until, read_some, write, close
///     TCPStream       a connected socket, TCP or Unix
///     PipeIOStream    one end of a pipe
///     stream_pair, pipe_pair   two ends that are connected
///
///     Task<> echo(IOLoop& loop, std::unique_ptr<Transport> transport) {
///       IOStream stream(loop, std::move(transport));
///       for (;;) {
///         std::string bytes = co_await stream.read_some();
///         if (bytes.empty()) break;  // the peer has ended its side
///         co_await stream.write(bytes);
///       }
///     }
///
/// One reader and one waiting writer at a time; they may be different tasks. A read takes what it
/// returns and leaves the rest buffered, also when the peer has closed meanwhile. The stream reads
/// ahead a little, then lets the peer wait.
///
/// Destroying a stream closes it at once and discards unsent bytes; to finish politely,
/// `co_await shutdown()` first. A task that still waits on it gets `StreamClosedError`.
///
/// Threads  The loop's thread only.
/// Lifetime The loop must outlive the stream. Bytes and delimiters given to a function are copied
///          before it returns, except by `read_into`.
/// Layer: net.   Tornado  `tornado.iostream`.
#pragma once

#include <coronado/base/error.hpp>
#include <coronado/coro/task.hpp>
#include <coronado/loop/ioloop.hpp>
#include <coronado/loop/transport.hpp>
#include <coronado/net/stream_operations.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace coronado {

class OpenFile;

/// The limits of a stream.
struct IOStreamOptions {
  /// Most unread bytes kept while a read waits for more. When exceeded: the stream is closed and
  /// the read throws `UnsatisfiableReadError`.
  std::size_t max_buffer_size = 100 * 1024 * 1024;

  /// How many bytes are received, at least, before anybody asks for them. Then the peer is slowed
  /// down. One delivery of the loop may exceed it.
  std::size_t read_ahead = 64 * 1024;

  /// A `write` that leaves more bytes than this unsent waits, until all of them have left.
  std::size_t high_water_mark = 64 * 1024;

  /// Most unsent bytes. A write beyond throws `StreamBufferFullError` and is not begun.
  std::size_t max_write_buffer_size = static_cast<std::size_t>(-1);
};

/// A stream of bytes in both directions.
/// Tornado  `iostream.BaseIOStream`, `IOStream`.
class IOStream {
 public:
  static constexpr std::size_t kNoLimit = static_cast<std::size_t>(-1);

  /// Takes a connected channel and begins to receive on it.
  /// Throws  std::system_error  The channel cannot be watched.
  IOStream(IOLoop& loop, std::unique_ptr<Transport> transport, IOStreamOptions options = {});
  IOStream(IOStream&&) noexcept;
  IOStream& operator=(IOStream&&) noexcept;
  ~IOStream();

  // --- reading -------------------------------------------------------------------------------
  // What holds for all of them:
  // Throws   StreamClosedError  The stream ended, or broke, before the read was done; `code()` says
  //                             why: none after an orderly end by the peer, `operation_canceled`
  //                             after `close`. What had come stays buffered: `take_buffered`.
  //          UnsatisfiableReadError  The read cannot end within `max_bytes` or
  //                             `max_buffer_size`. The stream has been closed, since what follows
  //                             cannot be trusted to begin at a message boundary.
  //          std::logic_error   Another read is active: thrown at the call, or at the `co_await`
  //                             when the other one began in between.
  // Cancel   At once. No byte is lost: what has come is still buffered, and the same read may be
  //          repeated.
  // Cost     No allocation but the string's; nothing suspends when the bytes are there.

  /// Reads whatever comes next, as soon as there is anything.
  /// Params   max_bytes  Most bytes to return, 1 or more.
  /// Returns  1 to `max_bytes` bytes; empty after the peer's orderly end.
  /// Throws   As above; `StreamClosedError` only when the stream broke or was closed here.
  /// Cancel   As above.
  detail::BytesRead read_some(std::size_t max_bytes = 64 * 1024);

  /// Reads exactly `size` bytes.
  /// Throws   As above; `StreamLimitError` at the call, without closing, when `size` is more than
  ///          `max_buffer_size`.
  /// Cancel   As above.
  detail::BytesRead read_bytes(std::size_t size);

  /// Reads 1 to `size` bytes: as `read_some`, but the end is an error.
  /// Throws   As above.   Cancel  As above.   Tornado  `read_bytes(partial=True)`.
  detail::BytesRead read_bytes_partial(std::size_t size);

  /// Reads whatever comes next into memory of the caller, without a copy in between.
  /// Returns  How many bytes; 0 after the peer's orderly end, or when `into` is empty.
  /// Throws   As above; `StreamClosedError` only when the stream broke or was closed here.
  /// Cancel   As above.
  /// Lifetime `into` must stay until the read has ended.
  detail::IntoRead read_into(std::span<char> into);

  /// Fills `into`, of any size.
  /// Returns  The size of `into`.
  /// Throws   As above.
  /// Cancel   As above; what was written to `into` goes back to the buffer.
  /// Lifetime `into` must stay until the read has ended.
  detail::IntoRead read_into_exactly(std::span<char> into);

  /// Reads up to and including the first `delimiter`. What was searched is not searched again when
  /// more comes; what follows stays buffered.
  ///
  ///     std::string head = co_await stream.read_until("\r\n\r\n", 64 * 1024);
  ///
  /// Params   max_bytes  Give up when this many bytes hold no whole delimiter. The default is
  ///                     `max_buffer_size`: pass one whenever the peer is not trusted.
  /// Returns  The bytes, with the delimiter as their end.
  /// Throws   As above; `std::logic_error` for an empty delimiter.
  /// Cancel   As above.
  detail::UntilRead read_until(std::string_view delimiter, std::size_t max_bytes = kNoLimit);

  /// Reads up to and including the first match of a regular expression (RE2's syntax, bytes).
  /// Since bytes come in pieces, a match that could be longer ends where the bytes that are there
  /// end. Takes linear time; within a stream of small pieces a match beyond the first kilobytes may
  /// be noticed up to some milliseconds late.
  /// Throws   As above; `UsageError` for a pattern that is none.
  /// Cancel   As above.
  detail::RegexRead read_until_regex(std::string_view pattern, std::size_t max_bytes = kNoLimit);

  /// Reads all that comes until the peer ends its side; nothing, if that has been read already.
  /// Params   max_bytes  Most bytes to accept.
  /// Throws   As above; a stream that breaks is no end: `StreamClosedError`.
  /// Cancel   As above.
  detail::CloseRead read_until_close(std::size_t max_bytes = kNoLimit);

  /// True while a read waits.
  bool reading() const noexcept;

  /// Bytes that have come and were not read.
  std::size_t buffered() const noexcept;

  /// Takes all of them: what is left after a failed read.
  /// Throws  std::logic_error  A read is active.
  std::string take_buffered();

  // --- writing -------------------------------------------------------------------------------

  /// Sends `bytes`, and waits when that leaves more than `high_water_mark` bytes unsent, until all
  /// have left. The bytes are handed over whole, before the function returns; what is awaited is only that there is room for
  /// more. Awaiting every write makes a sender as slow as its receiver.
  /// Throws   StreamClosedError  The stream is closed, or broke meanwhile. At the call: nothing was
  ///                             sent. At the `co_await`: what the peer got is unknown.
  ///          StreamBufferFullError  More than `max_write_buffer_size` would be unsent; nothing of
  ///                             `bytes` is sent, the stream stays open. At the call.
  ///          std::logic_error   Another write waits, or a file is being sent. At the call; nothing
  ///                             was sent.
  /// Cancel   At once. The bytes have been accepted, all of them, and are sent as long as the
  ///          stream stays open.
  /// Tornado  `write`; there the future ends when the bytes have left, which is `drain` here.
  detail::StreamWrite write(std::string_view bytes);

  /// Sends `bytes` and never waits: for callbacks, and where the size is known to be small. May be
  /// called while a `write` waits.
  /// Throws  StreamClosedError, StreamBufferFullError  As `write` at the call.
  ///         std::logic_error  A file is being sent.
  void write_nowait(std::string_view bytes);

  /// Sends `count` bytes of a file, from `offset` on, behind what was written. Where the channel has
  /// a way for it (sockets and pipes, by sendfile; TLS in the kernel) they do not pass through the
  /// program; else they are read and written piece by piece. The disk is never waited for on the
  /// loop, and between two pieces the others have their turn.
  ///
  ///     co_await stream.send_file(OpenFile::open("disk.img"), 0, size);
  ///
  /// Ends when all has been handed over, as `write` does. Nothing else may be written meanwhile.
  /// Throws   StreamClosedError  The stream is closed, or broke meanwhile.
  ///          std::runtime_error  The file ended, or could not be read, before `count` bytes.
  ///          std::logic_error   Another write waits, or another file is being sent.
  ///          After any of them, how much was sent is unknown.
  /// Cancel   Between two pieces; what the peer got is unknown, so that the stream should be closed.
  /// Lifetime The stream may be moved meanwhile; when it is destroyed, this throws
  ///          `StreamClosedError`.
  Task<> send_file(std::shared_ptr<const OpenFile> file, std::uint64_t offset, std::uint64_t count);

  /// Waits until everything written has left for the system.
  /// Throws   StreamClosedError  The stream is closed, or broke meanwhile.
  ///          std::logic_error   A write waits.
  /// Cancel   At once; what was written is sent all the same.
  detail::StreamWrite drain();

  /// Ends our side after what was written: the peer reads the end. Reading goes on.
  /// Returns  What waits as `drain` does; our side ends even if nobody waits for it.
  /// Throws   As `drain`.
  /// Cancel   As `drain`.
  detail::StreamWrite shutdown();

  /// Bytes written and not yet sent.
  std::size_t pending() const noexcept;
  bool writing() const noexcept { return pending() != 0; }

  // --- the end -------------------------------------------------------------------------------

  /// Closes both directions now. Unsent bytes are lost; whoever waits gets `StreamClosedError` with
  /// `operation_canceled`; what was received stays readable. Nothing happens the second time.
  void close() noexcept;

  /// True once the stream was closed here, or broke: nothing can be written any more. An orderly
  /// end by the peer alone does not close it.
  bool closed() const noexcept;

  /// True when nothing more will come, whatever is still buffered.
  bool ended() const noexcept;

  /// Why the stream is closed; none while it is open, and after an orderly end.
  std::error_code error() const noexcept;

  /// Calls `callback` once, in a turn of its own, when the peer has ended its side, the stream
  /// broke, or it was closed; soon, if that has happened already. Not when the stream is destroyed.
  /// A peer's end is noticed only while no more than `read_ahead` bytes lie unread before it.
  void set_close_callback(Function<void()> callback);

  // --- beneath -------------------------------------------------------------------------------

  /// The channel.   Throws  StreamClosedError  It is closed.
  Transport& transport() const;

  /// Gives up the channel, for a protocol that goes on above it (TLS). The stream is closed then.
  /// Its receiving is paused: the new owner calls `Transport::start` with its own handler, then
  /// `resume_receive`.
  /// Throws  StreamClosedError  The stream is closed or the peer has ended.
  ///         std::logic_error   The stream is not idle; the message says what is in the way: a
  ///                            read, a write, unread or unsent bytes.
  std::unique_ptr<Transport> release_transport();

  IOLoop& loop() const noexcept;
  const IOStreamOptions& options() const noexcept;

 private:
  std::shared_ptr<detail::StreamCore> core_;
};

/// A connected socket.   Tornado  `iostream.IOStream`.
class TCPStream : public IOStream {
 public:
  using IOStream::IOStream;

  /// The other end, as it was when the connection was made; `kNone` when closed.
  SocketAddress peer() const;
  /// Our end; `kNone` when closed.
  SocketAddress local() const;

  /// Whether small writes leave at once. They do from the start; nothing happens where there is no
  /// such thing.
  void set_nodelay(bool on) noexcept;
};

/// One end of a pipe: it is either read from or written to.   Tornado  `iostream.PipeIOStream`.
class PipeIOStream : public IOStream {
 public:
  /// Takes the descriptor and makes it non-blocking.
  /// Throws  std::system_error  It is not open or cannot be watched; it is closed then.
  PipeIOStream(IOLoop& loop, int fd, IOStreamOptions options = {});
};

/// Two ends of a channel within the system, a pair of Unix sockets.   Throws  std::system_error
std::pair<TCPStream, TCPStream> stream_pair(IOLoop& loop, IOStreamOptions options = {});

/// A pipe: the first end reads what the second writes.   Throws  std::system_error
std::pair<PipeIOStream, PipeIOStream> pipe_pair(IOLoop& loop, IOStreamOptions options = {});

}  // namespace coronado
