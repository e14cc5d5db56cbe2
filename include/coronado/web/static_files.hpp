/// Files of a folder over HTTP.
///
///     StaticFiles        a folder that is served, with what is kept of it in memory
///     StaticFile         one file as it was when it was looked at
///     StaticFileOptions  what is served, and how
///
///     app.static_files("/static/", "public");                   // everything below a folder
///
///     auto files = std::make_shared<web::StaticFiles>("reports");
///     app.get("/reports/{id:uint}", [files](HTTPExchange& exchange, std::uint64_t id) {
///       return files->serve(exchange, std::to_string(id) + ".pdf");
///     });
///
/// Answers have a strong `ETag` and `Last-Modified`; conditional requests get 304 or 412, those for
/// ranges 206 (several as multipart/byteranges) or 416. A file `x.js` with a sibling `x.js.br`,
/// `x.js.zst` or `x.js.gz` is sent compressed to clients that take it. Small files are kept in
/// memory, large ones are sent by sendfile. `web::StaticFileHandler` does the same as a class whose
/// steps can be overridden.
///
/// A request never gets at anything outside of the folder, by no encoding of "..", and by no
/// symbolic link.
///
/// Threads  A `StaticFiles` belongs to one loop.
/// Layer: web.   Tornado  `web.StaticFileHandler`.
#pragma once

#include <coronado/base/clock.hpp>
#include <coronado/coro/task.hpp>
#include <coronado/http/content_coding.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace coronado {
class HTTPExchange;
class OpenFile;
}  // namespace coronado

namespace coronado::web {

/// What becomes of symbolic links below a folder.
enum class Symlinks : std::uint8_t {
  kRefuse,  ///< 403
  kInside,  ///< Followed, when they are relative and stay in the folder; else 403.
  kFollow,  ///< Followed wherever they lead, as Tornado does.
};

/// What is served of a folder, and how.
struct StaticFileOptions {
  /// The file that stands for its folder, "index.html". Empty: folders are refused with 403.
  std::string default_filename = {};
  /// Serve names that begin with a dot, too. `.well-known` is served in any case.
  bool hidden_files = false;
  Symlinks symlinks = Symlinks::kInside;
  /// The codings whose siblings are looked for, the best first: of those that a client likes equally
  /// the first one is sent. Siblings are taken as they are, whatever their age.
  std::vector<ContentCoding> precompressed = {ContentCoding::kBrotli, ContentCoding::kZstd,
                                              ContentCoding::kGzip};
  /// Media types by extension, beside and before those that are known: `{{"glsl", "text/x-glsl"}}`.
  std::vector<std::pair<std::string, std::string>> content_types = {};
  /// Added to text types, scripts and JSON: "utf-8". Empty: none is named, and browsers look inside.
  std::string charset = {};
  /// `Cache-Control` of what is asked for without a version. Empty: none.
  std::string cache_control = {};
  /// How long what is known of a file is believed before the system is asked again. Zero: each
  /// request asks, which costs a step in a thread.
  Duration validity = std::chrono::seconds(1);
  /// Files of at most so many bytes are kept in memory; of larger ones the open descriptor.
  std::size_t max_kept_size = 64 * 1024;
  /// What all kept files may take.
  std::size_t max_kept_total = 32 * 1024 * 1024;
  /// Most files that are known at a time, with their siblings' descriptors.
  std::size_t max_known = 256;
};

/// Identifies a version of a file, to see whether it has changed.
struct FileStamp {
  std::int64_t device = 0;
  std::int64_t inode = 0;
  std::int64_t size = 0;
  /// Nanoseconds since 1970: of the content, and of all that is known of it.
  std::int64_t modified = 0;
  std::int64_t changed = 0;
  friend bool operator==(const FileStamp&, const FileStamp&) = default;
};

/// One file as it was when it was looked at; it does not change.
struct StaticFile {
  /// Below the folder: "css/site.css".
  std::string path;
  std::uint64_t size = 0;
  /// Seconds since 1970.
  std::int64_t modified = 0;
  /// A hash of the content; of its size and time when it has more than a MiB.
  std::string version;
  /// With its quotes. Weak when a large file has just been written, and could yet change unseen.
  std::string etag;
  std::string content_type;
  /// "br" for a compressed sibling; empty for the file itself.
  std::string content_encoding;
  /// The whole content, when it is kept.
  std::string content;
  /// Where it can be read from, when it is not.
  std::shared_ptr<const OpenFile> file;
  bool is_folder = false;
  /// The compressed siblings, in the order of the options.
  std::vector<std::shared_ptr<const StaticFile>> variants;

  FileStamp stamp;
  /// It was written so recently that another change could have left the same stamp.
  bool young = false;
  /// The fields of a 200, and of a 304, in wire form.
  std::string fields;
  std::string fields_304;
};

/// A folder that is served.
class StaticFiles {
 public:
  using File = std::shared_ptr<const StaticFile>;

  /// Throws  UsageError  `root` is no folder.
  explicit StaticFiles(std::string root, StaticFileOptions options = {});
  ~StaticFiles();
  StaticFiles(const StaticFiles&) = delete;
  StaticFiles& operator=(const StaticFiles&) = delete;

  /// Absolute, without a slash at its end.
  const std::string& root() const noexcept;
  const StaticFileOptions& options() const noexcept;

  /// Answers a GET or HEAD with the file at `path` below the folder.
  ///
  /// Params   path  Decoded: "css/site.css".
  /// Throws   HTTPError           403 or 404, with the reason for the log; 500: the file cannot be
  ///                              read.
  ///          StreamClosedError   The client went away.
  ///          std::runtime_error  The file shrank while it was sent; the connection will be cut.
  /// Cancel   Ends the response where it is.
  Task<> serve(HTTPExchange& exchange, std::string path);

  /// Looks a file up, in memory or in a thread.
  /// Throws  HTTPError  As `serve`. A folder is no error: see `StaticFile::is_folder`.
  /// Cancel  Ends the wait.
  Task<File> find(std::string path);

  /// The same at once: blocks when the file is not known, or not known to be unchanged.
  /// Throws  HTTPError  As `serve`.
  File find_now(std::string_view path);

  /// What of a file a client gets that sends this Accept-Encoding: one of its siblings, or itself.
  static const File& choose(const File& file, std::string_view accept_encoding,
                            const StaticFileOptions& options) noexcept;

  /// Forgets everything it knows of the files.   Tornado  `StaticFileHandler.reset`.
  void reset() noexcept;

  struct State;

 private:
  friend class StaticEndpoint;
  std::unique_ptr<State> state_;
};

}  // namespace coronado::web
