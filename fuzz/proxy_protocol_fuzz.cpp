/// Fuzzes the PROXY header: what is decided for a prefix must hold for all that begins with it, and
/// an address that was accepted must be one.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "net/proxy_protocol.hpp"

namespace {

using namespace coronado;
using Status = ProxyHeaderResult::Status;

void require(bool condition) {
  if (!condition) std::abort();
}

void require_same(const ProxyHeaderResult& left, const ProxyHeaderResult& right) {
  require(left.status == right.status);
  require(left.size == right.size);
  require(left.header.has_addresses == right.header.has_addresses);
  require(left.header.source == right.header.source);
  require(left.header.destination == right.header.destination);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const ProxyHeaderResult whole = parse_proxy_header(text);
  require((whole.status == Status::kBad) == (whole.reason != nullptr));
  if (whole.status == Status::kIncomplete) require(text.size() < kMaxProxyHeader);
  if (whole.status == Status::kDone) {
    require(whole.size > 0 && whole.size <= text.size() && whole.size <= kMaxProxyHeader);
    require_same(parse_proxy_header(text.substr(0, whole.size)), whole);
    if (whole.header.has_addresses) {
      require(whole.header.source.family == whole.header.destination.family);
      require(whole.header.source.family != SocketAddress::Family::kNone);
      if (whole.header.source.is_ip()) {
        const std::string host = whole.header.source.host();
        require(SocketAddress::from_ip(host, whole.header.source.port) == whole.header.source);
      }
    }
  }
  for (std::size_t length = 0; length < text.size() && length < 300; ++length) {
    const ProxyHeaderResult part = parse_proxy_header(std::string_view(text).substr(0, length));
    if (part.status == Status::kIncomplete) continue;
    require_same(part, whole);
    break;
  }
  return 0;
}
