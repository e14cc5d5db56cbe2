/// Texts that a client keeps for us and cannot read: "2.c2VhbGVk...", the version of the key, and what
/// it has encrypted.
#pragma once

#include <coronado/web/signed_value.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace coronado::web {

/// Params  purpose  Other purposes have other keys.
///         context  Must be the same for `open_text`: the name of the cookie.
std::string seal_text(const CookieSecret& secret, std::string_view purpose,
                      std::string_view context, std::string_view plain);

/// Nothing when it is no such text; `why` says what is wrong, for the log.
std::optional<std::string> open_text(const CookieSecret& secret, std::string_view purpose,
                                     std::string_view context, std::string_view text,
                                     std::string& why);

/// The version of the key that a text names.
std::optional<int> sealed_key_version(std::string_view text) noexcept;

}  // namespace coronado::web
