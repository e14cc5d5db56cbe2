#include <coronado/base/error.hpp>
#include <coronado/coro/combine.hpp>
#include <coronado/coro/locks.hpp>
#include <coronado/net/resolver.hpp>

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <stdexcept>
#include <tuple>

#include "loop/sockaddr.hpp"
#include "net/host_name.hpp"
#include "net/resolver_ares_channel.hpp"

namespace coronado {
namespace {

using Reason = ResolveError::Reason;

constexpr std::size_t kMaxName = 253;
constexpr std::size_t kMaxIdle = 16;  // channels kept for the next query

/// What tells one version of a file from the next.
using FileVersion = std::tuple<dev_t, ino_t, off_t, time_t, long>;

FileVersion version_of(const std::string& path) noexcept {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return {};
  return {status.st_dev, status.st_ino, status.st_size, status.st_mtim.tv_sec,
          status.st_mtim.tv_nsec};
}

/// What became of a name, in one place or another.
struct Finding {
  std::vector<SocketAddress> addresses;
  std::optional<Duration> ttl;
  Reason failure = Reason::kNoSuchName;  // when there are no addresses
  std::string detail;
  std::optional<Duration> negative_ttl;
};

void check_options(const AresOptions& options) {
  const auto refuse = [](const char* what) { throw std::invalid_argument(what); };
  if (options.timeout <= Duration::zero()) refuse("AresOptions::timeout must be more than zero");
  if (options.tries < 1) refuse("AresOptions::tries must be at least 1");
  if (options.max_queries < 1) refuse("AresOptions::max_queries must be at least 1");
  if (options.ndots.value_or(0) < 0) refuse("AresOptions::ndots must not be negative");
  for (const SocketAddress& server : options.servers) {
    if (!server.is_ip()) refuse("AresOptions::servers: a name server needs an IP address");
  }
}

/// RFC 6724 6 rule 1, for a whole family: can this machine send there at all? Sends nothing.
bool is_reachable(const SocketAddress& address) noexcept {
  sockaddr_storage storage;
  const socklen_t length = to_sockaddr(address, storage);
  const int fd = ::socket(storage.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return false;
  const int result = ::connect(fd, reinterpret_cast<const sockaddr*>(&storage), length);
  ::close(fd);
  return result == 0;
}

}  // namespace

struct AresResolver::State {
  explicit State(AresOptions wanted) : options(std::move(wanted)), permits(options.max_queries) {
    refresh();
  }

  /// A channel from the pool for as long as a query runs.
  class Lease {
   public:
    explicit Lease(State& state) : state_(state), generation_(state.generation) {
      if (state.idle.empty()) {
        channel_ = std::make_unique<AresChannel>(state.options, "b");
      } else {
        channel_ = std::move(state.idle.back());
        state.idle.pop_back();
      }
    }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    ~Lease() {
      if (generation_ != state_.generation || state_.idle.size() >= kMaxIdle) return;
      state_.idle.push_back(std::move(channel_));  // reserved: cannot fail
    }
    AresChannel& channel() noexcept { return *channel_; }

   private:
    State& state_;
    std::unique_ptr<AresChannel> channel_;
    unsigned generation_;
  };

  void refresh();
  Finding look_into_hosts_file(const ResolveRequest& request);
  std::vector<std::string> candidates(const std::string& host) const;
  Task<Finding> ask_servers(ResolveRequest& request);
  Task<Finding> ask(const std::string& name, ResolveRequest& request);
  Task<> ask_family(const std::string& name, ResolveRequest& request, AddressFamily family,
                    std::optional<AresAnswer>& answer, const std::optional<AresAnswer>& other);
  Finding combine(std::optional<AresAnswer> six, std::optional<AresAnswer> four) const;

