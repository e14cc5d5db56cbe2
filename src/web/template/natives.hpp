/// The functions and methods that every template has: Python's, as far as templates use them.
///
/// Layer: web.   Spec  Python Library Reference: Built-in Functions, Built-in Types.
#pragma once

#include <array>
#include <span>
#include <string_view>

#include "web/template/objects.hpp"

namespace coronado::web::templates {

/// The function called `name` (`len`, `xhtml_escape`, `KeyError`, ...), or null.
const TemplateFunction* find_builtin(std::string_view name) noexcept;

/// The value that every template has under `name`: a function, or `datetime`; undefined if there is
/// none.
TemplateValue find_builtin_value(std::string_view name) noexcept;

/// The function called `name` in a table, or null.
const TemplateFunction* find_function(std::span<const TemplateFunction> table,
                                      std::string_view name) noexcept;

// Tables of one file each.
std::span<const TemplateFunction> conversion_functions() noexcept;
std::span<const TemplateFunction> iterable_functions() noexcept;
std::span<const TemplateFunction> string_methods() noexcept;
std::span<const TemplateFunction> list_methods() noexcept;
std::span<const TemplateFunction> tuple_methods() noexcept;
std::span<const TemplateFunction> dict_methods() noexcept;
std::span<const TemplateFunction> mapping_methods() noexcept;

/// The function `xhtml_escape`, which the machine knows how to do in place.
const TemplateFunction& xhtml_escape_function() noexcept;

/// The classes that `{% except %}` knows by name.
bool error_matches(TemplateErrorClass thrown, TemplateErrorClass wanted) noexcept;

/// The arguments of a native in the order of its parameters; those not given are undefined.
template <std::size_t N>
struct NativeArguments {
  NativeArguments(const NativeCall& call, const std::string_view (&names)[N],
                  std::size_t required) {
    call.call.bind(names, required, values.data());
  }
  const TemplateValue& operator[](std::size_t index) const noexcept { return values[index]; }
  bool has(std::size_t index) const noexcept {
    return !values[index].is_undefined() && !values[index].is_none();
  }
  std::array<TemplateValue, N> values;
};

/// Throws  TemplateFault  `value` is no str; `what` says of what.
std::string_view to_text(const TemplateValue& value, std::string_view what);

/// The int that a float is without its fraction.
/// Throws  TemplateFault  It is no number, or beyond 64 bits.
TemplateValue real_to_int(double value);

/// Sorts a list in place: `key` may be undefined or None.
void sort_list(TemplateList& list, const TemplateValue& key, bool reverse, const NativeCall& call);

}  // namespace coronado::web::templates
