/// `RawClient`: an HTTP/1 client that sends exactly the bytes it is told to, right or wrong.
///
///     RawResponse       one response, taken apart
///     RawClient         the client, on any transport
///     connect_loopback  a transport to a port of this machine
///
/// Layer: testing.
#pragma once

#include <coronado/coro/task.hpp>
#include <coronado/loop/ioloop.hpp>
#include <coronado/loop/transport.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace coronado {

/// One response as it came.
struct RawResponse {
  std::string head;  ///< status line and fields, with the empty line that ends them
  std::string version;
  int status = 0;
  std::string reason;
  std::vector<std::pair<std::string, std::string>> fields;
  std::string body;  ///< without the chunked coding
  std::vector<std::pair<std::string, std::string>> trailers;
  bool chunked = false;
  bool truncated = false;  ///< the connection ended before the body did

  /// The first field of that name (in any case); empty without one.
  std::string field(std::string_view name) const;
  bool has_field(std::string_view name) const;
  std::size_t count(std::string_view name) const;
};

/// Whether a response has a body is told by its request.
enum class RawRequestKind : unsigned char { kUsual, kHead };

/// Threads  The loop's thread only. One read at a time.
class RawClient final : private TransportHandler {
 public:
  explicit RawClient(std::unique_ptr<Transport> transport);
  ~RawClient();

  Transport& transport() noexcept { return *transport_; }

  /// Nothing happens when the connection is gone.
  void send(std::string_view bytes);

  /// Ends this side; the other may go on.
  void shutdown_write() { transport_->shutdown_write(); }

  /// Closes the connection.
  void close() noexcept;

  /// The next response. A body without a length reaches to the end of the connection.
  /// Throws  StreamClosedError  The connection ended before a whole head came.
  ///         HTTPInputError     It is no HTTP/1 response.
  /// Cancel  Ends the wait; what came is kept.
  Task<RawResponse> read_response(RawRequestKind kind = RawRequestKind::kUsual);

  /// Everything up to the end of the connection.
  /// Throws  Nothing: a broken connection is an end, too.
  /// Cancel  Ends the wait; what came is kept.
  Task<std::string> read_to_end();

  /// Waits until `size` bytes have come; returns and keeps them.
  /// Throws  StreamClosedError  The connection ended before.
  /// Cancel  Ends the wait.
  Task<std::string> peek(std::size_t size);

  /// What came and was not read yet.
  const std::string& received() const noexcept { return received_; }
  bool ended() const noexcept { return ended_; }
  /// How it ended.
  std::error_code error() const noexcept { return error_; }

 private:
  class More;
  void on_receive(std::span<char> bytes) noexcept override;
  void on_receive_end(std::error_code error) noexcept override;
  void on_drained() noexcept override {}
  Task<> more();
  Task<std::string> take_line();
  Task<> take_body(RawResponse& response, RawRequestKind kind);
  Task<> take_chunks(RawResponse& response);
  Task<bool> take_bytes(std::uint64_t size, std::string& to);

  std::unique_ptr<Transport> transport_;
  std::string received_;
  std::error_code error_;
  More* waiting_ = nullptr;
  bool ended_ = false;
};

/// A connection to 127.0.0.1.
/// Throws  std::system_error  Nobody listens there.
std::unique_ptr<Transport> connect_loopback(IOLoop& loop, std::uint16_t port);

}  // namespace coronado
