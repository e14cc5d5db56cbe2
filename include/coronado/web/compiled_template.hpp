/// Templates that became C++ when the program was built.
///
///     # CMake: templates/fortunes.html becomes <templates/fortunes.html.hpp>
///     coronado_add_templates(my_server templates)
///
///     struct FortunesPage { std::vector<Fortune> fortunes; };
///     BOOST_DESCRIBE_STRUCT(FortunesPage, (), (fortunes))
///
///     std::string text = templates::fortunes_html.generate(FortunesPage{fortunes});
///
/// The names that a template uses are the members of a struct, the context. A name that it does not
/// have is an error of the compiler, at the template's line. Text, expressions and errors are those
/// of `Template`, which renders the same files.
///
///     CompiledTemplate      what a generated page is
///     InterpretedTemplate   the same with the run-time engine: builds for debugging, where a page
///                           may be edited while the program runs
///     render                a page as the answer of a handler
///     page                  a page as the result of a function handler
///
/// Layer: web.
#pragma once

#include <coronado/coro/task.hpp>
#include <coronado/web/template.hpp>
#include <coronado/web/template_run.hpp>

#include <atomic>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace coronado {
class HTTPExchange;
}

namespace coronado::web {

class RequestHandler;
struct Operation;
template <class T>
struct ResultWriter;

/// The context of a template that uses no names.
struct NoContext {};

namespace detail {

using RenderCompiled = void (*)(TemplateRun& run, const void* context);
void render_compiled(std::string& out, const CompiledInfo& info, std::atomic<std::size_t>& size,
                     RenderCompiled render, const void* context, const TemplateScope* scope);

/// Throws  As `CompiledTemplate::generate`.
/// Cancel  Passed on to `render`.
Task<std::string> render_compiled_async(const CompiledInfo& info,
                                        Function<Task<>(TemplateRun& run)> render,
                                        const TemplateScope* scope);

/// Throws  As `CompiledTemplate::stream`.
/// Cancel  Passed on to `render` and `write`.
Task<> stream_compiled(const CompiledInfo& info, Function<Task<>(TemplateRun& run)> render,
                       Function<Task<>(std::string_view)> write, std::size_t piece_size,
                       const TemplateScope* scope);

/// How the run-time engine reads the pages of one directory.
struct PageSource {
  std::string_view directory;
  std::string_view autoescape;
  std::string_view whitespace;
};
/// The template of that name, read again when it has changed.
std::shared_ptr<const Template> load_page(const PageSource& source, std::string_view name);

template <class Context>
TemplateNamespace context_names(const Context& context) {
  TemplateNamespace names;
  if constexpr (!std::same_as<Context, NoContext>) {
    static_assert(JsonDescribed<Context>,
                  "describe the context of a page with BOOST_DESCRIBE_STRUCT");
    [&]<class... D>(JsonMemberList<D...>) {
      (names.set(D::name, context.*D::pointer), ...);
    }(typename JsonMembers<Context>::type());
  }
  return names;
}

/// Renders at the end of the handler's body, and finishes.
void with_handler_scope(RequestHandler& handler,
                        Function<void(std::string& body, const TemplateScope& scope)> render);

/// The text of one page, in what this thread has kept of the one before.
class PageText {
 public:
  PageText();
  PageText(const PageText&) = delete;
  PageText& operator=(const PageText&) = delete;
  ~PageText();
  std::string& operator*() noexcept { return text_; }
  /// Answers with it.
  void send(HTTPExchange& exchange, int status) const;

 private:
  std::string text_;
};
void describe_page(Operation& operation);

using WritePiece = Function<Task<>(std::string_view piece)>;
/// Throws  What `stream` throws.
/// Cancel  Passed on to it.
Task<> stream_with_handler_scope(
    RequestHandler& handler, Function<Task<>(const TemplateScope& scope, WritePiece write)> stream);

}  // namespace detail

/// A template as C++. Generated code derives from it.
///
/// Threads  Members may be called from several threads at once.
template <class Page>
class CompiledTemplate {
 public:
  /// The page with the members of `context` as its names.
  ///
  /// Params  scope  Where the names of handlers (`request`, `static_url`, ...) and modules to import
  ///                are looked up; may be null.
  /// Throws  TemplateError  An expression failed; the message says which, and where.
  ///         HTTPError      As a function threw it that the template called.
  template <class Context = NoContext>
  std::string generate(const Context& context = {}, const TemplateScope* scope = nullptr) const {
    std::string out;
    generate_into(out, context, scope);
    return out;
  }

  /// As `generate`, at the end of `out`, which is as before after a throw.
  template <class Context>
  void generate_into(std::string& out, const Context& context,
                     const TemplateScope* scope = nullptr) const {
    static_assert(!Page::kAwaits, "this template has an await: use generate_async");
    static constinit std::atomic<std::size_t> size = 0;  // what the last renderings wrote
    detail::render_compiled(
        out, Page::kInfo, size,
        [](TemplateRun& run, const void* what) {
          Page::render(run, *static_cast<const Context*>(what));
        },
        &context, scope);
  }

