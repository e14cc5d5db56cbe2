/// The race between the addresses of a host: RFC 8305 without the sockets.
#pragma once

#include <coronado/base/error.hpp>
#include <coronado/coro/locks.hpp>
#include <coronado/coro/task_group.hpp>
#include <coronado/net/tcpclient.hpp>

#include <deque>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "net/source_addresses.hpp"

namespace coronado {

/// Which addresses are tried next: the families take turns, each in the order in which its
/// addresses came.   Spec  RFC 8305 4
class AddressQueue {
 public:
  /// Adds addresses, but for those that are or were in it.
  void add(const std::vector<SocketAddress>& addresses);

  bool empty() const noexcept { return six_.empty() && four_.empty(); }

  /// The next one is of this family, if there is any.
  void prefer(SocketAddress::Family family) noexcept { next_ = family; }

  /// Takes the next one; it must not be empty.
  SocketAddress take();

 private:
  using Family = SocketAddress::Family;

  std::deque<SocketAddress> six_;
  std::deque<SocketAddress> four_;
  std::vector<SocketAddress> known_;
  Family next_ = Family::kIPv6;
};

/// One connection being made, by any of several addresses.
class ConnectRace {
 public:
  /// Params  target  For messages: "example.org:80".
  /// Throws  ConnectError  There is no such network interface.
  ConnectRace(Connector& connector, const TCPConnectOptions& options, std::string target);

  /// Resolves the name and connects.
  /// Throws   ConnectError  Nothing was reached.
  /// Cancel   Ends all of it, and completes when it has ended.
  Task<std::unique_ptr<Transport>> run(Resolver& resolver, std::string host, std::uint16_t port);

  /// Connects to a single address.
  /// Throws   ConnectError  It was not reached.
  /// Cancel   Ends the attempt, and completes when it has ended.
  Task<std::unique_ptr<Transport>> run(SocketAddress address);

  /// Puts the wanted layer on the connection.
  /// Throws   ConnectError  It failed.
  /// Cancel   Passed on to it.
  Task<std::unique_ptr<Transport>> upgrade(std::unique_ptr<Transport> transport, std::string host);

  /// The error for a limit on everything, which has passed.
  ConnectError out_of_time() const;

 private:
  struct Running {
    SocketAddress address;
    TimePoint since;
  };
  using Place = std::list<Running>::iterator;

  Task<std::unique_ptr<Transport>> run_group(Task<> resolving);
  Task<> resolve(Resolver& resolver, ResolveRequest request);
  Task<> attempt(Place place);
  Task<> drive(TaskGroup& group);
  void add(const std::vector<SocketAddress>& addresses, bool complete);
  void fail(Place place, std::error_code code, std::string reason);
  ConnectError failure() const;

  Connector& connector_;
  const TCPConnectOptions& options_;
  Executor& executor_;
  std::string target_;
  SourceAddresses sources_;
  std::vector<SocketAddress> unreachable_;  // from there
  ConnectError::Phase phase_ = ConnectError::Phase::kResolve;

  Event changed_;
  AddressQueue queue_;
  bool resolved_ = false;   // no more addresses will come
  TimePoint not_before_{};  // the earliest instant of the next attempt
  std::optional<ResolveError> resolve_error_;
  std::list<Running> running_;
  std::vector<FailedAttempt> failed_;
  std::unique_ptr<Transport> winner_;
};

/// "3 s", "250 ms", "1.5 s".
std::string describe_span(Duration span);

}  // namespace coronado
