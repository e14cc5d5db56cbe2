/// The OpenAPI document of an application, and a page to read it and try it.
///
///     web::add_openapi(app, {.title = "Orders", .version = "1.0"});
///     // GET /openapi.json   the document
///     // GET /docs           the page
///
/// Everything comes from the declarations that the handlers have anyway: the pattern of the route, the
/// types of the function's parameters and of its result, the described structs and the rules of their
/// fields (<coronado/web/validation.hpp>). Words are added by `RouteOptions::docs`:
///
///     app.get("/orders/{id:int}", find_order,
///             {.docs = {.summary = "Finds an order", .responses = {{404, "no such order"}}}});
///
/// For readers of several languages add it once for each, with other paths.
///
/// Routes by regular expressions are left out, and so are those of class handlers, whose parameters
/// nobody declares, unless they have a summary.
///
/// Layer: web.   Spec  OpenAPI 3.1.
#pragma once

#include <coronado/base/json.hpp>

#include <string>
#include <vector>

namespace coronado::web {

class Application;

struct OpenAPIOptions {
  std::string title = "API";
  std::string version = "1";
  std::string description = {};  ///< Markdown.
  /// Where the application is reached: "https://api.example.com". None: where the document is.
  std::vector<std::string> servers = {};
  /// Where the document is served.
  std::string document_path = "/openapi.json";
  /// Where the page is served, with its style and script below it. Empty: no page.
  std::string page_path = "/docs";
  /// The language of both. Their texts, the page's own words included, are translated by what the
  /// application has for it (`Application::set_locales`); the others stay as they are.
  std::string language = "en";
};

/// The document of the routes that `app` has now.
Json openapi_document(const Application& app, const OpenAPIOptions& options = {});

/// Serves the document, made anew when routes were added, and the page. They are not in the document
/// themselves.
/// Throws  UsageError  A path is malformed.
void add_openapi(Application& app, OpenAPIOptions options = {});

}  // namespace coronado::web
