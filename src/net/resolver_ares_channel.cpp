#include <coronado/base/error.hpp>
#include <coronado/coro/timeout.hpp>
#include <coronado/loop/ioloop.hpp>

#include <ares.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>
#include <new>

#include "loop/sockaddr.hpp"
#include "net/resolver_ares_channel.hpp"

namespace coronado {
namespace {

using std::chrono::milliseconds;
using Reason = ResolveError::Reason;

constexpr int kUdpPayload = 1232;  // what passes any path without fragments (DNS flag day 2020)

void check_status(int status, const char* attempt) {
  if (status == ARES_SUCCESS) return;
  if (status == ARES_ENOMEM) throw std::bad_alloc();
  throw std::system_error(std::make_error_code(std::errc::io_error),
                          std::string(attempt) + ": " + ::ares_strerror(status));
}

void start_library() {
  static const int status = ::ares_library_init(ARES_LIB_INIT_ALL);
  check_status(status, "cannot start c-ares");
}

void set_servers(ares_channel channel, const std::vector<SocketAddress>& servers) {
  if (servers.empty()) return;
  std::vector<ares_addr_port_node> nodes(servers.size());
  for (std::size_t i = 0; i < servers.size(); ++i) {
    const bool four = servers[i].family == SocketAddress::Family::kIPv4;
    nodes[i].next = i + 1 < servers.size() ? &nodes[i + 1] : nullptr;
    nodes[i].family = four ? AF_INET : AF_INET6;
    std::memcpy(&nodes[i].addr, servers[i].ip.data(), four ? 4 : 16);
    nodes[i].udp_port = nodes[i].tcp_port = servers[i].port;
  }
  check_status(::ares_set_servers_ports(channel, nodes.data()), "cannot set the name servers");
}

std::string describe_servers(ares_channel channel) {
  ares_addr_port_node* list = nullptr;
  if (::ares_get_servers_ports(channel, &list) != ARES_SUCCESS) return {};
  std::string text;
  for (const ares_addr_port_node* node = list; node != nullptr; node = node->next) {
    SocketAddress address;
    const bool four = node->family == AF_INET;
    address.family = four ? SocketAddress::Family::kIPv4 : SocketAddress::Family::kIPv6;
    std::memcpy(address.ip.data(), &node->addr, four ? 4 : 16);
    address.port = static_cast<std::uint16_t>(node->udp_port == 0 ? 53 : node->udp_port);
    if (!text.empty()) text += ", ";
    text += to_string(address);
  }
  ::ares_free_data(list);
  return text;
}

/// RFC 2181 8: a TTL with the highest bit set counts as zero.
Duration to_ttl(int seconds) noexcept { return std::chrono::seconds(std::max(seconds, 0)); }

AresAnswer read_answer(int status, ares_addrinfo* list) {
  AresAnswer answer;
  answer.status = status;
  if (list == nullptr) return answer;
  for (const ares_addrinfo_node* node = list->nodes; node != nullptr; node = node->ai_next) {
    sockaddr_storage storage{};
    std::memcpy(&storage, node->ai_addr, std::min<std::size_t>(node->ai_addrlen, sizeof storage));
    SocketAddress address = from_sockaddr(storage, node->ai_addrlen);
    if (!address.is_ip()) continue;
    answer.ttl = std::min(answer.ttl, to_ttl(node->ai_ttl));
    answer.addresses.push_back(std::move(address));
  }
  for (const ares_addrinfo_cname* name = list->cnames; name != nullptr; name = name->next) {
    answer.ttl = std::min(answer.ttl, to_ttl(name->ttl));
  }
  if (status == ARES_SUCCESS && answer.addresses.empty()) answer.status = ARES_ENODATA;
  return answer;
}

/// The status for a failure that a server reported, or that nothing listens there.
int status_of(int rcode) noexcept {
  constexpr int kServFail = 2;
  constexpr int kNotImplemented = 4;
  constexpr int kRefused = 5;
  switch (rcode) {
    case kServFail: return ARES_ESERVFAIL;
    case kNotImplemented: return ARES_ENOTIMP;
    case kRefused: return ARES_EREFUSED;
    default: return ARES_ECONNREFUSED;
  }
}

ares_addrinfo_hints make_hints(int family) noexcept {
  ares_addrinfo_hints hints{};
  hints.ai_family = family;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = ARES_AI_ENVHOSTS;
  return hints;
}

}  // namespace

// --- AresChannel -------------------------------------------------------------------------------

AresChannel::AresChannel(const AresOptions& options, const char* lookups, bool search) {
  start_library();
  ares_options wanted{};
  int mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_EDNSPSZ |
             ARES_OPT_SOCK_STATE_CB | ARES_OPT_RESOLVCONF;
  wanted.flags = ARES_FLAG_NOALIASES | ARES_FLAG_EDNS;
  const auto timeout = std::chrono::ceil<milliseconds>(options.timeout).count();
  wanted.timeout = static_cast<int>(std::min<long>(timeout, std::numeric_limits<int>::max() / 2));
  wanted.tries = options.tries;
  wanted.ednspsz = kUdpPayload;
  wanted.sock_state_cb_data = this;
  wanted.sock_state_cb = [](void* self, ares_socket_t fd, int readable, int writable) {
    static_cast<AresChannel*>(self)->on_socket(fd, readable != 0, writable != 0);
  };
  std::string path = options.resolv_conf;
  wanted.resolvconf_path = path.data();
  std::string sources = lookups;
  if (!sources.empty()) {
    wanted.lookups = sources.data();
    mask |= ARES_OPT_LOOKUPS;
  }
  if (!search) mask |= ARES_OPT_DOMAINS;  // none: the resolver goes through the list itself
  check_status(::ares_init_options(&channel_, &wanted, mask), "cannot prepare name look-ups");
  ::ares_set_socket_functions(channel_, &socket_functions(), this);
  try {
    set_servers(channel_, options.servers);
  } catch (...) {
    ::ares_destroy(channel_);
    throw;
  }
}

/// The system's calls, with a look at what comes: c-ares keeps to itself which failure a server
/// reported, and how long a negative answer holds.
const ares_socket_functions& AresChannel::socket_functions() noexcept {
  static constexpr ares_socket_functions kFunctions = {
      .asocket = [](int family, int type, int protocol, void*) -> ares_socket_t {
        return ::socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
      },
      .aclose = [](ares_socket_t fd, void*) { return ::close(fd); },
      .aconnect = [](ares_socket_t fd, const sockaddr* to, ares_socklen_t length,
                     void*) { return ::connect(fd, to, length); },
      .arecvfrom = [](ares_socket_t fd, void* into, std::size_t size, int flags, sockaddr* from,
                      ares_socklen_t* length, void* self) -> ares_ssize_t {
        const auto count = ::recvfrom(fd, into, size, flags, from, length);
        DnsSummary& last = static_cast<AresChannel*>(self)->last_;
        if (count < 0 && errno != EAGAIN) last = {};
        if (count > 0 && from != nullptr) {  // a datagram, whole; streams give no sender
          last = summarize_dns({static_cast<const char*>(into), static_cast<std::size_t>(count)});
        }
        return count;
      },
      .asendv = [](ares_socket_t fd, const iovec* pieces, int count, void*) -> ares_ssize_t {
        msghdr message{};
        message.msg_iov = const_cast<iovec*>(pieces);
        message.msg_iovlen = static_cast<std::size_t>(count);
        return ::sendmsg(fd, &message, MSG_NOSIGNAL);
      },
  };
  return kFunctions;
}

AresChannel::~AresChannel() { ::ares_destroy(channel_); }

AresConfig AresChannel::config() const {
  ares_options found{};
  int mask = 0;
  check_status(::ares_save_options(channel_, &found, &mask), "cannot read the configuration");
  AresConfig config;
  config.servers = describe_servers(channel_);
  config.ndots = found.ndots;
  if (found.lookups != nullptr) config.lookups = found.lookups;
  for (int i = 0; i < found.ndomains; ++i) config.domains.emplace_back(found.domains[i]);
  ::ares_destroy_options(&found);
  return config;
}

AresAnswer AresChannel::read_hosts_file(const std::string& name) {
  AresAnswer answer;
  answer.status = ARES_ENOTFOUND;
  const ares_addrinfo_hints hints = make_hints(AF_UNSPEC);
  const auto take = [](void* result, int status, int, ares_addrinfo* list) {
    try {
      *static_cast<AresAnswer*>(result) = read_answer(status, list);
    } catch (const std::bad_alloc&) {
      static_cast<AresAnswer*>(result)->status = ARES_ENOMEM;
    }
    ::ares_freeaddrinfo(list);
  };
  ::ares_getaddrinfo(channel_, name.c_str(), nullptr, &hints, take, &answer);
  return answer;
}

void AresChannel::start(IOLoop& loop, const std::string& name, int family, AresQuery& query) {
  loop_ = &loop;
  watch_error_.clear();
  last_ = {};
  const ares_addrinfo_hints hints = make_hints(family);
  const auto finish = [](void* to, int status, int, ares_addrinfo* list) {
    static_cast<AresQuery*>(to)->finish(status, list);
  };
  ::ares_getaddrinfo(channel_, name.c_str(), nullptr, &hints, finish, &query);
  after_processing();
}

void AresChannel::cancel() noexcept {
  ::ares_cancel(channel_);
  after_processing();
}

void AresChannel::process(int readable, int writable) noexcept {
  ::ares_process_fd(channel_, readable, writable);
  after_processing();
}

/// Arms the timer for what c-ares waits for next. A query whose socket nobody watches is given up.
void AresChannel::after_processing() noexcept {
  if (!watch_error_.empty()) ::ares_cancel(channel_);
  timeval span{};
  if (::ares_timeout(channel_, nullptr, &span) == nullptr) return loop_->disarm(*this);
  const Duration wait = std::chrono::seconds(span.tv_sec) + std::chrono::microseconds(span.tv_usec);
  loop_->arm(*this, detail::after(loop_->now(), wait));
}

void AresChannel::on_socket(int fd, bool readable, bool writable) noexcept {
  const unsigned events = (readable ? IOLoop::kRead : 0) | (writable ? IOLoop::kWrite : 0);
  const auto known = std::ranges::find(watched_, fd);
  if (events == 0) {
    if (known == watched_.end()) return;
    loop_->remove_handler(fd);
    watched_.erase(known);
    return;
  }
  try {
    if (known != watched_.end()) return loop_->update_handler(fd, events);
    watched_.reserve(watched_.size() + 1);
    loop_->add_handler(fd, [this](int which, unsigned what) { on_ready(which, what); }, events);
    watched_.push_back(fd);
  } catch (const std::exception& error) {
    watch_error_ = error.what();
  }
}

void AresChannel::on_ready(int fd, unsigned events) noexcept {
  const bool readable = (events & (IOLoop::kRead | IOLoop::kError)) != 0;
  const bool writable = (events & IOLoop::kWrite) != 0;
  process(readable ? fd : ARES_SOCKET_BAD, writable ? fd : ARES_SOCKET_BAD);
}

void AresChannel::on_timer() noexcept { process(ARES_SOCKET_BAD, ARES_SOCKET_BAD); }

// --- AresQuery ---------------------------------------------------------------------------------

bool AresQuery::begin(PromiseBase& promise) {
  if (!promise.context()->interrupted()) {
    auto& loop = static_cast<IOLoop&>(promise.context()->executor());
    channel_.start(loop, name_, family_, *this);
    if (done_) return false;  // c-ares knew at once
  }
  return park(promise);
}

void AresQuery::cancel() noexcept {
  cancelled_ = true;
  channel_.cancel();  // calls `finish`
}

void AresQuery::finish(int status, ares_addrinfo* list) noexcept {
  done_ = true;
  try {
    answer_ = read_answer(status, list);
  } catch (const std::bad_alloc&) {
    answer_.status = ARES_ENOMEM;
  }
  ::ares_freeaddrinfo(list);
  answer_.negative_ttl = channel_.last_.negative_ttl;
  // c-ares says this of servers that answer with a failure, too.
  if (answer_.status == ARES_ECONNREFUSED) answer_.status = status_of(channel_.last_.rcode);
  if (context_ != nullptr) wake();  // else `begin` is still running
}

AresAnswer AresQuery::await_resume() {
  check();
  if (answer_.status == ARES_ENOMEM) throw std::bad_alloc();
  if (!channel_.watch_error_.empty()) {
    throw ResolveError(name_, Reason::kSystem, channel_.watch_error_);
  }
  return std::move(answer_);
}

// --- statuses ----------------------------------------------------------------------------------

ResolveError::Reason reason_of(int ares_status) noexcept {
  switch (ares_status) {
    case ARES_ENOTFOUND:
    case ARES_ENONAME: return Reason::kNoSuchName;
    case ARES_ENODATA: return Reason::kNoAddress;
    case ARES_ETIMEOUT: return Reason::kTimeout;
    case ARES_EREFUSED:
    case ARES_ECONNREFUSED: return Reason::kRefused;
    case ARES_EBADNAME:
    case ARES_EBADSTR: return Reason::kMalformed;
    case ARES_EFILE: return Reason::kSystem;
    default: return Reason::kServerFailure;
  }
}

std::string describe_status(int ares_status) { return ::ares_strerror(ares_status); }

bool is_negative(int ares_status) noexcept {
  const Reason reason = reason_of(ares_status);
  return reason == Reason::kNoSuchName || reason == Reason::kNoAddress;
}

}  // namespace coronado
