#include <coronado/web/operation.hpp>

namespace coronado::web::detail {

void add_path_parameter(Operation& operation, const TextSchema& schema) {
  operation.path.push_back(schema);
}

void add_parameter(Operation& operation, const char* place, std::string_view name, bool required,
                   const TextSchema& schema) {
  operation.parameters.push_back({place, std::string(name), required, schema});
}

void set_body(Operation& operation, std::string_view type, SchemaMaker schema) {
  operation.body = {.type = std::string(type), .schema = schema};
}

void set_result(Operation& operation, std::string_view type, SchemaMaker schema) {
  operation.result = {.type = std::string(type), .schema = schema};
}

}  // namespace coronado::web::detail
