/// The page that shows an OpenAPI document: HTML, style and script, without anything from elsewhere.
#pragma once

#include <coronado/web/openapi.hpp>

#include <string>
#include <string_view>

namespace coronado::web {

std::string openapi_page(const OpenAPIOptions& options);
std::string_view openapi_page_style() noexcept;
std::string_view openapi_page_script() noexcept;

}  // namespace coronado::web
