/// Matches the host of a request against a host pattern.
///
/// Layer: web.
#pragma once

#include <coronado/web/routing.hpp>

#include <optional>
#include <string>
#include <string_view>

#include "base/regex.hpp"

namespace coronado {

class HostPattern {
 public:
  /// Throws  UsageError  The pattern is malformed; the message names it.
  explicit HostPattern(const Pattern& pattern);

  /// `host` is without its port, in any letter case.
  bool matches(std::string_view host) const;

 private:
  enum class Kind { kExact, kSuffix, kRegex };

  Kind kind_ = Kind::kExact;
  std::string text_;  // lower case; for kSuffix with its leading dot
  std::optional<CompiledRegex> regex_;
};

/// `host` without its port: "a.b:80" is "a.b", "[::1]:80" is "[::1]".   Spec  RFC 3986 3.2
std::string_view strip_port(std::string_view host) noexcept;

}  // namespace coronado
