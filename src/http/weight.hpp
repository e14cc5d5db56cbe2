/// `parse_weight`, `find_weight`: how much a client likes what it names.
///
/// Layer: http.   Spec  RFC 9110 12.4.2.
#pragma once

#include <optional>
#include <string_view>

#include "http/ascii.hpp"

namespace coronado {

/// The most a thing can weigh, in thousandths.
inline constexpr int kMostWeight = 1000;

/// A weight in thousandths; nothing when it is malformed.
inline std::optional<int> parse_weight(std::string_view text) noexcept {
  if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1')) return std::nullopt;
  if (text.size() > 1 && text[1] != '.') return std::nullopt;
  int weight = text[0] == '1' ? kMostWeight : 0;
  int place = 100;
  for (const char digit : text.substr(text.size() > 1 ? 2 : 1)) {
    if (digit < '0' || digit > '9') return std::nullopt;
    weight += place * (digit - '0');
    place /= 10;
  }
  return weight <= kMostWeight ? std::optional(weight) : std::nullopt;
}

/// The weight among `parameters`, which are separated by semicolons; the most without one.
/// Returns  Nothing when it is malformed.
inline std::optional<int> find_weight(std::string_view parameters) noexcept {
  std::optional<int> weight = kMostWeight;
  while (!parameters.empty() && weight) {
    std::string_view parameter = next_element(parameters, ';');
    if (!equals_ignoring_case(next_element(parameter, '='), "q")) continue;
    weight = parse_weight(trim_whitespace(parameter));
  }
  return weight;
}

}  // namespace coronado
