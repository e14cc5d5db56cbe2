#include "http/response_head.hpp"

#include <chrono>
#include <ctime>

namespace coronado {
namespace {

constexpr std::string_view kCRLF = "\r\n";
constexpr std::string_view kLengthField = "Content-Length: ";
constexpr std::string_view kChunkedField = "Transfer-Encoding: chunked\r\n";
constexpr std::size_t kFixedPart = 192;  // status line, framing field and line ends, generously

}  // namespace

ResponseHeadWriter::ResponseHeadWriter(std::string server_name) {
  if (!server_name.empty()) server_field_ = "Server: " + server_name + "\r\n";
}

void ResponseHeadWriter::refresh(TimePoint now) {
  // The wall clock's second, and how long it lasts on the loop's clock.
  using std::chrono::system_clock;
  const auto wall = system_clock::now();
  const auto second = std::chrono::floor<std::chrono::seconds>(wall);
  valid_until_ =
      now + std::chrono::duration_cast<Duration>(second + std::chrono::seconds(1) - wall);
  const std::time_t stamp = system_clock::to_time_t(second);
  std::tm parts{};
  gmtime_r(&stamp, &parts);
  char text[40];
  const std::size_t size = std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts);
  date_field_.assign("Date: ").append(text, size).append("\r\n");
  ok_preamble_.assign("HTTP/1.1 200 OK\r\n").append(server_field_).append(date_field_);
}

void ResponseHeadWriter::write(OutputBuffer& out, TimePoint now, const ResponseHead& head,
                               ResponseFraming framing, std::uint64_t length,
                               std::string_view connection) {
  if (now >= valid_until_) [[unlikely]]
    refresh(now);
  char* place = out.reserve(ok_preamble_.size() + head.reason.size() + head.fields.size() +
                            connection.size() + kFixedPart);
  if (head.status == 200 && head.reason.empty() && !head.has_date && !head.has_server) [[likely]] {
    place = put(place, ok_preamble_);
  } else {
    place = put(place, "HTTP/1.1 ");
    place = put_decimal(place, static_cast<std::uint64_t>(head.status));
    *place++ = ' ';
    place = put(place, head.reason.empty() ? reason_phrase(head.status) : head.reason);
    place = put(place, kCRLF);
    if (!head.has_server) place = put(place, server_field_);
    if (!head.has_date) place = put(place, date_field_);
  }
  place = put(place, head.fields);
  if (framing == ResponseFraming::kLength) {
    place = put(place, kLengthField);
    place = put_decimal(place, length);
    place = put(place, kCRLF);
  } else if (framing == ResponseFraming::kChunked) {
    place = put(place, kChunkedField);
  }
  place = put(place, connection);
  place = put(place, kCRLF);
  out.commit(place);
}

}  // namespace coronado
