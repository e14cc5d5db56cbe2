#include "http/response_decoder.hpp"

#include <algorithm>
#include <string>

#include "http/ascii.hpp"
#include "http/http1_lines.hpp"

namespace coronado {
namespace {

/// A server that sends more interim responses than this has lost its way.
constexpr std::uint32_t kMostInterims = 64;

/// The lines of a whole head, each with those that continue it behind a space.
std::string unfold(std::string_view head) {
  std::string text;
  // RFC 9112 2.2: the status line is not continued; what looks so stays wrong.
  std::size_t done = head.find("\r\n") + 2;
  text.append(head, 0, done);
  while (done < head.size()) {
    const std::size_t end = head.find("\r\n", done);
    text.append(head, done, end - done);
    done = end + 2;
    if (done < head.size() && is_whitespace(head[done])) {
      while (done < head.size() && is_whitespace(head[done])) ++done;
      text += ' ';
    } else {
      text += "\r\n";
    }
  }
  return text;
}

}  // namespace

void ResponseDecoder::begin(Request request, std::uint64_t max_body_size) noexcept {
  max_body_size_ = max_body_size;
  request_ = request;
  state_ = State::kHead;
  searched_ = 0;
  interims_ = 0;
  keeps_alive_ = false;
}

ResponseDecoder::Step ResponseDecoder::feed(const char* data, std::size_t size) {
  switch (state_) {
    case State::kHead: return feed_head(data, size);
    case State::kLength: return feed_length(data, size);
    case State::kChunks: return feed_chunks(data, size);
    case State::kUntilEnd: return feed_rest(data, size);
    case State::kDone: return {Event::kDone, 0, {}};
    case State::kError: break;
  }
  return {Event::kError, 0, {}};
}

ResponseDecoder::Step ResponseDecoder::feed_head(const char* data, std::size_t size) {
  if (size == 0) return {Event::kMore, 0, {}};
  ParseResult result = parse_response_head(data, size, searched_, limits_, head_);
  if (result.reason == kFoldedLine) result = parse_unfolded({data, size});
  if (result.status == ParseStatus::kIncomplete) return {Event::kMore, 0, {}};
  if (result.status == ParseStatus::kError) return fail(result.reason, result.http_status == 431);
  searched_ = 0;
  if (head_.status < 200) {
    // RFC 9110 15.2.2: nobody asked to switch protocols.
    if (head_.status == 101 && request_ != Request::kUpgrade) {
      return fail("101 Switching Protocols without having been asked");
    }
    if (++interims_ > kMostInterims) return fail("too many interim responses");
    return {Event::kInterim, result.consumed, {}};
  }
  const Event event = frame();
  if (event == Event::kError) return {event, 0, {}};
  return {event, result.consumed, {}};
}

/// RFC 9112 5.2: a client takes folded lines for one, where a server refuses them.
ParseResult ResponseDecoder::parse_unfolded(std::string_view bytes) {
  const std::size_t most = std::min(bytes.size(), limits_.max_header_size);
  const std::size_t end = bytes.substr(0, most).find("\r\n\r\n");
  if (end == std::string_view::npos) {
    if (most == bytes.size() && most < limits_.max_header_size) return {};
    return {ParseStatus::kError, 431, 0, "the head is too large"};
  }
  const std::string text = unfold(bytes.substr(0, end + 4));
  searched_ = 0;
  ParseResult result = parse_response_head(text.data(), text.size(), searched_, limits_, head_);
  if (result.status == ParseStatus::kComplete) {
    result.consumed = static_cast<std::uint32_t>(end + 4);
  }
  return result;
}

ResponseDecoder::Event ResponseDecoder::frame() noexcept {
  // RFC 9112 9.3: close wins; HTTP/1.0 stays only when it says so.
  keeps_alive_ =
      !head_.connection.close && (head_.minor_version != 0 || head_.connection.keep_alive);
  left_ = 0;
  const bool tunnel = request_ == Request::kConnect && head_.status / 100 == 2;
  if (request_ == Request::kHead || head_.status == 204 || head_.status == 304 || tunnel) {
    // RFC 9112 6.3 (1), (2): no body, whatever the fields say.
    state_ = State::kDone;
    // RFC 9110 8.6: 204 has no Content-Length. Where it has, what comes next may be a body that would
    // be taken for the next response.
    if (head_.status == 204 && (head_.chunked || head_.content_length.value_or(0) != 0)) {
      keeps_alive_ = false;
    }
  } else if (head_.chunked) {
    chunks_.reset();
    state_ = State::kChunks;
  } else if (head_.content_length) {
    left_ = *head_.content_length;
    if (left_ > max_body_size_) return fail("the body is too large", true).event;
    state_ = left_ == 0 ? State::kDone : State::kLength;
  } else {
    // RFC 9112 6.3 (8): the body ends with the connection.
    state_ = State::kUntilEnd;
    keeps_alive_ = false;
  }
  return Event::kHead;
}

ResponseDecoder::Step ResponseDecoder::feed_length(const char* data, std::size_t size) noexcept {
  if (size == 0) return {Event::kMore, 0, {}};
  const auto piece = static_cast<std::size_t>(std::min<std::uint64_t>(left_, size));
  left_ -= piece;
  if (left_ == 0) state_ = State::kDone;
  return {Event::kData, piece, {data, piece}};
}

ResponseDecoder::Step ResponseDecoder::feed_rest(const char* data, std::size_t size) noexcept {
  if (size == 0) return {Event::kMore, 0, {}};
  if (size > max_body_size_) return fail("the body is too large", true);
  max_body_size_ -= size;  // what it may still have
  return {Event::kData, size, {data, size}};
}

ResponseDecoder::Step ResponseDecoder::feed_chunks(const char* data, std::size_t size) {
  const ChunkedDecoder::Step step = chunks_.feed(data, size);
  switch (step.status) {
    case ChunkedDecoder::Status::kMore: return {Event::kMore, step.consumed, {}};
    case ChunkedDecoder::Status::kError:
      return fail(chunks_.reason(), chunks_.http_status() == 431);
    case ChunkedDecoder::Status::kDone:
      state_ = State::kDone;
      return {Event::kDone, step.consumed, {}};
    case ChunkedDecoder::Status::kData: break;
  }
  if (chunks_.decoded_size() > max_body_size_) return fail("the body is too large", true);
  return {Event::kData, step.consumed, step.data};
}

ResponseDecoder::Event ResponseDecoder::end() noexcept {
  // RFC 9112 8: anything else that ends before its end is incomplete.
  if (state_ == State::kUntilEnd || state_ == State::kDone) {
    state_ = State::kDone;
    keeps_alive_ = false;
    return Event::kDone;
  }
  return fail("the connection ended before the response").event;
}

ResponseDecoder::Step ResponseDecoder::fail(const char* why, bool too_large) noexcept {
  state_ = State::kError;
  keeps_alive_ = false;
  error_ = why;
  too_large_ = too_large;
  return {Event::kError, 0, {}};
}

}  // namespace coronado
