#include "ops/process_link.hpp"

#include <coronado/base/log.hpp>

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>

#include "loop/quiet_thread.hpp"

namespace coronado {
namespace {

/// A packet's bytes of a message. Sockets of this kind take a packet whole or not at all.
constexpr std::size_t kMostPayload = 32 * 1024;
/// Packets received before others are sent.
constexpr int kMostReceived = 64;

struct PacketHead {
  std::uint32_t sender;
  bool first;  // also the first of a process that was restarted
  bool last;
};

[[noreturn]] void throw_errno(const char* what) {
  throw std::system_error(errno, std::system_category(), what);
}

}  // namespace

ProcessSockets::ProcessSockets(std::uint32_t processes) {
  for (std::uint32_t i = 0; i < processes; ++i) {
    int pair[2];
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) != 0) {
      throw_errno("cannot connect the processes");
    }
    ends_.push_back({Socket(pair[0]), Socket(pair[1])});
  }
}

ProcessLink::ProcessLink(const ProcessSockets& sockets, std::uint32_t id, Heard heard)
    : id_(id),
      heard_(std::move(heard)),
      reading_(sockets.ends_.at(id).reading.fd()),
      wake_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
      parts_(sockets.size()),
      targets_(sockets.size()) {
  if (!wake_) throw_errno("cannot link the processes");
  for (std::uint32_t i = 0; i < sockets.size(); ++i) {
    if (i != id) targets_[i].socket = sockets.ends_[i].writing.fd();
  }
  thread_ = start_quiet_thread([this] { run(); });
}

ProcessLink::~ProcessLink() {
  stopping_ = true;
  wake();
  thread_.join();
}

void ProcessLink::wake() noexcept {
  const std::uint64_t one = 1;
  // It can only fail when it is awake already.
  [[maybe_unused]] const ssize_t size = ::write(wake_.fd(), &one, sizeof one);
}

void ProcessLink::send(std::string_view message) {
  const auto text = std::make_shared<const std::string>(message);
  std::uint64_t lost = 0;
  {
    const std::lock_guard lock(mutex_);
    for (Target& target : targets_) {
      if (target.socket < 0) continue;
      if (target.bytes + text->size() > kMostQueued) {
        ++lost;
        if (std::exchange(target.behind, true)) continue;
        general_log().warning("process " + std::to_string(&target - targets_.data()) +
                              " does not take what is published: messages for it are dropped");
        continue;
      }
      target.queue.push_back(text);
      target.bytes += text->size();
    }
  }
  dropped_ += lost;
  wake();
}

// --- the thread ----------------------------------------------------------------------------------

void ProcessLink::run() {
  while (!stopping_) {
    wait();
    receive();
    flush();
  }
  flush();
}

/// Until there is something to receive, or to send and a process that takes it.
void ProcessLink::wait() {
  std::vector<pollfd> waiting = {{reading_, POLLIN, 0}, {wake_.fd(), POLLIN, 0}};
  {
    const std::lock_guard lock(mutex_);
    for (const Target& target : targets_) {
      if (!target.queue.empty()) waiting.push_back({target.socket, POLLOUT, 0});
    }
  }
  ::poll(waiting.data(), waiting.size(), -1);
  std::uint64_t count = 0;
  [[maybe_unused]] const ssize_t size = ::read(wake_.fd(), &count, sizeof count);
}

void ProcessLink::flush() {
  const std::lock_guard lock(mutex_);
  for (Target& target : targets_) {
    while (!target.queue.empty() && send_packet(target)) {
    }
    if (target.queue.empty()) target.behind = false;
  }
}

/// Sends the next packet of the first message.   Returns  Whether it was taken.
bool ProcessLink::send_packet(Target& target) noexcept {
  const std::string& message = *target.queue.front();
  const std::size_t size = std::min(message.size() - target.sent, kMostPayload);
  PacketHead head{
      .sender = id_, .first = target.sent == 0, .last = target.sent + size == message.size()};
  std::array<iovec, 2> parts = {
      {{&head, sizeof head}, {const_cast<char*>(message.data()) + target.sent, size}}};
  msghdr packet{};
  packet.msg_iov = parts.data();
  packet.msg_iovlen = parts.size();
  if (::sendmsg(target.socket, &packet, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) return false;
  target.sent += size;
  if (head.last) {
    target.bytes -= message.size();
    target.sent = 0;
    target.queue.pop_front();
  }
  return true;
}

void ProcessLink::receive() {
  std::array<char, sizeof(PacketHead) + kMostPayload> packet;
  for (int i = 0; i < kMostReceived; ++i) {
    const ssize_t size = ::recv(reading_, packet.data(), packet.size(), MSG_DONTWAIT);
    if (size < 0) return;
    take({packet.data(), static_cast<std::size_t>(size)});
  }
}

void ProcessLink::take(std::string_view packet) {
  PacketHead head;
  if (packet.size() < sizeof head) return;
  std::memcpy(&head, packet.data(), sizeof head);
  packet.remove_prefix(sizeof head);
  if (head.sender >= parts_.size()) return;
  if (head.first && head.last) return hand_on(packet);
  Part& part = parts_[head.sender];
  if (head.first) part = {.begun = true, .text = {}};
  if (!part.begun) return;  // the beginning went to the process that this one replaces
  part.text.append(packet);
  if (!head.last) return;
  part.begun = false;
  hand_on(std::exchange(part.text, {}));
}

void ProcessLink::hand_on(std::string_view message) noexcept {
  try {
    heard_(message);
  } catch (const std::exception& error) {
    general_log().error(std::string("what another process has published is lost: ") + error.what());
  }
}

}  // namespace coronado
