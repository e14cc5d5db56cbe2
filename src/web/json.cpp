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

std::vector<JsonFieldError> unreadable_fields(const JsonError& error) {
  if (error.fields().empty()) throw ValidationError(400, {{"", error.what()}});
  return error.fields();
}

void refuse_invalid(std::vector<JsonFieldError> errors) {
  if (!errors.empty()) throw ValidationError(422, std::move(errors));
}

}  // namespace coronado::web::detail
