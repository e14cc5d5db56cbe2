/// What a function handler takes and returns, as data: from which the OpenAPI document is made.
///
///     Operation    the parameters, the body and the result of one handler
///     TextSchema   the type of what comes as text: a number, a truth value, a string
///
/// An extractor of your own may have `static void describe(web::Operation&)` and so stand in the
/// document.
///
/// Layer: web.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace coronado {
class Json;
}

namespace coronado::web {

class SchemaRegistry;
using SchemaMaker = Json (*)(SchemaRegistry&);

struct TextSchema {
  const char* type = "string";
  const char* format = nullptr;
  bool natural = false;   ///< no less than 0
  bool repeated = false;  ///< a list of them
};

struct Operation {
  struct Parameter {
    const char* place;  ///< "query", "header", "cookie"
    std::string name;
    bool required;
    TextSchema schema;
  };
  struct Content {
    std::string type;              ///< "application/json"
    SchemaMaker schema = nullptr;  ///< null: not known
  };

  std::vector<TextSchema> path = {};  ///< of the path's parameters, in order
  std::vector<Parameter> parameters = {};
  std::optional<Content> body = {};
  std::optional<Content> result = {};
  int status = 200;  ///< of a result without trouble
};

namespace detail {

// What handlers add of themselves.
void add_path_parameter(Operation& operation, const TextSchema& schema);
void add_parameter(Operation& operation, const char* place, std::string_view name, bool required,
                   const TextSchema& schema);
void set_body(Operation& operation, std::string_view type, SchemaMaker schema);
void set_result(Operation& operation, std::string_view type, SchemaMaker schema = nullptr);

template <class T>
struct TextSchemaOf {
  static constexpr TextSchema value = [] {
    if constexpr (std::is_same_v<T, bool>) {
      return TextSchema{.type = "boolean"};
    } else if constexpr (std::is_integral_v<T>) {
      return TextSchema{.type = "integer",
                        .format = sizeof(T) == 4   ? "int32"
                                  : sizeof(T) == 8 ? "int64"
                                                   : nullptr,
                        .natural = std::is_unsigned_v<T>};
    } else if constexpr (std::is_floating_point_v<T>) {
      return TextSchema{.type = "number", .format = sizeof(T) == 4 ? "float" : "double"};
    } else {
      return TextSchema{};
    }
  }();
};
template <class T>
struct TextSchemaOf<std::optional<T>> : TextSchemaOf<T> {};
template <class T>
struct TextSchemaOf<std::vector<T>> {
  static constexpr TextSchema value = [] {
    TextSchema schema = TextSchemaOf<T>::value;
    schema.repeated = true;
    return schema;
  }();
};

}  // namespace detail

}  // namespace coronado::web
