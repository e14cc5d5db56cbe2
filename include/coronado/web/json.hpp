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
#include <coronado/base/json_reader.hpp>
#include <coronado/base/json_typed.hpp>
#include <coronado/http/server_request.hpp>
#include <coronado/web/function_handler.hpp>
#include <coronado/web/response.hpp>
#include <coronado/web/schema.hpp>
#include <coronado/web/validation.hpp>

#include <concepts>
#include <string>
#include <utility>
#include <vector>

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

namespace detail {
template <class T>
constexpr bool kIsJsonResult = JsonDescribed<T> || std::same_as<T, Json>;
template <class T>
constexpr bool kIsJsonResult<std::vector<T>> = kIsJsonResult<T>;
}  // namespace detail

/// A described struct, a `Json`, or a std::vector of them is written straight into the response.
template <class T>
  requires detail::kIsJsonResult<T>
struct ResultWriter<T> {
  static void describe(Operation& operation) {
    detail::set_result(operation, kJsonType, json_schema<T>);
  }
  static void send(HTTPExchange& exchange, const T& result) {
    std::string& body = detail::json_scratch();
    append_json(body, result);
    detail::send_json(exchange, body);
  }
};

namespace detail {
/// Reads a body into `value`, and checks it.
/// Throws  ValidationError  400: it is no JSON. 422: it does not fit, or breaks rules.
void read_json_body(const HTTPServerRequest& request, void* value,
                    void (*read)(JsonReader& reader, void* value), Validate validate);

template <class T>
void read_json_into(JsonReader& reader, void* value) {
  read_json(reader, *static_cast<T*>(value));
}
}  // namespace detail

/// The request's body as a `T`: a `Json`, a described struct, or a container of either.
template <class T>
struct JsonBody {
  T value;
  const T& operator*() const noexcept { return value; }
  const T* operator->() const noexcept { return &value; }

  /// Throws  ValidationError  400: the body is no JSON. 422: it is not of that shape, or breaks rules
  ///                          of its fields (<coronado/web/validation.hpp>), all of which are named.
  [[gnu::noinline]] static JsonBody from_request(const HTTPServerRequest& request) {
    JsonBody body{};
    detail::read_json_body(request, &body.value, detail::read_json_into<T>, detail::kValidate<T>);
    return body;
  }
  static void describe(Operation& operation) {
    detail::set_body(operation, kJsonType, json_schema<T>);
  }
};

}  // namespace coronado::web
