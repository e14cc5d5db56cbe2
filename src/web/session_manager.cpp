#include "web/session_manager.hpp"

#include <coronado/base/crypto.hpp>
#include <coronado/base/error.hpp>
#include <coronado/base/log.hpp>
#include <coronado/http/server_request.hpp>

#include <algorithm>
#include <stdexcept>

#include "web/sealed_text.hpp"

namespace coronado::web::detail {
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

std::shared_ptr<Session> SessionManager::begin(WebExchange& exchange) const {
  return std::shared_ptr<Session>(new Session(*this, exchange));
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

bool SessionManager::load_now(Session& session) const {
  const auto cookie = session.exchange_->request().cookie(options_.cookie_name);
  const bool brought = cookie && !cookie->empty();
  if (brought && store_) return false;
  session.loaded_ = true;
  session.values_ = Json::object();
  if (!brought) return true;
  std::string why;
  load_from_cookie(session, *cookie, why);
  if (!why.empty()) log_refusal(session, why);
  return true;
}

Task<> SessionManager::load_from_store(Session& session) const {
  std::string id(*session.exchange_->request().cookie(options_.cookie_name));
  std::optional<StoredSession> stored = co_await store_->load(store_key(id));
  session.loaded_ = true;
  session.values_ = Json::object();
  std::string why;
  if (!stored) {
    why = "it is unknown, or has expired";
  } else if (accept(session, stored->created, stored->seen, std::move(stored->values), why)) {
    session.id_ = std::move(id);
  }
  if (!why.empty()) log_refusal(session, why);
}

void SessionManager::log_refusal(const Session& session, const std::string& why) const {
  const HTTPServerRequest& request = session.exchange_->request();
  general_log().warning("cookie " + options_.cookie_name + " refused: " + why + " (" +
                        std::string(request.method()) + " " + std::string(request.path()) +
                        " from " + request.remote_ip() + ")");
}

void SessionManager::set_cookie(Session& session, std::string_view value) const {
  CookieOptions attributes = options_.cookie;
  if (session.exchange_->request().protocol() == "https") attributes.secure = true;
  attributes.expires.reset();
  attributes.expires_days.reset();
  attributes.max_age.reset();
  if (session.destroyed_) {
    attributes.expires = std::time_t{0};
  } else if (options_.persistent) {
    attributes.max_age = std::min(options_.idle_timeout, options_.absolute_timeout).count();
  }
  session.set_cookie_ = format_set_cookie(options_.cookie_name, value, attributes);
}

void SessionManager::save_in_cookie(Session& session) const {
  if (session.destroyed_) return end(session);
  if (session.created_ == 0 || session.renewed_) session.created_ = now();
  const Json fields{
      {"c", std::int64_t{session.created_}}, {"s", std::int64_t{now()}}, {"v", session.values_}};
  const std::string value = write_cookie(json_encode(fields));
  if (options_.cookie_name.size() + value.size() > kMaxCookie - 128) {  // for the attributes
    throw std::length_error("a session of " + std::to_string(value.size()) +
                            " bytes does not fit into a cookie: keep it in a SessionStore");
  }
  set_cookie(session, value);
  session.changed_ = session.renewed_ = session.refresh_ = false;
}

Task<> SessionManager::save_in_store(Session& session) const {
  const std::string old = session.id_;
  if (session.destroyed_) {
    if (!old.empty()) co_await store_->remove(store_key(old));
    co_return end(session);
  }
  if (const std::size_t size = json_encode(session.values_).size(); size > options_.max_size) {
    throw std::length_error("a session of " + std::to_string(size) +
                            " bytes cannot be saved: at most " + std::to_string(options_.max_size));
  }
  if (session.created_ == 0 || session.renewed_) session.created_ = now();
  if (session.renewed_ || old.empty()) session.id_ = random_token();
  if (session.id_ != old && !old.empty()) co_await store_->remove(store_key(old));
  StoredSession stored{session.values_, session.created_, now()};
  const auto left = options_.absolute_timeout - std::chrono::seconds(stored.seen - stored.created);
  const auto lifetime = std::min(options_.idle_timeout, std::max(left, std::chrono::seconds(1)));
  co_await store_->save(store_key(session.id_), std::move(stored), lifetime);
  set_cookie(session, session.id_);
  session.changed_ = session.renewed_ = session.refresh_ = false;
}

/// The session is over: the cookie goes, if the browser has one.
void SessionManager::end(Session& session) const {
  session.set_cookie_.reset();
  if (session.created_ != 0) set_cookie(session, "");
  session.id_.clear();
  session.created_ = 0;
  session.changed_ = session.renewed_ = session.refresh_ = session.destroyed_ = false;
}

Task<> SessionManager::save(Session& session) const {
  if (store_) return save_in_store(session);
  return [](const SessionManager& self, Session& saved) -> Task<> {
    self.save_in_cookie(saved);
    co_return;
  }(*this, session);
}

void SessionManager::edit_head(Session& session, int status, HeaderBlock& fields) const {
  if (must_save(session) && status < 500) {
    if (!store_) {
      save_in_cookie(session);
    } else if (session.changed_) {
      throw std::logic_error(
          "the response begins, and the session has not been saved: co_await session.save() before "
          "the first piece");
    }
  }
  if (session.set_cookie_) fields.add("Set-Cookie", *session.set_cookie_);
}

}  // namespace coronado::web::detail
