#include <coronado/web/openapi.hpp>

#include <coronado/http/httputil.hpp>
#include <coronado/web/application.hpp>
#include <coronado/web/json.hpp>
#include <coronado/web/schema.hpp>

#include <array>

#include "web/openapi_page.hpp"
#include "web/route_pattern.hpp"

namespace coronado::web {
namespace {

struct Verb {
  MethodMask bit;
  const char* name;
};
constexpr std::array<Verb, 7> kVerbs{{{kMethodGet, "get"},
                                      {kMethodHead, "head"},
                                      {kMethodPost, "post"},
                                      {kMethodPut, "put"},
                                      {kMethodPatch, "patch"},
                                      {kMethodDelete, "delete"},
                                      {kMethodOptions, "options"}}};

Json schema_of(const TextSchema& text) {
  Json schema{{"type", text.type}};
  if (text.format != nullptr) schema["format"] = text.format;
  if (text.natural) schema["minimum"] = 0;
  if (!text.repeated) return schema;
  return Json{{"type", "array"}, {"items", std::move(schema)}};
}

/// What the pattern lets through, where the handler takes it as text.
TextSchema schema_of(ParameterKind kind) {
  switch (kind) {
    case ParameterKind::kInt: return {.type = "integer", .format = "int64"};
    case ParameterKind::kUint: return {.type = "integer", .format = "int64", .natural = true};
    case ParameterKind::kFloat: return {.type = "number", .format = "double"};
    case ParameterKind::kUUID: return {.type = "string", .format = "uuid"};
    default: return {};
  }
}

Json content_of(const Operation::Content& content, SchemaRegistry& registry) {
  Json media = Json::object();
  if (content.schema != nullptr) {
    media["schema"] = content.schema(registry);
  } else {
    media["schema"] = Json{{"type", "string"}};
  }
  return Json{{content.type, std::move(media)}};
}

/// One route in the making.
class OperationWriter {
 public:
  OperationWriter(const RouteDescription& route, const PathPattern& pattern,
                  SchemaRegistry& registry)
      : route_(route), pattern_(pattern), registry_(registry) {
    if (route.describe != nullptr) route.describe(operation_);
  }

  Json write(const char* verb) {
    Json out = Json::object();
    const OperationDocs& docs = route_.docs;
    if (!docs.summary.empty()) out["summary"] = docs.summary;
    if (!docs.description.empty()) out["description"] = docs.description;
    if (!docs.tags.empty()) out["tags"] = Json(docs.tags);
    out["operationId"] = operation_id(verb);
    if (docs.deprecated) out["deprecated"] = true;
    write_parameters(out);
    if (operation_.body) {
      out["requestBody"] =
          Json{{"required", true}, {"content", content_of(*operation_.body, registry_)}};
    }
    out["responses"] = responses();
    return out;
  }

 private:
  /// "get_users_id": the same as long as the route is.
  std::string operation_id(const char* verb) const {
    std::string id = verb;
    for (const char c : pattern_.text().substr(0, pattern_.text().find(':'))) {
      const bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
      if (word) {
        id += c;
      } else if (id.back() != '_') {
        id += '_';
      }
    }
    if (id.back() == '_') id.pop_back();
    return id;
  }

  void write_parameters(Json& out) const {
    Json parameters = Json::array();
    for (std::size_t i = 0; i < pattern_.names().size(); ++i) {
      TextSchema schema = schema_of(pattern_.kinds()[i]);
      const bool by_type = i < operation_.path.size() && schema.type == TextSchema{}.type &&
                           schema.format == nullptr;
      if (by_type) schema = operation_.path[i];
      parameters.push_back(Json{{"name", pattern_.names()[i]},
                                {"in", "path"},
                                {"required", true},
                                {"schema", schema_of(schema)}});
    }
    for (const Operation::Parameter& each : operation_.parameters) {
      parameters.push_back(Json{{"name", each.name},
                                {"in", each.place},
                                {"required", each.required},
                                {"schema", schema_of(each.schema)}});
    }
    if (!parameters.empty()) out["parameters"] = std::move(parameters);
  }

  Json responses() {
    Json all = Json::object();
    Json& good = all[std::to_string(operation_.status)];
    good["description"] = reason_phrase(operation_.status);
    if (operation_.result) good["content"] = content_of(*operation_.result, registry_);
    const bool readable = !pattern_.names().empty() || !operation_.parameters.empty();
    if (readable || operation_.body) all["400"] = problem("The request cannot be read");
    if (operation_.body && operation_.body->schema != nullptr) {
      all["422"] = problem("The body breaks rules; its fields are named");
    }
    for (const auto& [status, description] : route_.docs.responses) {
      all[std::to_string(status)]["description"] = description;
    }
    return all;
  }

  static Json problem(const char* description) {
    return Json{
        {"description", description},
        {"content", Json{{"application/problem+json",
                          Json{{"schema", Json{{"$ref", "#/components/schemas/Problem"}}}}}}}};
  }

