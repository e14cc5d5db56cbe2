/// What a loader gives its templates: names, and modules to import.
///
/// Layer: web.
#pragma once

#include <coronado/web/template_namespace.hpp>

#include <functional>
#include <map>
#include <memory>
#include <string>

namespace coronado::web::templates {

struct LoaderNames {
  TemplateNamespace names;
  std::map<std::string, std::unique_ptr<TemplateNamespace>, std::less<>> modules;
};

}  // namespace coronado::web::templates
