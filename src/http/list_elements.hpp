/// `list_elements`: fields that hold lists, taken apart.
///
/// Layer: http.
#pragma once

#include <coronado/http/request_head.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace coronado {

/// The elements of all fields `name`, which hold lists.   Spec  RFC 9110 5.6.1.
std::vector<std::string> list_elements(const RequestHead& head, std::string_view name);

}  // namespace coronado
