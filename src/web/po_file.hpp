/// The sources of gettext's catalogues, which are text.
#pragma once

#include <string>
#include <string_view>

#include "web/locale_catalog.hpp"

namespace coronado::web::detail {

/// Adds the translated messages of a `.po` file, but for fuzzy and obsolete ones.
/// Params  bytes  In UTF-8.
///         file   For messages.
/// Throws  UsageError  It is broken; the message names `file` and the line.
/// Spec    GNU gettext, "The Format of PO Files".
void add_po(Catalog& catalog, std::string_view bytes, const std::string& file);

}  // namespace coronado::web::detail
