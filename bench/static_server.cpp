// Static files, for static_compare.py: below /function/ by `Application::static_files`, below /class/
// by `StaticFileHandler`.
//
//     static_server [PORT] --folder=DIR
#include <coronado/ops/options.hpp>
#include <coronado/web.hpp>

#include <memory>
#include <string>

namespace web = coronado::web;

int main(int argc, char** argv) {
  web::ServeOptions options;
  options.log_level = "warning";
  std::string folder = ".";
  coronado::OptionParser parser("Static files.");
  options.define(parser);
  parser.define("PORT", options.port, "The same as --port");
  parser.define("--folder", folder, "What is served");
  if (const std::optional<int> code = parser.parse(argc, argv)) return *code;
  return web::serve(options, [&folder] {
    web::Application app;
    auto files = std::make_shared<web::StaticFiles>(folder);
    app.static_files("/function/{path:path}", files);
    app.add<web::StaticFileHandler>("/class/{path:path}", files);
    return app;
  });
}
