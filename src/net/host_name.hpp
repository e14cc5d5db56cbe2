/// What can be said about a host name without asking anybody.
#pragma once

#include <coronado/net/resolver.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace coronado {

/// Checks a name for its form.
/// Throws  ResolveError  It is none: empty, too long, a label of no or more than 63 characters, a
///         character that no host name has, or a number where an IPv4 address is meant.
void check_host_name(const std::string& host);

/// The answer to numeric addresses, `localhost`, and names that are known not to exist.
/// Returns  Nothing for every other name.
/// Throws   ResolveError  It has no address of the family, does not exist, or is malformed.
std::optional<Resolution> answer_without_asking(const ResolveRequest& request);

/// The addresses among `addresses` that are wanted.
bool is_wanted(AddressFamily family, const SocketAddress& address) noexcept;

/// "no IPv6 address": the detail of `kNoAddress`; empty for any family.
std::string describe_missing(AddressFamily family);

}  // namespace coronado
