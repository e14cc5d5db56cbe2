#include <coronado/http/server_request.hpp>

#include <coronado/base/error.hpp>
#include <coronado/base/strings.hpp>
#include <coronado/http/exchange.hpp>
#include <coronado/http/headers.hpp>
#include <coronado/http/httputil.hpp>
#include <coronado/http/multipart.hpp>

#include "http/forwarded.hpp"
#include "http/list_elements.hpp"
#include "http/quote.hpp"

namespace coronado {

namespace {

constexpr HTTPLimits kDefaultLimits;

}  // namespace

struct HTTPServerRequest::Parsed {
  std::optional<ArgumentList> query;
  std::optional<MultipartForm> form;
  std::optional<ArgumentList> cookies;
  std::string consumed_content_encoding;
  HTTPHeaders trailers;
  ForwardedClient forwarded;
};

HTTPServerRequest::HTTPServerRequest() : limits_(&kDefaultLimits) {}
HTTPServerRequest::~HTTPServerRequest() = default;

void HTTPServerRequest::clear() noexcept {
  head_.clear();
  body_ = {};
  endpoint_limits_ = nullptr;
  parsed_.reset();
}

HTTPServerRequest::Parsed& HTTPServerRequest::parsed() const {
  if (!parsed_) parsed_ = std::make_unique<Parsed>();
  return *parsed_;
}

std::string_view HTTPServerRequest::consumed_content_encoding() const noexcept {
  return parsed_ ? std::string_view(parsed_->consumed_content_encoding) : std::string_view();
}

void HTTPServerRequest::set_consumed_content_encoding(std::string coding) {
  parsed().consumed_content_encoding = std::move(coding);
}

const HTTPHeaders& HTTPServerRequest::trailers() const noexcept {
  static const HTTPHeaders none;
  return parsed_ ? parsed_->trailers : none;
}

void HTTPServerRequest::set_trailers(HTTPHeaders trailers) {
  parsed().trailers = std::move(trailers);
}

bool HTTPServerRequest::accepts_trailers() const {
  if (head_.minor_version() == 0 || !head_.contains(FieldId::kTE)) return false;
  for (const std::string& element : list_elements(head_, "TE")) {
    if (equals_ignore_case(element, "trailers")) return true;
  }
  return false;
}

std::string_view HTTPServerRequest::version() const noexcept {
  return head_.minor_version() == 0 ? "HTTP/1.0" : "HTTP/1.1";
}

std::string_view HTTPServerRequest::host() const noexcept {
  if (parsed_ && !parsed_->forwarded.host.empty()) return parsed_->forwarded.host;
  const std::string_view authority = head_.authority();
  return authority.empty() && head_.minor_version() == 0 ? "127.0.0.1" : authority;
}

std::string HTTPServerRequest::host_name() const {
  return ascii_lower(split_host_and_port(host()).host);
}

std::string HTTPServerRequest::remote_ip() const {
  if (parsed_ && parsed_->forwarded.address) return parsed_->forwarded.address->host();
  return peer_.is_ip() ? peer_.host() : "0.0.0.0";
}

std::string_view HTTPServerRequest::protocol() const noexcept {
  const bool https = parsed_ ? parsed_->forwarded.https.value_or(tls_ != nullptr) : tls_ != nullptr;
  return https ? "https" : "http";
}

void HTTPServerRequest::set_forwarded(ForwardedClient client) {
  parsed().forwarded = std::move(client);
}

std::string HTTPServerRequest::full_url() const {
  std::string url(protocol());
  url.append("://").append(host()).append(uri());
  return url;
}

const ArgumentList& HTTPServerRequest::query_arguments() const {
  std::optional<ArgumentList>& arguments = parsed().query;
  if (!arguments) arguments = parse_qs(query());
  return *arguments;
}

const ArgumentList& HTTPServerRequest::body_arguments() const { return form().arguments; }

const std::vector<HTTPFile>& HTTPServerRequest::files() const { return form().files; }

/// The body as a form; empty when it is none.
const MultipartForm& HTTPServerRequest::form() const {
  std::optional<MultipartForm>& form = parsed().form;
  if (form) return *form;
  const std::string_view type = header(FieldId::kContentType).value_or("");
  const auto boundary = multipart_boundary(type);
  const bool urlencoded =
      equals_ignore_case(trim(type.substr(0, type.find(';'))), "application/x-www-form-urlencoded");
  const auto coding = header("Content-Encoding");
  if (coding && (boundary || urlencoded)) {
    throw HTTPInputError("unsupported Content-Encoding of a form: " + quote_for_log(*coding));
  }
  if (boundary) {
    form = parse_multipart_form(*boundary, body_, multipart_limits());
  } else {
    form.emplace();
    if (urlencoded) form->arguments = parse_qs(body_);
  }
  return *form;
}

MultipartLimits HTTPServerRequest::multipart_limits() const noexcept {
  if (endpoint_limits_ != nullptr && endpoint_limits_->multipart) {
    return *endpoint_limits_->multipart;
  }
  return {.max_parts = limits_->max_parts,
          .max_part_header_size = limits_->max_part_header_size,
          .max_part_size = limits_->max_part_size == 0 ? UINT64_MAX : limits_->max_part_size};
}

const ArgumentList& HTTPServerRequest::cookies() const {
  std::optional<ArgumentList>& cookies = parsed().cookies;
  if (!cookies) cookies = parse_cookie(header(FieldId::kCookie).value_or(""));
  return *cookies;
}

std::optional<std::string_view> HTTPServerRequest::cookie(std::string_view name) const {
  std::optional<std::string_view> found;
  for (const auto& [key, value] : cookies()) {
    if (key == name) found = value;
  }
  return found;
}

}  // namespace coronado
