#include <coronado/web/standard_middleware.hpp>

#include <coronado/base/crypto.hpp>
#include <coronado/base/error.hpp>
#include <coronado/base/log.hpp>
#include <coronado/base/strings.hpp>
#include <coronado/coro/rate_limiter.hpp>
#include <coronado/coro/task_local.hpp>
#include <coronado/coro/timeout.hpp>
#include <coronado/http/header_block.hpp>
#include <coronado/loop/address.hpp>

#include <algorithm>
#include <list>
#include <unordered_map>

#include "http/response_encoder.hpp"
#include "web/error_response.hpp"

namespace coronado::web {
namespace {

// --- request_id --------------------------------------------------------------------------------

const TaskLocal<std::string>& request_id_local() {
  static const TaskLocal<std::string> key;
  return key;
}

void prefix_with_request_id(std::string& prefix) {
  if (const std::string id = current_request_id(); !id.empty()) prefix += '[' + id + "] ";
}

bool is_request_id(std::string_view text) {
  return !text.empty() && text.size() <= 128 && std::ranges::all_of(text, [](char c) {
    return is_ascii_letter(c) || is_ascii_digit(c) ||
           std::string_view("-_.:/+=@").find(c) != std::string_view::npos;
  });
}

std::string hexadecimal(std::string_view bytes) {
  std::string digits;
  append_hex(digits, bytes);
  return digits;
}

std::string choose_request_id(const HTTPServerRequest& request, const RequestIDOptions& options) {
  if (options.trust_incoming) {
    const std::optional<std::string_view> given = request.header(options.header);
    if (given && is_request_id(*given)) return std::string(*given);
  }
  return hexadecimal(random_bytes(16));
}

// --- rate_limit --------------------------------------------------------------------------------

std::string client_address(const WebExchange& exchange) {
  const std::string text = exchange.request().remote_ip();
  const std::optional<SocketAddress> address = SocketAddress::from_ip(text);
  if (!address || address->family != SocketAddress::Family::kIPv6) return text;
  return std::string(reinterpret_cast<const char*>(address->ip.data()), 8);
}

/// The token buckets of clients; the one that was quiet longest is forgotten first.
class ClientBuckets {
 public:
  explicit ClientBuckets(const RateLimitOptions& options) : options_(options) {
    if (options.max_clients == 0) throw UsageError("rate_limit: max_clients must be at least 1");
    try {
      const RateLimiter probe(options.tokens, options.span, options.burst);
    } catch (const std::invalid_argument& error) {
      throw UsageError(std::string("rate_limit: ") + error.what());
    }
  }

  RateLimiter& of(const std::string& client) {
    if (const auto found = places_.find(client); found != places_.end()) {
      buckets_.splice(buckets_.begin(), buckets_, found->second);
      return found->second->limiter;
    }
    if (places_.size() == options_.max_clients) {
      places_.erase(buckets_.back().client);
      buckets_.pop_back();
    }
    buckets_.emplace_front(client, options_);
    places_.emplace(client, buckets_.begin());
    return buckets_.front().limiter;
  }

  /// Seconds until a token is there again, at most.
  std::int64_t retry_after() const {
    const Duration each = options_.span / static_cast<std::int64_t>(options_.tokens);
    return std::max<std::int64_t>(1, std::chrono::ceil<std::chrono::seconds>(each).count());
  }

 private:
  struct Bucket {
    Bucket(const std::string& name, const RateLimitOptions& options)
        : client(name), limiter(options.tokens, options.span, options.burst) {}
    std::string client;
    RateLimiter limiter;
  };

  RateLimitOptions options_;
  std::list<Bucket> buckets_;  // the most recent first
  std::unordered_map<std::string, std::list<Bucket>::iterator> places_;
};

/// An error page with one more field.
void refuse(WebExchange& exchange, int status, std::string_view name, std::string value) {
  exchange.edit_head(
      [name, value = std::move(value)](int, HeaderBlock& fields) { fields.set(name, value); });
  respond_with_status(exchange, status, {});
}

/// What follows the scheme in `Authorization`, if it is that scheme.
std::optional<std::string_view> credentials(const HTTPServerRequest& request,
                                            std::string_view scheme) {
  const std::optional<std::string_view> field = request.header("Authorization");
  if (!field || field->size() <= scheme.size() || (*field)[scheme.size()] != ' ' ||
      !equals_ignore_case(field->substr(0, scheme.size()), scheme)) {
    return std::nullopt;
  }
  return trim(field->substr(scheme.size()));
}

void check_text(std::string_view who, std::string_view text) {
  const bool sendable = std::ranges::none_of(
      text, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; });
  if (!sendable) throw UsageError(std::string(who) + ": control characters in the text");
}

}  // namespace

// --- request_id --------------------------------------------------------------------------------

Middleware request_id(RequestIDOptions options) {
  set_log_context(prefix_with_request_id);
  return [options = std::move(options)](WebExchange& exchange, Next next) -> Task<> {
    const std::string id = choose_request_id(exchange.request(), options);
    exchange.set_extension(RequestID{id});
    request_id_local().set(id);
    exchange.edit_head(
        [&options, id](int, HeaderBlock& fields) { fields.set(options.header, id); });
    co_await next(exchange);
  };
}

