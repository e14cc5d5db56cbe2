// Requests for static files: the input's first line is the path, the second the Range field. A path
// that is accepted stays below its folder, and a range that is accepted within the file.

#include <coronado/base/error.hpp>
#include <coronado/base/escape.hpp>
#include <coronado/base/strings.hpp>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "web/byte_ranges.hpp"
#include "web/static_path.hpp"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

void try_path(std::string_view text) {
  try {
    const std::string decoded = coronado::url_unescape(text, coronado::URLPart::kPath);
    const std::string clean = coronado::web::clean_static_path(decoded, decoded.size() % 2 == 0);
    require(decoded == clean || decoded == clean + '/');
    require(!clean.starts_with('/') && clean.find('\0') == std::string::npos);
    coronado::for_each_part(clean, '/', [&](std::string_view name) {
      require(name != ".." && name != "." && (!name.empty() || clean.empty()));
    });
  } catch (const coronado::HTTPError& error) {
    require(error.status() == 400 || error.status() == 403 || error.status() == 404);
    for (const char c : error.log_message()) require(static_cast<unsigned char>(c) >= 0x20);
  }
}

void try_range(std::string_view field, std::uint64_t size) {
  const coronado::web::RangePlan plan = coronado::web::parse_range(field, size);
  require(plan.status == 200 || plan.status == 206 || plan.status == 416);
  require(plan.ranges.empty() == (plan.status != 206));
  std::uint64_t all = 0;
  for (const coronado::web::ByteRange& range : plan.ranges) {
    require(range.first <= range.last && range.last < size);
    all += range.size();
  }
  require(all <= size);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t end = std::min(input.find('\n'), input.size());
  try_path(input.substr(0, end));
  const std::string_view field = input.substr(std::min(end + 1, input.size()));
  for (const std::uint64_t length :
       {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{26}, ~std::uint64_t{0}}) {
    try_range(field, length);
  }
  return 0;
}
