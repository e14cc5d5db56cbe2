// The listings of docs/guide/handlers.md, as one application.
#pragma once

#include <coronado/web.hpp>

namespace guide {

void add_handlers(coronado::web::Application& app);

// What `serve` is given when bodies are to be compressed both ways.
coronado::web::ServeOptions with_compression();

}  // namespace guide
