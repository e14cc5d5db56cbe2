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

void read_json_body(const HTTPServerRequest& request, void* value,
                    void (*read)(JsonReader& reader, void* value), Validate validate) {
  std::vector<JsonFieldError> unreadable;
  try {
    JsonReader reader(request.body());  // which leaves empty what does not fit
    read(reader, value);
    reader.finish();
  } catch (const JsonError& error) {
    if (error.fields().empty()) throw ValidationError(400, {{"", error.what()}});
    unreadable = error.fields();
  }
  auto errors = errors_of(value, validate, std::move(unreadable));
  if (!errors.empty()) throw ValidationError(422, std::move(errors));
}

}  // namespace coronado::web::detail
