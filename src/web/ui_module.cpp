#include <coronado/web/ui_module.hpp>

#include <coronado/base/error.hpp>
#include <coronado/base/escape.hpp>
#include <coronado/web/application.hpp>
#include <coronado/web/request_handler.hpp>

#include <algorithm>
#include <array>

#include "web/active_modules.hpp"
#include "web/template/iteration.hpp"
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

/// `{% module Template("file", name=value) %}`: the file with a namespace of its own. It says what the
/// page needs by calling `set_resources`.
class TemplateModule final : public UIModule {
 public:
  using UIModule::UIModule;

  /// Throws  TemplateFault  The call is wrong, or `set_resources` says another thing than before.
  std::string render(TemplateCall& call) {
    if (call.size() != 1 || !call.argument(0).is_string()) {
      throw TemplateFault(TemplateErrorClass::kTypeError,
                          "Template() needs the name of a template");
    }
    const std::string path(call.argument(0).as_string());
    TemplateNamespace names;
    for (std::size_t i = 0; i < call.keyword_count(); ++i) {
      names.set(call.keyword_name(i), call.keyword(i));
    }
    names.set("set_resources", [this, path](TemplateCall& inner) {
      set_resources(path, inner);
      return std::string();
    });
    return render_text(handler(), path, names.arguments());
  }

  std::string embedded_javascript() override { return joined(&Resources::embedded_javascript); }
  std::vector<std::string> javascript_files() override { return all(&Resources::javascript_files); }
  std::string embedded_css() override { return joined(&Resources::embedded_css); }
  std::vector<std::string> css_files() override { return all(&Resources::css_files); }
  std::string html_head() override { return joined(&Resources::html_head); }
  std::string html_body() override { return joined(&Resources::html_body); }

 private:
  struct Resources {
    std::string embedded_javascript = {};
    std::vector<std::string> javascript_files = {};
    std::string embedded_css = {};
    std::vector<std::string> css_files = {};
    std::string html_head = {};
    std::string html_body = {};
    bool operator==(const Resources&) const = default;
  };

  void set_resources(const std::string& path, const TemplateCall& call) {
    constexpr std::array<std::string_view, 6> kNames = {"embedded_javascript", "javascript_files",
                                                        "embedded_css",        "css_files",
                                                        "html_head",           "html_body"};
    std::array<TemplateValue, kNames.size()> given;
    call.bind(kNames, 0, given.data());
    Resources made;
    const std::array texts = {std::pair(0, &made.embedded_javascript),
                              std::pair(2, &made.embedded_css), std::pair(4, &made.html_head),
                              std::pair(5, &made.html_body)};
    for (const auto& [at, text] : texts) {
      const TemplateValue& value = given[static_cast<std::size_t>(at)];
      if (!value.is_undefined())
        *text = templates::to_text(value, kNames[static_cast<std::size_t>(at)]);
    }
    const std::array lists = {std::pair(1, &made.javascript_files), std::pair(3, &made.css_files)};
    for (const auto& [at, list] : lists) {
      const TemplateValue& value = given[static_cast<std::size_t>(at)];
      const std::string_view name = kNames[static_cast<std::size_t>(at)];
      if (value.is_undefined()) continue;
      if (value.is_string()) {
        list->emplace_back(value.as_string());
        continue;
      }
      for (const TemplateValue& one : templates::collect(value, call.memory()).values()) {
        list->emplace_back(templates::to_text(one, name));
      }
    }
    const auto known = std::ranges::find(resources_, path, &Kept::first);
    if (known == resources_.end()) {
      resources_.emplace_back(path, std::move(made));
    } else if (known->second != made) {
      throw TemplateFault(TemplateErrorClass::kValueError,
                          "set_resources() of '" + path + "' with other resources than before");
    }
  }

  std::string joined(std::string Resources::* text) const {
    std::string out;
    for (const auto& [path, resources] : resources_) {
      if (!out.empty() && !(resources.*text).empty()) out += '\n';
      out += resources.*text;
    }
    return out;
  }
  std::vector<std::string> all(std::vector<std::string> Resources::* list) const {
    std::vector<std::string> out;
    for (const auto& [path, resources] : resources_) {
      out.insert(out.end(), (resources.*list).begin(), (resources.*list).end());
    }
    return out;
  }

  using Kept = std::pair<std::string, Resources>;
  std::vector<Kept> resources_;  // by template, in the order of their first use
};

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
  static const UIModuleClassOf<TemplateModule> kTemplate;
  const UIModuleClass* registered = &kTemplate;
  if (own.find(name, memory, found)) {
    if (!found.is_object() || &found.type() != &kRegisteredType) return true;  // a function
    registered = static_cast<const UIModuleClass*>(found.pointer());
  } else if (name == "linkify") {
    found = TemplateValue::of(TemplateKind::kFunction, templates::find_builtin(name));
    return true;
  } else if (name != "Template") {
    return false;
  }
  const UIModuleClass& made_by = *registered;
  auto used = std::ranges::find(used_, name, &Used::name);
  if (used == used_.end()) {
    used_.push_back({std::string(name), made_by.make(handler)});
    used = used_.end() - 1;
  }
  found = made_by.bind(*used->module, memory);
  return true;
}

std::string ActiveModules::complete(std::string page, const RequestHandler& handler,
                                    const TemplateScope& scope) const {
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
  if (!scripts.empty()) at_end += handler.render_linked_js(scripts);
  if (!embedded_script.empty()) at_end += handler.render_embed_js(embedded_script);
  at_end += body;
  std::string in_head;
  if (!styles.empty()) in_head += handler.render_linked_css(styles);
  if (!embedded_style.empty()) in_head += handler.render_embed_css(embedded_style);
  in_head += head;
  insert_before(page, page.rfind("</body>"), "</body>", at_end);
  insert_before(page, page.find("</head>"), "</head>", in_head);
  return page;
}

}  // namespace detail
}  // namespace coronado::web
