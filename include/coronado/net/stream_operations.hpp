/// What the reads and writes of an `IOStream` return: awaiters that live in the awaiting frame.
///
/// A read begins when it is awaited, ends at once when what it wants is there already, and else
/// waits as the stream's one reader. Nobody needs these names: `co_await stream.read_some(4096)`.
///
/// Layer: net.
#pragma once

#include <coronado/coro/executor.hpp>
#include <coronado/net/io_wait.hpp>

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace coronado {

class CompiledRegex;
class Transport;

namespace detail {

class StreamCore;

/// Bytes that have come and were not read: in the stream's buffer, or still in the loop's.
class UnreadBytes {
 public:
  /// Bytes that `from` is just delivering.
  UnreadBytes(std::string_view arriving, Transport& from) noexcept
      : view_(arriving), from_(&from) {}
  explicit UnreadBytes(StreamCore& core) noexcept;

  std::string_view view() const noexcept { return view_; }

  /// Takes the first `size` bytes; the whole buffer changes hands without a copy.
  std::string take(std::size_t size);

  /// Copies the first bytes to `to` and takes them.
  void copy_to(char* to, std::size_t size);

 private:
  std::string_view view_;
  StreamCore* core_ = nullptr;  // whose buffer it is; null: the loop's
  Transport* from_ = nullptr;   // and then who can give it away
};

/// What all reads share.
class StreamRead : public IOWait {
 public:
  const char* what() const noexcept override { return "reading from a stream"; }
  void describe(std::string& out) const override;

 protected:
  explicit StreamRead(StreamCore& core) noexcept : core_(&core) {}
  StreamRead(StreamRead&&) noexcept = default;
  ~StreamRead() = default;

  StreamCore* core_;

 private:
  friend class StreamCore;

  /// Takes what this read wants from what is there. Called whenever there is more.
  /// Returns  True when the read is done.
  /// Throws   UnsatisfiableReadError  It cannot succeed any more.
  virtual bool feed(UnreadBytes& unread) = 0;

  /// Nothing more will come. `error`: why; none after an orderly end.
  /// Returns  True when that, too, is success.
  virtual bool feed_end(UnreadBytes&, const std::error_code&) { return false; }

  /// The read ends without success: what it has taken belongs to the stream again.
  virtual std::string_view taken() const noexcept { return {}; }

  /// The wait is over, however it ended.
  virtual void ended() noexcept {}

  bool begin() final;
  void enter() noexcept final;
  void leave() noexcept final;
  void finish(std::exception_ptr failure) noexcept;
};

/// `read_bytes` and `read_some`.
class [[nodiscard("a read must be awaited")]] BytesRead final : public StreamRead {
 public:
  enum class Mode : unsigned char {
    kExact,    // all of them
    kPartial,  // at least one
    kSome,     // at least one, or none at the end
  };
  BytesRead(StreamCore& core, std::size_t size, Mode mode) noexcept
      : StreamRead(core), size_(size), mode_(mode) {}
  std::string await_resume() {
    check_outcome();
    return std::move(value_);
  }

 private:
  bool feed(UnreadBytes& unread) override;
  bool feed_end(UnreadBytes& unread, const std::error_code& error) override;

  std::string value_;
  std::size_t size_;
  Mode mode_;
};

/// `read_into`.
class [[nodiscard("a read must be awaited")]] IntoRead final : public StreamRead {
 public:
  using Mode = BytesRead::Mode;
  IntoRead(StreamCore& core, std::span<char> into, Mode mode) noexcept
      : StreamRead(core), into_(into), mode_(mode) {}
  std::size_t await_resume() {
    check_outcome();
    return filled_;
  }

 private:
  bool feed(UnreadBytes& unread) override;
  bool feed_end(UnreadBytes& unread, const std::error_code& error) override;
  std::string_view taken() const noexcept override { return {into_.data(), filled_}; }

  std::span<char> into_;
  std::size_t filled_ = 0;
  Mode mode_;
};

/// `read_until`.
class [[nodiscard("a read must be awaited")]] UntilRead final : public StreamRead {
 public:
  UntilRead(StreamCore& core, std::string_view delimiter, std::size_t max_bytes)
      : StreamRead(core), delimiter_(delimiter), max_bytes_(max_bytes) {}
  std::string await_resume() {
    check_outcome();
    return std::move(value_);
  }

 private:
  bool feed(UnreadBytes& unread) override;

  std::string delimiter_;
  std::string value_;
  std::size_t max_bytes_;
  std::size_t searched_ = 0;  // no delimiter begins before
};

/// `read_until_regex`. An expression cannot be matched piece by piece, so what is there is searched
/// again from its start, but only when it has grown by an eighth, or after a pause in proportion to
/// the work: the cost stays linear however small the pieces are.
class [[nodiscard("a read must be awaited")]] RegexRead final : public StreamRead, private Timer {
 public:
  RegexRead(StreamCore& core, std::shared_ptr<const CompiledRegex> regex,
            std::size_t max_bytes) noexcept
      : StreamRead(core), regex_(std::move(regex)), max_bytes_(max_bytes) {}
  RegexRead(RegexRead&& other) noexcept
      : StreamRead(std::move(other)),
        Timer(),
        regex_(std::move(other.regex_)),
        max_bytes_(other.max_bytes_) {}
  std::string await_resume() {
    check_outcome();
    return std::move(value_);
  }

 private:
  bool feed(UnreadBytes& unread) override;
  bool feed_end(UnreadBytes& unread, const std::error_code& error) override;
  void ended() noexcept override;
  void on_timer() noexcept override;
  bool search(UnreadBytes& unread);

  std::shared_ptr<const CompiledRegex> regex_;
  std::string value_;
  std::size_t max_bytes_;
  std::size_t searched_ = 0;  // of what size the buffer was when it was searched last
};

/// `read_until_close`.
class [[nodiscard("a read must be awaited")]] CloseRead final : public StreamRead {
 public:
  CloseRead(StreamCore& core, std::size_t max_bytes) noexcept
      : StreamRead(core), max_bytes_(max_bytes) {}
  std::string await_resume() {
    check_outcome();
    return std::move(value_);
  }

 private:
  bool feed(UnreadBytes& unread) override;
  bool feed_end(UnreadBytes& unread, const std::error_code& error) override;

  std::string value_;
  std::size_t max_bytes_;
};

/// `write`, `drain` and `shutdown`: waits until no more than so many bytes are unsent.
class [[nodiscard("await it, or call write_nowait")]] StreamWrite final : public IOWait {
 public:
  StreamWrite(StreamCore& core, std::size_t mark) noexcept : core_(&core), mark_(mark) {}
  void await_resume() const { check_outcome(); }
  const char* what() const noexcept override { return "writing to a stream"; }
  void describe(std::string& out) const override;

 private:
  bool begin() override;
  void enter() noexcept override;
  void leave() noexcept override;

  StreamCore* core_;
  std::size_t mark_;
};

}  // namespace detail
}  // namespace coronado
