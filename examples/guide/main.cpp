// Serves the listings of the guide, so that they can be tried.
#include <coronado/web.hpp>

#include "handlers.hpp"

namespace web = coronado::web;

// [serve]
int main(int argc, char** argv) {
  return web::serve(argc, argv, [] {
    web::Application app;
    guide::add_handlers(app);
    return app;
  });
}
// [/serve]
