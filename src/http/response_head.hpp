/// Writes the heads of responses, with the date of the second and the constant part kept ready.
#pragma once

#include <coronado/base/clock.hpp>
#include <coronado/http/exchange.hpp>

#include <string>

#include "http/output_buffer.hpp"

namespace coronado {

/// How the end of a response's body is told.
enum class ResponseFraming : unsigned char {
  kNone,    ///< there is no body and nothing about its length
  kLength,  ///< Content-Length
  kChunked,
  kClose,  ///< the end of the connection
};

class ResponseHeadWriter {
 public:
  explicit ResponseHeadWriter(std::string server_name);

  /// Appends a head.
  /// Params   now         The loop's clock; decides whether the date is still the right one.
  ///          length      With `kLength`.
  ///          connection  A whole "Connection" field with its CRLF, or empty.
  void write(OutputBuffer& out, TimePoint now, const ResponseHead& head, ResponseFraming framing,
             std::uint64_t length, std::string_view connection);

 private:
  void refresh(TimePoint now);

  std::string server_field_;  // "Server: ...\r\n", or empty
  std::string ok_preamble_;   // "HTTP/1.1 200 OK\r\nServer: ...\r\nDate: ...\r\n"
  std::string date_field_;    // "Date: ...\r\n"
  TimePoint valid_until_{};
};

}  // namespace coronado
