/// A name server for tests: answers on 127.0.0.1, over UDP and TCP, as it is told.
#pragma once

#include <coronado/base/strings.hpp>
#include <coronado/coro/locks.hpp>
#include <coronado/loop/ioloop.hpp>
#include <coronado/net/netutil.hpp>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace coronado {

constexpr std::uint16_t kTypeA = 1;
constexpr std::uint16_t kTypeCNAME = 5;
constexpr std::uint16_t kTypeAAAA = 28;
constexpr int kServFail = 2;
constexpr int kNxDomain = 3;
constexpr int kRefusedCode = 5;

inline std::string dns_u16(unsigned value) {
  return {static_cast<char>(value >> 8 & 0xff), static_cast<char>(value & 0xff)};
}

/// A name as it travels: each label behind its length.
inline std::string dns_name(const std::string& name) {
  std::string wire;
  std::size_t start = 0;
  while (start < name.size()) {
    const std::size_t end = std::min(name.find('.', start), name.size());
    wire += static_cast<char>(end - start) + name.substr(start, end - start);
    start = end + 1;
  }
  return wire + '\0';
}

struct DnsRecord {
  std::string name;
  std::uint16_t type;
  std::uint32_t ttl;
  std::string data;
};

inline DnsRecord ip_record(const std::string& name, const std::string& ip,
                           std::uint32_t ttl = 300) {
  const SocketAddress address = *SocketAddress::from_ip(ip);
  const bool four = address.family == SocketAddress::Family::kIPv4;
  return {name, four ? kTypeA : kTypeAAAA, ttl,
          std::string(reinterpret_cast<const char*>(address.ip.data()), four ? 4 : 16)};
}

inline DnsRecord cname_record(const std::string& name, const std::string& to,
                              std::uint32_t ttl = 300) {
  return {name, kTypeCNAME, ttl, dns_name(to)};
}

/// What is answered to one question.
struct DnsReply {
  std::vector<DnsRecord> answers = {};
  int rcode = 0;
  bool silent = false;
  bool truncated = false;       ///< over UDP only: come back by TCP
  std::string before = {};      ///< a datagram of these bytes is sent first
  bool wrong_question = false;  ///< answers what was not asked
  Duration delay = {};
  std::uint32_t negative_ttl = 0;  ///< an SOA record with this comes along; zero: none
};

/// Names it was not told about do not exist; of those it was, the other types have no data.
class DnsServer {
 public:
  explicit DnsServer(IOLoop& loop) : loop_(loop) {
    listener_ = std::move(bind_sockets(0, {.address = "127.0.0.1"}).front());
    address_ = *SocketAddress::from_ip("127.0.0.1", local_port(listener_));
    datagrams_ = Socket(::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_port = htons(address_.port);
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::bind(datagrams_.fd(), reinterpret_cast<sockaddr*>(&where), sizeof where), 0);
    loop_.add_handler(
        datagrams_.fd(), [this](int, unsigned) { receive_datagrams(); }, IOLoop::kRead);
    loop_.add_handler(
        listener_.fd(), [this](int, unsigned) { accept_connections(); }, IOLoop::kRead);
  }
  DnsServer(const DnsServer&) = delete;
  DnsServer& operator=(const DnsServer&) = delete;
  ~DnsServer() {
    for (const TimeoutHandle& call : delayed_) loop_.remove_timeout(call);
    while (!connections_.empty()) close_connection(connections_.begin()->first);
    loop_.remove_handler(datagrams_.fd());
    loop_.remove_handler(listener_.fd());
  }

  /// Where it listens.
  SocketAddress address() const { return address_; }

  /// "example.org A" for each question that came.
  const std::vector<std::string>& questions() const { return questions_; }
  int tcp_questions() const { return tcp_questions_; }
  Task<> wait_for_questions(std::size_t count) {
    while (questions_.size() < count) {
      asked_.clear();
      co_await asked_.wait();
    }
  }

  void on(const std::string& name, std::uint16_t type, DnsReply reply) {
    replies_[{name, type}] = std::move(reply);
  }
  /// Both types.
  void on(const std::string& name, const DnsReply& reply) {
    on(name, kTypeA, reply);
    on(name, kTypeAAAA, reply);
  }
  void add(const DnsRecord& record) {
    replies_[{record.name, record.type}].answers.push_back(record);
  }

 private:
  struct Question {
    std::string id;
    std::string name;
    std::uint16_t type = 0;
    std::string wire;  // the question section
  };

  static Question parse(const std::string& message) {
    Question question;
    question.id = message.substr(0, 2);
    std::size_t at = 12;
    while (at < message.size() && message[at] != 0) {
      const auto length = static_cast<std::size_t>(message[at]);
      if (!question.name.empty()) question.name += '.';
      question.name += message.substr(at + 1, length);
      at += length + 1;
    }
    question.type = static_cast<std::uint16_t>(static_cast<unsigned char>(message[at + 1]) << 8 |
                                               static_cast<unsigned char>(message[at + 2]));
    question.wire = message.substr(12, at + 5 - 12);
    return question;
  }