std::string current_request_id() {
  const Executor* executor = Executor::current();
  if (executor == nullptr || executor->running() == nullptr) return {};
  return request_id_local().get();
}

// --- limits ------------------------------------------------------------------------------------

Middleware rate_limit(RateLimitOptions options) {
  return [buckets = std::make_shared<ClientBuckets>(options),
          client = options.client != nullptr ? options.client : client_address](
             WebExchange& exchange, Next next) -> Task<> {
    if (buckets->of(client(exchange)).try_acquire()) return next(exchange);
    refuse(exchange, 429, "Retry-After", std::to_string(buckets->retry_after()));
    return {};
  };
}

Middleware time_limit(Duration limit) {
  if (limit <= Duration::zero()) throw UsageError("time_limit: the limit must be more than zero");
  return [limit](WebExchange& exchange, Next next) -> Task<> {
    bool late = false;
    try {
      co_await with_timeout(limit, next(exchange));
    } catch (const TimeoutError&) {
      late = true;
    }
    if (late && !exchange.finished()) {
      throw HTTPError(503, "the handler took longer than its time limit");
    }
  };
}

Middleware body_limit(std::uint64_t bytes) {
  return [bytes](WebExchange& exchange, Next next) -> Task<> {
    const HTTPServerRequest& request = exchange.request();
    std::uint64_t length = request.body().size();
    if (const auto field = request.header("Content-Length")) {
      length = std::max(length, parse_int<std::uint64_t>(*field).value_or(0));
    }
    if (length > bytes) {
      throw HTTPError(413, "a body of " + std::to_string(length) + " bytes; the limit is " +
                               std::to_string(bytes));
    }
    return next(exchange);
  };
}

// --- who asks ----------------------------------------------------------------------------------

namespace detail {

std::optional<std::pair<std::string, std::string>> basic_credentials(
    const HTTPServerRequest& request) {
  const std::optional<std::string_view> encoded = credentials(request, "Basic");
  if (!encoded) return std::nullopt;
  const std::optional<std::string> text = base64_decode(*encoded);
  // RFC 7617 2: the user name ends at the first colon.
  const std::size_t colon = text ? text->find(':') : std::string::npos;
  if (colon == std::string::npos) return std::nullopt;
  return std::pair(text->substr(0, colon), text->substr(colon + 1));
}

std::optional<std::string> bearer_token(const HTTPServerRequest& request) {
  const std::optional<std::string_view> token = credentials(request, "Bearer");
  if (!token || token->empty()) return std::nullopt;
  return std::string(*token);
}

void challenge(WebExchange& exchange, const std::string& with) {
  refuse(exchange, 401, "WWW-Authenticate", with);
}

std::string challenge_text(std::string_view scheme, std::string_view realm) {
  check_text("the realm of an authentication", realm);
  std::string text(scheme);
  text += " realm=\"";
  for (const char c : realm) {
    if (c == '"' || c == '\\') text += '\\';
    text += c;
  }
  return text + '"';
}

}  // namespace detail

// --- paths -------------------------------------------------------------------------------------

namespace {

/// Sends the client from the path it asked for to `path`, with its query.
void send_to(WebExchange& exchange, std::string path) {
  const HTTPServerRequest& request = exchange.request();
  const Method method = request.method_id();
  // "//host/" would be a URL of another host.
  if ((method != Method::kGet && method != Method::kHead) || path.starts_with("//")) {
    return respond_with_status(exchange, 404, {});
  }
  if (!request.query().empty()) path.append("?").append(request.query());
  refuse(exchange, 301, "Location", std::move(path));
}

}  // namespace

Middleware add_slash() {
  return [](WebExchange& exchange, Next next) -> Task<> {
    const std::string_view path = exchange.request().path();
    if (path.ends_with('/')) return next(exchange);
    send_to(exchange, std::string(path) + '/');
    return {};
  };
}

Middleware remove_slash() {
  return [](WebExchange& exchange, Next next) -> Task<> {
    std::string_view path = exchange.request().path();
    if (path == "/" || !path.ends_with('/')) return next(exchange);
    while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
    send_to(exchange, std::string(path));
    return {};
  };
}

// --- responses ---------------------------------------------------------------------------------

Middleware cache_control(std::string value) {
  check_text("cache_control", value);
  return [value = std::move(value)](WebExchange& exchange, Next next) -> Task<> {
    const Method method = exchange.request().method_id();
    if (method == Method::kGet || method == Method::kHead) {
      exchange.edit_head([&value](int status, HeaderBlock& fields) {
        if (status < 400 && !fields.contains("Cache-Control")) fields.set("Cache-Control", value);
      });
    }
    return next(exchange);
  };
}

Middleware compression(ResponseCompression options) {
  return [encoder = std::make_shared<ResponseEncoder>(std::move(options))](WebExchange& exchange,
                                                                           Next next) -> Task<> {
    exchange.compress_with(encoder.get());
    return next(exchange);
  };
}

Middleware no_compression() {
  return [](WebExchange& exchange, Next next) -> Task<> {
    exchange.compress_with(nullptr);
    return next(exchange);
  };
}

}  // namespace coronado::web
