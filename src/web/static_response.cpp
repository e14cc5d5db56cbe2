#include "web/static_response.hpp"

#include <coronado/base/error.hpp>
#include <coronado/http/httputil.hpp>

#include <ctime>

#include "web/byte_ranges.hpp"

namespace coronado::web {
namespace {

/// Fields that say how long the answer may be kept.
std::string cache_fields(const HTTPServerRequest& request, const StaticFileOptions& options) {
  if (!request.query().empty()) {
    for (const auto& [name, value] : request.query_arguments()) {
      if (name != "v") continue;
      return "Expires: " + format_timestamp(std::time(nullptr) + kVersionedSeconds) +
             "\r\nCache-Control: max-age=" + std::to_string(kVersionedSeconds) + "\r\n";
    }
  }
  if (options.cache_control.empty()) return {};
  return "Cache-Control: " + options.cache_control + "\r\n";
}

/// Sends some ranges, each behind its head.   Params  parts  Of as many heads as ranges, or none.
Task<> send_ranges(HTTPExchange& exchange, StaticFiles::File file, std::vector<ByteRange> ranges,
                   MultipartRanges parts) {
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    if (!parts.heads.empty()) exchange.write(parts.heads[i]);
    if (file->file) {
      co_await exchange.write_file(file->file, ranges[i].first, ranges[i].size());
    } else {
      exchange.write(std::string_view(file->content).substr(ranges[i].first, ranges[i].size()));
      co_await exchange.drain();
    }
  }
  exchange.write(parts.end);
  exchange.finish();
}

/// Begins a response and has its body follow, if there is to be one.
Task<> send_body(HTTPExchange& exchange, const StaticFiles::File& file, const ResponseHead& head,
                 std::uint64_t length, std::vector<ByteRange> ranges, MultipartRanges parts = {}) {
  exchange.start(head, length);
  if (exchange.request().method_id() != Method::kHead) {
    return send_ranges(exchange, file, std::move(ranges), std::move(parts));
  }
  exchange.finish();
  return {};
}

Task<> respond_partially(HTTPExchange& exchange, const StaticFiles::File& file, RangePlan plan,
                         const std::string& more) {
  if (plan.ranges.size() == 1) {
    const std::string fields = file->fields + more +
                               "Content-Range: " + content_range(plan.ranges[0], file->size) +
                               "\r\n";
    const std::uint64_t length = plan.ranges[0].size();
    return send_body(exchange, file, {.status = 206, .fields = fields}, length,
                     std::move(plan.ranges));
  }
  MultipartRanges parts = make_multipart_ranges(plan.ranges, file->content_type, file->size);
  std::string fields = "Content-Type: " + parts.content_type + "\r\n" + file->fields_304 + more;
  if (!file->content_encoding.empty()) {
    fields += "Content-Encoding: " + file->content_encoding + "\r\n";
  }
  const std::uint64_t length = parts.length;
  return send_body(exchange, file, {.status = 206, .fields = fields}, length,
                   std::move(plan.ranges), std::move(parts));
}

}  // namespace

std::string folder_location(const HTTPServerRequest& request) {
  const std::string_view path = request.path();
  // "//evil.example" and "/\evil.example" are other hosts to a browser.
  if (path.size() > 1 && (path[1] == '/' || path[1] == '\\')) {
    throw HTTPError(403, "cannot redirect to a path that looks like a host: " + std::string(path));
  }
  std::string location = std::string(path) + '/';
  if (!request.query().empty()) location.append("?").append(request.query());
  return location;
}

Task<> respond_with_file(HTTPExchange& exchange, const StaticFiles::File& found,
                         const StaticFileOptions& options) {
  const HTTPServerRequest& request = exchange.request();
  const bool changed =
      exchange.transforms_output();  // by who is given the whole of the file itself
  const StaticFiles::File& file =
      changed ? found
              : StaticFiles::choose(found, request.header(FieldId::kAcceptEncoding).value_or(""),
                                    options);
  const Method method = request.method_id();
  RangePlan plan;
  if (method == Method::kGet || method == Method::kHead) {  // RFC 9110 14.2, 13.2.1
    plan = plan_response(request.head(),
                         {.etag = file->etag, .modified = file->modified, .size = file->size},
                         changed ? Ranges::kIgnored : Ranges::kHonoured);
  }
  const std::string more = cache_fields(request, options);
  switch (plan.status) {
    case 206: return respond_partially(exchange, file, std::move(plan), more);
    case 304: exchange.respond({.status = 304, .fields = file->fields_304 + more}, {}); return {};
    case 412: throw HTTPError(412, file->path + " is not what the client knows");
    case 416:
      exchange.respond({.status = 416,
                        .fields = "Content-Type: text/plain\r\nAccept-Ranges: bytes\r\n"
                                  "Content-Range: bytes */" +
                                  std::to_string(file->size) + "\r\n" + file->fields_304},
                       {});
      return {};
    default: break;
  }
  std::string fields;
  if (!more.empty()) fields = file->fields + more;
  const ResponseHead head{.fields = more.empty() ? std::string_view(file->fields) : fields};
  if (!file->file) {
    exchange.respond(head, file->content);
    return {};
  }
  return send_body(exchange, file, head, file->size, {{0, file->size - 1}});
}

}  // namespace coronado::web
