/// `HandlerSecurity`: what a `RequestHandler` knows of who asks.
///
/// Apart from the handler, because most handlers never ask.
#pragma once

#include <coronado/base/json.hpp>
#include <coronado/coro/frame_pool.hpp>

#include <string>

namespace coronado::web {

struct HandlerSecurity : public coronado::detail::Pooled {
  Json user;
  bool user_known = false;
  std::string token;  // that forms send back; empty: nobody has asked for it
};

}  // namespace coronado::web