  /// As `generate`, for templates with `{{ await expression }}`.
  ///
  /// Throws   As `generate`, and what the awaited coroutines throw as `TemplateError`.
  /// Cancel   Passed on to the coroutine that is being awaited.
  /// Lifetime What `context` refers to, and `scope`, must live until the task ends.
  template <class Context = NoContext>
  Task<std::string> generate_async(Context context = {},
                                   const TemplateScope* scope = nullptr) const {
    if constexpr (Page::kAwaits) {
      const Context* kept = &context;
      Function<Task<>(TemplateRun & run)> render = [kept](TemplateRun& run) {
        return Page::render_pieces(run, *kept);
      };
      co_return co_await detail::render_compiled_async(Page::kInfo, std::move(render), scope);
    } else {
      co_return generate(context, scope);
    }
  }

  /// Renders piece by piece: `write` is awaited whenever a loop has made `piece_size` bytes, so that
  /// a slow reader stops the rendering.
  ///
  /// Throws   As `generate_async`, and what `write` throws.
  /// Cancel   Passed on to `write`, or to the coroutine that is being awaited.
  /// Lifetime As `generate_async`.
  template <class Context = NoContext>
  Task<> stream(Context context, Function<Task<>(std::string_view)> write,
                std::size_t piece_size = kTemplatePiece,
                const TemplateScope* scope = nullptr) const {
    const Context* kept = &context;
    Function<Task<>(TemplateRun & run)> render = [kept](TemplateRun& run) {
      return Page::render_pieces(run, *kept);
    };
    co_await detail::stream_compiled(Page::kInfo, std::move(render), std::move(write), piece_size,
                                     scope);
  }
};

/// The same page by the run-time engine: its file is read again when it has changed.
template <class Page>
class InterpretedTemplate {
 public:
  template <class Context = NoContext>
  std::string generate(const Context& context = {}, const TemplateScope* scope = nullptr) const {
    std::string out;
    generate_into(out, context, scope);
    return out;
  }

  template <class Context>
  void generate_into(std::string& out, const Context& context,
                     const TemplateScope* scope = nullptr) const {
    detail::load_page(Page::kSource, Page::kName)
        ->generate_into(out, detail::context_names(context).arguments(), scope);
  }

  /// Throws   As `CompiledTemplate::generate_async`, and ParseError.
  /// Cancel   As there.
  template <class Context = NoContext>
  Task<std::string> generate_async(Context context = {},
                                   const TemplateScope* scope = nullptr) const {
    const std::shared_ptr<const Template> page = detail::load_page(Page::kSource, Page::kName);
    co_return co_await page->generate_async(detail::context_names(context), scope);
  }

  /// Throws   As `CompiledTemplate::stream`, and ParseError.
  /// Cancel   As there.
  template <class Context = NoContext>
  Task<> stream(Context context, Function<Task<>(std::string_view)> write,
                std::size_t piece_size = kTemplatePiece,
                const TemplateScope* scope = nullptr) const {
    const std::shared_ptr<const Template> page = detail::load_page(Page::kSource, Page::kName);
    co_await page->stream(detail::context_names(context), std::move(write), piece_size, scope);
  }
};

/// Renders a generated page as the answer of a handler, and finishes. The page sees the handler's
/// names beside its context, as with `RequestHandler::render`.
///
///     web::render(*this, templates::fortunes_html, FortunesPage{fortunes});
///
/// Throws  As `CompiledTemplate::generate`.
template <class Page, class Context = NoContext>
void render(RequestHandler& handler, const Page& page, const Context& context = {}) {
  detail::with_handler_scope(handler,
                             [&page, &context](std::string& body, const TemplateScope& scope) {
                               page.generate_into(body, context, &scope);
                             });
}

/// As `render`, but sends the page piece by piece while it is rendered: a client that reads slowly
/// stops the rendering. Style sheets and scripts of UI modules are not put into the page.
///
/// Throws   As `CompiledTemplate::stream`; after the first piece the response is cut off.
/// Cancel   As there.
/// Lifetime What `context` refers to must live until the task ends.
template <class Page, class Context = NoContext>
Task<> render_stream(RequestHandler& handler, const Page& page, Context context = {}) {
  const Context* kept = &context;
  const Page* of = &page;
  Function<Task<>(const TemplateScope&, detail::WritePiece)> stream =
      [kept, of](const TemplateScope& scope, detail::WritePiece write) {
        return of->stream(*kept, std::move(write), kTemplatePiece, &scope);
      };
  co_await detail::stream_with_handler_scope(handler, std::move(stream));
}

/// What `page` makes.
template <class Page, class Context>
struct PageResult {
  Context context;
  int status = 200;
};

/// A generated page as the result of a function handler, rendered straight into the response:
///
///     app.get("/fortunes", [] { return web::page(templates::fortunes_html, FortunesPage{...}); });
///
/// It sees the names of its context only.
template <class Page, class Context = NoContext>
PageResult<Page, Context> page(const Page&, Context context = {}, int status = 200) {
  return {std::move(context), status};
}

template <class Page, class Context>
struct ResultWriter<PageResult<Page, Context>> {
  static void describe(Operation& operation) { detail::describe_page(operation); }
  static void send(HTTPExchange& exchange, const PageResult<Page, Context>& result) {
    detail::PageText text;
    Page().generate_into(*text, result.context);
    text.send(exchange, result.status);
  }
};

}  // namespace coronado::web
