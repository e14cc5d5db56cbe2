/// `Response`: what a function handler returns.
///
///     Response      status, fields and body
///     text, html    bodies of those types
///     redirect      send the client elsewhere
///     (json is in <coronado/web/json.hpp>)
///
/// Layer: web.
#pragma once

#include <coronado/http/header_block.hpp>

#include <string>
#include <string_view>
#include <utility>

namespace coronado::web {

inline constexpr std::string_view kTextType = "text/plain; charset=utf-8";
inline constexpr std::string_view kHtmlType = "text/html; charset=utf-8";
inline constexpr std::string_view kJsonType = "application/json";

/// A whole response: a value.
class Response {
 public:
  /// Params   content_type  Empty: no such field.
  explicit Response(int status = 200, std::string body = {}, std::string_view content_type = {});

  int status() const noexcept { return status_; }
  const std::string& body() const noexcept { return body_; }
  HeaderBlock& headers() noexcept { return headers_; }
  const HeaderBlock& headers() const noexcept { return headers_; }

  void set_status(int status) noexcept { status_ = status; }
  void set_body(std::string body) noexcept { body_ = std::move(body); }

  /// Sets a field and returns the response, for chaining.   Throws  See `HeaderBlock::set`.
  Response&& with(std::string_view name, std::string_view value) && {
    headers_.set(name, value);
    return std::move(*this);
  }

 private:
  int status_;
  std::string body_;
  HeaderBlock headers_;
};

/// text/plain in UTF-8.
Response text(std::string body, int status = 200);

/// text/html in UTF-8.
Response html(std::string body, int status = 200);

/// Sends the client to `url`.
/// Throws  std::invalid_argument  `status` is not 300 to 399, or `url` has control characters.
Response redirect(std::string_view url, int status = 302);

}  // namespace coronado::web
