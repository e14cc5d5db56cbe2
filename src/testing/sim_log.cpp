#include "testing/sim_log.hpp"

#include <fmt/format.h>

#include <iterator>
#include <string_view>

namespace coronado {
namespace {

/// What is said, and what the value is: bytes (b), a span (t), an error (e), nothing ( ).
struct Wording {
  const char* text;
  char unit;
};

Wording wording(SimEventKind kind) noexcept {
  switch (kind) {
    case SimEventKind::kConnect: return {"connects", ' '};
    case SimEventKind::kSynLost: return {"gets no answer yet", ' '};
    case SimEventKind::kRefused: return {"is refused", ' '};
    case SimEventKind::kUnreachable: return {"finds no such host", ' '};
    case SimEventKind::kConnectTimedOut: return {"connecting timed out", ' '};
    case SimEventKind::kGivenUp: return {"gives up connecting", ' '};
    case SimEventKind::kConnected: return {"is connected", ' '};
    case SimEventKind::kAccepted: return {"accepts", ' '};
    case SimEventKind::kAcceptFailed: return {"accepting failed", 'e'};
    case SimEventKind::kSent: return {"sends", 'b'};
    case SimEventKind::kRead: return {"reads", 'b'};
    case SimEventKind::kDrained: return {"has nothing unsent", ' '};
    case SimEventKind::kEndSent: return {"sends its end", ' '};
    case SimEventKind::kEndRead: return {"reads the end", ' '};
    case SimEventKind::kClosed: return {"closes", ' '};
    case SimEventKind::kResetSent: return {"sends a reset", ' '};
    case SimEventKind::kBroken: return {"is told", 'e'};
    case SimEventKind::kReset: return {"FAULT: reset", ' '};
    case SimEventKind::kVanished: return {"FAULT: nothing gets through any more", ' '};
    case SimEventKind::kStalled: return {"FAULT: stalls for", 't'};
    case SimEventKind::kTimedOut: return {"the peer takes nothing", ' '};
    case SimEventKind::kOverslept: return {"FAULT: the process oversleeps by", 't'};
    case SimEventKind::kLeapt: return {"FAULT: the clock leaps by", 't'};
    case SimEventKind::kDatagramSent: return {"datagram sent:", 'b'};
    case SimEventKind::kDatagramRead: return {"datagram read:", 'b'};
    case SimEventKind::kDatagramLost: return {"FAULT: datagram lost:", 'b'};
    case SimEventKind::kDatagramDoubled: return {"FAULT: datagram doubled:", 'b'};
    case SimEventKind::kDatagramHeldUp: return {"FAULT: datagram held up:", 'b'};
    case SimEventKind::kDatagramRefused: return {"datagram refused:", 'b'};
    case SimEventKind::kText: return {"", ' '};
  }
  return {"?", ' '};
}

}  // namespace

void SimLog::mix(std::uint64_t value) noexcept {
  fingerprint_ = (fingerprint_ ^ value) * 0x9e3779b97f4a7c15U;
  fingerprint_ ^= fingerprint_ >> 29;
}

void SimLog::add(TimePoint when, SimEventKind kind, std::uint32_t connection, int side,
                 std::uint64_t value, std::string text) {
  mix(static_cast<std::uint64_t>(when.time_since_epoch().count()));
  mix(std::uint64_t{connection} << 16 | std::uint64_t{static_cast<std::uint8_t>(kind)} << 8 |
      static_cast<std::uint8_t>(side));
  mix(value);
  for (const char c : text) mix(static_cast<unsigned char>(c));
  Entry entry{when, value, connection, kind, static_cast<std::uint8_t>(side), std::move(text)};
  if (entries_.size() < capacity_) {
    entries_.push_back(std::move(entry));
  } else if (capacity_ != 0) {
    entries_[count_ % capacity_] = std::move(entry);
  }
  ++count_;
}

void SimLog::write(const Entry& entry, std::string& out) const {
  const auto since = std::chrono::duration_cast<std::chrono::nanoseconds>(entry.when - begin_);
  const auto to = std::back_inserter(out);
  fmt::format_to(to, "{:>6}.{:09} ", since.count() / 1'000'000'000, since.count() % 1'000'000'000);
  if (entry.connection != kNobody) {
    fmt::format_to(to, "#{} {} ", entry.connection, entry.side == 0 ? "client" : "server");
  }
  const Wording words = wording(entry.kind);
  out += words.text;
  if (words.unit == 'b') fmt::format_to(to, " {}", entry.value);
  if (words.unit == 't') {
    fmt::format_to(to, " {}.{:06} ms", entry.value / 1'000'000, entry.value % 1'000'000);
  }
  if (words.unit == 'e') {
    fmt::format_to(to, ": {}", std::generic_category().message(static_cast<int>(entry.value)));
  }
  if (!entry.text.empty()) {
    if (*words.text != '\0') out += ' ';
    out += entry.text;
  }
  out += '\n';
}

std::string SimLog::text() const {
  std::string out;
  const std::size_t kept = entries_.size();
  if (count_ > kept)
    fmt::format_to(std::back_inserter(out), "... {} lines before\n", count_ - kept);
  const std::size_t first = count_ > kept && kept != 0 ? count_ % kept : 0;
  for (std::size_t i = 0; i < kept; ++i) write(entries_[(first + i) % kept], out);
  return out;
}

}  // namespace coronado
