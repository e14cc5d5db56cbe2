/// Host names to addresses.
///
///     Resolver           the interface; derive from it to bring your own
///     AresResolver       asks name servers, and /etc/hosts, without a thread (c-ares)
///     CachingResolver    remembers what another resolver found, and what it did not
///     OverrideResolver   sends some names elsewhere, before another resolver is asked
///     ThreadedResolver   the system's getaddrinfo, in a thread
///
///     Resolution found = co_await Resolver::shared()->resolve("example.org", 443);
///
/// Numeric addresses, `localhost` and the names that never exist (`.invalid`, `.onion`) are answered
/// at once, without asking anybody. Names beyond ASCII are given in their "xn--" form.
///
/// Threads  One thread at a time; give each loop's thread its own.
/// Lifetime A resolver outlives the tasks that await it.
/// Layer: net.   Tornado  `netutil.Resolver`.
#pragma once

#include <coronado/base/clock.hpp>
#include <coronado/base/function.hpp>
#include <coronado/coro/task.hpp>
#include <coronado/loop/address.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace coronado {

class ThreadPool;

/// Which addresses are wanted.
enum class AddressFamily : std::uint8_t { kAny, kIPv4, kIPv6 };

/// What a name resolved to.
struct Resolution {
  /// At least one, the preferred one first, with the port that was asked for.
  std::vector<SocketAddress> addresses;

  /// How long this may be remembered. Nothing: the resolver does not know.
  std::optional<Duration> ttl;
};

/// A question to a resolver.
struct ResolveRequest {
  /// A name, or a numeric address without brackets. A final dot makes a name absolute: the search
  /// list of resolv.conf is not used.
  std::string host;

  /// Comes back in each address.
  std::uint16_t port = 0;

  AddressFamily family = AddressFamily::kAny;

  /// Called at most once, with the addresses of one family while those of the other are still
  /// looked up; they are part of the result too. May be empty. A resolver that learns everything at
  /// once never calls it.   Spec  RFC 8305 3
  Function<void(const std::vector<SocketAddress>&)> on_first_family = nullptr;
};

/// Turns names into addresses.
/// Tornado  `netutil.Resolver`.
class Resolver {
 public:
  Resolver() = default;
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;
  virtual ~Resolver() = default;

  /// The resolver that clients use unless they are given another: a cache over c-ares, made at its
  /// first use.
  /// Threads  Each thread has its own.
  static std::shared_ptr<Resolver> shared();

  /// Replaces the shared resolver of this thread; null: the next use makes a new one. Clients that
  /// exist keep theirs.
  static void set_shared(std::shared_ptr<Resolver> resolver) noexcept;

  /// Looks up the addresses of `host`.
  /// Params   host    See `ResolveRequest`.
  ///          port    Comes back in each address.
  ///          family  Which addresses are wanted.
  /// Returns  At least one address.
  /// Throws   ResolveError  There is none; `reason()` says why.
  /// Cancel   Ends the query and completes when nothing of it is left.
  /// Tornado  `Resolver.resolve`.
  Task<Resolution> resolve(std::string host, std::uint16_t port = 0,
                           AddressFamily family = AddressFamily::kAny) {
    return resolve(ResolveRequest{.host = std::move(host), .port = port, .family = family});
  }

  /// The same, with everything that can be asked; this is what a resolver implements.
  /// Throws   ResolveError  There is no address; `reason()` says why.
  /// Cancel   Ends the query and completes when nothing of it is left.
  virtual Task<Resolution> resolve(ResolveRequest request) = 0;
};

/// How an `AresResolver` asks.
struct AresOptions {
  /// The name servers, in the order in which they are asked; port 0 is 53. Empty: those of
  /// /etc/resolv.conf.
  std::vector<SocketAddress> servers = {};

  /// How long to wait for the answer to one packet. It doubles with every round over the servers.
  Duration timeout = std::chrono::seconds(2);

  /// How often each server is asked.
  int tries = 3;

  /// Suffixes tried for names with fewer dots than `ndots`, and for others that do not exist.
  /// Nothing: those of /etc/resolv.conf.
  std::optional<std::vector<std::string>> search_domains = std::nullopt;

  /// Names with so many dots are tried as they are before the suffixes. Nothing: as in
  /// /etc/resolv.conf, or 1.
  std::optional<int> ndots = std::nullopt;

  /// Look into /etc/hosts (or the file that the environment's `CARES_HOSTS` names), when and in the
  /// order that the system's configuration says. A name that stands there is not asked for.
  bool use_hosts_file = true;

  /// Where the name servers and the search list stand.
  std::string resolv_conf = "/etc/resolv.conf";

  /// Most queries on their way; what comes then waits its turn.
  int max_queries = 200;
};

