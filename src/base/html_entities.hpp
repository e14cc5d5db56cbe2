/// The names of HTML 4's character references.
///
/// Layer: base.
#pragma once

#include <optional>
#include <string_view>

namespace coronado {

/// The code point that `&name;` stands for, or none.   Spec  HTML 4.01 24, and XML's `apos`.
std::optional<char32_t> find_html_entity(std::string_view name) noexcept;

}  // namespace coronado
