/// What operators do with values: Python's rules.
///
/// Integers have 64 bits: a result beyond them is an OverflowError that says so.
///
/// Layer: web.   Spec  The Python Language Reference, 6; Library Reference, Built-in Types.
#pragma once

#include <coronado/web/template_value.hpp>

#include "web/template/objects.hpp"
#include "web/template/tree.hpp"

namespace coronado::web::templates {

// All of them throw TemplateFault for what Python refuses.

bool is_true(const TemplateValue& value);
bool equal(const TemplateValue& a, const TemplateValue& b, int depth = 0);
/// Whether `a < b`.
bool less(const TemplateValue& a, const TemplateValue& b, int depth = 0);
bool contains(const TemplateValue& container, const TemplateValue& item, TemplateMemory& memory);
bool compare(Operator op, const TemplateValue& a, const TemplateValue& b, TemplateMemory& memory);
TemplateValue binary(Operator op, const TemplateValue& a, const TemplateValue& b,
                     TemplateMemory& memory);
TemplateValue unary(Operator op, const TemplateValue& value);

/// `len(value)`.
std::size_t length(const TemplateValue& value);
/// `value[index]`.
TemplateValue item(const TemplateValue& value, const TemplateValue& index, TemplateMemory& memory);
TemplateValue slice(const TemplateValue& value, const TemplateValue& start,
                    const TemplateValue& stop, const TemplateValue& step, TemplateMemory& memory);
/// `value[index] = item`.
void set_item(const TemplateValue& value, const TemplateValue& index, const TemplateValue& item,
              TemplateMemory& memory);

std::size_t hash(const TemplateValue& value);

/// The element of a list, tuple, range or C++ sequence; `index` is in it.
TemplateValue element(const TemplateValue& sequence, std::size_t index, TemplateMemory& memory);
/// Whether `element` works on it.
/// "'str'", for messages.
std::string quoted_type(const TemplateValue& value);
/// An int or a bool.
bool is_integral(const TemplateValue& value) noexcept;
/// A tuple, of the engine or of C++.
bool is_tuple(const TemplateValue& value) noexcept;
bool is_sequence(const TemplateValue& value) noexcept;
bool is_mapping(const TemplateValue& value) noexcept;
bool is_number(const TemplateValue& value) noexcept;
/// A bool or an int as an integer.   Throws  TemplateFault  TypeError that says what `what` must be.
std::int64_t to_integer(const TemplateValue& value, std::string_view what);
double to_double(const TemplateValue& value);

// Text is a sequence of code points; these count and cut UTF-8.
std::size_t count_characters(std::string_view text) noexcept;
/// Characters [begin, end) of `text`.
std::string_view substring(std::string_view text, std::size_t begin, std::size_t end) noexcept;
/// The first character of `text`, which is not empty.
std::string_view first_character(std::string_view text) noexcept;

}  // namespace coronado::web::templates
