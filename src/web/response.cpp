#include <coronado/web/response.hpp>

#include <stdexcept>

namespace coronado::web {

Response::Response(int status, std::string body, std::string_view content_type)
    : status_(status), body_(std::move(body)) {
  if (!content_type.empty()) headers_.set("Content-Type", content_type);
}

Response text(std::string body, int status) { return Response(status, std::move(body), kTextType); }

Response html(std::string body, int status) { return Response(status, std::move(body), kHtmlType); }

Response redirect(std::string_view url, int status) {
  if (status < 300 || status > 399) {
    throw std::invalid_argument("a redirect needs a status from 300 to 399, not " +
                                std::to_string(status));
  }
  return Response(status).with("Location", url);
}

}  // namespace coronado::web
