/// The media types of files by their names.
#pragma once

#include <string_view>

namespace coronado::web {

/// The media type of a file called `name`, without parameters; "application/octet-stream" for an
/// unknown one. A name that says gzip is "application/gzip", whatever is inside.
std::string_view guess_content_type(std::string_view name) noexcept;

}  // namespace coronado::web
