/// `ClientConnection`: one connection to a server, and the responses on it.
///
/// Layer: http.
#pragma once

#include <coronado/coro/context.hpp>
#include <coronado/loop/transport.hpp>

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>

#include "http/response_decoder.hpp"

namespace coronado {

/// Why a response did not come whole; a fetch makes an `HTTPClientError` of it.
class WireError : public std::runtime_error {
 public:
  enum class Kind : unsigned char { kClosed, kMalformed, kTooLarge };
  WireError(Kind kind, const char* why, std::error_code code = {})
      : std::runtime_error(why), kind_(kind), code_(code) {}
  Kind kind() const noexcept { return kind_; }
  const std::error_code& code() const noexcept { return code_; }

 private:
  Kind kind_;
  std::error_code code_;
};

/// Sends requests as they are given, and takes responses apart.
///
/// While nobody reads, no more than some 64 KiB are kept; then the server is slowed down.
class ClientConnection final : private TransportHandler {
 public:
  /// Takes a connected transport; it begins to receive.
  ClientConnection(std::unique_ptr<Transport> transport, const HTTPLimits& limits);
  ~ClientConnection();

  // --- a request and its response -------------------------------------------------------------

  /// The next response is that of a request of this kind, whose body may have so many bytes.
  void begin(ResponseDecoder::Request request, std::uint64_t max_body_size);

  void write(std::string_view bytes) { transport_->write(bytes); }
  std::size_t unsent() const noexcept { return transport_->pending(); }

  class More;
  /// Waits until `next` can get on.   Throws  Cancelled.   Cancel  At once; nothing is lost.
  More more() noexcept;

  class Drain;
  /// Waits until all that was written has left, if it is more than `high_water` bytes.
  /// Throws   StreamClosedError  The connection is gone.
  /// Cancel   At once.
  Drain drain(std::size_t high_water) noexcept;

  /// The next event of the response: `kMore` when it has not come yet.
  /// Params   max_bytes  Most bytes of a piece of the body.
  /// Throws   WireError  It will not come, or breaks the rules.
  ResponseDecoder::Step next(std::size_t max_bytes = static_cast<std::size_t>(-1));

  /// After the head, the body, if its length is known and all of it has come; empty otherwise.
  /// Its view lives until `finish_body`, which follows.
  std::string_view whole_body() noexcept {
    const std::string_view bytes = input();
    const std::size_t size = decoder_.take_whole(bytes.size());
    consumed_ += size;
    return bytes.substr(0, size);
  }

  /// After a piece of a body: whether it was the last one. Then `next` has no more to tell.
  bool finish_body() noexcept;

  ResponseDecoder& decoder() noexcept { return decoder_; }
  /// Whether a byte has come since `begin`.
  bool answered() const noexcept { return answered_; }

  // --- between requests -----------------------------------------------------------------------

  /// The response is complete: whether the connection can be kept.
  bool reusable() const noexcept;
  /// Who keeps a connection.
  class Keeper {
   public:
    /// It has become useless, and may be destroyed.
    virtual void on_end(ClientConnection& connection) noexcept = 0;

   protected:
    ~Keeper() = default;
  };
  /// It is kept, and `keeper` is told of its end.
  void park(Keeper& keeper) noexcept;
  void unpark() noexcept { keeper_ = nullptr; }

  /// After 101: the channel, paused, for another protocol.
  /// Params   rest  Set to what came behind the response.
  std::unique_ptr<Transport> release(std::string& rest) noexcept;

  const Transport& transport() const noexcept { return *transport_; }
  /// Nothing more will come: the transport has told so, and does not tell it again.
  bool ended() const noexcept { return ended_; }
  bool used() const noexcept { return requests_ > 1; }

 private:
  void on_receive(std::span<char> bytes) noexcept override;
  void on_receive_end(std::error_code error) noexcept override;
  void on_drained() noexcept override;
  std::string_view input() const noexcept { return std::string_view(input_).substr(consumed_); }
  void end_message() noexcept;
  void compact() noexcept;
  [[noreturn]] void fail(WireError::Kind kind, const char* why);
  void spoil() noexcept;

  std::unique_ptr<Transport> transport_;
  ResponseDecoder decoder_;
  std::string input_;
  std::size_t consumed_ = 0;  // of `input_`
  std::uint64_t requests_ = 0;
  std::error_code error_;
  std::optional<WireError> failure_;
  More* reader_ = nullptr;
  Drain* writer_ = nullptr;
  Keeper* keeper_ = nullptr;
  bool active_ = false;  // a response is awaited
  bool fresh_ = false;   // `next` has not seen all that came
  bool answered_ = false;
  bool ended_ = false;
  bool spoiled_ = false;  // bytes came that no request has asked for
  bool paused_ = false;
};

class ClientConnection::More final : public Suspension {
 public:
  explicit More(ClientConnection& connection) noexcept : connection_(connection) {}
  More(More&& other) noexcept : Suspension(), connection_(other.connection_) {}
  bool await_ready() const noexcept { return connection_.fresh_ || connection_.ended_; }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> handle) noexcept {
    if (!park(handle.promise())) return false;
    connection_.reader_ = this;
    return true;
  }
  void await_resume() const { check(); }
  void cancel() noexcept override {
    connection_.reader_ = nullptr;
    cancelled_ = true;
    wake();
  }
  const char* what() const noexcept override { return "receiving an HTTP response"; }

 private:
  friend class ClientConnection;
  ClientConnection& connection_;
};

class ClientConnection::Drain final : public Suspension {
 public:
  Drain(ClientConnection& connection, std::size_t high_water) noexcept
      : connection_(connection), high_water_(high_water) {}
  Drain(Drain&& other) noexcept
      : Suspension(), connection_(other.connection_), high_water_(other.high_water_) {}
  bool await_ready() const noexcept {
    return connection_.ended_ || connection_.unsent() <= high_water_;
  }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> handle) noexcept {
    if (!park(handle.promise())) return false;
    connection_.writer_ = this;
    return true;
  }
  void await_resume() const;
  void cancel() noexcept override {
    connection_.writer_ = nullptr;
    cancelled_ = true;
    wake();
  }
  const char* what() const noexcept override { return "sending an HTTP request"; }

 private:
  friend class ClientConnection;
  ClientConnection& connection_;
  std::size_t high_water_;
};

inline ClientConnection::More ClientConnection::more() noexcept { return More(*this); }
inline ClientConnection::Drain ClientConnection::drain(std::size_t high_water) noexcept {
  return {*this, high_water};
}

}  // namespace coronado
