#include <coronado/net/resolver.hpp>

#include <coronado/base/error.hpp>
#include <coronado/base/strings.hpp>
#include <coronado/loop/thread_pool.hpp>

#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>
#include <stdexcept>

#include "loop/sockaddr.hpp"
#include "net/host_name.hpp"

namespace coronado {
namespace {

using Reason = ResolveError::Reason;

std::shared_ptr<Resolver>& shared_of_thread() noexcept {
  thread_local std::shared_ptr<Resolver> resolver;
  return resolver;
}

struct AddressListDeleter {
  void operator()(addrinfo* list) const noexcept { ::freeaddrinfo(list); }
};

[[noreturn]] void throw_lookup_error(const ResolveRequest& request, int error, int system_error) {
  const std::string& host = request.host;
  switch (error) {
    case EAI_NONAME: throw ResolveError(host, Reason::kNoSuchName);
#ifdef EAI_NODATA
    case EAI_NODATA:
#endif
#ifdef EAI_ADDRFAMILY
    case EAI_ADDRFAMILY:
#endif
      throw ResolveError(host, Reason::kNoAddress, describe_missing(request.family));
    case EAI_AGAIN:
    case EAI_FAIL: throw ResolveError(host, Reason::kServerFailure, ::gai_strerror(error));
    case EAI_MEMORY: throw std::bad_alloc();
    case EAI_SYSTEM:
      throw ResolveError(host, Reason::kSystem,
                         std::error_code(system_error, std::generic_category()).message());
    default: throw ResolveError(host, Reason::kSystem, ::gai_strerror(error));
  }
}

int system_family(AddressFamily family) noexcept {
  switch (family) {
    case AddressFamily::kAny: return AF_UNSPEC;
    case AddressFamily::kIPv4: return AF_INET;
    case AddressFamily::kIPv6: return AF_INET6;
  }
  return AF_UNSPEC;
}

/// Blocks.
Resolution ask_system(const ResolveRequest& request) {
  addrinfo hints{};
  hints.ai_family = system_family(request.family);
  hints.ai_socktype = SOCK_STREAM;  // one entry an address, not one a protocol
  addrinfo* raw = nullptr;
  const int error = ::getaddrinfo(request.host.c_str(), nullptr, &hints, &raw);
  if (error != 0) throw_lookup_error(request, error, errno);
  const std::unique_ptr<addrinfo, AddressListDeleter> list(raw);
  Resolution found;
  for (const addrinfo* each = raw; each != nullptr; each = each->ai_next) {
    sockaddr_storage storage{};
    std::memcpy(&storage, each->ai_addr, each->ai_addrlen);
    SocketAddress address = from_sockaddr(storage, each->ai_addrlen);
    if (!address.is_ip()) continue;
    address.port = request.port;
    found.addresses.push_back(std::move(address));
  }
  if (found.addresses.empty()) {
    throw ResolveError(request.host, Reason::kNoAddress, describe_missing(request.family));
  }
  return found;
}

void check_rules(const std::vector<HostOverride>& rules) {
  for (auto rule = rules.begin(); rule != rules.end(); ++rule) {
    if (rule->host.empty() || rule->to_host.empty()) {
      throw std::invalid_argument("an override needs a host and what to look up for it");
    }
    if (rule->family && !rule->port) {
      throw std::invalid_argument("the override of " + rule->host + " has a family but no port");
    }
    const bool twice = std::any_of(rules.begin(), rule, [&](const HostOverride& other) {
      return equals_ignore_case(other.host, rule->host) && other.port == rule->port &&
             other.family == rule->family;
    });
    if (twice) throw std::invalid_argument("two overrides of " + rule->host + " for the same");
  }
}

/// How narrow a rule that fits is; zero: it does not fit.
int weigh(const HostOverride& rule, const ResolveRequest& request) noexcept {
  if (!equals_ignore_case(rule.host, request.host)) return 0;
  if (rule.port && *rule.port != request.port) return 0;
  if (rule.family && *rule.family != request.family) return 0;
  return 1 + (rule.port ? 1 : 0) + (rule.family ? 1 : 0);
}

}  // namespace

// --- Resolver ----------------------------------------------------------------------------------

std::shared_ptr<Resolver> Resolver::shared() {
  std::shared_ptr<Resolver>& resolver = shared_of_thread();
  if (resolver == nullptr) {
    resolver = std::make_shared<CachingResolver>(std::make_shared<AresResolver>());
  }
  return resolver;
}

void Resolver::set_shared(std::shared_ptr<Resolver> resolver) noexcept {
  shared_of_thread() = std::move(resolver);
}

// --- OverrideResolver --------------------------------------------------------------------------

OverrideResolver::OverrideResolver(std::shared_ptr<Resolver> next, std::vector<HostOverride> rules)
    : next_(std::move(next)), rules_(std::move(rules)) {
  if (next_ == nullptr) throw std::invalid_argument("OverrideResolver needs a resolver to ask");
  check_rules(rules_);
}

Task<Resolution> OverrideResolver::resolve(ResolveRequest request) {
  const HostOverride* best = nullptr;
  int best_weight = 0;
  for (const HostOverride& rule : rules_) {
    const int weight = weigh(rule, request);
    if (weight > best_weight) {
      best = &rule;
      best_weight = weight;
    }
  }
  if (best != nullptr) {
    request.host = best->to_host;
    request.port = best->to_port.value_or(request.port);
  }
  return next_->resolve(std::move(request));
}

// --- ThreadedResolver --------------------------------------------------------------------------

ThreadedResolver::ThreadedResolver() : ThreadedResolver(ThreadPool::shared()) {}

Task<Resolution> ThreadedResolver::resolve(ResolveRequest request) {
  if (auto known = answer_without_asking(request)) co_return std::move(*known);
  const auto ask = [&request] { return ask_system(request); };
  co_return co_await pool_.offload(ask);
}

}  // namespace coronado
