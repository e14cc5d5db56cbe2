// The listings of docs/guide/static-files.md.
#pragma once

#include <coronado/web.hpp>

#include <string>

namespace guide {

void add_static_files(coronado::web::Application& app, const std::string& folder);

void add_routers(coronado::web::Application& app);

}  // namespace guide
