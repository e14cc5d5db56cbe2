/// JSON in and out of handlers.
///
///     json(value)    a response from a `Json`, a described struct, or a container of either
///     JsonBody<T>    a handler's parameter: the body read into a `T`
///
/// A handler may also return a described struct, or a `Json`, as it is.
///
///     struct Order { std::string item; int count; };
///     BOOST_DESCRIBE_STRUCT(Order, (), (item, count))       // with <coronado/base/describe.hpp>
///
///     app.post("/orders", [](web::JsonBody<Order> order) { return web::json(*order); });
///
/// Layer: web.
#pragma once

#include <coronado/base/error.hpp>
#include <coronado/base/json.hpp>
#include <coronado/base/json_typed.hpp>
#include <coronado/http/server_request.hpp>
#include <coronado/web/function_handler.hpp>
#include <coronado/web/response.hpp>

#include <concepts>
#include <string>
#include <utility>

namespace coronado::web {

namespace detail {
/// An empty string of this thread whose memory is kept for the next response.
std::string& json_scratch();
void send_json(HTTPExchange& exchange, std::string_view body);
}  // namespace detail

/// A response with `value` as JSON; `application/json`.
/// Throws  std::invalid_argument  It holds a number JSON does not have (NaN, infinity).
inline Response json(const Json& value, int status = 200) {
  return Response(status, json_encode(value), kJsonType);
}
template <class T>
  requires(!std::convertible_to<const T&, Json>)
Response json(const T& value, int status = 200) {
  return Response(status, json_encode(value), kJsonType);
}

/// A described struct, or a `Json`, is written straight into the response.
template <class T>
  requires(JsonDescribed<T> || std::same_as<T, Json>)
struct ResultWriter<T> {
  static void send(HTTPExchange& exchange, const T& result) {
    std::string& body = detail::json_scratch();
    append_json(body, result);
    detail::send_json(exchange, body);
  }
};

namespace detail {
/// 400 with what is wrong, field by field.
[[noreturn]] void throw_bad_json(const JsonError& error);
}  // namespace detail

/// The request's body as a `T`: a `Json`, a described struct, or a container of either.
template <class T>
struct JsonBody {
  T value;
  const T& operator*() const noexcept { return value; }
  const T* operator->() const noexcept { return &value; }

  /// Throws  HTTPError(400)  The body is no JSON, or not of that shape; the message names the
  /// fields.
  static JsonBody from_request(const HTTPServerRequest& request) {
    try {
      if constexpr (std::same_as<T, Json>) {
        return {json_decode(request.body())};
      } else {
        return {json_decode<T>(request.body())};
      }
    } catch (const JsonError& error) {
      detail::throw_bad_json(error);
    }
  }
};

}  // namespace coronado::web
