#include <coronado/web/ui_module.hpp>

#include <coronado/base/error.hpp>
#include <coronado/base/escape.hpp>
#include <coronado/web/application.hpp>
#include <coronado/web/request_handler.hpp>

#include <algorithm>
#include <array>

#include "web/active_modules.hpp"
#include "web/template/natives.hpp"

namespace coronado::web {

UIModule::~UIModule() = default;

std::string UIModule::render_string(std::string_view name,
                                    std::initializer_list<TemplateArgument> arguments) {
  return handler_.render_string(name, arguments);
}

namespace detail {
namespace {

/// What the namespace of an application has for a class of modules.
constexpr TemplateType kRegisteredType = {.name = "UIModule"};

void insert_before(std::string& page, std::size_t place, std::string_view tag,
                   std::string_view html) {
  if (html.empty()) return;
  if (place == std::string::npos) {
    throw UsageError("a page whose UI modules have something for its " + std::string(tag) +
                     " has no " + std::string(tag));
  }
  page.insert(place, html);
}

bool is_absolute(std::string_view path) {
  return path.starts_with('/') || path.starts_with("http:") || path.starts_with("https:");
}

/// The URL of a file: a relative path goes through `static_url`, where there is one.
std::string url_of(const std::string& path, const TemplateScope& scope, TemplateMemory& memory) {
  TemplateValue function;
  if (is_absolute(path) || !scope.find("static_url", memory, function) || !function.is_object() ||
      function.type().call == nullptr) {
    return path;
  }
  const TemplateValue argument = TemplateValue::string(path);
  TemplateCall call(memory, "static_url", {&argument, 1}, {});
  return template_to_string(function.type().call(function.pointer(), call));
}

void add_once(std::vector<std::string>& all, std::string one) {
  if (std::ranges::find(all, one) == all.end()) all.push_back(std::move(one));
}

}  // namespace

UIModuleClass::~UIModuleClass() = default;

void add_ui_module(Application& app, std::string_view name,
                   std::shared_ptr<const UIModuleClass> made_by) {
  app.ui_modules().set(TemplateArgument(name, std::move(made_by), kRegisteredType));
}

bool ActiveModules::find(RequestHandler& handler, std::string_view name,
                         const TemplateNamespace& own, TemplateMemory& memory,
                         TemplateValue& found) {
  if (!own.find(name, memory, found)) {
    if (name != "linkify") return false;  // the one that Tornado has beside a handler's functions
    found = TemplateValue::of(TemplateKind::kFunction, templates::find_builtin(name));
    return true;
  }
  if (!found.is_object() || &found.type() != &kRegisteredType) return true;  // a function
  const UIModuleClass& made_by = *static_cast<const UIModuleClass*>(found.pointer());
  auto used = std::ranges::find(used_, name, &Used::name);
  if (used == used_.end()) {
    used_.push_back({std::string(name), made_by.make(handler)});
    used = used_.end() - 1;
  }
  found = made_by.bind(*used->module, memory);
  return true;
}

std::string ActiveModules::complete(std::string page, const TemplateScope& scope) const {
  std::vector<std::string> scripts;
  std::vector<std::string> styles;
  std::string embedded_script;
  std::string embedded_style;
  std::string head;
  std::string body;
  TemplateMemory memory;
  for (const Used& used : used_) {
    UIModule& module = *used.module;
    for (const std::string& path : module.javascript_files()) {
      add_once(scripts, url_of(path, scope, memory));
    }
    for (const std::string& path : module.css_files()) {
      add_once(styles, url_of(path, scope, memory));
    }
    const auto add_line = [](std::string& to, const std::string& line) {
      if (!line.empty()) (to += line) += '\n';
    };
    add_line(embedded_script, module.embedded_javascript());
    add_line(embedded_style, module.embedded_css());
    add_line(head, module.html_head());
    add_line(body, module.html_body());
  }
  std::string at_end;
  for (const std::string& url : scripts) {
    at_end += "<script src=\"" + xhtml_escape(url) + "\" type=\"text/javascript\"></script>";
  }
  if (!embedded_script.empty()) {
    at_end +=
        "<script type=\"text/javascript\">\n//<![CDATA[\n" + embedded_script + "//]]>\n</script>";
  }
  at_end += body;
  std::string in_head;
  for (const std::string& url : styles) {
    in_head += "<link href=\"" + xhtml_escape(url) + "\" type=\"text/css\" rel=\"stylesheet\"/>";
  }
  if (!embedded_style.empty()) {
    in_head += "<style type=\"text/css\">\n" + embedded_style + "</style>";
  }
  in_head += head;
  insert_before(page, page.rfind("</body>"), "</body>", at_end);
  insert_before(page, page.find("</head>"), "</head>", in_head);
  return page;
}

}  // namespace detail
}  // namespace coronado::web
