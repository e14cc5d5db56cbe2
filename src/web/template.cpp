#include <coronado/web/template.hpp>

#include <coronado/base/error.hpp>
#include <coronado/base/log.hpp>
#include <coronado/base/strings.hpp>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <map>

#include "web/template/compiler.hpp"
#include "web/template/expression_lexer.hpp"
#include "web/template/loader_names.hpp"
#include "web/template/machine.hpp"
#include "web/template/pooled_memory.hpp"
#include "web/template/template_parser.hpp"

namespace coronado::web {

using templates::Machine;
using templates::ParsedFile;
using templates::Program;

// --- loaders -----------------------------------------------------------------------------------------

/// The files of one loader: parsed ones, and the templates made of them.
class templates::LoaderFiles final : public FileSource {
 public:
  explicit LoaderFiles(BaseLoader& loader) : loader_(loader) {}

  std::shared_ptr<const ParsedFile> find(std::string_view name, std::string_view parent) override {
    const std::string path = loader_.resolve_path(name, parent);
    used_.push_back(path);
    const std::uint64_t version = loader_.reload_ ? loader_.version(path) : 0;
    auto& entry = parsed_[path];
    if (!entry.file || entry.version != version) {
      try {
        entry = {templates::parse_file(path, loader_.read(path), loader_.options_), version};
      } catch (...) {
        parsed_.erase(path);
        throw;
      }
    }
    return entry.file;
  }

  /// The template, if it is there and none of its files has changed.
  std::shared_ptr<const Template> current(std::string_view path) {
    const auto found = templates_.find(path);
    if (found == templates_.end()) return nullptr;
    if (loader_.reload_) {
      for (const auto& [file, version] : found->second.files) {
        if (loader_.version(file) != version) return nullptr;
      }
    }
    return found->second.made;
  }

  void begin() { used_.clear(); }
  void keep(const std::string& path, std::shared_ptr<const Template> made) {
    Kept kept{std::move(made), {}};
    for (const std::string& file : used_) {
      kept.files.emplace(file, loader_.reload_ ? loader_.version(file) : 0);
    }
    templates_.insert_or_assign(path, std::move(kept));
  }

 private:
  struct Parsed {
    std::shared_ptr<const ParsedFile> file;
    std::uint64_t version = 0;
  };
  struct Kept {
    std::shared_ptr<const Template> made;
    std::map<std::string, std::uint64_t> files;
  };