/// Asks name servers on the loop: UDP with TCP for what does not fit, retries, several servers.
///
/// IPv4 and IPv6 addresses are asked for at the same time. /etc/resolv.conf is read again when it
/// has changed. The addresses of a family come in the order of RFC 6724; the family that this
/// machine cannot reach comes last.
///
/// Spec     RFC 1034, 1035, 6724, 6761.   Tornado  `platform.caresresolver.CaresResolver`.
/// Code     src/net/resolver_ares.cpp, tests/net/resolver_ares_test.cpp
class AresResolver final : public Resolver {
 public:
  /// Throws  std::invalid_argument  An option is out of range, or a server is no IP address.
  explicit AresResolver(AresOptions options = {});
  ~AresResolver() override;

  using Resolver::resolve;
  Task<Resolution> resolve(ResolveRequest request) override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// How long a `CachingResolver` remembers.
struct CacheOptions {
  /// Most names kept; the one that was not used for the longest time goes first.
  std::size_t max_entries = 1000;

  /// An answer is kept for its TTL, but within these limits.
  Duration min_ttl = std::chrono::seconds(1);
  Duration max_ttl = std::chrono::hours(1);

  /// How long an answer without TTL is kept.
  Duration default_ttl = std::chrono::seconds(30);

  /// It is remembered that a name, or its address, does not exist, for the time that the server
  /// gives, from `min_ttl` to this.   Spec  RFC 2308 5
  Duration max_negative_ttl = std::chrono::minutes(5);

  /// The same when no time is given.
  Duration negative_ttl = std::chrono::seconds(10);

  /// How long it is remembered that nobody could say (name server failure, timeout), so that a
  /// broken server is not asked by everybody. At most five minutes.   Spec  RFC 2308 7
  Duration failure_ttl = std::chrono::seconds(1);
};

/// Remembers what another resolver found, and shares one lookup among all who ask the same.
///
/// A shared lookup lives while somebody waits for it: the last who is cancelled ends it. Numeric
/// addresses pass through.
///
/// Code     src/net/resolver_cache.cpp, tests/net/resolver_cache_test.cpp
class CachingResolver final : public Resolver {
 public:
  /// Throws  std::invalid_argument  No resolver, or options out of range.
  explicit CachingResolver(std::shared_ptr<Resolver> next, CacheOptions options = {});
  ~CachingResolver() override;

  using Resolver::resolve;
  Task<Resolution> resolve(ResolveRequest request) override;

  /// Names remembered, those that have become old included.
  std::size_t size() const noexcept;

  /// Forgets everything. Lookups on their way are not touched.
  void clear() noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// One rule of an `OverrideResolver`.
struct HostOverride {
  std::string host;                                     ///< this name, in any case,
  std::optional<std::uint16_t> port = std::nullopt;     ///< asked for with this port (nothing: any)
  std::optional<AddressFamily> family = std::nullopt;   ///< and this family (nothing: any)
  std::string to_host;                                  ///< is looked up as this name or address
  std::optional<std::uint16_t> to_port = std::nullopt;  ///< with this port (nothing: the same)
};

/// Sends some names elsewhere: a hosts file for one program, and for tests.
///
/// Of the rules that fit, the one with host, port and family wins over the one with host and port,
/// and that over the one with the host alone. The new name is not looked up in the rules again.
///
/// Tornado  `netutil.OverrideResolver`.
class OverrideResolver final : public Resolver {
 public:
  /// Throws  std::invalid_argument  No resolver; a rule without names, or with a family and no
  ///         port; two rules for the same.
  OverrideResolver(std::shared_ptr<Resolver> next, std::vector<HostOverride> rules);

  using Resolver::resolve;
  Task<Resolution> resolve(ResolveRequest request) override;

 private:
  std::shared_ptr<Resolver> next_;
  std::vector<HostOverride> rules_;
};

/// The system's `getaddrinfo` in a thread: for what only the system knows (mDNS, LDAP, NSS plug-ins).
///
/// It does not tell how long an answer holds.
/// Tornado  `netutil.ThreadedResolver`, `DefaultExecutorResolver`, `DefaultLoopResolver`.
class ThreadedResolver final : public Resolver {
 public:
  /// On the pool that `offload` uses.
  ThreadedResolver();
  /// On a pool of its own; it must outlive the resolver.
  explicit ThreadedResolver(ThreadPool& pool) noexcept : pool_(pool) {}

  using Resolver::resolve;
  /// Cancel  A lookup that runs in its thread cannot be stopped: the task waits for its end.
  Task<Resolution> resolve(ResolveRequest request) override;

 private:
  ThreadPool& pool_;
};

}  // namespace coronado
