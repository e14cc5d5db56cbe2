// The listings of docs/guide/handlers.md, as one application.
#pragma once

#include <coronado/web.hpp>

namespace guide {

void add_handlers(coronado::web::Application& app);

}  // namespace guide
