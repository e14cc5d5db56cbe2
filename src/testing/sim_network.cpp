#include <coronado/testing/sim_network.hpp>

#include <coronado/base/log.hpp>
#include <coronado/coro/task_local.hpp>
#include <coronado/coro/timeout.hpp>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "testing/sim_core.hpp"

namespace coronado {
namespace {

/// The host of a task, and of what it spawns.
const TaskLocal<SimHost*>& host_of_task() {
  static const TaskLocal<SimHost*> key;
  return key;
}

TaskContext* running_task() noexcept {
  Executor* executor = Executor::current();
  return executor == nullptr ? nullptr : executor->running();
}

SocketAddress with_port(SocketAddress address, std::uint16_t port) {
  address.port = port;
  return address;
}

}  // namespace

// --- SimLink -------------------------------------------------------------------------------------

SimLink SimLink::bytewise() {
  SimLink link;
  link.max_segment = link.max_write = link.max_read = 1;
  return link;
}

SimLink SimLink::rough() {
  SimLink link;
  link.latency = std::chrono::milliseconds(5);
  link.jitter = std::chrono::milliseconds(20);
  link.send_buffer = 4 * 1024;
  link.receive_buffer = 4 * 1024;
  link.short_segment = link.short_write = link.short_read = 0.3;
  link.loss = 0.02;
  link.reset = link.vanish = 0.002;
  link.refuse = link.blackhole = 0.02;
  link.duplicate = 0.02;
  link.reorder = 0.1;
  return link;
}

// --- SimHost -------------------------------------------------------------------------------------

SimHost::State::State(SimCore& owner, std::string host_name,
                      std::vector<SocketAddress> host_addresses, std::size_t host_index)
    : core(owner),
      name(std::move(host_name)),
      addresses(std::move(host_addresses)),
      index(host_index) {}

SimHost::SimHost(std::unique_ptr<State> state) noexcept : state_(std::move(state)) {}
SimHost::~SimHost() = default;

const std::string& SimHost::name() const noexcept { return state_->name; }
const std::vector<SocketAddress>& SimHost::addresses() const noexcept { return state_->addresses; }
SocketAddress SimHost::address(std::uint16_t port) const {
  return with_port(state_->addresses.front(), port);
}
bool SimHost::is_up() const noexcept { return state_->up; }

TaskGroup& SimHost::tasks() noexcept {
  auto& groups = state_->tasks;
  if (groups.empty()) {
    groups.push_back(std::make_unique<TaskGroup>(state_->core.loop, state_->name.c_str(),
                                                 TaskGroup::OnFailure::kLog));
  }
  return *groups.back();
}

void SimHost::crash() {
  if (!state_->up) return;
  SimCore& core = state_->core;
  core.log(SimEventKind::kText, kNobody, 0, 0, "FAULT: " + state_->name + " crashes");
  core.crash(*state_);
  std::erase_if(state_->tasks, [](auto& group) { return group->empty(); });
  for (auto& group : state_->tasks) group->cancel();
  if (!state_->tasks.empty()) {  // what is spawned from now on is not cancelled
    state_->tasks.push_back(
        std::make_unique<TaskGroup>(core.loop, state_->name.c_str(), TaskGroup::OnFailure::kLog));
  }
}

void SimHost::restart() {
  if (state_->up) return;
  SimCore& core = state_->core;
  core.log(SimEventKind::kText, kNobody, 0, 0, state_->name + " is back");
  core.restart(*state_);
}

void SimHost::fail_accepts(std::size_t times, std::error_code error) {
  state_->accepts_to_fail = times;
  state_->accept_error = error;
}

SimHost::Here::Here(SimHost& host) : outer_(host_of_task().get()), task_(running_task()) {
  host_of_task().set(&host);
}

SimHost::Here::~Here() {
  // A frame that is destroyed while it waits has no task any more.
  if (task_ == running_task()) host_of_task().set(outer_);
}

// --- SimCore -------------------------------------------------------------------------------------

SimHost::State& SimCore::here() {
  if (running_task() != nullptr) {
    if (SimHost* host = host_of_task().get()) return *host->state_;
  }
  return delivering_to != nullptr ? *delivering_to : *hosts.front()->state_;
}

bool SimCore::has_tasks() const noexcept {
  return std::ranges::any_of(hosts, [](auto& host) {
    return std::ranges::any_of(host->state_->tasks, [](auto& group) { return !group->empty(); });
  });
}

Task<> SimCore::stop_tasks() {
  for (const auto& host : hosts) {
    for (const auto& group : host->state_->tasks) group->cancel();
  }
  for (std::size_t i = 0; i < hosts.size(); ++i) {
    auto& groups = hosts[i]->state_->tasks;
    while (!groups.empty()) {
      co_await groups.back()->join();
      groups.pop_back();
    }
  }
}

// --- SimNetwork ----------------------------------------------------------------------------------

SimNetwork::SimNetwork(IOLoop& loop, SimOptions options)
    : core_(std::make_shared<SimCore>(loop, std::move(options))) {
  attach_network(loop.reactor(), core_.get());
}

SimNetwork::~SimNetwork() {
  if (core_->has_tasks() && Executor::current() == nullptr) {
    try {
      core_->loop.run_sync(core_->stop_tasks());
    } catch (const std::exception& error) {
      general_log().error(std::string("tasks of a simulated host do not end: ") + error.what());
    }
  }
  core_->end();
  attach_network(core_->loop.reactor(), nullptr);
}

IOLoop& SimNetwork::loop() noexcept { return core_->loop; }
std::uint64_t SimNetwork::seed() const noexcept { return core_->options.seed; }
Random& SimNetwork::random() noexcept { return core_->random; }
Duration SimNetwork::random_span(Duration most) noexcept { return core_->span(most); }

SimHost& SimNetwork::add_host(std::string name, const std::vector<std::string>& addresses) {
  std::vector<SocketAddress> parsed;
  for (const std::string& text : addresses) {
    const auto address = SocketAddress::from_ip(text);
    if (!address) throw std::invalid_argument('"' + text + "\" is no IP address");
    parsed.push_back(*address);
  }
  return core_->add_host(std::move(name), std::move(parsed));
}

SimHost& SimNetwork::host(std::string_view name) {
  for (const auto& host : core_->hosts) {
    if (host->name() == name) return *host;
  }
  throw std::invalid_argument("there is no host \"" + std::string(name) + '"');
}

Task<> SimNetwork::stop_hosts() { return core_->stop_tasks(); }

std::shared_ptr<SimNames> SimNetwork::names() const noexcept { return core_->names; }

void SimNetwork::set_link(const SimLink& link) { core_->options.link = link; }
void SimNetwork::set_link(SimHost& one, SimHost& other, const SimLink& link) {
  core_->path(*one.state_, *other.state_).own = link;
}

void SimNetwork::partition(SimHost& one, SimHost& other) {
  core_->log(SimEventKind::kText, kNobody, 0, 0,
             "FAULT: " + one.name() + " and " + other.name() + " are cut off from each other");
  core_->path(*one.state_, *other.state_).partitioned = true;
}

void SimNetwork::heal(SimHost& one, SimHost& other) {
  core_->log(SimEventKind::kText, kNobody, 0, 0,
             one.name() + " and " + other.name() + " reach each other again");
  core_->heal(core_->path(*one.state_, *other.state_));
}

void SimNetwork::set_answer(const SocketAddress& address, Answer answer) {
  std::erase_if(core_->answers,
                [&](auto& each) { return with_port(each.first, 0) == with_port(address, 0); });
  if (answer != Answer::kUsual) core_->answers.emplace_back(address, answer);
}

void SimNetwork::inject(SimFault fault) { core_->faults.push_back(fault); }

void SimNetwork::leap(Duration span) {
  core_->log(SimEventKind::kLeapt, kNobody, 0, static_cast<std::uint64_t>(span.count()));
  leap_clock(core_->loop.reactor(), span);
}

void SimNetwork::note(std::string text) {
  core_->log(SimEventKind::kText, kNobody, 0, 0, std::move(text));
}

std::string SimNetwork::log() const { return core_->events.text(); }
std::uint64_t SimNetwork::fingerprint() const noexcept { return core_->events.fingerprint(); }
std::uint64_t SimNetwork::event_count() const noexcept { return core_->events.count(); }
std::size_t SimNetwork::open_transports() const noexcept { return core_->open_transports; }
std::size_t SimNetwork::open_datagram_sockets() const noexcept { return core_->datagrams.open(); }
std::size_t SimNetwork::connections_made() const noexcept { return core_->connections_made; }

// --- SimNames ------------------------------------------------------------------------------------

struct SimNames::State {
  struct Entry {
    std::string name;
    std::vector<Answer> answers;
    std::size_t next = 0;
  };
  explicit State(SimCore& owner) noexcept : core(&owner) {}

