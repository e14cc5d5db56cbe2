// The stops of the tour: each adds its page and what the page asks for.
#pragma once

#include <coronado/http/websocket_topic.hpp>
#include <coronado/web.hpp>

#include <memory>

#include "pages.hpp"

namespace tour {

using SharedSite = std::shared_ptr<const Site>;

class Users;

void add_hello(web::Application& app, const SharedSite& site);
void add_cancel(web::Application& app, const SharedSite& site);
void add_streams(web::Application& app, const SharedSite& site);
void add_chat(web::Application& app, const SharedSite& site, coronado::WebSocketTopic& room);
void add_forms(web::Application& app, const SharedSite& site);
void add_users(web::Application& app, const SharedSite& site, const std::shared_ptr<Users>& users);
void add_api(web::Application& app, const SharedSite& site);
void add_languages(web::Application& app, const SharedSite& site);
void add_simulation(web::Application& app, const SharedSite& site);

// The accounts that visitors make; all workers share them.
std::shared_ptr<Users> make_users();

}  // namespace tour
