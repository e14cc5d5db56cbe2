/// UI modules: parts of a page with their own style sheets and scripts.
///
///     struct EntryModule : web::UIModule {
///       using UIModule::UIModule;
///       std::string render(const Entry& entry) {
///         return render_string("modules/entry.html", {{"entry", entry}});
///       }
///       std::string embedded_css() override { return ".entry { margin: 1em }"; }
///     };
///     web::add_ui_module<EntryModule>(app, "Entry");
///
/// A template writes `{% module Entry(entry) %}`: what `render` returns, not escaped. Where the page
/// is rendered, what its modules need is put into it once, however often they are used: style sheets
/// before `</head>`, scripts before `</body>`.
///
/// A module that needs no files is a function: `app.ui_modules().set("Entry", function)`. A template
/// that is a module is `{% module Template("file", name=value) %}`, which every application has.
///
/// Layer: web.   Tornado  `web.UIModule`.
#pragma once

#include <coronado/web/template_namespace.hpp>

#include <concepts>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace coronado::web {

class Application;
class RequestHandler;

/// Made once for each request that uses it. A class that derives from it has a member `render`,
/// which takes the template's arguments, as functions do, and returns HTML.
///
/// Arguments have names in templates when the class has
/// `static inline const std::vector<std::string> kParameters = {"entry", ...}`.
class UIModule {
 public:
  explicit UIModule(RequestHandler& handler) : handler_(handler) {}
  virtual ~UIModule();
  UIModule(const UIModule&) = delete;
  UIModule& operator=(const UIModule&) = delete;

  RequestHandler& handler() const noexcept { return handler_; }

  // What the page needs when the module is used. Files are URLs, or paths for `static_url`.

  virtual std::string embedded_javascript() { return {}; }
  virtual std::vector<std::string> javascript_files() { return {}; }
  virtual std::string embedded_css() { return {}; }
  virtual std::vector<std::string> css_files() { return {}; }
  /// HTML at the end of the head.
  virtual std::string html_head() { return {}; }
  /// HTML at the end of the body.
  virtual std::string html_body() { return {}; }

  /// A template as text.   Throws  As `RequestHandler::render_string`.
  std::string render_string(std::string_view name,
                            std::initializer_list<TemplateArgument> arguments = {});

 private:
  RequestHandler& handler_;
};

namespace detail {

/// A class of modules, as the namespace of an application has it.
class UIModuleClass {
 public:
  virtual ~UIModuleClass();
  virtual std::unique_ptr<UIModule> make(RequestHandler& handler) const = 0;
  /// The `render` of a module of this class.
  virtual TemplateValue bind(UIModule& module, TemplateMemory& memory) const = 0;
};

template <class M>
class UIModuleClassOf final : public UIModuleClass {
 public:
  std::unique_ptr<UIModule> make(RequestHandler& handler) const override {
    return std::make_unique<M>(handler);
  }
  TemplateValue bind(UIModule& module, TemplateMemory& memory) const override {
    return bind_render(static_cast<M&>(module), &M::render, memory);
  }

 private:
  template <class R, class C, class... Args>
  static TemplateValue bind_render(M& module, R (C::*render)(Args...), TemplateMemory& memory) {
    return keep(
        [&module, render](Args... arguments) -> R {
          return (module.*render)(std::forward<Args>(arguments)...);
        },
        memory);
  }
  template <class R, class C, class... Args>
  static TemplateValue bind_render(M& module, R (C::*render)(Args...) const,
                                   TemplateMemory& memory) {
    return keep(
        [&module, render](Args... arguments) -> R {
          return (module.*render)(std::forward<Args>(arguments)...);
        },
        memory);
  }
  template <class F>
  static TemplateValue keep(F function, TemplateMemory& memory) {
    if constexpr (requires { M::kParameters; }) {
      auto named = template_function(M::kParameters, std::move(function));
      return view_of(memory.make<decltype(named)>(std::move(named)));
    } else {
      return view_of(memory.make<F>(std::move(function)));
    }
  }
};

void add_ui_module(Application& app, std::string_view name,
                   std::shared_ptr<const UIModuleClass> made_by);

}  // namespace detail

/// Registers a class of modules under the name that templates use.
/// Tornado  The setting `ui_modules`.
template <std::derived_from<UIModule> M>
void add_ui_module(Application& app, std::string_view name) {
  detail::add_ui_module(app, name, std::make_shared<const detail::UIModuleClassOf<M>>());
}

}  // namespace coronado::web
