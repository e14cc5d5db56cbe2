/// Fuzzes the reader of DNS messages: it must stay inside any message, and believe no TTL that a
/// longer message would not have.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "net/dns_message.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace coronado;
  const std::string message(reinterpret_cast<const char*>(data), size);
  const DnsSummary summary = summarize_dns(message);
  if ((summary.rcode < 0) != (size < 12)) std::abort();
  if (summary.negative_ttl && *summary.negative_ttl < Duration::zero()) std::abort();
  const DnsSummary longer = summarize_dns(message + "more");
  if (size >= 12 && longer.rcode != summary.rcode) std::abort();
  if (summary.negative_ttl && longer.negative_ttl != summary.negative_ttl) std::abort();
  return 0;
}
