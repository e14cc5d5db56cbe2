/// `ResponseDecoder`: the responses on one connection, from bytes to heads and pieces of bodies. No
/// I/O.
///
/// Layer: http.
#pragma once

#include <coronado/http/http_limits.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include "http/chunked.hpp"
#include "http/response_parser.hpp"

namespace coronado {

/// Decides where each response ends.   Spec  RFC 9112 6.3, 8, 9.
class ResponseDecoder {
 public:
  enum class Event : std::uint8_t {
    kMore,     ///< All is well, and more bytes are needed.
    kInterim,  ///< An interim response (1xx) is in `head()`; the final one follows.
    kHead,     ///< The head of the response is in `head()`.
    kData,     ///< `data` is the next piece of its body.
    kDone,     ///< The response is complete; what follows belongs to no request.
    kError,    ///< `error()`; the connection cannot be used any more.
  };
  struct Step {
    Event event;
    std::size_t consumed;   ///< Bytes that need not be given again.
    std::string_view data;  ///< With `kData`: a view into the input, never empty.
  };
  /// What the method of a request says about its response.
  enum class Request : std::uint8_t { kUsual, kHead, kConnect, kUpgrade };

  explicit ResponseDecoder(const HTTPLimits& limits) noexcept : limits_(limits), chunks_(limits) {}

  /// A request was sent: its response is next.
  /// Params  max_body_size  Most bytes of its body.
  void begin(Request request, std::uint64_t max_body_size) noexcept;

  /// Looks at the bytes that have come and were not consumed; call again with what is left until
  /// the answer is `kMore`, `kDone` or `kError`.
  Step feed(const char* data, std::size_t size);

  /// Nothing more will come, after an orderly end.
  /// Returns  `kDone` for a body that ends so, `kError` for a response that was cut.
  Event end() noexcept;

  ReceivedHead& head() noexcept { return head_; }
  HTTPHeaders& trailers() noexcept { return chunks_.trailers(); }

  /// After `kDone`: whether another request may follow on the connection.
  bool keeps_alive() const noexcept { return keeps_alive_; }
  /// After `kHead`: a body follows.
  bool in_body() const noexcept { return state_ != State::kHead && state_ != State::kDone; }
  /// Takes a body of known length when all of it has come.
  /// Params   size  Bytes that have come.
  /// Returns  Its length; zero: it is no such body, or not all there.
  std::size_t take_whole(std::size_t size) noexcept {
    if (state_ != State::kLength || left_ > size) return 0;
    state_ = State::kDone;
    return static_cast<std::size_t>(std::exchange(left_, 0));
  }
  /// How much of it is certain to follow; for a body of unknown length zero.
  std::uint64_t left() const noexcept { return left_; }

  /// After `kError`: why, and whether a limit was exceeded. Static.
  const char* error() const noexcept { return error_; }
  bool too_large() const noexcept { return too_large_; }

 private:
  enum class State : std::uint8_t { kHead, kLength, kChunks, kUntilEnd, kDone, kError };

  Step feed_head(const char* data, std::size_t size);
  ParseResult parse_unfolded(std::string_view bytes);
  Step feed_length(const char* data, std::size_t size) noexcept;
  Step feed_rest(const char* data, std::size_t size) noexcept;
  Step feed_chunks(const char* data, std::size_t size);
  Step fail(const char* why, bool too_large = false) noexcept;
  /// Settles how the body is framed.
  Event frame() noexcept;

  HTTPLimits limits_;
  ReceivedHead head_;
  ChunkedDecoder chunks_;
  std::uint64_t left_ = 0;
  std::uint64_t max_body_size_ = 0;
  std::size_t searched_ = 0;
  std::uint32_t interims_ = 0;
  State state_ = State::kDone;
  Request request_ = Request::kUsual;
  bool keeps_alive_ = false;
  bool too_large_ = false;
  const char* error_ = "";
};

}  // namespace coronado