  const RouteDescription& route_;
  const PathPattern& pattern_;
  SchemaRegistry& registry_;
  Operation operation_;
};

/// What an error in JSON looks like (RFC 9457).
Json problem_schema() {
  const Json text{{"type", "string"}};
  const Json field{{"type", "object"}, {"properties", Json{{"field", text}, {"message", text}}}};
  return Json{{"type", "object"},
              {"properties", Json{{"type", text},
                                  {"title", text},
                                  {"status", Json{{"type", "integer"}}},
                                  {"errors", Json{{"type", "array"}, {"items", field}}}}}};
}

/// "/users/{id:int}" to "/users/{id}".
std::string template_of(const PathPattern& pattern) {
  std::string text;
  for (const PatternPiece& piece : pattern.pieces()) {
    text += piece.is_parameter ? '{' + piece.text + '}' : piece.text;
  }
  return text;
}

bool belongs(const RouteDescription& route) {
  if (route.docs.hidden || route.pattern.is_regex()) return false;
  return route.describe != nullptr || !route.docs.summary.empty();
}

std::string_view language_of(std::string_view code) {
  return code.substr(0, code.find_first_of("-_"));
}

/// The language that `options` ask for; without a catalogue of it texts stay as they are.
Locale locale_of(const Application& app, const OpenAPIOptions& options) {
  const Locale& closest = app.locales().closest({options.language});
  if (language_of(closest.code()) == language_of(options.language)) return closest;
  return Locale(options.language, nullptr);
}

/// Translates what in a document is there to be read.
void translate_texts(Json& json, const Locale& locale) {
  if (json.is_array()) {
    for (Json& element : json.as_array()) translate_texts(element, locale);
  }
  if (!json.is_object()) return;
  std::vector<std::string> keys;
  for (const auto& [key, value] : json.as_object()) keys.push_back(key);
  for (const std::string& key : keys) {
    Json& value = json[key];
    const bool is_text = key == "title" || key == "summary" || key == "description";
    if (is_text && value.is_string()) {
      value = locale.translate(value.as_string());
    } else if (key == "tags" && value.is_array()) {
      for (Json& tag : value.as_array()) tag = locale.translate(tag.as_string());
    } else {
      translate_texts(value, locale);
    }
  }
}

/// The text of the document, kept while no route is added.
class DocumentCache {
 public:
  explicit DocumentCache(OpenAPIOptions options) : options_(std::move(options)) {}

  const std::string& text(const Application& app) {
    if (app.routes().size() != routes_) {
      text_ = json_encode(openapi_document(app, options_));
      routes_ = app.routes().size();
    }
    return text_;
  }

 private:
  OpenAPIOptions options_;
  std::string text_;
  std::size_t routes_ = 0;
};

}  // namespace

Json openapi_document(const Application& app, const OpenAPIOptions& options) {
  SchemaRegistry registry;
  Json paths = Json::object();
  for (const RouteDescription& route : app.routes()) {
    if (!belongs(route)) continue;
    const PathPattern pattern(route.pattern);
    Json& path = paths[template_of(pattern)];
    for (const Verb& verb : kVerbs) {
      // The first route of a path and method is the one that answers.
      if ((route.methods & verb.bit) == 0 || path.contains(verb.name)) continue;
      path[verb.name] = OperationWriter(route, pattern, registry).write(verb.name);
    }
  }
  Json info{{"title", options.title}, {"version", options.version}};
  if (!options.description.empty()) info["description"] = options.description;
  Json document{{"openapi", "3.1.0"}, {"info", std::move(info)}};
  for (const std::string& server : options.servers) {
    document["servers"].push_back(Json{{"url", server}});
  }
  document["paths"] = std::move(paths);
  Json schemas = registry.components();
  if (!schemas.contains("Problem")) schemas["Problem"] = problem_schema();
  document["components"] = Json{{"schemas", std::move(schemas)}};
  translate_texts(document, locale_of(app, options));
  return document;
}

void add_openapi(Application& app, OpenAPIOptions options) {
  const RouteOptions hidden{.docs = {.hidden = true}};
  auto cache = std::make_shared<DocumentCache>(options);
  app.get(
      options.document_path,
      [cache](WebExchange& exchange) {
        exchange.respond({.fields = "Content-Type: application/json\r\n"},
                         cache->text(exchange.application()));
      },
      hidden);
  if (options.page_path.empty()) return;
  app.get(
      options.page_path,
      [options](WebExchange& exchange) {
        const Locale locale = locale_of(exchange.application(), options);
        return html(openapi_page(options, locale)).with("Cache-Control", "no-cache");
      },
      hidden);
  const auto add_file = [&](const char* name, std::string_view text, std::string_view type) {
    app.get(
        options.page_path + name, [text, type] { return Response(200, std::string(text), type); },
        hidden);
  };
  add_file("/docs.css", openapi_page_style(), "text/css; charset=utf-8");
  add_file("/docs.svg", openapi_page_icon(), "image/svg+xml");
  add_file("/docs.js", openapi_page_script(), "text/javascript; charset=utf-8");
}

}  // namespace coronado::web