  /// The next answer for a name: of the table, else the host of that name.
  Answer take(const std::string& name) {
    const auto entry = std::ranges::find(entries, name, &Entry::name);
    if (entry != entries.end()) {
      const std::size_t at = std::min(entry->next++, entry->answers.size() - 1);
      return entry->answers[at];
    }
    if (core == nullptr) return {.error = ResolveError::Reason::kSystem};
    for (const auto& host : core->hosts) {
      if (host->name() == name) return {.addresses = host->addresses()};
    }
    return {.error = ResolveError::Reason::kNoSuchName};
  }

  SimCore* core;  // null: the network is gone
  std::vector<Entry> entries;
  std::size_t lookups = 0;
};

SimNames::SimNames(SimCore& core) noexcept : state_(std::make_unique<State>(core)) {}
SimNames::~SimNames() = default;

void SimNames::set(std::string name, std::vector<Answer> answers) {
  if (answers.empty()) throw std::invalid_argument("no answer for " + name);
  std::erase_if(state_->entries, [&](auto& entry) { return entry.name == name; });
  state_->entries.push_back({std::move(name), std::move(answers)});
}

Task<Resolution> SimNames::resolve(ResolveRequest request) {
  State& state = *state_;
  ++state.lookups;
  if (const auto numeric = SocketAddress::from_ip(request.host, request.port)) {
    co_return Resolution{.addresses = {*numeric}, .ttl = std::nullopt};
  }
  const Answer answer = state.take(request.host);
  if (state.core != nullptr) {
    state.core->log(SimEventKind::kText, kNobody, 0, 0, request.host + " is looked up");
  }
  co_await sleep(answer.delay);
  if (answer.error) throw ResolveError(request.host, *answer.error, {}, answer.ttl);
  Resolution found{.addresses = {}, .ttl = answer.ttl};
  for (const SocketAddress& address : answer.addresses) {
    const bool is_four = address.family == SocketAddress::Family::kIPv4;
    const bool wanted = request.family == AddressFamily::kAny ||
                        is_four == (request.family == AddressFamily::kIPv4);
    if (wanted) found.addresses.push_back(with_port(address, request.port));
  }
  if (found.addresses.empty()) {
    throw ResolveError(request.host, ResolveError::Reason::kNoAddress, {}, answer.ttl);
  }
  co_return found;
}

std::size_t SimNames::lookups() const noexcept { return state_->lookups; }

void SimCore::end() noexcept {
  for (const auto& listener : listeners) listener->handler = nullptr;
  datagrams.silence(nullptr);
  for (const auto& connection : connections_) {
    for (const int side : {SimConnection::kClient, SimConnection::kServer}) {
      if (!connection->buried) connection->crash(side);
    }
  }
  for (const auto& host : hosts) host->state_->tasks.clear();
  names->state_->core = nullptr;
}

}  // namespace coronado
