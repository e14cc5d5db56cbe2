#include <coronado/web/request_handler.hpp>

#include <coronado/base/escape.hpp>
#include <coronado/base/log.hpp>
#include <coronado/base/strings.hpp>
#include <coronado/coro/await_trace.hpp>
#include <coronado/http/headers.hpp>
#include <coronado/http/httputil.hpp>
#include <coronado/http/upgrade.hpp>
#include <coronado/web/application.hpp>
#include <coronado/web/locale.hpp>

#include <algorithm>
#include <stdexcept>

#include "http/chunked.hpp"
#include "web/arguments.hpp"
#include "web/debug_page.hpp"
#include "web/error_response.hpp"
#include "web/handler_security.hpp"
#include "web/problem.hpp"
#include "web/response_draft.hpp"

namespace coronado::web {
namespace {

constexpr std::string_view kDefaultContentType = "Content-Type: text/html; charset=UTF-8\r\n";

/// An argument as the handler reads it.   Throws  MissingArgumentError  There is none.
std::string required(const RequestHandler& handler, const std::string* value,
                     std::string_view name) {
  if (value == nullptr) throw MissingArgumentError(std::string(name));
  return handler.decode_argument(*value, name);
}

/// RFC 9110 9.2.1: methods that ask for no change, and need no XSRF token.
bool is_safe(Method method) noexcept {
  return method == Method::kGet || method == Method::kHead || method == Method::kOptions;
}

std::string optional(const RequestHandler& handler, const std::string* value, std::string_view name,
                     std::string_view fallback) {
  return value == nullptr ? std::string(fallback) : handler.decode_argument(*value, name);
}

std::vector<std::string> all(const RequestHandler& handler, const ArgumentList& arguments,
                             std::string_view name) {
  std::vector<std::string> values;
  for (const auto& [key, value] : arguments) {
    if (key == name) values.push_back(handler.decode_argument(value, name));
  }
  return values;
}

}  // namespace

RequestHandler::RequestHandler() noexcept = default;
RequestHandler::~RequestHandler() = default;

ResponseDraft& RequestHandler::draft() {
  if (!draft_) draft_ = std::make_unique<ResponseDraft>();
  return *draft_;
}

// --- verbs -------------------------------------------------------------------------------------

void RequestHandler::refuse_method() const { throw HTTPError(405); }

Task<> RequestHandler::get() { refuse_method(); }
Task<> RequestHandler::head() { return get(); }
Task<> RequestHandler::post() { refuse_method(); }
Task<> RequestHandler::put() { refuse_method(); }
Task<> RequestHandler::patch() { refuse_method(); }
Task<> RequestHandler::del() { refuse_method(); }
Task<> RequestHandler::options() { refuse_method(); }
Task<> RequestHandler::other_method() { refuse_method(); }
Task<> RequestHandler::prepare() { return {}; }
Task<> RequestHandler::data_received(std::string_view) { return {}; }

[[gnu::always_inline]] inline Task<> RequestHandler::call_verb() {
  switch (request().method_id()) {
    case Method::kGet: return get();
    case Method::kHead: return head();
    case Method::kPost: return post();
    case Method::kPut: return put();
    case Method::kPatch: return patch();
    case Method::kDelete: return del();
    case Method::kOptions: return options();
    default: return other_method();
  }
}

Task<> RequestHandler::receive_then_call_verb() {
  for (std::string piece = co_await read_body(); !piece.empty(); piece = co_await read_body()) {
    if (Task<> taken = data_received(piece)) co_await std::move(taken);
    if (finished_) co_return;
  }
  if (Task<> verb = call_verb()) co_await std::move(verb);
}

Task<> RequestHandler::execute(WebExchange& exchange, std::unique_ptr<RequestHandler> handler) {
  RequestHandler& self = *handler;
  self.exchange_ = &exchange;
  if (self.hears_close_) exchange.set_close_callback([&self] { self.on_connection_close(); });
  // Runs last in every case: finished, failed or cancelled.
  struct Finally {
    RequestHandler& handler;
    ~Finally() {
      try {
        handler.on_finish();
      } catch (const std::exception& error) {
        app_log().error(std::string("exception in on_finish: ") + error.what());
      } catch (...) {
        app_log().error("exception in on_finish, not a std::exception");
      }
    }
  } finally{self};
  try {
    self.set_default_headers();
    if (!is_safe(self.request().method_id()) && exchange.application().checks_xsrf()) {
      self.check_xsrf_cookie();
    }
    if (Task<> prepared = self.prepare()) co_await std::move(prepared);
    if (!self.finished_) {
      Task<> verb = self.receives_data_ ? self.receive_then_call_verb() : self.call_verb();
      if (verb) co_await std::move(verb);
    }
    if (!self.finished_) self.finish();
  } catch (const Cancelled&) {
    throw;
  } catch (const Finish&) {
    if (!self.finished_) self.finish();
  } catch (...) {
    self.handle_exception(std::current_exception());
  }
  if (self.hears_close_) exchange.set_close_callback(nullptr);
  if (self.upgraded_) self.on_upgraded(std::move(handler));
}

void RequestHandler::upgrade(std::unique_ptr<UpgradedConnection> next) {
  if (finished_) throw std::logic_error("cannot upgrade() after finish()");
  set_status(101);
  exchange_->upgrade(response_head(), std::move(next));
  finished_ = upgraded_ = true;
  draft_.reset();
}

void RequestHandler::on_upgraded(std::unique_ptr<RequestHandler>) noexcept {}

void RequestHandler::handle_exception(const std::exception_ptr& error) noexcept {
  try {
    if (is_client_gone(*exchange_, error)) {
      finished_ = true;
      return exchange_->abort();
    }
    log_exception(error);
    if (finished_ && exchange_->started()) return;
    finished_ = false;  // `finish` has thrown, and nothing has been sent
    const auto [status, reason] = error_status(error);
    send_error(status, reason, error);
    return forget_await_trace(error);
  } catch (const std::exception& again) {
    app_log().error(std::string("uncaught exception in write_error: ") + again.what());
  } catch (...) {
    app_log().error("uncaught exception in write_error, not a std::exception");
  }
  // The error page has failed: an empty 500 is left.
  finished_ = true;
  if (!exchange_->started()) {
    exchange_->respond({.status = 500}, {});
  } else if (!exchange_->finished()) {
    exchange_->abort();
  }
}

void RequestHandler::log_exception(const std::exception_ptr& error) {
  log_handler_exception(*exchange_, error);
}

void RequestHandler::write_error(int status, const std::exception_ptr& error) {
  if (!wants_problem(request(), error)) {
    return write(page_for_error(*exchange_, status, draft().reason, error));
  }
  set_header("Content-Type", kProblemType);
  write(problem_json(status, draft().reason, error));
}

// --- arguments -----------------------------------------------------------------------------------

std::string RequestHandler::path_argument(std::size_t index) const {
  const RouteParameters& parameters = exchange_->parameters();
  if (index >= parameters.size()) {
    throw std::out_of_range("the route has " + std::to_string(parameters.size()) +
                            " parameters, not " + std::to_string(index + 1));
  }
  return decode_argument(parameters.decoded(index), {});
}

std::string RequestHandler::path_argument(std::string_view name) const {
  const RouteParameters& parameters = exchange_->parameters();
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (parameters.name(i) == name) return path_argument(i);
  }
  throw std::out_of_range("the route has no parameter called " + std::string(name));
}

