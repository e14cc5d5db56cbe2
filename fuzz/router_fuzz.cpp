// Route tables: the input's lines are patterns, or regular expressions after '~', and the last line
// is the path. The table must find the first route that would match alone.

#include <coronado/base/error.hpp>
#include <coronado/base/strings.hpp>
#include <coronado/web/routing.hpp>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "web/route_table.hpp"

namespace {

using coronado::RouteMatch;
using coronado::RouteResult;
using coronado::RouteTable;

void require(bool holds) {
  if (!holds) std::abort();
}

// A table of one route notes its parameters straight away; they must be the same in company.
void compare(const RouteMatch& match, const RouteMatch& alone) {
  require(match.parameters.size() == alone.parameters.size());
  for (std::size_t i = 0; i < alone.parameters.size(); ++i) {
    require(match.parameters[i] == alone.parameters[i]);
    require(match.parameters.name(i) == alone.parameters.name(i));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 2000) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  std::vector<std::string_view> lines = coronado::split(input, '\n');
  const std::string_view path = lines.back();
  lines.pop_back();

  RouteTable table;
  std::vector<coronado::Pattern> patterns;
  for (std::string_view line : lines) {
    coronado::Pattern pattern(line);
    if (line.starts_with('~')) pattern = coronado::re(line.substr(1));
    try {
      table.add({}, pattern, coronado::kMethodGet);
      patterns.push_back(std::move(pattern));
    } catch (const coronado::UsageError&) {
      require(table.size() == patterns.size());
    }
  }

  RouteMatch match;
  const RouteResult result = table.match(coronado::kMethodGet, path, "host", match);
  for (std::uint32_t i = 0; i < patterns.size(); ++i) {
    RouteTable single;
    single.add({}, patterns[i], coronado::kMethodGet);
    RouteMatch alone;
    if (single.match(coronado::kMethodGet, path, "host", alone) != RouteResult::kFound) continue;
    require(result == RouteResult::kFound && match.route == i);
    compare(match, alone);
    return 0;
  }
  require(result == RouteResult::kNotFound);
  return 0;
}
