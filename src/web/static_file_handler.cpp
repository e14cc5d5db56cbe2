#include <coronado/web/static_file_handler.hpp>

#include <coronado/base/error.hpp>
#include <coronado/base/escape.hpp>
#include <coronado/base/log.hpp>
#include <coronado/http/httputil.hpp>

#include <ctime>
#include <stdexcept>

#include "web/byte_ranges.hpp"
#include "web/static_path.hpp"
#include "web/static_response.hpp"

namespace coronado::web {
namespace {

/// Fewer bytes are sent together with the head.
constexpr std::size_t kCopied = 16 * 1024;

}  // namespace

StaticFileHandler::StaticFileHandler(std::shared_ptr<StaticFiles> files)
    : files_(std::move(files)) {}
StaticFileHandler::~StaticFileHandler() = default;

Task<> StaticFileHandler::get() { return answer(true); }
Task<> StaticFileHandler::head() { return answer(false); }

// --- which file --------------------------------------------------------------------------------

std::string StaticFileHandler::parse_url_path(std::string_view url_path) const {
  return std::string(url_path);
}

std::string StaticFileHandler::get_absolute_path(std::string_view root,
                                                 std::string_view path) const {
  return std::string(root) + '/' + std::string(path);
}

Task<std::optional<std::string>> StaticFileHandler::validate_absolute_path(
    std::string root, std::string absolute_path) {
  if (!absolute_path.starts_with(root + '/')) {
    throw HTTPError(403, "the path is not in " + root);
  }
  const std::string below = absolute_path.substr(root.size() + 1);
  const bool as_folder = below.empty() || below.ends_with('/');
  const StaticFileOptions& options = files_->options();
  file_ = co_await files_->find(below);
  if (!file_->is_folder) {
    if (as_folder) throw HTTPError(404, below + " is not a folder");
  } else if (options.default_filename.empty()) {
    throw HTTPError(403, below + " is a folder");
  } else if (!as_folder) {
    redirect(folder_location(request()), true);
    co_return std::nullopt;
  } else {
    file_ = co_await files_->find(below + options.default_filename);
    if (file_->is_folder) throw HTTPError(403, file_->path + " is a folder");
  }
  if (!exchange().transforms_output()) {
    file_ = StaticFiles::choose(file_, request().header(FieldId::kAcceptEncoding).value_or(""),
                                options);
  }
  co_return root + '/' + file_->path;
}

// --- what it is --------------------------------------------------------------------------------

const StaticFile& StaticFileHandler::found() const {
  if (file_ == nullptr) {
    throw std::logic_error(
        "a StaticFileHandler without a file has to override get_content and what it says of it");
  }
  return *file_;
}

std::uint64_t StaticFileHandler::get_content_size() const { return found().size; }
std::int64_t StaticFileHandler::get_modified_time() const { return found().modified; }
std::string StaticFileHandler::get_content_type() const { return found().content_type; }

std::string StaticFileHandler::get_content_version(std::string_view) const {
  return found().version;
}

std::string StaticFileHandler::compute_etag() const {
  const std::string version = get_content_version(absolute_path_);
  if (version.empty()) return {};
  if (file_ != nullptr && version == file_->version) return file_->etag;
  return '"' + version + '"';
}

AsyncGenerator<std::string> StaticFileHandler::get_content(std::string, std::uint64_t,
                                                           std::uint64_t) {
  return {};
}

// --- how it is answered ------------------------------------------------------------------------

void StaticFileHandler::set_headers() {
  set_header("Accept-Ranges", "bytes");
  if (const std::string etag = compute_etag(); !etag.empty()) set_header("ETag", etag);
  const std::int64_t modified = get_modified_time();
  if (modified >= 0) set_header("Last-Modified", format_timestamp(modified));
  const std::string type = get_content_type();
  if (!type.empty()) set_header("Content-Type", type);
  if (file_ != nullptr) {
    if (!file_->content_encoding.empty()) set_header("Content-Encoding", file_->content_encoding);
    if (file_->fields_304.find("\r\nVary:") != std::string::npos) {
      set_header("Vary", "Accept-Encoding");
    }
  }
  const std::int64_t seconds = get_cache_time(path_, modified, type).count();
  if (seconds > 0) {
    set_header("Expires", format_timestamp(std::time(nullptr) + seconds));
    set_header("Cache-Control", "max-age=" + std::to_string(seconds));
  } else if (files_ != nullptr && !files_->options().cache_control.empty()) {
    set_header("Cache-Control", files_->options().cache_control);
  }
  set_extra_headers(path_);
}

void StaticFileHandler::set_extra_headers(std::string_view) {}

std::chrono::seconds StaticFileHandler::get_cache_time(std::string_view, std::int64_t,
                                                       std::string_view) const {
  for (const auto& [name, value] : request().query_arguments()) {
    if (name == "v") return std::chrono::seconds(kVersionedSeconds);
  }
  return std::chrono::seconds(0);
}

bool StaticFileHandler::should_return_304() const {
  const std::string etag = compute_etag();
  return check_preconditions(request().head(), {.etag = etag, .modified = get_modified_time()}) ==
         304;
}

Task<> StaticFileHandler::answer(bool include_body) {
  const RouteParameters& parameters = exchange().parameters();
  path_ = parse_url_path(parameters.empty() ? std::string() : parameters.decoded(0));
  const std::string root = files_ == nullptr ? std::string() : files_->root();
  const auto place = co_await validate_absolute_path(root, get_absolute_path(root, path_));
  if (!place) co_return;
  absolute_path_ = *place;
  set_headers();
  if (should_return_304()) {
    set_status(304);
    clear_header("Content-Encoding");  // it has none
    co_return finish();
  }
  const std::string etag = compute_etag();
  const std::uint64_t size = get_content_size();
  RangePlan plan =
      plan_response(request().head(), {.etag = etag, .modified = get_modified_time(), .size = size},
                    exchange().transforms_output() ? Ranges::kIgnored : Ranges::kHonoured);
  if (plan.status == 412) throw HTTPError(412, path_ + " is not what the client knows");
  if (plan.status == 416) {
    set_status(416);
    set_header("Content-Type", "text/plain");
    set_header("Content-Range", "bytes */" + std::to_string(size));
    co_return finish();
  }
  if (plan.status == 206) co_return co_await send_ranges(size, std::move(plan), include_body);
  set_header("Content-Length", static_cast<std::int64_t>(size));
  if (!include_body) co_return finish();
  co_await send_whole();
}

Task<> StaticFileHandler::send_whole() {
  const std::uint64_t size = get_content_size();
  if (size != 0) co_await send_range(0, size - 1);
  if (!finished()) finish();
}

Task<> StaticFileHandler::send_range(std::uint64_t first, std::uint64_t last) {
  AsyncGenerator<std::string> pieces = get_content(absolute_path_, first, last + 1);
  if (pieces.done()) {
    const StaticFile& known = found();
    if (known.file) co_return co_await write_file(known.file, first, last - first + 1);
    const std::string_view bytes = std::string_view(known.content).substr(first, last - first + 1);
    if (bytes.size() < kCopied) co_return write(bytes);
    co_await flush();
    co_return exchange().write(bytes);
  }
  while (std::string* piece = co_await pieces.next()) {
    write(*piece);
    co_await flush();
  }
}

Task<> StaticFileHandler::send_ranges(std::uint64_t size, RangePlan plan, bool include_body) {
  set_status(206);
  MultipartRanges parts;
  if (plan.ranges.size() == 1) {
    set_header("Content-Range", content_range(plan.ranges[0], size));
    parts.length = plan.ranges[0].size();
  } else {
    parts = make_multipart_ranges(plan.ranges, get_content_type(), size);
    set_header("Content-Type", parts.content_type);
  }
  set_header("Content-Length", static_cast<std::int64_t>(parts.length));
  if (!include_body) co_return finish();
  for (std::size_t i = 0; i < plan.ranges.size(); ++i) {
    if (!parts.heads.empty()) write(parts.heads[i]);
    co_await send_range(plan.ranges[i].first, plan.ranges[i].last);
  }
  finish(parts.end);
}

// --- URLs --------------------------------------------------------------------------------------

std::string StaticFileHandler::make_static_url(const StaticPath& settings, std::string_view path,
                                               bool include_version) {
  std::string url = settings.url_prefix + std::string(path);
  if (!include_version) return url;
  if (const auto version = get_version(settings, path)) url += "?v=" + *version;
  return url;
}

std::optional<std::string> StaticFileHandler::get_version(const StaticPath& settings,
                                                          std::string_view path) {
  try {
    const StaticFiles::File file = settings.files->find_now(path);
    if (!file->is_folder) return file->version;
    app_log().error("static file \"" + std::string(path) + "\" is a folder");
  } catch (const HTTPError& error) {
    app_log().error("could not open static file \"" + std::string(path) +
                    "\": " + error.log_message());
  }
  return std::nullopt;
}

}  // namespace coronado::web
