#include "net/connect_race.hpp"

#include <coronado/base/strings.hpp>
#include <coronado/coro/timeout.hpp>

#include <algorithm>
#include <utility>

namespace coronado {
namespace {

using Phase = ConnectError::Phase;

/// No limit, or the span from now.
TimePoint limit(TimePoint now, Duration span) noexcept {
  return span == Duration::zero() ? TimePoint::max() : detail::after(now, span);
}

std::error_code timed_out() { return std::make_error_code(std::errc::timed_out); }

/// Throws  ConnectError  There is no such network interface.
SourceAddresses sources_of(const TCPConnectOptions& options, const std::string& target) {
  if (options.source_interface.empty()) return SourceAddresses(options.source);
  try {
    return SourceAddresses::of_interface(options.source_interface);
  } catch (const std::system_error& error) {
    throw ConnectError(target, Phase::kConnect, error.code(), error.what());
  }
}

Task<> join(TaskGroup& group) {
  group.cancel();
  co_await group.join();
}

}  // namespace

std::string describe_span(Duration span) {
  const auto ms = std::chrono::round<std::chrono::milliseconds>(span).count();
  std::string text;
  if (ms < 1000) {
    append_int(text, ms);
    return text + " ms";
  }
  append_double(text, static_cast<double>(ms) / 1000);
  return text + " s";
}

// --- AddressQueue ------------------------------------------------------------------------------

void AddressQueue::add(const std::vector<SocketAddress>& addresses) {
  for (const SocketAddress& address : addresses) {
    if (std::ranges::find(known_, address) != known_.end()) continue;
    known_.push_back(address);
    (address.family == Family::kIPv6 ? six_ : four_).push_back(address);
  }
}

SocketAddress AddressQueue::take() {
  const bool six = four_.empty() || (next_ == Family::kIPv6 && !six_.empty());
  std::deque<SocketAddress>& from = six ? six_ : four_;
  SocketAddress address = std::move(from.front());
  from.pop_front();
  next_ = six ? Family::kIPv4 : Family::kIPv6;
  return address;
}

// --- ConnectRace -------------------------------------------------------------------------------

ConnectRace::ConnectRace(Connector& connector, const TCPConnectOptions& options, std::string target)
    : connector_(connector),
      options_(options),
      executor_(Executor::require_current()),
      target_(std::move(target)),
      sources_(sources_of(options, target_)) {}

Task<std::unique_ptr<Transport>> ConnectRace::run(Resolver& resolver, std::string host,
                                                  std::uint16_t port) {
  ResolveRequest request{.host = std::move(host), .port = port, .family = options_.family};
  request.on_first_family = [this](const std::vector<SocketAddress>& addresses) {
    add(addresses, false);
  };
  return run_group(resolve(resolver, std::move(request)));
}

Task<std::unique_ptr<Transport>> ConnectRace::run(SocketAddress address) {
  add({std::move(address)}, true);
  return run_group({});
}

/// Whatever happens, nothing runs any more when this ends.
Task<std::unique_ptr<Transport>> ConnectRace::run_group(Task<> resolving) {
  TaskGroup group("connecting", TaskGroup::OnFailure::kHandle);
  if (resolving) group.spawn(std::move(resolving), "resolve");
  std::exception_ptr error;
  bool cancelled = false;
  try {
    co_await drive(group);
  } catch (const Cancelled&) {
    cancelled = true;
  } catch (...) {
    error = std::current_exception();
  }
  co_await shield(join(group));
  if (winner_ != nullptr) co_return std::move(winner_);
  if (cancelled) throw Cancelled{};
  if (error != nullptr) std::rethrow_exception(error);
  throw failure();
}

/// Begins attempts when they are due, until one has won or all have failed.
Task<> ConnectRace::drive(TaskGroup& group) {
  while (winner_ == nullptr) {
    changed_.clear();
    if (!queue_.empty() && executor_.now() >= not_before_) {
      running_.push_back({queue_.take(), executor_.now()});
      not_before_ = detail::after(executor_.now(), options_.attempt_delay);
      group.spawn(attempt(std::prev(running_.end())), "connect");
      continue;
    }
    if (resolved_ && queue_.empty() && running_.empty()) co_return;
    const TimePoint until = queue_.empty() ? TimePoint::max() : not_before_;
    try {
      co_await with_timeout(until, changed_.wait());
    } catch (const TimeoutError&) {  // the next attempt is due
    }
  }
}

Task<> ConnectRace::resolve(Resolver& resolver, ResolveRequest request) {
  const std::string host = request.host;
  std::optional<ResolveError> error;
  try {
    const TimePoint until = limit(executor_.now(), options_.resolve_timeout);
    const Resolution found = co_await with_timeout(until, resolver.resolve(std::move(request)));
    add(found.addresses, true);
  } catch (const ResolveError& caught) {
    error = caught;
  } catch (const TimeoutError&) {
    error.emplace(host, ResolveError::Reason::kTimeout,
                  "gave up after " + describe_span(options_.resolve_timeout));
  } catch (const std::exception& caught) {
    error.emplace(host, ResolveError::Reason::kSystem, caught.what());
  }
  if (error) resolve_error_ = std::move(error);
  resolved_ = true;
  changed_.set();
}

/// Params  complete  Both families are in.
void ConnectRace::add(const std::vector<SocketAddress>& addresses, bool complete) {
  std::vector<SocketAddress> usable = addresses;
  sources_.keep_reachable(usable);
  if (usable.empty()) unreachable_ = addresses;
  if (complete) resolved_ = true;
  changed_.set();
  if (usable.empty()) return;
  queue_.add(usable);
  phase_ = Phase::kConnect;
  if (!running_.empty() || !failed_.empty()) return;
  queue_.prefer(usable.front().family);
  // RFC 8305 3: IPv4 addresses that come first wait a moment for the IPv6 ones, not the reverse.
  const bool wait = !complete && usable.front().family == SocketAddress::Family::kIPv4;
  not_before_ = detail::after(executor_.now(), wait ? options_.resolution_delay : Duration::zero());
}

Task<> ConnectRace::attempt(Place place) {
  std::unique_ptr<Transport> transport;
  std::error_code code;
  std::string reason;
  try {
    const TimePoint until = limit(executor_.now(), options_.attempt_timeout);
    ConnectOptions how;
    how.source = sources_.for_family(place->address.family);
    transport = co_await with_timeout(until, connector_.connect(place->address, how));
  } catch (const std::system_error& error) {
    code = error.code();
    reason = code.message();
  } catch (const TimeoutError&) {
    code = timed_out();
    reason = "timed out after " + describe_span(options_.attempt_timeout);
  } catch (const std::exception& error) {
    code = std::make_error_code(std::errc::io_error);
    reason = error.what();
  }
  if (transport == nullptr) {
    fail(place, code, std::move(reason));
    co_return;
  }
  running_.erase(place);
  if (winner_ == nullptr) winner_ = std::move(transport);
  changed_.set();
}

/// The next attempt begins at once.
void ConnectRace::fail(Place place, std::error_code code, std::string reason) {
  failed_.push_back({to_string(place->address), code, std::move(reason)});
  running_.erase(place);
  not_before_ = executor_.now();
  changed_.set();
}

ConnectError ConnectRace::failure() const {
  if (phase_ != Phase::kResolve) {
    return ConnectError(target_, phase_, failed_.empty() ? std::error_code() : failed_.back().code,
                        "", failed_);
  }
  if (resolve_error_) {
    const bool late = resolve_error_->reason() == ResolveError::Reason::kTimeout;
    return ConnectError(target_, phase_, late ? timed_out() : std::error_code(),
                        resolve_error_->what(), {}, resolve_error_->reason());
  }
  return ConnectError(target_, phase_,
                      std::make_error_code(std::errc::address_family_not_supported),
                      sources_.why_unreachable(unreachable_), {}, ResolveError::Reason::kNoAddress);
}

ConnectError ConnectRace::out_of_time() const {
  std::vector<FailedAttempt> attempts = failed_;
  for (const Running& each : running_) {
    const std::string span = describe_span(executor_.now() - each.since);
    attempts.push_back({to_string(each.address), timed_out(), "timed out after " + span});
  }
  std::string reason = "gave up after " + describe_span(options_.timeout);
  std::optional<ResolveError::Reason> resolve_reason;
  if (phase_ == Phase::kResolve) {
    reason += " while its name was looked up";
    resolve_reason = ResolveError::Reason::kTimeout;
  } else if (phase_ == Phase::kUpgrade) {
    reason += " during the handshake";
  }
  return ConnectError(target_, phase_, timed_out(), std::move(reason), std::move(attempts),
                      resolve_reason);
}

Task<std::unique_ptr<Transport>> ConnectRace::upgrade(std::unique_ptr<Transport> transport,
                                                      std::string host) {
  phase_ = Phase::kUpgrade;
  const std::string peer = to_string(transport->peer());
  std::error_code code;
  std::string reason;
  std::exception_ptr cause;
  try {
    const TimePoint until = limit(executor_.now(), options_.upgrade_timeout);
    co_return co_await with_timeout(
        until, options_.upgrade->upgrade(std::move(transport), std::move(host)));
  } catch (const TimeoutError&) {
    code = timed_out();
    reason = "the handshake timed out after " + describe_span(options_.upgrade_timeout);
  } catch (const std::system_error& error) {
    code = error.code();
    reason = error.what();
    cause = std::current_exception();
  } catch (const std::exception& error) {
    reason = error.what();
    cause = std::current_exception();
  }
  throw ConnectError(target_, phase_, code, reason + " (" + peer + ")", {}, std::nullopt, cause);
}

}  // namespace coronado