std::string RequestHandler::decode_argument(std::string_view value, std::string_view name) const {
  return checked_utf8(value, name.empty() ? "path argument" : "argument " + std::string(name));
}

std::string RequestHandler::get_argument(std::string_view name) const {
  const std::string* value = find_last_argument(form_arguments(request()), name);
  return value ? decode_argument(*value, name) : get_query_argument(name);
}

std::string RequestHandler::get_argument(std::string_view name, std::string_view fallback) const {
  const std::string* value = find_last_argument(form_arguments(request()), name);
  return value ? decode_argument(*value, name) : get_query_argument(name, fallback);
}

std::vector<std::string> RequestHandler::get_arguments(std::string_view name) const {
  std::vector<std::string> values = get_query_arguments(name);
  std::vector<std::string> more = get_body_arguments(name);
  values.insert(values.end(), std::make_move_iterator(more.begin()),
                std::make_move_iterator(more.end()));
  return values;
}

std::string RequestHandler::get_query_argument(std::string_view name) const {
  return required(*this, find_last_argument(query_arguments(request()), name), name);
}
std::string RequestHandler::get_query_argument(std::string_view name,
                                               std::string_view fallback) const {
  return optional(*this, find_last_argument(query_arguments(request()), name), name, fallback);
}
std::vector<std::string> RequestHandler::get_query_arguments(std::string_view name) const {
  return all(*this, query_arguments(request()), name);
}
std::string RequestHandler::get_body_argument(std::string_view name) const {
  return required(*this, find_last_argument(form_arguments(request()), name), name);
}
std::string RequestHandler::get_body_argument(std::string_view name,
                                              std::string_view fallback) const {
  return optional(*this, find_last_argument(form_arguments(request()), name), name, fallback);
}
std::vector<std::string> RequestHandler::get_body_arguments(std::string_view name) const {
  return all(*this, form_arguments(request()), name);
}

