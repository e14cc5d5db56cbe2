/// The UI modules that one request has used.
///
/// Layer: web.   Tornado  `web.TemplateModule` is the module `Template` that every application has.
#pragma once

#include <coronado/web/ui_module.hpp>

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace coronado::web::detail {

/// A template as the text of a handler's page, with the handler's names.
/// Throws  As `RequestHandler::render_string`.
std::string render_text(RequestHandler& handler, std::string_view name,
                        std::span<const TemplateArgument> arguments);

class ActiveModules {
 public:
  /// What `{% module name(...) %}` calls: the application's module, or one that every application
  /// has; false: there is none.
  /// Params  own  What the application registered.
  bool find(RequestHandler& handler, std::string_view name, const TemplateNamespace& own,
            TemplateMemory& memory, TemplateValue& found);

  /// The page with what its modules need.
  /// Params  handler  Writes the markup.
  ///         scope    Has `static_url`.
  /// Throws  UsageError  The page has no `</head>` or `</body>` to put it before.
  std::string complete(std::string page, const RequestHandler& handler,
                       const TemplateScope& scope) const;

 private:
  struct Used {
    std::string name;
    std::unique_ptr<UIModule> module;
  };
  std::vector<Used> used_;
};

}  // namespace coronado::web::detail
