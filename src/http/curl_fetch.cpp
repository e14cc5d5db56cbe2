// A fetch whose requests libcurl makes: the part of ClientFetch that is another one then.
#include <coronado/base/strings.hpp>
#include <coronado/coro/timeout.hpp>
#include <coronado/loop/ioloop.hpp>
#include <coronado/net/resolver.hpp>

#include <algorithm>
#include <stdexcept>

#include "http/client_fetch.hpp"
#include "http/curl_engine.hpp"
#include "net/source_addresses.hpp"

namespace coronado {
namespace {

/// The lines of a head behind the first, but for those that libcurl writes.
std::vector<std::string> fields_of(std::string_view head) {
  std::vector<std::string> fields;
  std::size_t at = head.find("\r\n") + 2;
  for (std::size_t end = head.find("\r\n", at); end != at; end = head.find("\r\n", at)) {
    const std::string_view line = head.substr(at, end - at);
    const std::string_view name = line.substr(0, line.find(':'));
    at = end + 2;
    if (equals_ignore_case(name, "Content-Length")) continue;
    fields.emplace_back(line);
  }
  return fields;
}

/// Leaves those that the network interface of the request can reach, if it names one.
/// Throws  ConnectError  There are none, or no such interface.
void keep_reachable(std::vector<SocketAddress>& addresses, const ClientTarget& target,
                    const std::string& asked) {
  if (target.source_interface.empty()) return;
  using Phase = ConnectError::Phase;
  std::optional<SourceAddresses> sources;
  try {
    sources = SourceAddresses::of_interface(target.source_interface);
  } catch (const std::system_error& error) {
    throw ConnectError(asked, Phase::kConnect, error.code(), error.what());
  }
  const std::vector<SocketAddress> all = addresses;
  sources->keep_reachable(addresses);
  if (!addresses.empty()) return;
  throw ConnectError(asked, Phase::kResolve,
                     std::make_error_code(std::errc::address_family_not_supported),
                     sources->why_unreachable(all), {}, ResolveError::Reason::kNoAddress);
}

/// What the Resolver says about the host that is to be connected to.
/// Throws  ConnectError
Task<std::vector<std::string>> addresses_for(const ClientCore& core, const ClientTarget& target) {
  const std::string& host = target.proxy ? target.proxy->host : target.host;
  const std::uint16_t port = target.proxy ? target.proxy->port : target.port;
  const std::string asked = host + ":" + std::to_string(port);
  std::vector<std::string> texts;
  if (!target.unix_socket.empty()) co_return texts;
  if (const auto address = SocketAddress::from_ip(host, port)) {
    std::vector<SocketAddress> addresses = {*address};
    keep_reachable(addresses, target, to_string(*address));
    co_return texts;
  }
  const auto family = target.ipv6 ? AddressFamily::kAny : AddressFamily::kIPv4;
  const auto resolver =
      core.options.resolver == nullptr ? Resolver::shared() : core.options.resolver;
  std::optional<ResolveError> failed;
  try {
    Resolution found = co_await resolver->resolve({.host = host, .port = port, .family = family});
    keep_reachable(found.addresses, target, asked);
    for (const SocketAddress& each : found.addresses) texts.push_back(each.host());
  } catch (const ResolveError& error) {
    failed = error;
  }
  if (!failed) co_return texts;
  throw ConnectError(asked, ConnectError::Phase::kResolve, {}, failed->what(), {},
                     failed->reason());
}

}  // namespace

/// As `hop`, in a place that was waited for.
Task<> ClientFetch::curl_hop() {
  if (request_.body_producer) {
    throw std::invalid_argument("HTTPRequest::body_producer is not for libcurl");
  }
  if (request_.tls != nullptr) {
    throw std::invalid_argument("HTTPRequest::tls is not for libcurl: name the files");
  }
  co_await curl_begin();
  std::optional<CurlError> failed;
  std::optional<WireError> wrong;
  try {
    co_await curl_receive();
  } catch (const CurlError& error) {
    failed = error;
  } catch (const WireError& error) {
    wrong = error;
  }
  if (failed) curl_fail(*failed);
  if (wrong) curl_fail(*wrong);
  if (mode_ == Mode::kHead && !next_ && !again_ && !transfer_ended_) co_return;
  transfer_.reset();
  place_.release();
}

Task<> ClientFetch::curl_begin() {
  phase_ = HTTPPhase::kConnect;
  const TimePoint begin = IOLoop::current()->now();
  const Duration limit = request_.connect_timeout;
  std::optional<ConnectError> failed;
  std::vector<std::string> addresses;
  bool late = false;
  try {
    if (limit == Duration::zero()) {
      addresses = co_await addresses_for(core_, *target_);
    } else {
      addresses = co_await with_timeout(limit, addresses_for(core_, *target_));
    }
  } catch (const ConnectError& error) {
    failed = error;
  } catch (const TimeoutError&) {
    late = true;
  }
  if (late) {
    curl_fail(CurlError(CurlError::Kind::kConnectTimeout, "the name was not resolved in time"));
  }
  if (failed) throw HTTPConnectError(url().to_string(), describe(failed->what()), *failed);
  const TimePoint resolved = IOLoop::current()->now();
  response_.time_info.namelookup = resolved - begin;

  std::string address;
  url().append_origin(address);
  url().append_target(address);
  std::string head;
  append_own_head(head);
  transfer_ended_ = false;
  transfer_ = core_.curl->begin(
      {.request = request_,
       .target = *target_,
       .url = std::move(address),
       .method = method(),
       .fields = fields_of(head),
       .body = has_body() ? &*request_.body : nullptr,
       .addresses = std::move(addresses),
       .connect_timeout = limit == Duration::zero()
                              ? limit
                              : std::max(limit - (resolved - begin), Duration(1'000'000)),
       .idempotent = may_repeat()});
}

Task<> ClientFetch::curl_receive() {
  using Event = CurlTransfer::Event;
  const TimePoint begin = IOLoop::current()->now();
  const std::uint64_t most = core_.options.limits.max_body_size;
  std::uint64_t size = 0;
  for (;;) {
    const CurlTransfer::Step step = co_await transfer_->next(static_cast<std::size_t>(-1));
    if (step.event == Event::kDone) break;
    if (step.event == Event::kHead) {
      ReceivedHead& head = transfer_->head();
      transfer_->fill(response_.time_info);
      const HTTPTimeInfo& times = response_.time_info;
      sent_ = begin + times.connect + times.appconnect;
      const auto length = head.headers.find("Content-Length");
      const bool none = method() == "HEAD" || head.status == 204 || head.status == 304 ||
                        (length && *length == "0");
      head.content_coded = head.headers.contains("Content-Encoding");
      on_head(head, !none, 0);
      if (mode_ == Mode::kHead && !next_ && !again_ && !none) co_return;
      continue;
    }
    size += step.data.size();
    if (next_ || again_) {
      if (size > kMostDiscarded) co_return;
    } else if (keeps_body()) {
      if (size > most) throw WireError(WireError::Kind::kTooLarge, "the body is too large");
      keep_data(step.data);
    } else {
      co_await pass_on(step.data);
    }
  }
  if (!next_ && !again_) check_decoded();
  transfer_ended_ = true;
  response_.trailers = std::move(transfer_->trailers());
  settle_times(IOLoop::current()->now());
}

Task<std::string> ClientFetch::curl_read_some(std::size_t max_bytes) {
  while (transfer_ != nullptr) {
    std::optional<CurlError> failed;
    std::optional<WireError> wrong;
    std::string piece;
    bool done = false;
    try {
      if (decoder_ != nullptr) {
        std::string_view rest = encoded_;
        decode(rest, max_bytes, piece);
        encoded_.erase(0, encoded_.size() - rest.size());
      }
      if (piece.empty()) {
        const CurlTransfer::Step step =
            co_await transfer_->next(decoder_ == nullptr ? max_bytes : kPiece);
        done = step.event == CurlTransfer::Event::kDone;
        if (done) check_decoded();
        (decoder_ == nullptr ? piece : encoded_).append(step.data);
      }
    } catch (const CurlError& error) {
      failed = error;
    } catch (const WireError& error) {
      wrong = error;
    }
    if (failed) curl_fail(*failed);
    if (wrong) curl_fail(*wrong);
    if (!piece.empty()) co_return piece;
    if (!done) continue;
    response_.trailers = std::move(transfer_->trailers());
    settle_times(IOLoop::current()->now());
    transfer_.reset();
    place_.release();
  }
  co_return std::string();
}

/// Throws  What `HTTPClient::fetch` says about such a failure.
void ClientFetch::curl_fail(const CurlError& error) const {
  using Kind = CurlError::Kind;
  const std::string url = this->url().to_string();
  const std::string where =
      target_->proxy ? target_->proxy->host + ":" + std::to_string(target_->proxy->port)
      : target_->unix_socket.empty() ? target_->host + ":" + std::to_string(target_->port)
                                     : target_->unix_socket;
  const HTTPPhase phase = transfer_ == nullptr ? phase_ : transfer_->phase();
  switch (error.kind()) {
    case Kind::kConnectTimeout:
      throw HTTPTimeoutError(url, describe("cannot connect to " + where + ": " + error.what()),
                             HTTPPhase::kConnect);
    case Kind::kConnect: {
      const auto at =
          error.in_upgrade() ? ConnectError::Phase::kUpgrade : ConnectError::Phase::kConnect;
      const ConnectError failure(where, at, {}, error.what());
      throw HTTPConnectError(url, describe(failure.what()), failure);
    }
    case Kind::kClosed:
      throw HTTPStreamClosedError(url, describe(std::string(error.what())), phase, {});
    case Kind::kMalformed: curl_fail(WireError(WireError::Kind::kMalformed, error.what()));
    case Kind::kTooLarge: curl_fail(WireError(WireError::Kind::kTooLarge, error.what()));
  }
  std::unreachable();
}

void ClientFetch::curl_fail(const WireError& error) const {
  const bool large = error.kind() == WireError::Kind::kTooLarge;
  const std::string peer = url().authority();
  throw HTTPResponseError(
      url().to_string(),
      describe((large ? "the response from " : "no valid HTTP response from ") + peer +
               (large ? " exceeds a limit: " : ": ") + error.what()),
      large ? HTTPResponseError::Kind::kTooLarge : HTTPResponseError::Kind::kMalformed);
}

}  // namespace coronado