// --- the response --------------------------------------------------------------------------------

void RequestHandler::set_status(int status, std::string_view reason) {
  if (status < 100 || status > 999) {
    throw std::invalid_argument("not an HTTP status: " + std::to_string(status));
  }
  status_ = static_cast<std::uint16_t>(status);
  const std::string_view safe = safe_reason(reason);
  if (draft_ || !safe.empty()) draft().reason = safe;
}

void RequestHandler::set_header(std::string_view name, std::string_view value) {
  draft().headers.set(name, value);
}

void RequestHandler::set_header(std::string_view name, std::int64_t value) {
  set_header(name, std::to_string(value));
}

void RequestHandler::add_header(std::string_view name, std::string_view value) {
  draft().headers.add(name, value);
}

void RequestHandler::clear_header(std::string_view name) {
  draft().headers.erase(name);
  if (equals_ignore_case(name, "Content-Type")) default_content_type_ = false;
}

void RequestHandler::set_cookie(std::string_view name, std::string_view value,
                                const CookieOptions& options) {
  std::string field = format_set_cookie(name, value, options);
  auto& cookies = draft().set_cookies;
  std::erase_if(cookies, [&](const auto& cookie) { return cookie.first == name; });
  cookies.emplace_back(name, std::move(field));
}

void RequestHandler::set_cookie(std::string_view name, std::string_view value) {
  set_cookie(name, value, CookieOptions{});
}

void RequestHandler::set_trailer(std::string_view name, std::string_view value) {
  if (!may_be_trailer(name)) {
    throw std::invalid_argument("must not come behind a body: " + std::string(name));
  }
  std::unique_ptr<HTTPHeaders>& trailers = draft().trailers;
  if (!trailers) trailers = std::make_unique<HTTPHeaders>();
  trailers->set(name, value);
}

bool RequestHandler::sends_trailers() const {
  return draft_->trailers != nullptr && request().accepts_trailers();
}

/// False: the client takes none, and nothing has been sent.
bool RequestHandler::finish_with_trailers() {
  if (!exchange_->started()) {
    if (!sends_trailers()) return false;
    announce_trailers();
    take_content_length(draft_->headers);
    exchange_->start(response_head(), std::nullopt);
  }
  exchange_->write(draft_->body);
  exchange_->finish(*draft_->trailers);
  return true;
}

/// RFC 9110 6.6.2: a sender says which fields will follow, when it knows them.
void RequestHandler::announce_trailers() {
  std::string names;
  for (const HTTPHeaders::Field& field : *draft_->trailers) {
    names.append(names.empty() ? "" : ", ").append(field.name);
  }
  if (!draft_->headers.find("Trailer")) set_header("Trailer", names);
}

void RequestHandler::send_early_hints(std::initializer_list<std::string_view> links) {
  HeaderBlock fields;
  for (const std::string_view link : links) fields.add("Link", link);
  exchange_->send_interim({.status = 103, .fields = fields.wire()});
}

void RequestHandler::write(std::string_view chunk) {
  if (finished_) throw std::logic_error("cannot write() after finish()");
  draft().body.append(chunk);
}

ResponseHead RequestHandler::response_head() {
  ResponseDraft& said = draft();
  HeaderBlock& headers = said.headers;
  ResponseHead head;
  head.status = status_;
  head.reason = said.reason;
  for (const auto& [name, field] : said.set_cookies) headers.add("Set-Cookie", field);
  take_connection_fields(headers, *exchange_);
  const bool body_allowed = status_ >= 200 && status_ != 204 && status_ != 304;
  if (!body_allowed) {
    headers.erase("Content-Type");
    head.fields = headers.wire();
  } else {
    if (default_content_type_ && !headers.contains(HeaderBlock::kContentType)) {
      headers.append_wire(kDefaultContentType, HeaderBlock::kContentType);
    }
    head.fields = headers.wire();
  }
  head.has_date = headers.contains(HeaderBlock::kDate);
  head.has_server = headers.contains(HeaderBlock::kServer);
  return head;
}

