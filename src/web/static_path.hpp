/// From the path in a URL to an open file below a folder, and nowhere else.
#pragma once

#include <coronado/web/static_files.hpp>

#include <string>
#include <string_view>

namespace coronado::web {

/// The path of a file below its folder, without a slash at its end ("" is the folder itself). Nothing
/// is resolved: a file has one path only, so that what guards a path cannot be passed by.
///
/// Params   path    Percent-decoded, once.
///          hidden  Whether names that begin with a dot may be asked for; ".well-known" always may.
/// Throws   HTTPError  400: it is not valid UTF-8. 403: it has "..", or begins with a slash. 404: it
///                     has other segments without a name, or cannot be one, or is hidden.
std::string clean_static_path(std::string_view path, bool hidden);

/// Opens a file below `folder` for reading, without waiting for whoever is at the other end of a
/// pipe. Blocks.
///
/// Params   path  From `clean_static_path`.
///          use_openat2  False: as on systems without that call, where a link is refused that
///                       `kInside` would follow.
/// Returns  The descriptor, or an error of the system, negative. A link that leads out of the folder
///          is -EXDEV, or -ELOOP when links are refused.
int open_below(const std::string& folder, const std::string& path, Symlinks symlinks,
               bool use_openat2 = true) noexcept;

}  // namespace coronado::web
