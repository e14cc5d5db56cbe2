#include "net/dns_message.hpp"

#include <algorithm>
#include <cstdint>

namespace coronado {
namespace {

constexpr unsigned kTypeSOA = 6;

/// Goes through a message from front to back; what lies beyond its end reads as zero, and is noted.
class Reader {
 public:
  explicit Reader(std::string_view message) noexcept : rest_(message) {}

  bool ok() const noexcept { return ok_; }

  void skip(std::size_t count) noexcept {
    if (count > rest_.size()) {
      ok_ = false;
      count = rest_.size();
    }
    rest_.remove_prefix(count);
  }

  std::uint32_t number(std::size_t bytes) noexcept {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < bytes && i < rest_.size(); ++i) {
      value = value << 8 | static_cast<unsigned char>(rest_[i]);
    }
    skip(bytes);
    return value;
  }

  /// RFC 1035 4.1.4: labels up to an empty one or a pointer, which need not be followed.
  void skip_name() noexcept {
    while (ok_) {
      const unsigned length = number(1);
      if (length == 0) return;
      if (length >= 0xc0) return skip(1);
      skip(length);
    }
  }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

/// RFC 2181 8: a TTL with the highest bit set counts as zero.
std::uint32_t valid_ttl(std::uint32_t seconds) noexcept { return seconds >> 31 != 0 ? 0 : seconds; }

}  // namespace

DnsSummary summarize_dns(std::string_view message) noexcept {
  Reader reader(message);
  DnsSummary summary;
  reader.skip(2);
  const unsigned flags = reader.number(2);
  const unsigned questions = reader.number(2);
  const unsigned answers = reader.number(2);
  const unsigned authorities = reader.number(2);
  reader.skip(2);
  if (!reader.ok()) return summary;
  summary.rcode = static_cast<int>(flags & 0xf);
  for (unsigned i = 0; i < questions && reader.ok(); ++i) {
    reader.skip_name();
    reader.skip(4);
  }
  for (unsigned i = 0; i < answers + authorities && reader.ok(); ++i) {
    reader.skip_name();
    const unsigned type = reader.number(2);
    reader.skip(2);
    const std::uint32_t ttl = reader.number(4);
    const unsigned length = reader.number(2);
    if (i < answers || type != kTypeSOA) {
      reader.skip(length);
      continue;
    }
    reader.skip_name();
    reader.skip_name();
    reader.skip(16);  // serial, refresh, retry, expire
    const std::uint32_t minimum = reader.number(4);
    // RFC 2308 5: the lesser of the record's own TTL and its last field.
    if (reader.ok()) {
      summary.negative_ttl = std::chrono::seconds(std::min(valid_ttl(ttl), valid_ttl(minimum)));
    }
    break;
  }
  return summary;
}

}  // namespace coronado
