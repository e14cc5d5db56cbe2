#include <coronado/web/static_files.hpp>

#include <coronado/base/error.hpp>
#include <coronado/base/escape.hpp>
#include <coronado/loop/thread_pool.hpp>
#include <coronado/web/exchange.hpp>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <list>
#include <unordered_map>

#include <sys/stat.h>

#include "web/error_response.hpp"
#include "web/static_loader.hpp"
#include "web/static_path.hpp"
#include "web/static_response.hpp"

namespace coronado::web {
namespace {

/// What a known file takes beside its content, about.
constexpr std::size_t kOverhead = 1024;

std::size_t weight_of(const StaticFile& file) noexcept {
  std::size_t weight = kOverhead + file.content.size();
  for (const StaticFiles::File& variant : file.variants) weight += weight_of(*variant);
  return weight;
}

bool all_unchanged(const StaticFile& file) noexcept {
  return is_unchanged(file) &&
         std::ranges::all_of(file.variants, [](const auto& each) { return is_unchanged(*each); });
}

TimePoint present() noexcept {
  const IOLoop* const loop = IOLoop::current();
  return loop != nullptr ? loop->turn_time() : Clock::now();
}

std::string absolute_folder(const std::string& root) {
  struct Free {
    void operator()(char* text) const noexcept { std::free(text); }
  };
  const std::unique_ptr<char, Free> text(::realpath(root.c_str(), nullptr));
  struct stat status{};
  if (text == nullptr || ::stat(text.get(), &status) != 0 || !S_ISDIR(status.st_mode)) {
    throw UsageError("static files: \"" + root + "\" is no folder that can be read");
  }
  if (!root.starts_with('/')) return text.get();
  // Not the resolved one: it may be a link that is moved on to the next release.
  return root.substr(0, root.find_last_not_of('/') + 1);
}

}  // namespace

/// What is known of the files, the one that was asked for longest ago first.
struct StaticFiles::State {
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept {
      return std::hash<std::string_view>()(text);
    }
  };
  struct Entry {
    File file;
    TimePoint checked;
    bool checking = false;  // a thread looks whether it has changed
    std::list<const std::string*>::iterator place;
  };
  using Known = std::unordered_map<std::string, Entry, Hash, std::equal_to<>>;

  const File* fresh(std::string_view path, TimePoint now) noexcept;
  void keep(const std::string& path, File file);
  void forget(Known::iterator at) noexcept;
  File load(const std::string& path, const File& old) const {
    return load_static_file(root, options, path, old);
  }
  Task<File> look_up(std::string path);
  Task<File> find_to_send(std::string path, bool as_folder);

  std::string root;
  StaticFileOptions options;
  Known known;
  std::list<const std::string*> order;
  std::size_t total = 0;
};

const StaticFiles::File* StaticFiles::State::fresh(std::string_view path, TimePoint now) noexcept {
  const auto found = known.find(path);
  if (found == known.end()) return nullptr;
  Entry& entry = found->second;
  const bool believed =
      now - entry.checked < options.validity ||
      (entry.checking && options.validity > Duration::zero());  // the answer is on its way
  if (!believed || !all_unchanged(*entry.file)) return nullptr;
  order.splice(order.end(), order, entry.place);
  return &entry.file;
}

void StaticFiles::State::forget(Known::iterator at) noexcept {
  total -= weight_of(*at->second.file);
  order.erase(at->second.place);
  known.erase(at);
}

void StaticFiles::State::keep(const std::string& path, File file) {
  if (const auto old = known.find(path); old != known.end()) forget(old);
  const std::size_t weight = weight_of(*file);
  if (weight > options.max_kept_total || options.max_known == 0) return;
  while (total + weight > options.max_kept_total || known.size() >= options.max_known) {
    forget(known.find(*order.front()));
  }
  const auto place = order.insert(order.end(), nullptr);
  try {
    const auto [at, added] =
        known.try_emplace(path, Entry{std::move(file), present(), false, place});
    *place = &at->first;
  } catch (...) {
    order.erase(place);
    throw;
  }
  total += weight;
}

Task<StaticFiles::File> StaticFiles::State::look_up(std::string path) {
  if (const File* file = fresh(path, present())) co_return *file;
  File old;
  if (const auto found = known.find(path); found != known.end()) {
    old = found->second.file;
    found->second.checking = true;
  }
  struct Unmark {
    State& state;
    const std::string& path;
    ~Unmark() {
      const auto found = state.known.find(path);
      if (found != state.known.end()) found->second.checking = false;
    }
  } unmark{*this, path};
  const auto job = [&] { return load(path, old); };
  try {
    File file = co_await offload(job);
    keep(path, file);
    co_return file;
  } catch (const QueueFull& full) {
    throw HTTPError(503, std::string("a static file cannot be looked at: ") + full.what());
  } catch (const HTTPError&) {
    if (const auto found = known.find(path); found != known.end()) forget(found);
    throw;
  }
}