  DnsReply find(const Question& question) const {
    const std::string name = ascii_lower(question.name);
    const auto exact = replies_.find({name, question.type});
    if (exact != replies_.end()) return exact->second;
    const auto other = replies_.lower_bound({name, 0});
    const bool exists = other != replies_.end() && other->first.first == name;
    return {.rcode = exists ? 0 : kNxDomain, .negative_ttl = 33};
  }

  static std::string encode(const Question& question, const DnsReply& reply, bool truncated) {
    const std::size_t count = truncated ? 0 : reply.answers.size();
    const unsigned flags =
        0x8180U | (truncated ? 0x0200U : 0U) | static_cast<unsigned>(reply.rcode);
    std::string wire = question.id + dns_u16(flags) + dns_u16(1) +
                       dns_u16(static_cast<unsigned>(count)) +
                       dns_u16(reply.negative_ttl > 0 ? 1 : 0) + dns_u16(0);
    wire += reply.wrong_question ? dns_name("other.test") + dns_u16(question.type) + dns_u16(1)
                                 : question.wire;
    for (std::size_t i = 0; i < count; ++i) {
      const DnsRecord& record = reply.answers[i];
      wire += dns_name(record.name) + dns_u16(record.type) + dns_u16(1);
      wire += dns_u16(record.ttl >> 16) + dns_u16(record.ttl & 0xffff);
      wire += dns_u16(static_cast<unsigned>(record.data.size())) + record.data;
    }
    if (reply.negative_ttl > 0) {
      const std::string ttl =
          dns_u16(reply.negative_ttl >> 16) + dns_u16(reply.negative_ttl & 0xffff);
      const std::string data =
          dns_name("ns.test") + dns_name("admin.test") + std::string(16, 'x') + ttl;
      wire += dns_name("test") + dns_u16(6) + dns_u16(1) + ttl;
      wire += dns_u16(static_cast<unsigned>(data.size())) + data;
    }
    return wire;
  }

  template <class Send>
  void answer(const std::string& message, bool tcp, Send send) {
    const Question question = parse(message);
    questions_.push_back(question.name + (question.type == kTypeA ? " A" : " AAAA"));
    if (tcp) ++tcp_questions_;
    asked_.set();
    const DnsReply reply = find(question);
    if (reply.silent) return;
    if (!reply.before.empty()) send(reply.before);
    const std::string wire = encode(question, reply, reply.truncated && !tcp);
    if (reply.delay == Duration::zero()) return send(wire);
    delayed_.push_back(loop_.call_later(reply.delay, [send, wire] { send(wire); }));
  }

  void receive_datagrams() {
    std::array<char, 2048> buffer;
    sockaddr_in from{};
    socklen_t length = sizeof from;
    for (;;) {
      const auto count = ::recvfrom(datagrams_.fd(), buffer.data(), buffer.size(), 0,
                                    reinterpret_cast<sockaddr*>(&from), &length);
      if (count < 17) return;
      answer(std::string(buffer.data(), static_cast<std::size_t>(count)), false,
             [this, from](const std::string& wire) {
               ::sendto(datagrams_.fd(), wire.data(), wire.size(), 0,
                        reinterpret_cast<const sockaddr*>(&from), sizeof from);
             });
    }
  }

  void accept_connections() {
    const int fd = ::accept4(listener_.fd(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    connections_[fd];
    loop_.add_handler(fd, [this](int which, unsigned) { receive(which); }, IOLoop::kRead);
  }

  void receive(int fd) {
    std::array<char, 2048> buffer;
    const auto count = ::recv(fd, buffer.data(), buffer.size(), 0);
    if (count <= 0) return close_connection(fd);
    std::string& message = connections_[fd].append(buffer.data(), static_cast<std::size_t>(count));
    if (message.size() < 2) return;
    const std::size_t length =
        static_cast<unsigned char>(message[0]) * 256U + static_cast<unsigned char>(message[1]);
    if (message.size() < 2 + length) return;
    answer(message.substr(2, length), true, [fd](const std::string& wire) {
      const std::string framed = dns_u16(static_cast<unsigned>(wire.size())) + wire;
      ::send(fd, framed.data(), framed.size(), MSG_NOSIGNAL);
    });
    message.erase(0, 2 + length);
  }

  void close_connection(int fd) {
    loop_.remove_handler(fd);
    ::close(fd);
    connections_.erase(fd);
  }

  IOLoop& loop_;
  Socket datagrams_;
  Socket listener_;
  SocketAddress address_;
  std::map<std::pair<std::string, std::uint16_t>, DnsReply> replies_;
  std::vector<std::string> questions_;
  int tcp_questions_ = 0;
  Event asked_;
  std::map<int, std::string> connections_;  // what came of a message
  std::vector<TimeoutHandle> delayed_;
};

}  // namespace coronado
