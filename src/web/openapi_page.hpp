/// The page that shows an OpenAPI document: HTML, style and script, without anything from elsewhere.
#pragma once

#include <coronado/web/locale.hpp>
#include <coronado/web/openapi.hpp>

#include <string>
#include <string_view>

namespace coronado::web {

/// Params  locale  Translates the page's own words, and those of the options.
std::string openapi_page(const OpenAPIOptions& options, const Locale& locale);
std::string_view openapi_page_style() noexcept;
std::string_view openapi_page_script() noexcept;
std::string_view openapi_page_icon() noexcept;

}  // namespace coronado::web
