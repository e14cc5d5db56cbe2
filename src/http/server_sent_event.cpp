#include <coronado/http/server_sent_event.hpp>

#include <coronado/base/escape.hpp>
#include <coronado/base/strings.hpp>

#include <algorithm>
#include <chrono>
#include <stdexcept>

namespace coronado {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
/// A pause of a day is as good as any longer one.
constexpr std::uint64_t kMostRetry = 24ULL * 60 * 60 * 1000;

/// Writes each line of `text` behind `name`; CRLF, CR and LF end one.
void append_lines(std::string& out, std::string_view name, std::string_view text) {
  for (;;) {
    const std::size_t end = text.find_first_of("\r\n");
    out.append(name).append(text.substr(0, end)).append("\n");
    if (end == std::string_view::npos) return;
    const bool both = text.substr(end).starts_with("\r\n");
    text.remove_prefix(end + (both ? 2 : 1));
  }
}

}  // namespace

void append_event(std::string& out, const ServerSentEvent& event) {
  if (event.event.find_first_of("\r\n") != std::string::npos) {
    throw std::invalid_argument("the name of an event has a line break");
  }
  if (event.id && event.id->find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos) {
    throw std::invalid_argument("the id of an event has a line break or a NUL");
  }
  if (event.retry && *event.retry < Duration::zero()) {
    throw std::invalid_argument("the retry of an event is negative");
  }
  if (!event.event.empty()) out.append("event: ").append(event.event).append("\n");
  if (event.id) out.append("id: ").append(*event.id).append("\n");
  if (event.retry) {
    out.append("retry: ");
    append_int(out, std::chrono::duration_cast<std::chrono::milliseconds>(*event.retry).count());
    out.append("\n");
  }
  append_lines(out, "data: ", event.data);
  out.append("\n");
}

void append_comment(std::string& out, std::string_view text) {
  append_lines(out, text.empty() ? ":" : ": ", text);
  out.append("\n");
}

// --- EventStreamParser -------------------------------------------------------------------------

void EventStreamParser::restart() noexcept {
  line_.clear();
  event_.clear();
  data_.clear();
  id_ = last_event_id_;
  first_line_ = true;
  after_cr_ = false;
}

std::optional<ServerSentEvent> EventStreamParser::next(std::string_view& bytes) {
  while (!bytes.empty()) {
    if (std::exchange(after_cr_, false) && bytes.front() == '\n') {
      bytes.remove_prefix(1);
      continue;
    }
    const std::size_t end = std::min(bytes.find_first_of("\r\n"), bytes.size());
    if (line_.size() + end + data_.size() + event_.size() > max_size_) {
      throw std::length_error("an event has more than " + std::to_string(max_size_) + " bytes");
    }
    if (end == bytes.size()) {
      line_.append(bytes);
      bytes = {};
      break;
    }
    std::string_view line = bytes.substr(0, end);
    if (!line_.empty()) line = line_.append(line);
    after_cr_ = bytes[end] == '\r';
    bytes.remove_prefix(end + 1);
    std::optional<ServerSentEvent> event = take_line(line);
    line_.clear();
    if (event) return event;
  }
  return std::nullopt;
}

std::optional<ServerSentEvent> EventStreamParser::take_line(std::string_view line) {
  if (std::exchange(first_line_, false) && line.starts_with(kByteOrderMark)) {
    line.remove_prefix(kByteOrderMark.size());
  }
  if (line.empty()) return dispatch();
  const std::string repaired = is_valid_utf8(line) ? std::string() : replace_invalid_utf8(line);
  if (!repaired.empty()) line = repaired;
  const std::size_t colon = std::min(line.find(':'), line.size());
  std::string_view value = line.substr(std::min(colon + 1, line.size()));
  if (value.starts_with(' ')) value.remove_prefix(1);
  take_field(line.substr(0, colon), value);
  return std::nullopt;
}

/// Fields of other names, and comments, whose name is empty, are skipped.
void EventStreamParser::take_field(std::string_view name, std::string_view value) {
  if (name == "data") {
    data_.append(value).append("\n");
  } else if (name == "event") {
    event_ = value;
  } else if (name == "id") {
    if (value.find('\0') == std::string_view::npos) id_ = value;
  } else if (name == "retry") {
    if (value.empty() || !std::ranges::all_of(value, is_ascii_digit)) return;
    const std::uint64_t time = parse_int<std::uint64_t>(value).value_or(kMostRetry);
    retry_ = std::chrono::milliseconds(std::min(time, kMostRetry));
  }
}

std::optional<ServerSentEvent> EventStreamParser::dispatch() {
  last_event_id_ = id_;
  if (data_.empty()) {
    event_.clear();
    return std::nullopt;
  }
  data_.pop_back();
  ServerSentEvent event{.event = event_.empty() ? "message" : std::exchange(event_, {}),
                        .data = std::exchange(data_, {}),
                        .id = last_event_id_};
  return event;
}

}  // namespace coronado
