/// Host names beyond ASCII.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace coronado {

/// The form in which DNS, TLS and HTTP have a name: "bücher.example" is "xn--bcher-kva.example".
///
/// Params   name  UTF-8. What looks the same is made the same before (letters in lower case, wide
///                digits, "。" for the dot), as browsers do it.
/// Returns  Nothing: no name is written so. What is returned is ASCII, and may still have characters
///          that no host has.
/// Spec     RFC 5891 5, UTS 46 (not transitional)
std::optional<std::string> ascii_host_name(std::string_view name);

}  // namespace coronado
