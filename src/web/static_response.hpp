/// Answering a request with a file that has been found.
#pragma once

#include <coronado/http/exchange.hpp>
#include <coronado/web/static_files.hpp>

#include <memory>
#include <string>
#include <string_view>

namespace coronado::web {

/// How long what is asked for by its version may be kept.   Tornado  `CACHE_MAX_AGE`: ten years.
inline constexpr std::int64_t kVersionedSeconds = 86400LL * 365 * 10;

/// Answers with `file`, which is no folder: at once when its bytes are in memory, or none are asked
/// for; then the task is empty.
/// Throws  HTTPError(412)  A precondition does not hold.
///         As `HTTPExchange::write_file`, from the task.
/// Cancel  Ends the response where it is.
Task<> respond_with_file(HTTPExchange& exchange, const StaticFiles::File& file,
                         const StaticFileOptions& options);

/// Sends the client to the same path with a slash at its end.
/// Throws  HTTPError(403)  The path would be taken for another host's.
std::string folder_location(const HTTPServerRequest& request);

/// The endpoint of `Application::static_files`.
std::unique_ptr<HTTPEndpoint> make_static_endpoint(std::shared_ptr<StaticFiles> files);

}  // namespace coronado::web
