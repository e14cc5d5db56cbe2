#include "http/client_fetch.hpp"

#include <coronado/base/crypto.hpp>
#include <coronado/base/strings.hpp>
#include <coronado/coro/timeout.hpp>
#include <coronado/http/cookie_jar.hpp>
#include <coronado/loop/ioloop.hpp>

#include <algorithm>

#include "http/quote.hpp"
#include "net/connect_race.hpp"

namespace coronado {
namespace {

using Got = ResponseDecoder::Event;

/// A body up to this size is sent together with the head.
constexpr std::size_t kSmallBody = 64 * 1024;
/// Pieces of a larger one, and how much of it may be unsent.
constexpr std::size_t kPiece = 64 * 1024;
/// Of the body of a redirect so much is read to keep the connection.
constexpr std::size_t kMostDiscarded = 64 * 1024;
/// Memory taken on the word of a Content-Length; more comes as the bytes come.
constexpr std::uint64_t kMostReserved = 1024 * 1024;
constexpr std::uint64_t kAnySize = static_cast<std::uint64_t>(-1) >> 1;
/// RFC 9110 10.1.1: a client does not wait for 100 (Continue) without end.
constexpr Duration kContinueTime = std::chrono::seconds(1);
constexpr int kSwitchingProtocols = 101;
/// Of the text of a head and a small body so much memory is kept for the next one.
constexpr std::size_t kMostHead = 16 * 1024;

bool is_redirect(int status) noexcept {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/// RFC 9110 9.2.2
bool is_idempotent(std::string_view method) noexcept {
  return method == "GET" || method == "HEAD" || method == "PUT" || method == "DELETE" ||
         method == "OPTIONS" || method == "TRACE";
}

TimePoint now() { return IOLoop::current()->now(); }

}  // namespace

ClientFetch::ClientFetch(ClientCore& core, HTTPRequest& request, std::string_view url, Mode mode)
    : core_(core),
      request_(request),
      text_(url),
      mode_(mode),
      known_(core.find_origin(url)),
      method_(request.method) {
  normal_ = known_ != nullptr && URL::is_normal_tail(url.substr(known_->text.size()));
  if (!normal_) url_ = std::make_unique<URL>(URL::parse(url));
  if (known_ == nullptr) known_ = core.keep_origin(*url_, url);
  if (&request != &core.plain_request) check();
}

/// Most fetches need none, for which their origin is enough.
const URL& ClientFetch::url() const {
  if (url_ == nullptr) {
    url_ = std::make_unique<URL>(known_->url);
    url_->set_normal_tail(text_.substr(known_->text.size()));
  }
  return *url_;
}

/// The time; `last` is near enough when the loop has not turned since.
TimePoint ClientFetch::recent(TimePoint last) const {
  IOLoop& loop = *IOLoop::current();
  return loop.turn_time() <= last ? last : loop.now();
}

/// Each round is one request and its response, over whatever connection.
Task<> ClientFetch::run() {
  begin_ = hop_begin_ = now();
  for (;;) {
    begin_hop();
    place_ = co_await core_.pool.enter(target_->key);
    response_.time_info.queue = recent(hop_begin_) - hop_begin_;
    if (core_.curl != nullptr) {
      co_await curl_hop();
      if (!goes_on()) co_return;
      continue;
    }
    for (;;) {
      const bool kept = take_kept();
      if (!kept) co_await connect();
      std::optional<WireError> failed;
      try {
        send();
        if (uploads_beside()) {
          co_await exchange_beside();
        } else {  // as `receive`, which would be one more coroutine
          for (Progress got = Progress::kWait; got != Progress::kDone; got = advance()) {
            if (got == Progress::kWait) co_await connection_->more();
            if (got == Progress::kPassOn) co_await pass_on(data_);
          }
        }
      } catch (const WireError& error) {
        failed = error;
      }
      if (!failed) break;
      // RFC 9112 9.3.1: a kept connection may have been closed while the request was on its way.
      if (!kept || failed->kind() != WireError::Kind::kClosed || !may_retry()) fail(*failed);
      ++core_.retries;
      connection_.reset();
    }
    if (!goes_on()) co_return;
  }
}

/// Where the next request goes.
void ClientFetch::begin_hop() {
  response_.time_info = {};
  phase_ = HTTPPhase::kQueue;
  const bool tunnels = mode_ == Mode::kUpgrade;
  if (known_ == nullptr || tunnels || !ClientTarget::is_default_for(request_)) {
    target_ = std::make_shared<const ClientTarget>(core_, request_, url(), tunnels);
    return;
  }
  if (known_->target == nullptr) {
    known_->target = std::make_shared<const ClientTarget>(core_, request_, url());
  }
  target_ = known_->target;
}

bool ClientFetch::take_kept() {
  connection_ = core_.pool.take_idle(place_);
  response_.time_info.reused = connection_ != nullptr;
  if (connection_ != nullptr) ++core_.reuses;
  return connection_ != nullptr;
}

/// The response is there, as far as it is wanted. Whether another request follows.
bool ClientFetch::goes_on() {
  if (response_.code == kSwitchingProtocols) return false;
  const bool ended = connection_ == nullptr || !connection_->decoder().in_body();
  if (mode_ == Mode::kWhole || next_ || again_ || ended) finish();
  if (!next_ && !again_) return false;
  if (next_) {
    url_ = std::move(next_);
    known_.reset();
    normal_ = false;
    digest_.clear();
    ++response_.redirects;
  }
  again_ = false;
  hop_begin_ = now();
  return true;
}

Task<> ClientFetch::connect() {
  phase_ = HTTPPhase::kConnect;
  ClientConnect connecting(core_, *target_, response_.time_info);
  std::optional<ConnectError> failed;
  try {
    std::unique_ptr<Transport> transport = co_await connecting.run(request_.connect_timeout);
    connection_ = std::make_unique<ClientConnection>(std::move(transport), core_.options.limits);
  } catch (const ConnectError& error) {
    failed = error;
  }
  if (!failed) co_return;
  const std::string url = this->url().to_string();
  if (failed->code() == std::errc::timed_out) {
    throw HTTPTimeoutError(url, describe(failed->what()), HTTPPhase::kConnect);
  }
  throw HTTPConnectError(url, describe(failed->what()), *failed);
}

// --- sending -----------------------------------------------------------------------------------

void ClientFetch::send() {
  using Asked = ResponseDecoder::Request;
  connection_->begin(mode_ == Mode::kUpgrade ? Asked::kUpgrade
                     : method_ == "HEAD"     ? Asked::kHead
                                             : Asked::kUsual,
                     keeps_body() ? core_.options.limits.max_body_size : kAnySize);
  phase_ = HTTPPhase::kSend;
  answered_ = false;
  go_ahead_.clear();
  uploaded_ = !uploads_beside();
  std::string& text = core_.head_text;
  text.clear();
  append_head(text);
  if (uploaded_ && has_body()) text += *request_.body;
  sent_ = recent(hop_begin_);
  connection_->write(text);
  if (text.capacity() > kMostHead) text = std::string();
  if (uploaded_) phase_ = HTTPPhase::kWait;
}

/// The body is sent while the response is awaited.
Task<> ClientFetch::exchange_beside() {
  Function<Task<>(TaskGroup&)> body = [this](TaskGroup& group) { return transfer(group); };
  co_await with_group(std::move(body), "HTTP request");
}

/// A body that is sent beside receiving: the server may answer while it comes.
bool ClientFetch::uploads_beside() const noexcept {
  if (!has_body()) return false;
  return request_.body_producer || request_.expect_100_continue ||
         request_.body->size() > kSmallBody;
}

Task<> ClientFetch::transfer(TaskGroup& group) {
  TaskHandle<> sending = group.spawn(upload(), "HTTP request body");
  co_await receive();
  // The caller reads the body later, and nothing may be sent beside that.
  const bool wanted = mode_ == Mode::kHead && response_.ok() && connection_->decoder().in_body();
  if (wanted && !uploaded_) co_await sending.join();
  sending.cancel();
}

Task<> ClientFetch::upload() {
  if (request_.expect_100_continue) {
    try {
      co_await with_timeout(kContinueTime, go_ahead_.wait());
    } catch (const TimeoutError&) {  // then it does without
    }
    if (answered_) co_return;
  }
  try {
    if (request_.body) {
      for (std::string_view rest = *request_.body; !rest.empty();) {
        connection_->write(rest.substr(0, kPiece));
        rest.remove_prefix(std::min(kPiece, rest.size()));
        co_await connection_->drain(kPiece);
      }
    } else {
      HTTPBodyWriter writer(*connection_, promised_length());
      co_await request_.body_producer(writer);
      if (writer.left_ != 0) {
        throw std::logic_error("the body producer wrote less than the Content-Length");
      }
      if (writer.chunked_) connection_->write("0\r\n" + writer.trailers_.to_string() + "\r\n");
    }
    sent_ = now();
    uploaded_ = true;
    if (phase_ == HTTPPhase::kSend) phase_ = HTTPPhase::kWait;
  } catch (const StreamClosedError&) {  // the response, or that there is none, says more
  }
}

// --- receiving ---------------------------------------------------------------------------------

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
        break;
      case Got::kData:
        if (next_ || again_) {
          discarded_ += step.data.size();
          if (discarded_ > kMostDiscarded) return Progress::kDone;
        } else if (keeps_body()) {
          keep_data(step.data);
          if (!connection.finish_body()) break;
          check_decoded();
          finish_body();
          return Progress::kDone;
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

/// Params  left  Bytes of the body, as far as is known.
void ClientFetch::on_head(ReceivedHead& head, bool in_body, std::uint64_t left) {
  head_received_ = now();
  phase_ = HTTPPhase::kReceive;
  answered_ = true;
  go_ahead_.set();
  response_.code = head.status;
  response_.reason.swap(head.reason);
  response_.headers = std::move(head.headers);
  response_.trailers.clear();
  response_.body.clear();
  response_.method = method_;
  // Of a plain request that has succeeded the caller gets his own text back.
  const bool returned = &request_ == &core_.plain_request && normal_ && response_.ok();
  if (!returned) response_.effective_url = normal_ ? std::string(text_) : url().to_string();
  if (core_.options.cookies != nullptr) {
    for (const std::string_view cookie : response_.headers.get_list("Set-Cookie")) {
      core_.options.cookies->set(url(), cookie, std::time(nullptr));
    }
  }
  plan_next();
  settle_times(head_received_);
  if (next_ || again_) return;
  if (keeps_body()) {
    response_.body.reserve(static_cast<std::size_t>(std::min(left, kMostReserved)));
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

/// The connection goes back to where it came from.
void ClientFetch::finish() {
  if (connection_ == nullptr) return;
  ConnectionOptions asked;
  if (!request_.headers.empty()) {
    for (const std::string_view value : request_.headers.get_list("Connection")) asked.add(value);
  }
  if (uploaded_ && !asked.close && connection_->reusable()) {
    core_.pool.keep(place_, std::move(connection_), recent(head_received_));
  }
  connection_.reset();
  place_.release();
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

std::unique_ptr<Transport> ClientFetch::take_transport(std::string& rest, bool& ended) noexcept {
  ended = connection_->ended();
  std::unique_ptr<Transport> transport = connection_->release(rest);
  connection_.reset();
  place_.release();
  return transport;
}

void ClientFetch::close() noexcept {
  given_up_ = true;
  transfer_.reset();
  connection_.reset();
  place_.release();
}

HTTPClientResponse& ClientFetch::take_response() {
  if (response_.ok() || !request_.raise_error) return response_;
  const std::string message = failure();
  auto kept = std::make_shared<HTTPClientResponse>(std::move(response_));
  throw HTTPClientError(kept->code, kept->effective_url, message, kept);
}

// --- what follows ------------------------------------------------------------------------------

void ClientFetch::plan_next() {
  const bool may_answer = request_.auth_mode == HTTPAuth::kDigest && digest_.empty() &&
                          !request_.auth_username.empty() && !left_origin_;
  if (response_.code == 401 && may_answer) {
    const auto challenge = DigestChallenge::find(response_.headers.get_list("WWW-Authenticate"));
    if (!challenge) return;
    const std::string cnonce = base64_encode(random_bytes(18), Base64::kURL);
    digest_ = challenge->answer(method_, url().target(), request_.auth_username,
                                request_.auth_password, cnonce);
    again_ = true;
    return;
  }
  if (!is_redirect(response_.code) || !request_.follow_redirects) return;
  if (response_.redirects >= request_.max_redirects) return;
  if (const auto location = response_.headers.find("Location")) plan_redirect(*location);
}

void ClientFetch::plan_redirect(std::string_view location) {
  URL url;
  try {
    url = this->url().resolve(location);
  } catch (const std::invalid_argument& error) {
    throw HTTPResponseError(this->url().to_string(),
                            describe("redirected to nowhere: " + std::string(error.what())),
                            HTTPResponseError::Kind::kMalformed);
  }
  // RFC 9110 15.4.2 to 15.4.4: these become GET, as all clients have done it; 307 and 308 do not.
  const bool to_get =
      response_.code == 303 ? method_ != "HEAD" : response_.code <= 302 && method_ == "POST";
  // What was to be encrypted is not sent in the clear.
  if (!to_get && has_body() && this->url().secure() && !url.secure()) return;
  if (to_get) {
    method_ = "GET";
    drop_body_ = true;
  }
  // User information is for the origin it was given for; what a server says about it is no matter.
  url.username.clear();
  url.password.clear();
  if (!origin_) origin_ = std::make_unique<URL>(this->url());
  if (!url.same_origin(*origin_)) left_origin_ = true;
  if (!left_origin_) {
    url.username = origin_->username;
    url.password = origin_->password;
  }
  next_ = std::make_unique<URL>(std::move(url));
}

bool ClientFetch::may_repeat() const noexcept { return is_idempotent(method_); }

bool ClientFetch::may_retry() const noexcept { return may_repeat() && !connection_->answered(); }

// --- errors ------------------------------------------------------------------------------------

std::string ClientFetch::describe(const std::string& what) const {
  return std::string(method_) + " " + url().to_string() + ": " + what;
}

std::string ClientFetch::failure() const {
  std::string text = "HTTP " + std::to_string(response_.code);
  text += ": " + (response_.reason.empty() ? reason_phrase(response_.code) : response_.reason);
  if (is_redirect(response_.code) && response_.redirects != 0 &&
      response_.redirects == request_.max_redirects) {
    text += " (after " + std::to_string(response_.redirects) + " redirects)";
  }
  return describe(text);
}

namespace {

const char* doing(HTTPPhase phase) noexcept {
  switch (phase) {
    case HTTPPhase::kQueue: return "waiting for one of the client's places";
    case HTTPPhase::kConnect: return "connecting";
    case HTTPPhase::kSend: return "sending the request to ";
    case HTTPPhase::kWait: return "waiting for the response from ";
    case HTTPPhase::kReceive: return "receiving the body from ";
  }
  return "";
}

}  // namespace

void ClientFetch::on_timeout(TimePoint until) const {
  if (now() < until) throw;
  throw out_of_time();
}

HTTPTimeoutError ClientFetch::out_of_time() const {
  std::string text = "timed out after " + describe_span(request_.request_timeout) + " while ";
  const HTTPPhase phase = transfer_ == nullptr ? phase_ : transfer_->phase();
  text += doing(phase);
  if (phase == HTTPPhase::kConnect) {
    text += " to " + url().authority();
  } else if (transfer_ != nullptr) {
    text += url().authority();
  } else if (phase != HTTPPhase::kQueue && connection_ != nullptr) {
    text += to_string(connection_->transport().peer());
  }
  return {url().to_string(), describe(text), phase};
}

void ClientFetch::fail(const WireError& error) const {
  const std::string peer = to_string(connection_->transport().peer());
  std::string text = error.what();
  if (error.kind() == WireError::Kind::kClosed) {
    if (error.code()) text += " (" + error.code().message() + ")";
    text += std::string(" while ") + doing(phase_) + peer;
    throw HTTPStreamClosedError(url().to_string(), describe(text), phase_, error.code());
  }
  const bool large = error.kind() == WireError::Kind::kTooLarge;
  throw HTTPResponseError(
      url().to_string(),
      describe((large ? "the response from " : "no valid HTTP response from ") + peer +
               (large ? " exceeds a limit: " : ": ") + text),
      large ? HTTPResponseError::Kind::kTooLarge : HTTPResponseError::Kind::kMalformed);
}

// --- HTTPBodyWriter ----------------------------------------------------------------------------

Task<> HTTPBodyWriter::write(std::string_view bytes) {
  if (!chunked_) {
    if (bytes.size() > left_) {
      throw std::logic_error("the body producer wrote more than the Content-Length");
    }
    left_ -= bytes.size();
    connection_.write(bytes);
  } else if (!bytes.empty()) {
    std::string chunk;
    chunk.reserve(bytes.size() + 24);
    append_chunk_header(chunk, bytes.size());
    chunk.append(bytes).append("\r\n");
    connection_.write(chunk);
  }
  co_await connection_.drain(kPiece);
}

void HTTPBodyWriter::add_trailer(std::string_view name, std::string_view value) {
  if (!chunked_) throw std::logic_error("a request with a Content-Length has no trailers");
  if (!may_be_trailer(name)) {
    throw std::invalid_argument("must not come behind a body: " + std::string(name));
  }
  trailers_.add(name, value);
}

}  // namespace coronado
