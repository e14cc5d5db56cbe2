/// The little that we read of DNS messages ourselves; c-ares reads the rest.
#pragma once

#include <coronado/base/clock.hpp>

#include <optional>
#include <string_view>

namespace coronado {

/// What a response says about the question as a whole.
struct DnsSummary {
  int rcode = -1;  ///< the response code; -1: the message is none

  /// How long it may be remembered that there is nothing: from the SOA record that comes with
  /// negative answers.   Spec  RFC 2308 5
  std::optional<Duration> negative_ttl;
};

/// Reads a message of any bytes.
DnsSummary summarize_dns(std::string_view message) noexcept;

}  // namespace coronado
