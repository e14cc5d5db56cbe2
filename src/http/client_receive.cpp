// What a fetch does with the bytes of a response.
#include <coronado/http/cookie_jar.hpp>
#include <coronado/loop/ioloop.hpp>

#include <algorithm>
#include <stdexcept>

#include "http/client_fetch.hpp"

namespace coronado {
namespace {

using Got = ResponseDecoder::Event;

/// Memory taken on the word of a Content-Length; more comes as the bytes come.
constexpr std::uint64_t kMostReserved = 1024 * 1024;

}  // namespace

Task<> ClientFetch::receive() {
  for (Progress got = advance(); got != Progress::kDone; got = advance()) {
    if (got == Progress::kWait) co_await connection_->more();
    if (got == Progress::kPassOn) co_await pass_on(data_);
  }
}

/// Takes up what has come.   Returns  `kDone`: the response is there, as far as it is wanted now.
ClientFetch::Progress ClientFetch::advance() {
  ClientConnection& connection = *connection_;
  for (;;) {
    const ResponseDecoder::Step step = connection.next();
    switch (step.event) {
      case Got::kMore: return Progress::kWait;
      case Got::kInterim:
        if (connection.decoder().head().status == 100) go_ahead_.set();
        if (mode_ != Mode::kUpgrade || connection.decoder().head().status != kSwitchingProtocols) {
          break;
        }
        on_head(connection.decoder().head(), connection.decoder().in_body(),
                connection.decoder().left());
        return Progress::kDone;
      case Got::kHead:
        discarded_ = 0;
        on_head(connection.decoder().head(), connection.decoder().in_body(),
                connection.decoder().left());
        if (mode_ != Mode::kWhole && !next_ && !again_ && connection.decoder().in_body()) {
          return Progress::kDone;
        }
        if (keeps_body() && !next_ && !again_) {
          const std::string_view body = connection.whole_body();
          if (!body.empty() && take_body(body)) return Progress::kDone;
        }
        break;
      case Got::kData:
        if (next_ || again_) {
          discarded_ += step.data.size();
          if (discarded_ > kMostDiscarded) return Progress::kDone;
        } else if (keeps_body()) {
          if (take_body(step.data)) return Progress::kDone;
        } else {
          data_ = step.data;
          return Progress::kPassOn;
        }
        break;
      case Got::kDone:
        if (!next_ && !again_) check_decoded();
        finish_body();
        return Progress::kDone;
      case Got::kError: break;  // thrown by `next`
    }
  }
}

/// Keeps a piece of the body.   Returns  Whether it was the last one.
bool ClientFetch::take_body(std::string_view data) {
  keep_data(data);
  if (!connection_->finish_body()) return false;
  check_decoded();
  finish_body();
  return true;
}

void ClientFetch::keep_data(std::string_view data) {
  if (decoder_ == nullptr) {
    response_.body.append(data);
  } else {
    decode(data, static_cast<std::size_t>(-1), response_.body);
  }
}

/// Gives a piece of the body to the callback.
Task<> ClientFetch::pass_on(std::string_view data) {
  if (decoder_ == nullptr) {
    co_await request_.streaming_callback(std::string(data));
    co_return;
  }
  const std::string encoded(data);  // more may come while the callback runs
  bool more = true;
  for (std::string_view rest = encoded; more;) {
    std::string piece;
    more = decode(rest, kPiece, piece);
    if (!piece.empty()) co_await request_.streaming_callback(std::move(piece));
  }
}

/// Decompresses from the front of `bytes`.   Returns  Whether there is more in them.
bool ClientFetch::decode(std::string_view& bytes, std::size_t most, std::string& out) {
  const ContentDecoder::Status status = decoder_->decode(bytes, most, out);
  if (status == ContentDecoder::Status::kError) {
    throw WireError(
        decoder_->too_large() ? WireError::Kind::kTooLarge : WireError::Kind::kMalformed,
        decoder_->error());
  }
  return status == ContentDecoder::Status::kFull;
}

/// The body has ended.
void ClientFetch::check_decoded() const {
  if (decoder_ == nullptr || decoder_->complete()) return;
  throw WireError(WireError::Kind::kMalformed, "the compressed body is truncated");
}

/// Settles whether the body is decompressed. The fields tell what the caller gets.
void ClientFetch::begin_decoding(bool in_body) {
  decoder_.reset();
  encoded_.clear();
  if (!request_.decompress_response || !in_body) return;
  const auto field = response_.headers.get("Content-Encoding");
  // A part of a compressed body cannot be decompressed by itself.
  if (!field || response_.code == 206) return;
  const HTTPLimits& limits = core_.options.limits;
  auto decoder = ContentDecoder::make(*field, keeps_body() ? limits.max_body_size : kAnySize,
                                      limits.max_decompression_ratio);
  if (!decoder || decoder->identity()) return;
  decoder_ = std::make_unique<ContentDecoder>(std::move(*decoder));
  response_.headers.erase("Content-Encoding");
  response_.headers.erase("Content-Length");
  response_.headers.set("X-Consumed-Content-Encoding", *field);
}

/// When the system gave us what is being looked at.
TimePoint ClientFetch::arrival() const {
  const IOLoop& loop = *IOLoop::current();
  const TimePoint turn = loop.turn_time();
  return turn > sent_ ? turn : loop.now();
}

/// Params  left  Bytes of the body, as far as is known.
void ClientFetch::on_head(ReceivedHead& head, bool in_body, std::uint64_t left) {
  head_received_ = arrival();
  phase_ = HTTPPhase::kReceive;
  answered_ = true;
  go_ahead_.set();
  response_.code = head.status;
  response_.reason = head.reason;
  response_.headers = std::move(head.headers);
  response_.trailers.clear();
  response_.body.clear();
  // Of a plain request that has succeeded the caller gets his own text back.
  const bool returned = &request_ == &core_.plain_request && normal_ && response_.ok();
  if (!returned) response_.effective_url = normal_ ? std::string(text_) : url().to_string();
  if (core_.options.cookies != nullptr) {
    for (const std::string_view cookie : response_.headers.get_list("Set-Cookie")) {
      core_.options.cookies->set(url(), cookie, std::time(nullptr));
    }
  }
  plan_next();
  if (mode_ != Mode::kWhole) settle_times(head_received_);
  if (next_ || again_) return;
  if (keeps_body()) {
    const auto size = static_cast<std::size_t>(std::min(left, kMostReserved));
    if (size > response_.body.capacity()) response_.body.reserve(size);
  }
  if (request_.header_callback) show_head(head.minor_version);
  begin_decoding(in_body && head.content_coded);
}

void ClientFetch::show_head(int minor_version) {
  request_.header_callback("HTTP/1." + std::to_string(minor_version) + " " +
                           std::to_string(response_.code) + " " + response_.reason + "\r\n");
  for (const HTTPHeaders::Field& field : response_.headers) {
    request_.header_callback(std::string(field.name) + ": " + std::string(field.value) + "\r\n");
  }
  request_.header_callback("\r\n");
}

void ClientFetch::finish_body() {
  response_.trailers = std::move(connection_->decoder().trailers());
  settle_times(recent(head_received_));
}

void ClientFetch::settle_times(TimePoint present) {
  HTTPTimeInfo& times = response_.time_info;
  times.first_byte = head_received_ - std::min(sent_, head_received_);
  times.body = present - head_received_;
  times.redirect = hop_begin_ - begin_;
  times.total = present - begin_;
}

Task<std::string> ClientFetch::read_some(std::size_t max_bytes) {
  if (max_bytes == 0) throw std::invalid_argument("read_some: max_bytes must be at least 1");
  if (given_up_) {
    throw HTTPStreamClosedError(url().to_string(), describe("the stream was closed"), phase_,
                                std::make_error_code(std::errc::operation_canceled));
  }
  if (transfer_ != nullptr) co_return co_await curl_read_some(max_bytes);
  while (connection_ != nullptr) {
    std::optional<WireError> failed;
    ResponseDecoder::Step step{};
    std::string piece;
    try {
      if (decoder_ != nullptr) {
        std::string_view rest = encoded_;
        decode(rest, max_bytes, piece);
        encoded_.erase(0, encoded_.size() - rest.size());
      }
      if (piece.empty()) step = connection_->next(decoder_ == nullptr ? max_bytes : kPiece);
      if (step.event == Got::kDone && piece.empty()) check_decoded();
    } catch (const WireError& error) {
      failed = error;
    }
    if (failed) fail(*failed);
    if (!piece.empty()) co_return piece;
    if (step.event == Got::kData && decoder_ != nullptr) {
      encoded_.append(step.data);
      continue;
    }
    if (step.event == Got::kData) co_return std::string(step.data);
    if (step.event == Got::kDone) {
      finish_body();
      finish();
      break;
    }
    co_await connection_->more();
  }
  co_return std::string();
}

}  // namespace coronado
