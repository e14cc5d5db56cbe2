#include <coronado/web/output_transform.hpp>

#include <utility>

namespace coronado::web {

Middleware output_transform(OutputTransformFactory make) {
  return [make = std::move(make)](WebExchange& exchange, Next next) mutable -> Task<> {
    if (auto transform = make(exchange)) exchange.transform_output(std::move(transform));
    return next(exchange);
  };
}

}  // namespace coronado::web
