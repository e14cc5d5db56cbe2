#include <coronado/web/json.hpp>

namespace coronado::web::detail {

void throw_bad_json(const JsonError& error) { throw HTTPError(400, error.what()); }

}  // namespace coronado::web::detail
