/// What happened on a simulated network: kept as values, written as text only when somebody reads.
#pragma once

#include <coronado/base/clock.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace coronado {

enum class SimEventKind : std::uint8_t {
  kConnect,
  kSynLost,
  kRefused,
  kUnreachable,
  kConnectTimedOut,
  kGivenUp,
  kConnected,
  kAccepted,
  kAcceptFailed,
  kSent,
  kRead,
  kDrained,
  kEndSent,
  kEndRead,
  kClosed,
  kResetSent,
  kBroken,
  kReset,
  kVanished,
  kStalled,
  kTimedOut,
  kOverslept,
  kLeapt,
  kDatagramSent,
  kDatagramRead,
  kDatagramLost,
  kDatagramDoubled,
  kDatagramHeldUp,
  kDatagramRefused,
  kText,
};

/// No connection.
inline constexpr std::uint32_t kNobody = UINT32_MAX;

class SimLog {
 public:
  explicit SimLog(TimePoint begin, std::size_t capacity) : begin_(begin), capacity_(capacity) {}

  /// Params   connection  Its number, or `kNobody`.
  ///          side        Whose doing it is: 0 the client's, 1 the server's.
  ///          value       Bytes, nanoseconds or an error number, as the kind has it.
  void add(TimePoint when, SimEventKind kind, std::uint32_t connection, int side,
           std::uint64_t value = 0, std::string text = {});

  std::string text() const;
  std::uint64_t fingerprint() const noexcept { return fingerprint_; }
  std::uint64_t count() const noexcept { return count_; }

 private:
  struct Entry {
    TimePoint when;
    std::uint64_t value;
    std::uint32_t connection;
    SimEventKind kind;
    std::uint8_t side;
    std::string text;
  };
  void mix(std::uint64_t value) noexcept;
  void write(const Entry& entry, std::string& out) const;

  TimePoint begin_;
  std::size_t capacity_;
  std::vector<Entry> entries_;  // a ring once it is full
  std::uint64_t count_ = 0;
  std::uint64_t fingerprint_ = 0xcbf29ce484222325U;
};

}  // namespace coronado
