#include <coronado/web/stream_response.hpp>

#include <coronado/base/error.hpp>
#include <coronado/base/escape.hpp>
#include <coronado/loop/thread_pool.hpp>

#include <cstdint>
#include <optional>

#include "web/content_types.hpp"
#include "web/error_response.hpp"
#include "web/static_loader.hpp"
#include "web/static_response.hpp"

namespace coronado::web::detail {
namespace {

/// RFC 6266 4.3: the name in UTF-8, and before it for old clients in what ASCII has.
std::string attachment(std::string_view name) {
  std::string plain;
  for (const char c : name) {
    const bool sendable = c >= ' ' && c < '\x7f' && c != '"' && c != '\\' && c != '%';
    plain += sendable ? c : '_';
  }
  std::string field = "attachment; filename=\"" + plain + '"';
  if (plain != name) field += "; filename*=UTF-8''" + url_escape(name, URLPart::kPath);
  return field;
}

std::string_view name_of(std::string_view path) noexcept {
  return path.substr(path.rfind('/') + 1);
}

/// Adds what the options say to the answers that carry the file.
void edit_file_head(HTTPExchange& exchange, const FileOptions& options) {
  std::string type = options.content_type;
  if (type.empty() && !options.download_as.empty()) {
    type = guess_content_type(name_of(options.download_as));
  }
  if (type.empty() && options.download_as.empty()) return;
  exchange.edit_head(
      [type, name = std::string(name_of(options.download_as))](int status, HeaderBlock& fields) {
        if (status != 200 && status != 206) return;
        // Several ranges have a type of their own.
        const bool one = status == 200 || fields.contains("Content-Range");
        if (one && !type.empty()) fields.set("Content-Type", type);
        if (!name.empty()) fields.set("Content-Disposition", attachment(name));
      });
}

}  // namespace

Task<> send_stream(HTTPExchange& exchange, StreamResponse response) {
  HeaderBlock& fields = response.head.headers();
  const std::optional<std::uint64_t> length = take_content_length(fields);
  take_connection_fields(fields, exchange);
  const ResponseHead head{.status = response.head.status(),
                          .fields = fields.wire(),
                          .has_date = fields.contains("Date"),
                          .has_server = fields.contains("Server")};
  if (exchange.request().method_id() == Method::kHead) {
    exchange.start(head, length);
    co_return exchange.finish();
  }
  const std::string* piece = co_await response.pieces.next();
  exchange.start(head, length, response.head.body());
  while (piece != nullptr) {
    exchange.write(*piece);
    co_await exchange.drain();
    piece = co_await response.pieces.next();
  }
  exchange.finish();
}

Task<> send_file(HTTPExchange& exchange, FileResponse response) {
  const std::string_view path = response.path;
  const std::string name(name_of(path));
  std::string folder(path.substr(0, path.size() - name.size()));
  if (folder.empty()) folder = ".";
  const StaticFileOptions options{.symlinks = Symlinks::kFollow, .precompressed = {}};
  const auto job = [&] { return load_static_file(folder, options, name, nullptr); };
  const StaticFiles::File file = co_await offload(job);
  if (file->is_folder) throw HTTPError(404, response.path + " is a folder");
  edit_file_head(exchange, response.options);
  if (Task<> rest = respond_with_file(exchange, file, options)) co_await std::move(rest);
}

}  // namespace coronado::web::detail
