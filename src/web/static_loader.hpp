/// Looking at a file: what a `StaticFile` says is found out here, in a thread.
#pragma once

#include <coronado/web/static_files.hpp>

#include <memory>
#include <string>

namespace coronado::web {

/// Looks at the file at `path` below `root`, and at its compressed siblings. Blocks.
///
/// Params   path   From `clean_static_path`.
///          known  What was found before, or null: returned when nothing has changed.
/// Throws   HTTPError  See `StaticFiles::serve`; the log message names the file and the reason.
StaticFiles::File load_static_file(const std::string& root, const StaticFileOptions& options,
                                   const std::string& path, const StaticFiles::File& known);

/// Whether an open file is still what it was when it was looked at, as far as its descriptor tells.
bool is_unchanged(const StaticFile& file) noexcept;

}  // namespace coronado::web