HTTPExchange::Drain RequestHandler::flush() {
  if (finished_) throw std::logic_error("cannot flush() after finish()");
  const std::string chunk = std::exchange(draft().body, {});
  if (exchange_->started()) {
    exchange_->write(chunk);
  } else {
    std::optional<std::uint64_t> length = take_content_length(draft().headers);
    if (sends_trailers()) {
      announce_trailers();
      length.reset();
    }
    exchange_->start(response_head(), length, chunk);
  }
  return exchange_->drain();
}

Task<> RequestHandler::write_file(std::shared_ptr<const OpenFile> file, std::uint64_t offset,
                                  std::uint64_t count) {
  co_await flush();
  co_await exchange_->write_file(std::move(file), offset, count);
}

void RequestHandler::finish(std::string_view last) {
  if (finished_) throw std::logic_error("finish() called twice");
  if (!last.empty()) write(last);
  finished_ = true;
  send_response();
}

void RequestHandler::send_response() {
  if (application().automatic_etags() && !exchange_->started()) answer_unchanged();
  if (draft_ && draft_->trailers && finish_with_trailers()) [[unlikely]]
    return;
  if (exchange_->started()) {
    exchange_->write(draft().body);
    exchange_->finish();
    return;
  }
  const std::optional<std::uint64_t> length = take_content_length(draft().headers);
  if (length && draft().body.empty() && request().method_id() == Method::kHead) {
    exchange_->start(response_head(), length);  // that of the body which is not sent
    exchange_->finish();
    return;
  }
  exchange_->respond(response_head(), draft().body);
}

void RequestHandler::redirect(std::string_view url, bool permanent) {
  if (exchange_->started()) throw std::logic_error("cannot redirect after the head was sent");
  set_status(permanent ? 301 : 302);
  set_header("Location", url);
  finish();
}

void RequestHandler::send_error(int status, std::string_view reason,
                                const std::exception_ptr& error) {
  if (exchange_->started()) {
    if (exchange_->body_error() == 0) {  // else the client knows why, and the access log says it
      app_log().error("cannot send error " + std::to_string(status) +
                      ": the head is out; the connection is cut");
    }
    finished_ = true;
    if (!exchange_->finished()) exchange_->abort();
    return;
  }
  clear();
  set_status(status, reason);
  if (status == 405) {
    set_header("Allow", application().allowed_methods(*exchange_));
  }
  if (status != 304) write_error(status, error);
  if (!finished_) finish();
}

void RequestHandler::clear() {
  status_ = 200;
  draft_.reset();
  default_content_type_ = true;
  set_default_headers();
}

// --- entity tags -------------------------------------------------------------------------------

std::string RequestHandler::compute_etag() const {
  return make_etag(draft_ ? std::string_view(draft_->body) : std::string_view());
}

void RequestHandler::set_etag_header() {
  const std::string etag = compute_etag();
  if (!etag.empty()) set_header("ETag", etag);
}

bool RequestHandler::check_etag_header() const {
  const auto etag = draft_ ? draft_->headers.find("ETag") : std::nullopt;
  const auto field = request().header("If-None-Match");
  return etag && field && etag_matches(*field, *etag);
}

/// Sets the entity tag, and leaves out what the client has.
void RequestHandler::answer_unchanged() {
  const Method method = request().method_id();
  if (status_ != 200 || (method != Method::kGet && method != Method::kHead)) return;
  if (!draft().headers.contains("ETag")) set_etag_header();
  if (!check_etag_header()) return;
  status_ = 304;
  draft().body.clear();
  // RFC 9110 15.4.5: fields that describe a representation the client has are left out.
  for (const char* name : {"Content-Encoding", "Content-Language", "Content-Length"}) {
    draft().headers.erase(name);
  }
}

const Locale& RequestHandler::locale() {
  if (locale_ == nullptr) {
    const std::string code = get_user_locale();
    locale_ = code.empty() ? &get_browser_locale() : &application().locales().closest({code});
  }
  return *locale_;
}

const Locale& RequestHandler::get_browser_locale() const {
  return application().locales().for_browser(request().header("Accept-Language").value_or(""));
}

std::string RequestHandler::reverse_url(std::string_view name,
                                        const std::vector<std::string>& arguments) const {
  return application().reverse_url(name, arguments);
}

std::string RequestHandler::static_url(std::string_view path, bool include_host,
                                       bool include_version) const {
  const std::string url = application().static_url(path, include_version);
  if (!include_host) return url;
  return std::string(request().protocol()) + "://" + std::string(request().host()) + url;
}

}  // namespace coronado::web
