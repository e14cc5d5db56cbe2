// expect: add<H>: H must derive from coronado::web::RequestHandler
#include <coronado/web.hpp>

using coronado::Task;
namespace web = coronado::web;

struct NoHandler {};

void routes(web::Application& app) { app.add<NoHandler>("/"); }
