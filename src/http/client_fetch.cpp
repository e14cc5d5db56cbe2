#include "http/client_fetch.hpp"

#include <coronado/loop/ioloop.hpp>

namespace coronado {
namespace {

TimePoint now() { return IOLoop::current()->now(); }

}  // namespace

ClientFetch::ClientFetch(ClientCore& core, HTTPRequest& request, std::string_view url, Mode mode,
                         HTTPClientResponse& response)
    : core_(core),
      request_(request),
      text_(url),
      mode_(mode),
      known_(core.find_origin(url, normal_)),
      response_(response) {
  response_.method = request.method;
  if (!normal_) url_ = std::make_unique<URL>(URL::parse(url));
  if (known_ == nullptr) known_ = core.keep_origin(*url_, url);
  if (&request != &core.plain_request) {
    check();
  } else {
    plain_ = normal_ && core.options.cookies == nullptr;
  }
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

Task<> ClientFetch::run() { return run(now()); }

/// Each round is one request and its response, over whatever connection.
Task<> ClientFetch::run(TimePoint begin) {
  begin_ = hop_begin_ = begin;
  for (;;) {
    begin_hop();
    place_ = core_.pool.try_enter(target_->key);
    if (!place_) place_ = co_await core_.pool.enter(target_->key);
    response_.start_time = recent(hop_begin_);
    response_.time_info.queue = response_.start_time - hop_begin_;
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
        if (!uploaded_) {
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
  if (known_ == nullptr || tunnels || !(plain_ || ClientTarget::is_default_for(request_))) {
    own_target_ = std::make_unique<const ClientTarget>(core_, request_, url(), tunnels);
    target_ = own_target_.get();
    return;
  }
  if (known_->target == nullptr) {
    known_->target = std::make_unique<const ClientTarget>(core_, request_, url());
  }
  target_ = known_->target.get();
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
    known_ = nullptr;
    normal_ = plain_ = false;
    logins_.reset();
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

void ClientFetch::check_status() {
  if (response_.ok() || !request_.raise_error) return;
  const std::string message = failure();
  auto kept = std::make_shared<HTTPClientResponse>(std::move(response_));
  throw HTTPClientError(kept->code, kept->effective_url, message, kept);
}

}  // namespace coronado
