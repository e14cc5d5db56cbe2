#include <coronado/http/content_coding.hpp>

#include <array>

#include "http/ascii.hpp"
#include "http/weight.hpp"

namespace coronado {
namespace {

constexpr std::array<std::string_view, 4> kNames = {"gzip", "deflate", "br", "zstd"};

constexpr int kUnknown = -1;
/// The weights of a field; `kUnknown` is what it does not name.
struct Weights {
  std::array<int, kNames.size()> codings = {kUnknown, kUnknown, kUnknown, kUnknown};
  int identity = kUnknown;
  int others = kUnknown;

  void add(std::string_view element) noexcept {
    const std::string_view name = next_element(element, ';');
    const std::optional<int> weight = find_weight(element);
    if (!weight) return;
    if (name == "*") {
      others = *weight;
    } else if (equals_ignoring_case(name, "identity")) {
      identity = *weight;
    } else if (const auto coding = parse_content_coding(name)) {
      codings[static_cast<std::size_t>(*coding)] = *weight;
    }
  }

  int of(ContentCoding coding) const noexcept {
    const int weight = codings[static_cast<std::size_t>(coding)];
    return weight == kUnknown ? others : weight;
  }
};

}  // namespace

std::string_view to_string(ContentCoding coding) noexcept {
  return kNames[static_cast<std::size_t>(coding)];
}

std::optional<ContentCoding> parse_content_coding(std::string_view name) noexcept {
  if (equals_ignoring_case(name, "x-gzip")) return ContentCoding::kGzip;
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (equals_ignoring_case(name, kNames[i])) return static_cast<ContentCoding>(i);
  }
  return std::nullopt;
}

CodingChoice choose_content_coding(std::string_view accept_encoding,
                                   std::span<const ContentCoding> offered) noexcept {
  Weights weights;
  while (!accept_encoding.empty()) weights.add(next_element(accept_encoding, ','));
  CodingChoice choice;
  int best = 0;
  for (const ContentCoding coding : offered) {
    if (weights.of(coding) <= best) continue;
    best = weights.of(coding);
    choice.coding = coding;
  }
  // RFC 9110 12.5.3: acceptable unless excluded by name, or by "*" without being named.
  choice.identity_allowed =
      weights.identity == kUnknown ? weights.others != 0 : weights.identity != 0;
  if (weights.identity > best) choice.coding.reset();
  return choice;
}

}  // namespace coronado