  AresOptions options;
  Semaphore permits;
  FileVersion resolv_conf;
  unsigned generation = 0;  // of the configuration
  AresConfig config;
  std::unique_ptr<AresChannel> hosts_file;
  std::vector<std::unique_ptr<AresChannel>> idle;
};

/// Reads the configuration, at first and when it has changed.
void AresResolver::State::refresh() {
  const FileVersion version = version_of(options.resolv_conf);
  if (generation != 0 && version == resolv_conf) return;
  AresConfig fresh = AresChannel(options, "", true).config();
  if (options.search_domains) fresh.domains = *options.search_domains;
  if (options.ndots) fresh.ndots = *options.ndots;
  if (!options.use_hosts_file) std::erase(fresh.lookups, 'f');
  if (hosts_file == nullptr) hosts_file = std::make_unique<AresChannel>(options, "f");
  idle.reserve(kMaxIdle);
  idle.clear();
  config = std::move(fresh);
  resolv_conf = version;
  ++generation;
}

Finding AresResolver::State::look_into_hosts_file(const ResolveRequest& request) {
  std::string name = request.host;
  if (name.ends_with('.')) name.pop_back();
  Finding finding;
  finding.addresses = hosts_file->read_hosts_file(name).addresses;
  if (finding.addresses.empty()) return finding;
  std::erase_if(finding.addresses,
                [&](const SocketAddress& address) { return !is_wanted(request.family, address); });
  if (finding.addresses.empty()) finding.failure = Reason::kNoAddress;
  return finding;
}

/// The absolute names that a name may stand for, in the order in which they are tried.
std::vector<std::string> AresResolver::State::candidates(const std::string& host) const {
  if (host.ends_with('.')) return {host};
  std::vector<std::string> names;
  for (const std::string& domain : config.domains) {
    if (domain.empty() || domain == ".") continue;
    std::string name = host + "." + domain;
    if (name.size() <= kMaxName) names.push_back(std::move(name));
  }
  const bool as_it_is_first = std::ranges::count(host, '.') >= config.ndots;
  names.insert(as_it_is_first ? names.begin() : names.end(), host);
  return names;
}

Task<Finding> AresResolver::State::ask_servers(ResolveRequest& request) {
  const std::vector<std::string> names = candidates(request.host);
  Finding result;
  std::optional<Duration> shortest;
  for (const std::string& name : names) {
    Finding finding = co_await ask(name, request);
    if (!finding.addresses.empty()) co_return finding;
    // A server that cannot say ends the search: the next name might be another machine.
    if (finding.failure != Reason::kNoSuchName && finding.failure != Reason::kNoAddress) {
      co_return finding;
    }
    // It stays like this only as long as all of them do.
    const std::optional<Duration> ttl = finding.negative_ttl;
    if (ttl && ttl < shortest.value_or(Duration::max())) shortest = ttl;
    if (finding.failure == Reason::kNoAddress) result = std::move(finding);
  }
  result.negative_ttl = shortest;
  co_return result;
}

/// Both families of one name at the same time: they must come from the same name.
Task<Finding> AresResolver::State::ask(const std::string& name, ResolveRequest& request) {
  std::optional<AresAnswer> six;
  std::optional<AresAnswer> four;
  std::vector<Task<>> questions;
  if (request.family != AddressFamily::kIPv4) {
    questions.push_back(ask_family(name, request, AddressFamily::kIPv6, six, four));
  }
  if (request.family != AddressFamily::kIPv6) {
    questions.push_back(ask_family(name, request, AddressFamily::kIPv4, four, six));
  }
  co_await multi(std::move(questions));
  co_return combine(std::move(six), std::move(four));
}

Task<> AresResolver::State::ask_family(const std::string& name, ResolveRequest& request,
                                       AddressFamily family, std::optional<AresAnswer>& answer,
                                       const std::optional<AresAnswer>& other) {
  const LockGuard permit = co_await permits.acquire();
  Lease lease(*this);
  const int system_family = family == AddressFamily::kIPv6 ? AF_INET6 : AF_INET;
  AresAnswer found = co_await AresQuery(lease.channel(), name, system_family);
  answer = std::move(found);
  for (SocketAddress& address : answer->addresses) address.port = request.port;
  const bool first = request.family == AddressFamily::kAny && !other;
  if (first && !answer->addresses.empty() && request.on_first_family) {
    request.on_first_family(answer->addresses);
  }
}

Finding AresResolver::State::combine(std::optional<AresAnswer> six,
                                     std::optional<AresAnswer> four) const {
  Finding finding;
  Duration ttl = Duration::max();
  int failure =
      -1;  // the worse of the two: that nobody could say counts more than that there is none
  for (std::optional<AresAnswer>* answer : {&six, &four}) {
    if (!*answer) continue;
    if ((*answer)->addresses.empty()) {
      if ((*answer)->negative_ttl) {
        finding.negative_ttl =
            std::min(finding.negative_ttl.value_or(Duration::max()), *(*answer)->negative_ttl);
      }
      const int status = (*answer)->status;
      const bool worse = failure < 0 || !is_negative(status) ||
                         (is_negative(failure) && reason_of(status) == Reason::kNoAddress);
      if (worse) failure = status;
      // Half an answer is for now, not for later.
      if (!is_negative(status)) ttl = Duration::zero();
      continue;
    }
    ttl = std::min(ttl, (*answer)->ttl);
    std::ranges::move((*answer)->addresses, std::back_inserter(finding.addresses));
  }
  if (finding.addresses.empty()) {
    finding.failure = reason_of(failure);
    if (finding.failure == Reason::kServerFailure) finding.detail = describe_status(failure);
    if (!is_negative(failure)) {
      finding.detail += (finding.detail.empty() ? "asked " : "; asked ") + config.servers;
    }
    return finding;
  }
  finding.ttl = ttl;
  const auto second =
      std::ranges::find(finding.addresses, SocketAddress::Family::kIPv4, &SocketAddress::family);
  if (second != finding.addresses.begin() && second != finding.addresses.end() &&
      !is_reachable(finding.addresses.front()) && is_reachable(*second)) {
    std::ranges::rotate(finding.addresses, second);
  }
  return finding;
}

// --- AresResolver ------------------------------------------------------------------------------

AresResolver::AresResolver(AresOptions options) {
  check_options(options);
  state_ = std::make_unique<State>(std::move(options));
}

AresResolver::~AresResolver() = default;

Task<Resolution> AresResolver::resolve(ResolveRequest request) {
  if (auto known = answer_without_asking(request)) co_return std::move(*known);
  state_->refresh();
  const std::string lookups = state_->config.lookups;
  Finding finding;
  for (const char source : lookups) {
    if (source == 'f') {
      Finding in_file = state_->look_into_hosts_file(request);
      if (in_file.addresses.empty() && in_file.failure == Reason::kNoSuchName) continue;
      finding = std::move(in_file);
      break;
    }
    finding = co_await state_->ask_servers(request);
    if (!finding.addresses.empty()) break;
  }
  if (finding.addresses.empty()) {
    if (finding.failure == Reason::kNoAddress) finding.detail = describe_missing(request.family);
    throw ResolveError(request.host, finding.failure, finding.detail, finding.negative_ttl);
  }
  for (SocketAddress& address : finding.addresses) address.port = request.port;
  Resolution found;
  found.addresses = std::move(finding.addresses);
  found.ttl = finding.ttl;
  co_return found;
}

}  // namespace coronado
