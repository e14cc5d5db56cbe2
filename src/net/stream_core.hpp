/// `StreamCore`: what stands behind an `IOStream`, at an address that stays.
#pragma once

#include <coronado/coro/open_stream.hpp>
#include <coronado/net/iostream.hpp>

#include <exception>
#include <limits>
#include <memory>
#include <optional>
#include <string>

#include "base/regex.hpp"

namespace coronado::detail {

/// The buffer of unread bytes: consumed at the front, filled at the end.
class ReadBuffer {
 public:
  std::size_t size() const noexcept { return bytes_.size() - begin_; }
  std::string_view view() const noexcept { return std::string_view(bytes_).substr(begin_); }
  void append(std::string_view bytes);
  void drop(std::size_t size) noexcept;
  std::string take(std::size_t size);
  std::string take_all() { return take(size()); }

 private:
  std::string bytes_;
  std::size_t begin_ = 0;
};

class StreamCore final : private OpenStream,
                         private TransportHandler,
                         public std::enable_shared_from_this<StreamCore> {
 public:
  StreamCore(IOLoop& loop, std::unique_ptr<Transport> transport, IOStreamOptions options);

  /// Begins to receive.
  void start();
  /// The stream is destroyed.
  void abandon() noexcept;

  // Reading
  void require_no_read() const;
  /// Returns  True when the read is done; else it is to wait.
  bool begin(StreamRead& read);
  void wait(StreamRead& read) noexcept;
  void cancel(StreamRead& read) noexcept;
  /// Offers the buffer to the read that waits, once more.
  void offer_again(StreamRead& read) noexcept;
  std::shared_ptr<const CompiledRegex> compile(std::string_view pattern);

  // Writing
  void require_no_waiter() const;
  void require_no_file() const;
  void require_no_write() const {
    require_no_waiter();
    require_no_file();
  }
  void write(std::string_view bytes);
  std::optional<std::size_t> send_file(int file, std::uint64_t offset, std::size_t count);
  void shutdown();
  bool sent_to(std::size_t mark);
  void wait(StreamWrite& write) noexcept { writer_ = &write; }
  void cancel(StreamWrite&) noexcept { writer_ = nullptr; }

  // The end
  void close(std::error_code reason) noexcept;
  void set_close_callback(Function<void()> callback);
  std::unique_ptr<Transport> release_transport();

  IOLoop& loop;
  const IOStreamOptions options;
  ReadBuffer buffer;
  bool sending_file = false;  // nobody else writes

  Transport* transport() const noexcept { return transport_.get(); }
  /// The peer's address; "a stream" when it has none.
  std::string peer_name() const;
  bool reading() const noexcept { return reader_ != nullptr; }
  bool ended() const noexcept { return ended_; }
  std::error_code error() const noexcept { return error_; }

 private:
  StreamInfo info() const override;
  // TransportHandler
  void on_receive(std::span<char> bytes) noexcept override;
  void on_receive_end(std::error_code error) noexcept override;
  void on_drained() noexcept override;

  bool offer(UnreadBytes& unread) noexcept;
  void check_size(std::size_t size) const;
  void fail_reader(std::exception_ptr failure) noexcept;
  void finish_writer(std::exception_ptr failure) noexcept;
  void put_back(std::string_view bytes);
  void require_open_output() const;
  bool is_unsent_within(std::size_t mark) noexcept;
  void control_flow() noexcept;
  void tell_close() noexcept;

  std::unique_ptr<Transport> transport_;
  StreamRead* reader_ = nullptr;
  StreamWrite* writer_ = nullptr;
  Function<void()> on_close_;
  std::shared_ptr<const CompiledRegex> regex_;  // the one used last, for `regex_pattern_`
  std::string regex_pattern_;
  std::error_code error_;      // why the stream is closed
  std::error_code end_error_;  // why nothing more will come; none after an orderly end
  std::size_t unsent_at_most_ = std::numeric_limits<std::size_t>::max();
  bool ended_ = false;   // nothing more will come
  bool paused_ = false;  // the peer is to wait
  bool shut_ = false;    // we write no more
  bool close_due_ = false;
};

}  // namespace coronado::detail
