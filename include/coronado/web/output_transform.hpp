/// `output_transform`: middleware that changes what responses consist of, head and body.
///
///     app.use("/pages", web::output_transform<Signature>());
///
/// See <coronado/http/output_transform.hpp> for how `Signature` is written. Each request has its own.
/// It is given what handlers of both kinds send, whole or piece by piece, and error pages; the body is
/// compressed behind it. As in any onion the first that is registered is the outermost, and has the
/// last word.
///
/// A static file within its reach is read instead of sent by the kernel, in its plain form, and whole:
/// `Range` is for the bytes of the file, and what the client gets are others. So put it around the
/// routes that it is for.
///
/// Layer: web.   Tornado  `Application(transforms=...)`, `add_transform`. Differs: for some routes or
///               all, and the compression is not one of them.
#pragma once

#include <coronado/base/function.hpp>
#include <coronado/http/output_transform.hpp>
#include <coronado/web/exchange.hpp>
#include <coronado/web/middleware.hpp>

#include <concepts>
#include <memory>

namespace coronado::web {

using coronado::OutputTransform;

/// Makes the transform of a request; null: its response stays as it is.
using OutputTransformFactory = Function<std::unique_ptr<OutputTransform>(WebExchange& exchange)>;

/// Has each response changed by what `make` makes for its request.
Middleware output_transform(OutputTransformFactory make);

/// Has each response changed by a `T`, which is made with the request if its constructor takes that.
template <std::derived_from<OutputTransform> T>
Middleware output_transform() {
  return output_transform([](WebExchange& exchange) -> std::unique_ptr<OutputTransform> {
    if constexpr (std::constructible_from<T, const HTTPServerRequest&>) {
      return std::make_unique<T>(exchange.request());
    } else {
      return std::make_unique<T>();
    }
  });
}

}  // namespace coronado::web
