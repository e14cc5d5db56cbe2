/// `ResponseDraft`: what a `RequestHandler` has said of its response so far.
///
/// Apart from the handler, because a WebSocket's handler lives on for long without it.
#pragma once

#include <coronado/coro/frame_pool.hpp>
#include <coronado/http/header_block.hpp>
#include <coronado/http/headers.hpp>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace coronado::web {

struct ResponseDraft : public coronado::detail::Pooled {
  std::string reason;
  std::string body;
  HeaderBlock headers;
  std::vector<std::pair<std::string, std::string>> set_cookies;  // name, field value
  std::unique_ptr<HTTPHeaders> trailers;                         // null: none
};

}  // namespace coronado::web
