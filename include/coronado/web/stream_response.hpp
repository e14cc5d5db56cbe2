/// Responses that a function handler returns and that are sent piece by piece.
///
///     StreamResponse, stream   a generator writes the body
///     FileResponse, file       a file is the body
///
///     app.get("/orders.csv", [](web::State<Database> db) {
///       return web::stream(rows(*db), web::Response(200, "id,name\n", "text/csv"));
///     });
///     app.get("/invoices/{id:uint}", [](std::uint64_t id) {
///       return web::file("invoices/" + std::to_string(id) + ".pdf", {.download_as = "invoice.pdf"});
///     });
///
/// A class handler writes pieces with `write` and `flush`; a folder is served by
/// `Application::static_files`.
///
/// Layer: web.
#pragma once

#include <coronado/coro/async_generator.hpp>
#include <coronado/web/function_handler.hpp>
#include <coronado/web/response.hpp>

#include <string>
#include <utility>

namespace coronado::web {

/// A response whose body is not known, or not there, when it begins.
struct StreamResponse {
  AsyncGenerator<std::string> pieces;
  /// Status and fields; its body is sent before the first piece. With a `Content-Length` that length
  /// is promised.
  Response head;
};

/// Sends what `pieces` yields, each at once, and asks for the next when the client has taken it.
///
/// It is asked for the first piece before the head is sent: what it throws until then is answered as
/// if the handler had thrown it. Later that cuts the connection, so that nobody takes half a response
/// for a whole one. The answer to HEAD does not ask it at all.
///
/// Lifetime  The generator outlives the handler: its parameters are values, or outlive the request.
inline StreamResponse stream(AsyncGenerator<std::string> pieces,
                             Response head = Response(200, {}, kTextType)) {
  return {std::move(pieces), std::move(head)};
}

struct FileOptions {
  /// Empty: told by the extension of `download_as`, or of the path.
  std::string content_type = {};
  /// Not empty: browsers save it, under this name.   Spec  RFC 6266
  std::string download_as = {};
};

/// A file of the handler's choice.
struct FileResponse {
  std::string path;
  FileOptions options;
};

/// Sends a file, as `StaticFiles` would: with its entity tag, ranges and conditions, by sendfile, read
/// by a thread where it is not in memory. 404 when there is none, 403 when it may not be read; the
/// reason is in the log. Symbolic links are followed: the path is the program's, so let no part of it
/// come from a client unchecked.
inline FileResponse file(std::string path, FileOptions options = {}) {
  return {std::move(path), std::move(options)};
}

namespace detail {
/// Throws  What the generator throws. StreamClosedError: the client went away.
/// Cancel  Ends the response where it is.
Task<> send_stream(HTTPExchange& exchange, StreamResponse response);
/// Throws  As `StaticFiles::serve`.
/// Cancel  Ends the response where it is.
Task<> send_file(HTTPExchange& exchange, FileResponse response);
}  // namespace detail

template <>
struct ResultWriter<StreamResponse> {
  /// Throws  As `detail::send_stream`.   Cancel  The same.
  static Task<> send_pieces(HTTPExchange& exchange, StreamResponse result) {
    return detail::send_stream(exchange, std::move(result));
  }
};

template <>
struct ResultWriter<FileResponse> {
  /// Throws  As `detail::send_file`.   Cancel  The same.
  static Task<> send_pieces(HTTPExchange& exchange, FileResponse result) {
    return detail::send_file(exchange, std::move(result));
  }
};

}  // namespace coronado::web
