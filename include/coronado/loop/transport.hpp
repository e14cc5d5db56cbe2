/// Byte channels as the reactor offers them: what streams and protocols stand on.
///
///     Transport          one connected channel
///     TransportHandler   who is told what happens on it
///     Acceptor           a listening socket
///     AcceptHandler      who is given its connections
///     Connecting         a connection being made
///     ConnectHandler     who is given it
///
/// The interface is shaped by completions, not readiness: bytes are delivered, writes are accepted
/// whole. So epoll may try at once and io_uring may complete later, and TLS or a simulated network
/// can stand in between.
///
/// Threads  The loop's thread only.
/// Layer: loop.
#pragma once

#include <coronado/loop/address.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

namespace coronado {

/// Told what happens on a transport. It may destroy the transport from inside any of these calls.
class TransportHandler {
 public:
  /// Bytes came. They live in a buffer of the loop until this returns; the handler may change them
  /// in place, and copies what it does not consume.
  virtual void on_receive(std::span<char> bytes) noexcept = 0;

  /// Nothing more will come: the peer ended its side (no error), or the channel broke. Called once;
  /// after an orderly end once more, with an error, when what is written cannot be sent any more. A
  /// channel on which sending failed says so even while receiving is paused.
  virtual void on_receive_end(std::error_code error) noexcept = 0;

  /// What could not be sent at once has been sent: `pending()` is zero again. Not when it could not.
  virtual void on_drained() noexcept = 0;

 protected:
  ~TransportHandler() = default;
};

/// One connected channel. Destroying it closes it and discards what the channel did not take.
class Transport {
 public:
  Transport() = default;
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;
  virtual ~Transport() = default;

  /// Begins to receive; called before anything else. Called again it hands the channel over to
  /// another handler, and all else stays as it is: a protocol such as TLS can begin on a channel
  /// that is open already, when its receiving is paused first.
  /// Lifetime  `handler` must outlive the transport, or the next `start`.
  virtual void start(TransportHandler& handler) = 0;

  /// Sends what the channel takes, at once or when the handlers of this turn have run, and keeps a
  /// copy of the rest. Never blocks. On a broken channel the bytes are dropped; `on_receive_end`
  /// tells.
  virtual void write(std::string_view bytes) = 0;

  /// Sends bytes of a file without copying them through the program, as many as the channel takes
  /// now.
  ///
  /// Params   file  The descriptor of a regular file.
  /// Returns  How many were sent. Fewer than `count`: while `pending()` is not zero the channel takes
  ///          no more, and `on_drained` says when to ask for the rest, which `pending()` counts;
  ///          nothing else may be written meanwhile. Zero with nothing pending: the file ends here,
  ///          or cannot be read. None: the channel has no such way; read the file and `write` it.
  virtual std::optional<std::size_t> send_file(int file, std::uint64_t offset, std::size_t count) {
    static_cast<void>(file), static_cast<void>(offset), static_cast<void>(count);
    return std::nullopt;
  }

  /// Has the system make TLS records of what is sent from now on, and encrypt them (kTLS).
  ///
  /// Params   keys  A `tls12_crypto_info_...` of <linux/tls.h>, as bytes.
  /// Returns  False: the channel or its system has no such way, or `pending()` is not zero; nothing
  ///          has changed. Once it was true, another call brings the keys that follow.
  virtual bool encrypt_output(std::span<const char> keys) {
    static_cast<void>(keys);
    return false;
  }

  /// After `encrypt_output`: sends a record that is not application data, such as an alert.
  ///
  /// Params   type  The content type.   Spec  RFC 8446 5.1
  /// Returns  False: the channel takes no record now; `on_drained` says when to ask again, and
  ///          `pending()` counts it until then. Nothing else may be written meanwhile.
  virtual bool send_record(unsigned char type, std::string_view content) {
    static_cast<void>(type), static_cast<void>(content);
    return true;
  }

  /// Bytes accepted by `write` and not yet sent: the measure for back-pressure.
  virtual std::size_t pending() const noexcept = 0;

  /// Stops and resumes delivery. Bytes stay with the kernel meanwhile, so that the peer is slowed
  /// down.
  virtual void pause_receive() noexcept = 0;
  virtual void resume_receive() noexcept = 0;

  /// Has some of what has come already delivered at once, from inside this call, by one `on_receive`,
  /// even while receiving is paused: for a handler that would otherwise wait for a turn of the loop.
  /// Nothing happens inside of an `on_receive`, too often in one turn, or where the channel has no
  /// such way: then it is delivered as ever. The end is never told from here.
  virtual void receive_now() noexcept {}

  /// A string of bytes that `on_receive` has been given, for a handler that keeps them: the buffer
  /// they came in, where they are many and the channel can do without it, else a copy.
  ///
  /// Params   bytes  Any; to get the buffer, all that `on_receive` was given. They are not touched
  ///                 afterwards.
  virtual std::string take_received(std::string_view bytes) { return std::string(bytes); }

  /// Ends our side after what is pending has been sent; receiving goes on.
  virtual void shutdown_write() noexcept = 0;

  /// Tells the peer that what was sent is all, where the channel has a word for it (TLS): before a
  /// transport with nothing pending is destroyed on purpose. Nothing is written afterwards.
  virtual void say_farewell() noexcept {}

  /// True, as it is from the beginning on TCP: small writes leave at once. False: they wait until
  /// the peer has acknowledged what was sent before. Nothing happens where there is no such choice.
  virtual void set_nodelay(bool on) noexcept { static_cast<void>(on); }

  /// The peer as it was when the connection was made.
  virtual SocketAddress peer() const = 0;

  /// Our own end; `kNone` where there is no address.
  virtual SocketAddress local() const { return {}; }

  /// The socket, or -1 where there is none.
  virtual int native_handle() const noexcept = 0;
};

/// Given the connections of an acceptor.
class AcceptHandler {
 public:
  virtual void on_accept(std::unique_ptr<Transport> transport) noexcept = 0;
  /// Accepting failed (too many open files, ...). The acceptor pauses for a while and goes on.
  virtual void on_accept_error(std::error_code error) noexcept = 0;

 protected:
  ~AcceptHandler() = default;
};

/// A listening socket being served. Destroying it stops accepting and closes it.
class Acceptor {
 public:
  Acceptor() = default;
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;
  virtual ~Acceptor() = default;

  virtual void pause() noexcept = 0;
  virtual void resume() noexcept = 0;
  /// The address it listens on, with the port that the system chose for port 0.
  virtual SocketAddress local() const = 0;
  /// The socket, or -1 where there is none.
  virtual int native_handle() const noexcept = 0;
};

/// Given a connection that was asked for. Exactly one of the calls is made, once, never from inside
/// `Reactor::connect`; it may destroy the `Connecting`.
class ConnectHandler {
 public:
  virtual void on_connect(std::unique_ptr<Transport> transport) noexcept = 0;
  virtual void on_connect_error(std::error_code error) noexcept = 0;

 protected:
  ~ConnectHandler() = default;
};

/// A connection being made. Destroying it gives up, and then the handler is not called.
class Connecting {
 public:
  Connecting() = default;
  Connecting(const Connecting&) = delete;
  Connecting& operator=(const Connecting&) = delete;
  virtual ~Connecting() = default;
};

}  // namespace coronado
