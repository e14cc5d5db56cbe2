#include <coronado/web/session.hpp>

#include <coronado/base/crypto.hpp>
#include <coronado/base/error.hpp>
#include <coronado/base/log.hpp>
#include <coronado/http/server_request.hpp>

#include <algorithm>
#include <stdexcept>

#include "web/sealed_text.hpp"

namespace coronado::web {
namespace {

// RFC 6265 6.1: what browsers keep at least, with name and attributes; some keep no more.
constexpr std::size_t kMaxCookie = 4'096;
constexpr std::string_view kPurpose = "coronado session 1";

std::string store_key(std::string_view id) {
  return base64_encode(hash(HashAlgorithm::kSHA256, id), Base64::kURL);
}

void check(const SessionOptions& options) {
  if (options.idle_timeout.count() > 0 && options.absolute_timeout.count() > 0) return;
  throw UsageError("the timeouts of sessions are longer than zero");
}

}  // namespace

// --- Session -----------------------------------------------------------------------------------------

bool Session::erase(std::string_view name) {
  if (!values_.as_object().erase(name)) return false;
  changed_ = true;
  return true;
}

void Session::clear() {
  values_ = Json::object();
  changed_ = true;
}

void Session::destroy() {
  clear();
  destroyed_ = true;
}

// --- SessionManager ------------------------------------------------------------------------------------

SessionManager::SessionManager(CookieSecret secret, SessionOptions options)
    : secret_(std::move(secret)), options_(std::move(options)) {
  check(options_);
  if (secret_.empty()) throw UsageError("sessions in cookies need a secret");
}

SessionManager::SessionManager(std::shared_ptr<SessionStore> store, SessionOptions options)
    : store_(std::move(store)), options_(std::move(options)) {
  check(options_);
  if (!store_) throw UsageError("sessions need a store");
}

std::time_t SessionManager::now() const noexcept {
  return options_.now != nullptr ? options_.now() : std::time(nullptr);
}

std::optional<std::string> SessionManager::read_cookie(std::string_view text,
                                                       std::string& why) const {
  if (options_.format == SessionFormat::kSigned) {
    auto value = try_decode_signed_value(secret_, options_.cookie_name, text,
                                         {.max_age_days = 366, .min_version = 2, .now = now()});
    if (value) return std::move(*value);
    why = to_string(value.error());
    return std::nullopt;
  }
  return open_text(secret_, kPurpose, options_.cookie_name, text, why);
}

std::string SessionManager::write_cookie(std::string_view text) const {
  if (options_.format == SessionFormat::kSigned) {
    return create_signed_value(secret_, options_.cookie_name, text, 2, now());
  }
  return seal_text(secret_, kPurpose, options_.cookie_name, text);
}

bool SessionManager::accept(Session& session, std::time_t created, std::time_t seen, Json values,
                            std::string& why) const {
  const std::time_t time = now();
  const std::time_t idle = options_.idle_timeout.count();
  if (time - seen > idle || time - created > options_.absolute_timeout.count()) {
    why = "it has expired";
    return false;
  }
  constexpr std::time_t kMaxAhead = 300;
  if (seen - time > kMaxAhead || created - time > kMaxAhead || !values.is_object()) {
    why = values.is_object() ? "it is dated in the future" : "it is malformed";
    return false;
  }
  session.values_ = std::move(values);
  session.created_ = created;
  session.refresh_ = time - seen > idle / 10;  // not with each response
  return true;
}

void SessionManager::load_from_cookie(Session& session, std::string_view text,
                                      std::string& why) const {
  const std::optional<std::string> plain = read_cookie(text, why);
  if (!plain) return;
  try {
    const Json fields = json_decode(*plain);
    if (!accept(session, fields.at("c").as_int(), fields.at("s").as_int(), fields.at("v"), why)) {
      return;
    }
  } catch (const JsonError&) {
    why = "it is malformed";
    return;
  }
  const std::optional<int> version = options_.format == SessionFormat::kSigned
                                         ? get_signature_key_version(text)
                                         : sealed_key_version(text);
  if (version != secret_.key_version()) session.refresh_ = true;  // written with the new key
}

Task<Session> SessionManager::load(const HTTPServerRequest& request) const {
  Session session;
  session.over_tls_ = request.protocol() == "https";
  const std::string text(request.cookie(options_.cookie_name).value_or(""));
  if (text.empty()) co_return session;
  std::string why;
  if (!store_) {
    load_from_cookie(session, text, why);
  } else {
    std::optional<StoredSession> stored = co_await store_->load(store_key(text));
    if (!stored) {
      why = "it is unknown, or has expired";
    } else if (accept(session, stored->created, stored->seen, std::move(stored->values), why)) {
      session.id_ = text;
    }
  }
  if (!why.empty()) {
    general_log().warning("cookie " + options_.cookie_name + " refused: " + why + " (" +
                          std::string(request.method()) + " " + std::string(request.path()) +
                          " from " + request.remote_ip() + ")");
  }
  co_return session;
}

SessionCookie SessionManager::cookie(std::string value, const Session& session) const {
  SessionCookie cookie{std::move(value), options_.cookie};
  if (session.over_tls_) cookie.options.secure = true;
  cookie.options.expires.reset();
  cookie.options.expires_days.reset();
  cookie.options.max_age.reset();
  if (session.destroyed_) {
    cookie.options.expires = std::time_t{0};
  } else if (options_.persistent) {
    cookie.options.max_age = std::min(options_.idle_timeout, options_.absolute_timeout).count();
  }
  return cookie;
}

Task<> SessionManager::save_in_store(Session& session) const {
  const std::string old = session.id_;
  if (session.renewed_ || old.empty()) session.id_ = random_token();
  if (session.id_ != old && !old.empty()) co_await store_->remove(store_key(old));
  StoredSession stored{session.values_, session.created_, now()};
  if (const std::size_t size = json_encode(stored.values).size(); size > options_.max_size) {
    throw std::length_error("a session of " + std::to_string(size) +
                            " bytes cannot be saved: at most " + std::to_string(options_.max_size));
  }
  const auto left = options_.absolute_timeout - std::chrono::seconds(stored.seen - stored.created);
  const auto lifetime = std::min(options_.idle_timeout, std::max(left, std::chrono::seconds(1)));
  co_await store_->save(store_key(session.id_), std::move(stored), lifetime);
}

Task<std::optional<SessionCookie>> SessionManager::save(Session& session) const {
  if (session.destroyed_) {
    const bool was_known = !session.is_new();
    if (store_ && !session.id_.empty()) co_await store_->remove(store_key(session.id_));
    SessionCookie gone = cookie("", session);
    session = Session();
    if (!was_known) co_return std::nullopt;
    co_return gone;
  }
  if (!session.changed_ && !session.refresh_) co_return std::nullopt;
  if (session.is_new() || session.renewed_) session.created_ = now();
  std::string value;
  if (store_) {
    co_await save_in_store(session);
    value = session.id_;
  } else {
    const Json fields{
        {"c", std::int64_t{session.created_}}, {"s", std::int64_t{now()}}, {"v", session.values_}};
    value = write_cookie(json_encode(fields));
    if (options_.cookie_name.size() + value.size() > kMaxCookie - 128) {  // for the attributes
      throw std::length_error("a session of " + std::to_string(value.size()) +
                              " bytes does not fit into a cookie: keep it in a SessionStore");
    }
  }
  session.changed_ = session.renewed_ = session.refresh_ = false;
  co_return cookie(std::move(value), session);
}

Task<> SessionManager::save(Session& session, RequestHandler& handler) const {
  const std::optional<SessionCookie> cookie = co_await save(session);
  if (cookie) handler.set_cookie(options_.cookie_name, cookie->value, cookie->options);
}

Task<> SessionManager::save(Session& session, Response& response) const {
  const std::optional<SessionCookie> cookie = co_await save(session);
  if (!cookie) co_return;
  response.headers().add("Set-Cookie",
                         format_set_cookie(options_.cookie_name, cookie->value, cookie->options));
}

// --- SessionHandler --------------------------------------------------------------------------------------

SessionHandler::SessionHandler(std::shared_ptr<const SessionManager> sessions)
    : sessions_(std::move(sessions)) {
  defer_send();
}

Session& SessionHandler::session() {
  if (!session_) {
    throw std::logic_error("there is no session before SessionHandler::prepare has run");
  }
  return *session_;
}

Task<> SessionHandler::prepare() { session_ = co_await sessions_->load(request()); }

Task<> SessionHandler::save_session() { co_await sessions_->save(session(), *this); }

Task<> SessionHandler::before_send() {
  if (session_ && get_status() < 500) co_await save_session();
}

}  // namespace coronado::web
