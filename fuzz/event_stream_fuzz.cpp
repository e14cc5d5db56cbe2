/// Fuzzes the parser of event streams: what it tells must not depend on how the input is split, must
/// be what a plain reading of the standard says, and must come out again when it is written.
///
/// The first input byte is the size of the pieces; the rest is what a server sends.
#include <coronado/base/escape.hpp>
#include <coronado/http/server_sent_event.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace coronado;
using Events = std::vector<ServerSentEvent>;

void require(bool condition) {
  if (!condition) std::abort();
}

/// In pieces of `size`; ends at an event that is too large.
Events parse(std::string_view text, std::size_t size, std::size_t limit) {
  EventStreamParser parser(limit);
  Events events;
  try {
    for (std::size_t at = 0; at < text.size(); at += size) {
      std::string_view bytes = text.substr(at, size);
      while (auto event = parser.next(bytes)) {
        require(event->data.size() <= limit * 3);  // what is no UTF-8 grows
        events.push_back(std::move(*event));
      }
      require(bytes.empty());
    }
  } catch (const std::length_error&) {
  }
  return events;
}

/// WHATWG HTML 9.2.5 and 9.2.6, word by word: all lines first, then their fields.
Events by_the_book(std::string_view bytes) {
  if (bytes.starts_with("\xEF\xBB\xBF")) bytes.remove_prefix(3);
  std::vector<std::string> lines;
  std::string line;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (bytes[i] != '\r' && bytes[i] != '\n') {
      line += bytes[i];
      continue;
    }
    lines.push_back(replace_invalid_utf8(line));
    line.clear();
    if (bytes[i] == '\r' && i + 1 < bytes.size() && bytes[i + 1] == '\n') ++i;
  }
  Events events;
  std::string type;
  std::string data;
  std::string id;
  for (const std::string& each : lines) {
    if (each.empty()) {
      if (!data.empty()) {
        data.pop_back();
        events.push_back({.event = type.empty() ? "message" : type, .data = data, .id = id});
      }
      data.clear();
      type.clear();
      continue;
    }
    const std::size_t colon = each.find(':');
    const std::string field = each.substr(0, colon);
    std::string value = colon == std::string::npos ? "" : each.substr(colon + 1);
    if (value.starts_with(' ')) value.erase(0, 1);
    if (field == "event") type = value;
    if (field == "data") data += value + "\n";
    if (field == "id" && value.find('\0') == std::string::npos) id = value;
  }
  return events;
}

void check_writing(const Events& events) {
  std::string text;
  for (const ServerSentEvent& event : events) append_event(text, event);
  require(parse(text, text.size() + 1, SIZE_MAX / 4) == events);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::size_t piece = data[0] % 64 + 1U;
  const Events whole = parse(text, text.size() + 1, SIZE_MAX / 4);
  require(parse(text, piece, SIZE_MAX / 4) == whole);
  require(parse(text, 1, SIZE_MAX / 4) == whole);
  require(by_the_book(text) == whole);
  require(parse(text, piece, 50) == parse(text, 1, 50));
  check_writing(whole);
  return 0;
}
