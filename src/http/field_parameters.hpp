/// Fields of the form `value; name=value; name="quoted value"`, such as Content-Disposition.
///
/// Layer: http.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace coronado {

/// A field's value and its parameters.
struct FieldParameters {
  std::string value;  ///< What precedes the first ';', in lower case.
  std::vector<std::pair<std::string, std::string>> parameters;  ///< Names in lower case.

  /// The parameter `name`; of `name*` (RFC 8187), when it is there and right, the decoded value.
  /// Params  name  In lower case.
  std::optional<std::string> find(std::string_view name) const;
};

/// Reads such a field.
/// Returns  Nothing when it is malformed: an empty value, a name that is no token, a quote that is
///          not closed, text behind a quote, or a parameter that occurs twice.
/// Spec     RFC 9110 5.6.6; RFC 6266 4.1.
std::optional<FieldParameters> parse_field_parameters(std::string_view text);

}  // namespace coronado
