#include <coronado/web/compiled_template.hpp>

#include <coronado/base/error.hpp>
#include <coronado/http/exchange.hpp>
#include <coronado/web/operation.hpp>
#include <coronado/web/response.hpp>

#include <map>

#include "web/template/compiled_run.hpp"
#include "web/template/pooled_memory.hpp"

namespace coronado::web::detail {
namespace {

using templates::CompiledRun;

TemplatePlace place_of(const CompiledInfo& info, std::uint32_t site) {
  const CompiledPlace& place = info.places[site];
  const CompiledOrigin* at = &info.origins[place.origin];
  TemplatePlace made{.file = std::string(at->file), .line = place.line, .column = place.column};
  while (at->parent >= 0) {
    const std::uint32_t line = at->line;
    at = &info.origins[static_cast<std::size_t>(at->parent)];
    made.via.push_back(std::string(at->file) + ":" + std::to_string(line));
  }
  return made;
}

/// Throws what an error inside a generated template is to the outside.
[[noreturn]] void throw_outside(const CompiledInfo& info, const CompiledRun& run,
                                const std::exception_ptr& error) {
  const templates::ErrorText text = templates::describe_error(error);
  if (text.is_http) std::rethrow_exception(error);
  throw TemplateError(text.error_class, text.message, place_of(info, run.site()),
                      text.is_fault ? nullptr : error);
}

/// What a thread keeps for its next page.
std::string& spare_text() {
  static thread_local std::string spare;
  return spare;
}

}  // namespace

PageText::PageText() : text_(std::move(spare_text())) { text_.clear(); }

PageText::~PageText() {
  constexpr std::size_t kKept = 1024 * 1024;
  if (text_.capacity() <= kKept) spare_text() = std::move(text_);
}

void PageText::send(HTTPExchange& exchange, int status) const {
  if (exchange.started()) return;
  exchange.respond({.status = status, .fields = "Content-Type: text/html; charset=utf-8\r\n"},
                   text_);
}

void describe_page(Operation& operation) { operation.result = {.type = std::string(kHtmlType)}; }

void render_compiled(std::string& out, const CompiledInfo& info, std::atomic<std::size_t>& size,
                     RenderCompiled render, const void* context, const TemplateScope* scope) {
  const TemplateLimits limits;
  const templates::NestedRendering nested;
  const std::size_t hint = size.load(std::memory_order_relaxed);
  if (out.capacity() - out.size() < hint) out.reserve(out.size() + hint);
  TemplateOutput output(out, limits.output);
  templates::PooledMemory memory(limits.memory);
  CompiledRun run(limits, scope, *memory, output);
  try {
    render(run.run(), context);
  } catch (const std::exception&) {
    output.discard();
    throw_outside(info, run, std::current_exception());
  } catch (...) {
    output.discard();
    throw;
  }
  const std::size_t written = output.size() + TemplateOutput::kRoom;
  if (written > hint) size.store(written, std::memory_order_relaxed);
  output.finish();
}

Task<std::string> render_compiled_async(const CompiledInfo& info,
                                        Function<Task<>(TemplateRun& run)> render,
                                        const TemplateScope* scope) {
  const TemplateLimits limits;
  std::string out;
  TemplateOutput output(out, limits.output);
  templates::PooledMemory memory(limits.memory);
  CompiledRun run(limits, scope, *memory, output);
  std::exception_ptr error;
  try {
    co_await render(run.run());
  } catch (const std::exception&) {
    error = std::current_exception();
  }
  if (error) throw_outside(info, run, error);
  output.finish();
  co_return out;
}

namespace {

/// What `write` threw: no error of the template, which cannot catch it either.
struct WriteError {
  std::exception_ptr error;
};

Task<> guard_write(Function<Task<>(std::string_view)>* write, std::string_view piece) {
  std::exception_ptr error;
  try {
    co_await (*write)(piece);
  } catch (const std::exception&) {
    error = std::current_exception();
  }
  if (error) throw WriteError{error};
}

}  // namespace

Task<> stream_compiled(const CompiledInfo& info, Function<Task<>(TemplateRun& run)> render,
                       Function<Task<>(std::string_view)> write, std::size_t piece_size,
                       const TemplateScope* scope) {
  const TemplateLimits limits;
  std::string out;
  TemplateOutput output(out, limits.output);
  templates::PooledMemory memory(limits.memory);
  CompiledRun run(limits, scope, *memory, output);
  Function<Task<>(std::string_view)>* to = &write;
  Function<Task<>(std::string_view)> guarded = [to](std::string_view piece) {
    return guard_write(to, piece);
  };
  run.set_pieces(guarded, piece_size);
  std::exception_ptr error;
  try {
    co_await render(run.run());
  } catch (const WriteError& failed) {
    error = failed.error;
  } catch (const std::exception&) {
    try {
      throw_outside(info, run, std::current_exception());
    } catch (...) {
      error = std::current_exception();
    }
  }
  if (error) std::rethrow_exception(error);
  if (output.size() > 0) {
    const std::string_view rest = output.since(0);
    co_await write(rest);
  }
}

std::shared_ptr<const Template> load_page(const PageSource& source, std::string_view name) {
  static thread_local std::map<std::string, std::unique_ptr<Loader>, std::less<>> loaders;
  const auto found = loaders.find(source.directory);
  if (found != loaders.end()) return found->second->load(name);
  TemplateOptions options{.autoescape = std::string(source.autoescape),
                          .whitespace = std::string(source.whitespace)};
  std::string directory(source.directory);
  auto loader = std::make_unique<Loader>(directory, std::move(options), true);
  return loaders.emplace(std::move(directory), std::move(loader)).first->second->load(name);
}

}  // namespace coronado::web::detail