/// The file, or the one that stands for its folder; null: the client is to ask for the folder.
Task<StaticFiles::File> StaticFiles::State::find_to_send(std::string path, bool as_folder) {
  File file = co_await look_up(path);
  if (!file->is_folder) {
    if (as_folder) throw HTTPError(404, path + " is not a folder");
    co_return file;
  }
  if (options.default_filename.empty()) throw HTTPError(403, path + " is a folder");
  if (!as_folder) co_return File();
  file = co_await look_up(path.empty() ? options.default_filename
                                       : path + '/' + options.default_filename);
  if (file->is_folder) throw HTTPError(403, file->path + " is a folder");
  co_return file;
}

StaticFiles::StaticFiles(std::string root, StaticFileOptions options)
    : state_(std::make_unique<State>()) {
  state_->root = absolute_folder(root);
  state_->options = std::move(options);
}

StaticFiles::~StaticFiles() = default;

const std::string& StaticFiles::root() const noexcept { return state_->root; }
const StaticFileOptions& StaticFiles::options() const noexcept { return state_->options; }

void StaticFiles::reset() noexcept {
  state_->known.clear();
  state_->order.clear();
  state_->total = 0;
}

Task<StaticFiles::File> StaticFiles::find(std::string path) {
  const std::string clean = clean_static_path(path, state_->options.hidden_files);
  co_return co_await state_->look_up(clean);
}

StaticFiles::File StaticFiles::find_now(std::string_view path) {
  const std::string clean = clean_static_path(path, state_->options.hidden_files);
  if (const File* file = state_->fresh(clean, present())) return *file;
  const auto found = state_->known.find(clean);
  File file = state_->load(clean, found == state_->known.end() ? File() : found->second.file);
  state_->keep(clean, file);
  return file;
}

const StaticFiles::File& StaticFiles::choose(const File& file, std::string_view accept_encoding,
                                             const StaticFileOptions& options) noexcept {
  if (file->variants.empty() || accept_encoding.empty()) return file;
  std::array<ContentCoding, 4> offered;
  std::size_t count = 0;
  for (const ContentCoding coding : options.precompressed) {
    const auto here = [&](const File& each) { return each->content_encoding == to_string(coding); };
    if (std::ranges::any_of(file->variants, here) && count < offered.size())
      offered[count++] = coding;
  }
  const auto coding =
      choose_content_coding(accept_encoding, std::span(offered).first(count)).coding;
  if (!coding) return file;
  return *std::ranges::find(file->variants, to_string(*coding), [](const File& each) {
    return std::string_view(each->content_encoding);
  });
}

Task<> StaticFiles::serve(HTTPExchange& exchange, std::string path) {
  const bool as_folder = path.empty() || path.ends_with('/');
  const std::string clean = clean_static_path(path, state_->options.hidden_files);
  const File file = co_await state_->find_to_send(clean, as_folder);
  if (file == nullptr) {
    const std::string location = "Location: " + folder_location(exchange.request()) + "\r\n";
    exchange.respond({.status = 301, .fields = location}, {});
    co_return;
  }
  if (Task<> rest = respond_with_file(exchange, file, state_->options)) co_await std::move(rest);
}

// --- the endpoint ------------------------------------------------------------------------------

class StaticEndpoint final : public HTTPEndpoint {
 public:
  explicit StaticEndpoint(std::shared_ptr<StaticFiles> files) : files_(std::move(files)) {}

  Task<> handle(HTTPExchange& base) override {
    auto& exchange = static_cast<WebExchange&>(base);
    try {
      const std::string_view raw = exchange.parameters()[0];
      std::string path = raw.find('%') == std::string_view::npos
                             ? std::string(raw)
                             : url_unescape(raw, URLPart::kPath);
      const std::string clean = clean_static_path(path, files_->options().hidden_files);
      const StaticFiles::File* known = files_->state_->fresh(clean, exchange.loop().turn_time());
      if (known == nullptr || (*known)->is_folder || path.ends_with('/')) {
        return answer(exchange, files_->serve(exchange, std::move(path)));
      }
      Task<> rest = respond_with_file(exchange, *known, files_->options());
      return rest ? answer(exchange, std::move(rest)) : Task<>();
    } catch (...) {
      respond_with_error(exchange, std::current_exception());
      return {};
    }
  }

 private:
  /// Throws  Nothing but Cancelled: errors become responses.
  static Task<> answer(WebExchange& exchange, Task<> task) {
    std::exception_ptr error;
    try {
      co_await std::move(task);
    } catch (const Cancelled&) {
      throw;
    } catch (...) {
      error = std::current_exception();
    }
    if (error) respond_with_error(exchange, error);
  }

  std::shared_ptr<StaticFiles> files_;
};

std::unique_ptr<HTTPEndpoint> make_static_endpoint(std::shared_ptr<StaticFiles> files) {
  return std::make_unique<StaticEndpoint>(std::move(files));
}

}  // namespace coronado::web
