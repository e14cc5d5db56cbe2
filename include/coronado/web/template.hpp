/// Templates: text with expressions and directives, as in Tornado.
///
///     Template     one template, compiled
///     Loader       templates from a directory; what they extend and include
///     DictLoader   templates from memory
///     (errors are in <coronado/web/template_error.hpp>)
///
///     web::Loader loader("templates");
///     std::string page = loader.load("fortunes.html")->generate({{"fortunes", fortunes}});
///
/// The syntax is Tornado's: `{{ expression }}`, `{% if %}`, `{% for %}`, `{% block %}`,
/// `{% extends %}`, ... Expressions are Python's, as far as templates use them. Values are C++'s:
/// described structs, containers, `Json`, functions and coroutines; see
/// <coronado/web/template_binding.hpp>. docs/guide/templates.md shows all of it.
///
/// Output is escaped for HTML unless a template says otherwise. A template is compiled once, to a
/// flat program, and may be rendered by several threads at once.
///
/// Layer: web.   Tornado  `tornado.template`.
#pragma once

#include <coronado/base/function.hpp>
#include <coronado/coro/task.hpp>
#include <coronado/web/template_error.hpp>
#include <coronado/web/template_namespace.hpp>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace coronado::web {

namespace templates {
class LoaderFiles;
struct LoaderNames;
struct Program;
}  // namespace templates

/// How many bytes a rendering in pieces gathers before it writes.
inline constexpr std::size_t kTemplatePiece = std::size_t{16} * 1024;

/// What one rendering may use. More is a `TemplateError` of class `kLimit`.
struct TemplateLimits {
  /// Turns of loops, and calls.
  std::uint64_t steps = 10'000'000;
  /// Bytes written.
  std::size_t output = std::size_t{256} * 1024 * 1024;
  /// Bytes of values that the template makes.
  std::size_t memory = std::size_t{64} * 1024 * 1024;
};

/// How templates are read, unless they say otherwise themselves.
struct TemplateOptions {
  /// The function that `{{ }}` passes everything through; empty: none.
  std::string autoescape = "xhtml_escape";
  /// "all", "single" or "oneline"; empty: "single" for .html and .js, else "all".
  std::string whitespace = {};
  TemplateLimits limits = {};
};

class BaseLoader;

/// One template with all that it extends and includes.
///
/// Threads  Const members may be called from several threads at once.
class Template {
 public:
  /// Params  text  The template.
  ///         name  For errors, and for what it includes.
  /// Throws  ParseError  `text` is no template, or extends or includes something.
  ///         UsageError  An option is wrong.
  explicit Template(std::string text, std::string name = "<string>", TemplateOptions options = {});

  /// The same with what `loader` has: its options, and the files, names and modules that templates of
  /// its own see.
  Template(std::string text, BaseLoader& loader, std::string name = "<string>");
  ~Template();
  Template(Template&&) noexcept;
  Template& operator=(Template&&) noexcept;

  /// The text with its expressions replaced.
  ///
  /// Throws  TemplateError  An expression failed; the message says which, and where.
  ///         HTTPError      As a function threw it that the template called.
  ///         UsageError     The template has an `await`: use `generate_async`.
  std::string generate(std::initializer_list<TemplateArgument> arguments = {}) const;
  std::string generate(const TemplateNamespace& names) const;

  /// As `generate`, at the end of `out`, which is as before after a throw.
  /// Params  scope  Where names are looked up that `arguments` does not have; may be null.
  void generate_into(std::string& out, std::span<const TemplateArgument> arguments,
                     const TemplateScope* scope = nullptr) const;

  /// As `generate`, for templates with `{{ await expression }}`.
  ///
  /// Throws   As `generate`, and what the awaited coroutines throw as `TemplateError`.
  /// Cancel   Passed on to the coroutine that is being awaited.
  /// Lifetime The template and the values in `names` must live until the task ends.
  Task<std::string> generate_async(TemplateNamespace names = {},
                                   const TemplateScope* scope = nullptr) const;