  BaseLoader& loader_;
  std::map<std::string, Parsed, std::less<>> parsed_;
  std::map<std::string, Kept, std::less<>> templates_;
  std::vector<std::string> used_;
};

struct Template::State {
  std::string name;
  TemplateLimits limits;
  std::shared_ptr<const Program> program;
  std::shared_ptr<const templates::LoaderNames> loader;
  // What the last renderings wrote, to begin with a string of that size.
  mutable std::atomic<std::size_t> size_hint = 0;
};

BaseLoader::BaseLoader(TemplateOptions options)
    : options_(std::move(options)),
      names_(std::make_shared<templates::LoaderNames>()),
      files_(std::make_unique<templates::LoaderFiles>(*this)) {}
BaseLoader::~BaseLoader() = default;

std::string BaseLoader::resolve_path(std::string_view name, std::string_view parent) const {
  const auto refuse = [&](std::string_view why) {
    throw UsageError("template '" + std::string(name) + "' " + std::string(why));
  };
  if (name.find('\0') != std::string_view::npos) refuse("has a NUL in its name");
  if (name.starts_with('/')) refuse("has an absolute name");
  std::string whole;
  if (!parent.empty() && !parent.starts_with('<')) {
    const std::size_t slash = parent.rfind('/');
    if (slash != std::string_view::npos) whole = parent.substr(0, slash + 1);
  }
  whole += name;
  std::vector<std::string_view> parts;
  for (std::string_view part : split(whole, '/')) {
    if (part.empty() || part == ".") continue;
    if (part != "..") {
      parts.push_back(part);
    } else if (parts.empty()) {
      refuse("leaves the root");
    } else {
      parts.pop_back();
    }
  }
  std::string path;
  for (std::string_view part : parts) {
    if (!path.empty()) path += '/';
    path += part;
  }
  if (path.empty()) refuse("has no name");
  return path;
}

std::shared_ptr<const Template> BaseLoader::load(std::string_view name, std::string_view parent) {
  if (parent.empty()) {  // a name in full is found as it is
    if (auto current = files_->current(name)) return current;
  }
  const std::string path = resolve_path(name, parent);
  if (auto current = files_->current(path)) return current;
  files_->begin();
  auto state = std::make_unique<Template::State>();
  state->name = path;
  state->limits = options_.limits;
  state->program = templates::compile(files_->find(path, {}), files_.get());
  state->loader = names_;
  const std::shared_ptr<const Template> made(new Template(std::move(state)));
  files_->keep(path, made);
  if (reload_) {
    for (const TemplateWarning& warning : made->warnings()) {
      general_log().warning(warning.message + " at " + to_string(warning.place));
    }
  }
  return made;
}

void BaseLoader::reset() { files_ = std::make_unique<templates::LoaderFiles>(*this); }

bool BaseLoader::find(std::string_view name, TemplateMemory& memory, TemplateValue& found) const {
  return names_->names.find(name, memory, found);
}

bool BaseLoader::find_module(std::string_view name, TemplateValue& found) const {
  if (!names_->modules.contains(name)) return false;
  found = templates::import_module(names_.get(), name);
  return true;
}

TemplateNamespace& BaseLoader::names() noexcept { return names_->names; }

TemplateNamespace& BaseLoader::module(std::string_view name) {
  auto& module = names_->modules[std::string(name)];
  if (!module) module = std::make_unique<TemplateNamespace>();
  return *module;
}

Loader::Loader(std::string directory, TemplateOptions options, bool reload)
    : BaseLoader(std::move(options)), directory_(std::move(directory)) {
  reload_ = reload;
}

std::string Loader::read(const std::string& name) {
  const std::string path = directory_ + "/" + name;
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) {
    throw UsageError("template '" + name + "': there is no file " + path);
  }
  std::ifstream file(path, std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (!file) throw UsageError("template '" + name + "': cannot read " + path);
  return text;
}

std::uint64_t Loader::version(const std::string& name) {
  std::error_code error;
  const std::string path = directory_ + "/" + name;
  const auto time = std::filesystem::last_write_time(path, error);
  if (error) return 0;
  const std::uintmax_t size = std::filesystem::file_size(path, error);
  return static_cast<std::uint64_t>(time.time_since_epoch().count()) * 31 + size;
}

DictLoader::DictLoader(TemplateTexts texts, TemplateOptions options)
    : BaseLoader(std::move(options)), texts_(std::move(texts)) {}

std::string DictLoader::read(const std::string& name) {
  const auto found = std::ranges::find(texts_, name, &TemplateTexts::value_type::first);
  if (found == texts_.end())
    throw UsageError("template '" + name + "': there is none of that name");
  return found->second;
}

// --- rendering ---------------------------------------------------------------------------------------

Template::Template(std::unique_ptr<State> state) : state_(std::move(state)) {}

Template::Template(std::string text, std::string name, TemplateOptions options)
    : state_(std::make_unique<State>()) {
  state_->name = name;
  state_->limits = options.limits;
  state_->program =
      templates::compile(templates::parse_file(std::move(name), std::move(text), options), nullptr);
}

Template::Template(std::string text, BaseLoader& loader, std::string name)
    : state_(std::make_unique<State>()) {
  state_->name = name;
  state_->limits = loader.options_.limits;
  state_->program =
      templates::compile(templates::parse_file(std::move(name), std::move(text), loader.options_),
                         loader.files_.get());
  state_->loader = loader.names_;
}

Template::~Template() = default;
Template::Template(Template&&) noexcept = default;
Template& Template::operator=(Template&&) noexcept = default;

bool Template::awaits() const noexcept { return state_->program->awaits; }
const std::vector<TemplateWarning>& Template::warnings() const noexcept {
  return state_->program->warnings;
}
const std::string& Template::name() const noexcept { return state_->name; }

void Template::generate_into(std::string& out, std::span<const TemplateArgument> arguments,
                             const TemplateScope* scope) const {
  const State& state = *state_;
  if (state.program->awaits) {
    throw UsageError("template '" + state.name + "' awaits: use generate_async or stream");
  }
  const templates::NestedRendering nested;
  const std::size_t hint = state.size_hint.load(std::memory_order_relaxed);
  if (out.capacity() - out.size() < hint) out.reserve(out.size() + hint);
  templates::Output output(out, state.limits.output);
  templates::PooledMemory memory(state.limits.memory);
  try {
    Machine machine(*state.program, state.limits, {arguments, scope, state.loader.get()}, *memory,
                    output);
    machine.run();
  } catch (...) {
    output.discard();
    throw;
  }
  const std::size_t size = output.size() + templates::Output::kRoom;
  if (size > hint) state.size_hint.store(size, std::memory_order_relaxed);
  output.finish();
}

std::string Template::generate(std::initializer_list<TemplateArgument> arguments) const {
  std::string out;
  generate_into(out, {arguments.begin(), arguments.size()});
  return out;
}

std::string Template::generate(const TemplateNamespace& names) const {
  std::string out;
  generate_into(out, names.arguments());
  return out;
}

Task<> Template::stream(TemplateNamespace names, Function<Task<>(std::string_view)> write,
                        std::size_t piece_size, const TemplateScope* scope) const {
  const State& state = *state_;
  std::string text;
  templates::Output output(text, state.limits.output);
  templates::PooledMemory memory(state.limits.memory);
  Machine machine(*state.program, state.limits, {names.arguments(), scope, state.loader.get()},
                  *memory, output);
  machine.set_piece_size(piece_size);
  for (;;) {
    const templates::MachineStatus status = machine.run();
    if (status == templates::MachineStatus::kAwait) {
      std::exception_ptr error;
      TemplateValue value;
      try {
        value = co_await std::move(machine.awaited());
      } catch (const std::exception&) {
        error = std::current_exception();
      }
      if (error) {
        machine.resume_error(error);
      } else {
        machine.resume(value);
      }
      continue;
    }
    if (output.size() > 0) {
      const std::string_view piece = output.since(0);
      co_await write(piece);
      output.clear();
    }
    if (status == templates::MachineStatus::kDone) co_return;
  }
}

Task<std::string> Template::generate_async(TemplateNamespace names,
                                           const TemplateScope* scope) const {
  if (!state_->program->awaits) {
    std::string whole;
    generate_into(whole, names.arguments(), scope);
    co_return whole;
  }
  std::string text;
  const auto write = [](std::string* to, std::string_view piece) -> Task<> {
    to->append(piece);
    co_return;
  };
  Function<Task<>(std::string_view)> append = [&text, write](std::string_view piece) {
    return write(&text, piece);
  };
  co_await stream(std::move(names), std::move(append), std::numeric_limits<std::size_t>::max(),
                  scope);
  co_return text;
}

}  // namespace coronado::web
