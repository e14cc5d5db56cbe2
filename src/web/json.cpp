#include <coronado/web/json.hpp>

namespace coronado::web::detail {

std::string& json_scratch() {
  constexpr std::size_t kKept = 1024 * 1024;
  static thread_local std::string scratch;
  if (scratch.capacity() > kKept) scratch = std::string();
  scratch.clear();
  return scratch;
}

void send_json(HTTPExchange& exchange, std::string_view body) {
  if (exchange.started()) return;
  ResponseHead head;
  head.fields = "Content-Type: application/json\r\n";
  exchange.respond(head, body);
}

void throw_bad_json(const JsonError& error) {
  if (!error.fields().empty()) throw_invalid(error.fields());
  throw ValidationError(400, {{"", error.what()}});
}

void throw_invalid(std::vector<JsonFieldError> errors) {
  throw ValidationError(422, std::move(errors));
}

}  // namespace coronado::web::detail
