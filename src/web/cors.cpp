#include <coronado/web/cors.hpp>

#include <coronado/base/error.hpp>
#include <coronado/base/strings.hpp>
#include <coronado/http/header_block.hpp>
#include <coronado/web/exchange.hpp>

#include <algorithm>

#include "web/error_response.hpp"

namespace coronado::web {
namespace {

constexpr std::string_view kAnything = "*";

bool has(const std::vector<std::string>& texts, std::string_view text) {
  return std::ranges::find(texts, text) != texts.end();
}

std::string joined(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) {
    if (!text.empty()) text += ", ";
    text += part;
  }
  return text;
}

/// "https://app.example.com", and nothing behind it.
bool is_origin(std::string_view text) {
  const std::size_t scheme = text.find("://");
  if (text == kAnything || text == "null") return true;
  if (scheme == 0 || scheme == std::string_view::npos) return false;
  const std::string_view host = text.substr(scheme + 3);
  return !host.empty() && host.find_first_of("/?# ,\r\n") == std::string_view::npos;
}

class CORSPolicy {
 public:
  explicit CORSPolicy(CORSOptions options) : options_(std::move(options)) {
    for (std::string& origin : options_.origins) {
      if (!is_origin(origin)) throw UsageError("cors: not an origin: \"" + origin + '"');
      origin = ascii_lower(origin);
    }
    any_ = has(options_.origins, kAnything);
    if (options_.origins.empty()) throw UsageError("cors: no origin is listed");
    if (any_ && options_.credentials) {
      throw UsageError("cors: credentials need origins that are named, not \"*\"");
    }
    methods_ = joined(options_.methods);
    headers_ = joined(options_.headers);
    expose_ = joined(options_.expose);
    max_age_ = std::to_string(std::chrono::floor<std::chrono::seconds>(options_.max_age).count());
  }

  bool allows(std::string_view origin) const {
    if (any_) return true;
    const std::string lower = ascii_lower(origin);
    return std::ranges::any_of(options_.origins, [&](const std::string& each) {
      return each == lower || is_subdomain(lower, each);
    });
  }

  /// What every response of a listed origin says.
  void mark(HeaderBlock& fields, const std::string& origin) const {
    fields.set("Access-Control-Allow-Origin", any_ ? kAnything : origin);
    if (options_.credentials) fields.set("Access-Control-Allow-Credentials", "true");
    if (!expose_.empty()) fields.set("Access-Control-Expose-Headers", expose_);
  }

  /// What a cache must know of every response, whoever asked.
  void vary(HeaderBlock& fields) const {
    if (!any_) fields.add("Vary", "Origin");
  }

  void answer_preflight(WebExchange& exchange, const std::string& origin) const {
    HeaderBlock fields;
    fields.add("Vary", "Origin, Access-Control-Request-Method, Access-Control-Request-Headers");
    if (!allows(origin)) throw HTTPError(403, "cors: origin " + origin + " is not allowed");
    fields.set("Access-Control-Allow-Origin", any_ ? kAnything : origin);
    if (options_.credentials) fields.set("Access-Control-Allow-Credentials", "true");
    fields.set("Access-Control-Allow-Methods", methods_);
    const auto asked = exchange.request().header("Access-Control-Request-Headers");
    if (has(options_.headers, kAnything)) {
      if (asked) fields.set("Access-Control-Allow-Headers", *asked);
    } else if (!headers_.empty()) {
      fields.set("Access-Control-Allow-Headers", headers_);
    }
    fields.set("Access-Control-Max-Age", max_age_);
    exchange.respond({.status = 204, .fields = fields.wire()}, {});
  }

 private:
  /// Whether `pattern` is "https://*.example.com" and `origin` one of its subdomains.
  static bool is_subdomain(std::string_view origin, std::string_view pattern) {
    const std::size_t star = pattern.find("://*.");
    if (star == std::string_view::npos) return false;
    const std::string_view scheme = pattern.substr(0, star + 3);
    const std::string_view domain = pattern.substr(star + 4);
    return origin.size() > scheme.size() + domain.size() && origin.starts_with(scheme) &&
           origin.ends_with(domain);
  }

  CORSOptions options_;
  bool any_ = false;
  std::string methods_;
  std::string headers_;
  std::string expose_;
  std::string max_age_;
};

}  // namespace

Middleware cors(CORSOptions options) {
  return [policy = std::make_shared<const CORSPolicy>(std::move(options))](WebExchange& exchange,
                                                                           Next next) -> Task<> {
    const HTTPServerRequest& request = exchange.request();
    const std::optional<std::string_view> field = request.header("Origin");
    const std::string origin(field.value_or(""));
    if (field && request.method_id() == Method::kOptions &&
        request.header("Access-Control-Request-Method")) {
      policy->answer_preflight(exchange, origin);
      return {};
    }
    const bool allowed = field && policy->allows(origin);
    exchange.edit_head([policy, origin, allowed](int, HeaderBlock& fields) {
      policy->vary(fields);
      if (allowed) policy->mark(fields, origin);
    });
    return next(exchange);
  };
}

}  // namespace coronado::web
