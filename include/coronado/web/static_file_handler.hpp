/// `StaticFileHandler`: files of a folder, by a class whose steps can be overridden.
///
///     auto files = std::make_shared<web::StaticFiles>("public");
///     app.add<web::StaticFileHandler>("/static/{path:path}", files);
///
/// What is not overridden does what `Application::static_files` does, which is the faster way when
/// nothing is. The parameter of the route is the path below the folder.
///
/// Layer: web.   Tornado  `web.StaticFileHandler`.
#pragma once

#include <coronado/coro/async_generator.hpp>
#include <coronado/web/request_handler.hpp>
#include <coronado/web/static_files.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace coronado::web {

/// Where an application's static files are: what `Application::set_static_path` was told.
struct StaticPath {
  /// "/static/".
  std::string url_prefix;
  std::shared_ptr<StaticFiles> files;
};

class StaticFileHandler : public RequestHandler {
 public:
  /// Tornado  `initialize(path, default_filename)`; the latter is an option of `StaticFiles`.
  explicit StaticFileHandler(std::shared_ptr<StaticFiles> files);
  ~StaticFileHandler() override;

  /// Throws  HTTPError  400, 403 or 404.
  ///         std::runtime_error  The file shrank while it was sent.
  /// Cancel  When the client goes away.
  Task<> get() override;
  /// Throws  As `get`.
  /// Cancel  When the client goes away.
  Task<> head() override;

  // --- which file -------------------------------------------------------------------------------

  /// The path below the folder that the parameter of the route, percent-decoded, stands for. The
  /// default is the same path.
  virtual std::string parse_url_path(std::string_view url_path) const;

  /// Where that path is. The default joins them.
  virtual std::string get_absolute_path(std::string_view root, std::string_view path) const;

  /// Checks that the path may be served, and looks the file up. The default refuses what is outside
  /// of `root`, and redirects from a folder to its default file.
  ///
  /// Returns  The path of the file that is sent. None: the request has been answered.
  /// Throws   HTTPError  400, 403 or 404.
  /// Cancel   Ends the wait.
  virtual Task<std::optional<std::string>> validate_absolute_path(std::string root,
                                                                  std::string absolute_path);

  // --- what it is -------------------------------------------------------------------------------

  // The defaults speak of the file that `validate_absolute_path` has found; who overrides that one
  // without calling it overrides these, too.

  virtual std::uint64_t get_content_size() const;
  /// Seconds since 1970; negative: not known.
  virtual std::int64_t get_modified_time() const;
  virtual std::string get_content_type() const;
  /// A text that changes with the content, without quotes. The default is a hash.
  virtual std::string get_content_version(std::string_view absolute_path) const;
  /// With its quotes; empty: none.
  std::string compute_etag() const override;

  /// The bytes `start` to `end` of the content, in pieces. The default, a generator that is none,
  /// stands for the file itself, which is sent by sendfile.
  /// Throws   Anything, from the generator: the response is cut.
  /// Tornado  `get_content`. Differs: `end` is always given.
  virtual AsyncGenerator<std::string> get_content(std::string absolute_path, std::uint64_t start,
                                                  std::uint64_t end);

  // --- how it is answered -----------------------------------------------------------------------

  /// Sets the fields of the response: what the steps above have found.
  virtual void set_headers();
  /// For more fields; called by `set_headers`.
  virtual void set_extra_headers(std::string_view path);
  /// How long clients may keep the file. The default is ten years for what is asked for with a
  /// version, `?v=`, and zero, which says nothing about it, for the rest.
  virtual std::chrono::seconds get_cache_time(std::string_view path, std::int64_t modified,
                                              std::string_view mime_type) const;
  /// Whether the client has it already, by If-None-Match or If-Modified-Since.
  virtual bool should_return_304() const;

  // --- URLs -------------------------------------------------------------------------------------

  // A derived class has its own with the same names, and `set_static_path<Derived>` finds them.

  /// "/static/site.css?v=...".
  static std::string make_static_url(const StaticPath& settings, std::string_view path,
                                     bool include_version = true);
  /// The version of a file for its URL; none when there is no such file, which is logged.
  static std::optional<std::string> get_version(const StaticPath& settings, std::string_view path);

 protected:
  /// The file that was found; null before, and when another kind of content is served.
  const StaticFiles::File& file() const noexcept { return file_; }
  /// The path below the folder.
  const std::string& path() const noexcept { return path_; }

 private:
  Task<> answer(bool include_body);
  Task<> send_whole();
  Task<> send_range(std::uint64_t first, std::uint64_t last);
  Task<> send_ranges(std::uint64_t size, struct RangePlan plan, bool include_body);
  const StaticFile& found() const;

  std::shared_ptr<StaticFiles> files_;
  StaticFiles::File file_;
  std::string path_;
  std::string absolute_path_;
};

}  // namespace coronado::web
