/// What Content-Length, Transfer-Encoding and Connection say, for requests and responses alike.
///
///     HeadError             why a head is refused
///     parse_content_length  the number in a Content-Length field
///     TransferCodings       what Transfer-Encoding fields list
///     ConnectionOptions     what Connection fields list
///
/// Layer: http.
#pragma once

#include <cstdint>
#include <string_view>

namespace coronado {

/// Why a message is refused: the status to answer with and a sentence for the log. No status: it is
/// not refused.
struct HeadError {
  int status = 0;
  const char* reason = "";
  explicit operator bool() const noexcept { return status != 0; }
};

/// Reads the value of a Content-Length field: digits and nothing else, 63 bits.
HeadError parse_content_length(std::string_view digits, std::uint64_t& length) noexcept;

/// Collects the values of all Transfer-Encoding fields of a message, in order.
class TransferCodings {
 public:
  HeadError add(std::string_view value);
  /// The fields are complete: nothing but chunked, once, is understood.
  HeadError finish() const noexcept;

 private:
  bool others_ = false;
  bool chunked_ = false;
};

/// Collects the values of all Connection fields of a message.
struct ConnectionOptions {
  bool close = false;
  bool keep_alive = false;
  bool upgrade = false;

  void add(std::string_view value) noexcept;
};

}  // namespace coronado
