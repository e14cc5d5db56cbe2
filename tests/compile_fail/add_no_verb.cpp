// expect: add<H>: H overrides none of get, head, post, put, patch, del, options
#include <coronado/web.hpp>

using coronado::Task;
namespace web = coronado::web;

struct Idle : web::RequestHandler {};

void routes(web::Application& app) { app.add<Idle>("/"); }