  /// Renders piece by piece: `write` is awaited whenever a loop has made `piece_size` bytes, so that
  /// a slow reader stops the rendering.
  ///
  /// Throws   As `generate_async`, and what `write` throws.
  /// Cancel   Passed on to `write`, or to the coroutine that is being awaited.
  /// Lifetime As `generate_async`.
  Task<> stream(TemplateNamespace names, Function<Task<>(std::string_view)> write,
                std::size_t piece_size = kTemplatePiece,
                const TemplateScope* scope = nullptr) const;

  /// Whether it has an `await`.
  bool awaits() const noexcept;
  const std::string& name() const noexcept;

  /// Values of an HTML page that stand where escaping does not protect them: in a script or style,
  /// in an attribute without quotes, at the beginning of a URL. A loader that reloads logs them.
  const std::vector<TemplateWarning>& warnings() const noexcept;

 private:
  friend class BaseLoader;
  struct State;
  explicit Template(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

/// Finds templates by name, and keeps them.
///
/// A name in `{% extends %}` and `{% include %}` is relative to the folder of the file that has it.
///
/// Threads  One thread at a time.
/// Tornado  `template.BaseLoader`.
class BaseLoader : public TemplateScope {
 public:
  virtual ~BaseLoader();
  BaseLoader(const BaseLoader&) = delete;
  BaseLoader& operator=(const BaseLoader&) = delete;

  /// The template called `name`; kept for the next time.
  /// Params  parent  The template that asks, if one does.
  /// Throws  ParseError  It, or one it extends or includes, is malformed or missing.
  ///         UsageError  There is no template of that name; or the name leaves the root.
  std::shared_ptr<const Template> load(std::string_view name, std::string_view parent = {});

  /// Forgets all templates: they are read again.
  void reset();

  /// Names that every template of this loader sees, before the built-in ones.
  TemplateNamespace& names() noexcept;

  /// What `{% import name %}` and `{% from name import ... %}` find.
  TemplateNamespace& module(std::string_view name);

  // As the scope of a generated template: `names()` and the modules.
  bool find(std::string_view name, TemplateMemory& memory, TemplateValue& found) const override;
  bool find_module(std::string_view name, TemplateValue& found) const override;

  const TemplateOptions& options() const noexcept { return options_; }

  /// The name in full: without `.` and `..`, and from the root.
  /// Throws  UsageError  It leaves the root, or has a NUL.
  std::string resolve_path(std::string_view name, std::string_view parent = {}) const;

 protected:
  explicit BaseLoader(TemplateOptions options);

  /// The text of a template.   Throws  UsageError  There is none of that name.
  virtual std::string read(const std::string& name) = 0;
  /// Something that differs when the text has changed.
  virtual std::uint64_t version(const std::string&) { return 0; }
  /// Whether `version` is asked each time.
  bool reload_ = false;

 private:
  friend class Template;
  friend class templates::LoaderFiles;

  TemplateOptions options_;
  std::shared_ptr<templates::LoaderNames> names_;  // templates may outlive their loader
  std::unique_ptr<templates::LoaderFiles> files_;
};

/// Templates from a directory.   Tornado  `template.Loader`.
class Loader final : public BaseLoader {
 public:
  /// Params  reload  Look at the files each time, and read again what has changed: for debugging.
  explicit Loader(std::string directory, TemplateOptions options = {}, bool reload = false);

 private:
  std::string read(const std::string& name) override;
  std::uint64_t version(const std::string& name) override;

  std::string directory_;
};

/// Names of templates and their texts.
using TemplateTexts = std::vector<std::pair<std::string, std::string>>;

/// Templates from memory, by name; of a repeated name the first counts.   Tornado
/// `template.DictLoader`.
class DictLoader final : public BaseLoader {
 public:
  explicit DictLoader(TemplateTexts texts, TemplateOptions options = {});

 private:
  std::string read(const std::string& name) override;

  TemplateTexts texts_;
};

}  // namespace coronado::web
