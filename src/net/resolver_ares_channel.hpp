/// One c-ares channel on a loop, and a query on it as something to await.
///
/// c-ares can only cancel all queries of a channel. So each query has a channel to itself while it
/// runs: cancelling it is exact, and disturbs no other.
#pragma once

#include <coronado/coro/context.hpp>
#include <coronado/coro/executor.hpp>
#include <coronado/loop/address.hpp>
#include <coronado/net/resolver.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "net/dns_message.hpp"

struct ares_addrinfo;
struct ares_channeldata;
struct ares_socket_functions;

namespace coronado {

class AresQuery;
class IOLoop;

/// What became of a query.
struct AresAnswer {
  int status = 0;  ///< of c-ares
  std::vector<SocketAddress> addresses;
  Duration ttl = Duration::max();
  std::optional<Duration> negative_ttl;  ///< how long it may be remembered that there is nothing
};

/// What the system's configuration says.
struct AresConfig {
  std::string lookups;  ///< 'f' for the hosts file, 'b' for name servers, in the order of use
  std::vector<std::string> domains;
  int ndots = 1;
  std::string servers;  ///< for messages
};

/// A channel that runs one query at a time. An idle one has no socket and no timer.
class AresChannel final : private Timer {
 public:
  /// Params  lookups  As in `AresConfig`; empty: what the system says.
  ///         search   Keep the search list. Queries do without.
  /// Throws  std::system_error  c-ares cannot begin.
  AresChannel(const AresOptions& options, const char* lookups, bool search = false);
  AresChannel(const AresChannel&) = delete;
  AresChannel& operator=(const AresChannel&) = delete;
  ~AresChannel();

  AresConfig config() const;

  /// Looks into the hosts file, at once; no task, no loop. For a channel with lookups "f".
  AresAnswer read_hosts_file(const std::string& name);

 private:
  friend class AresQuery;

  void start(IOLoop& loop, const std::string& name, int family, AresQuery& query);
  void cancel() noexcept;
  void process(int readable, int writable) noexcept;
  void after_processing() noexcept;
  void on_socket(int fd, bool readable, bool writable) noexcept;
  void on_ready(int fd, unsigned events) noexcept;
  void on_timer() noexcept override;
  static const ares_socket_functions& socket_functions() noexcept;

  ares_channeldata* channel_ = nullptr;
  IOLoop* loop_ = nullptr;
  std::vector<int> watched_;
  DnsSummary last_;          // of the newest datagram
  std::string watch_error_;  // why a socket could not be watched; empty: none
};

/// `co_await AresQuery(channel, name, AF_INET)`: an `AresAnswer`.
/// Throws   ResolveError  The loop cannot watch sockets.
/// Cancel   Ends the query at once: its sockets are closed.
class AresQuery final : public Suspension {
 public:
  AresQuery(AresChannel& channel, const std::string& name, int family) noexcept
      : channel_(channel), name_(name), family_(family) {}

  bool await_ready() const noexcept { return false; }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> handle) {
    return begin(handle.promise());
  }
  AresAnswer await_resume();
  void cancel() noexcept override;
  const char* what() const noexcept override { return "a name server"; }

 private:
  friend class AresChannel;
  bool begin(PromiseBase& promise);
  void finish(int status, ares_addrinfo* list) noexcept;

  AresChannel& channel_;
  const std::string& name_;
  int family_;
  bool done_ = false;
  AresAnswer answer_;
};

/// Why an answer without addresses is one.
ResolveError::Reason reason_of(int ares_status) noexcept;
/// The status in c-ares's words.
std::string describe_status(int ares_status);
/// Whether the answer is that there is nothing, rather than that nobody could say.
bool is_negative(int ares_status) noexcept;

}  // namespace coronado
