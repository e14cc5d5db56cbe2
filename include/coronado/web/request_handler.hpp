/// `RequestHandler`: a class for the requests of one route, as in Tornado.
///
///     struct Hello : web::RequestHandler {
///       Task<> get() override { write("Hello, world"); co_return; }
///     };
///
/// A handler object serves one request. Override the verbs you answer; the others are 405 with
/// `Allow`. The order: construction, `set_default_headers`, `prepare`, the verb, `finish` (if the
/// verb did not call it), log, `on_finish`.
///
/// Threads  The loop's thread only.
/// Layer: web.   Tornado  `web.RequestHandler`.
#pragma once

#include <coronado/base/error.hpp>
#include <coronado/coro/frame_pool.hpp>
#include <coronado/coro/task.hpp>
#include <coronado/web/exchange.hpp>

#include <cstdint>
#include <exception>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace coronado {
struct CookieOptions;
class Json;
class OpenFile;
class UpgradedConnection;
}  // namespace coronado

namespace coronado::web {

namespace detail {
class ActiveModules;
template <class H, class... Args>
class ClassEndpoint;
}  // namespace detail

class BaseLoader;
class EventStream;
struct HandlerSecurity;
class Locale;
class HandlerScope;
struct ResponseDraft;
class Session;
struct SignedCookieOptions;
struct SignedValueRules;
class TemplateArgument;
class TemplateNamespace;

/// Thrown by a handler to end the request with what it has written so far.   Tornado  `web.Finish`.
struct Finish {};

class RequestHandler : public coronado::detail::Pooled {
 public:
  RequestHandler() noexcept;
  virtual ~RequestHandler();
  RequestHandler(const RequestHandler&) = delete;
  RequestHandler& operator=(const RequestHandler&) = delete;

  // --- what you override -----------------------------------------------------------------------

  // The verbs run as tasks. What they throw is answered: an `HTTPError` with its status, anything
  // else with 500, and logged. They are cancelled when the client goes away or the server is
  // shutting down. The default of a verb answers 405 and says in `Allow` which verbs there are.

  /// Answers GET.
  /// Throws  HTTPError  Any other exception, too: see above.
  /// Cancel  When the client goes away.
  virtual Task<> get();

  /// Answers HEAD; the default calls `get` and its body is not sent.
  /// Throws  As `get`.   Cancel  As `get`.
  virtual Task<> head();

  /// Answers POST.
  /// Throws  As `get`.   Cancel  As `get`.
  virtual Task<> post();

  /// Answers PUT.
  /// Throws  As `get`.   Cancel  As `get`.
  virtual Task<> put();

  /// Answers PATCH.
  /// Throws  As `get`.   Cancel  As `get`.
  virtual Task<> patch();

  /// Answers DELETE, whose name is a word of C++.
  /// Throws  As `get`.   Cancel  As `get`.
  virtual Task<> del();

  /// Answers OPTIONS; the default is 204 with `Allow`.
  /// Throws  As `get`.   Cancel  As `get`.
  virtual Task<> options();

  /// Answers a method that has no verb of its own, such as PROPFIND, which is in `request().method()`;
  /// for those it does not know it throws `HTTPError(405)`.
  /// Throws  As `get`.   Cancel  As `get`.   Tornado  `SUPPORTED_METHODS`.
  virtual Task<> other_method();

  /// Runs before the verb, whatever it is. When it finishes the response, the verb is not called.
  /// Throws  As the verbs.   Cancel  As the verbs.
  virtual Task<> prepare();

  /// Given the body piece by piece while it arrives, between `prepare` and the verb. A handler that
  /// overrides it streams its body; the client is slowed down until the task has ended.
  ///
  ///     Task<> data_received(std::string_view chunk) override { return file_.write(chunk); }
  ///
  /// Throws   As the verbs; the verb is not called then.   Cancel  As the verbs.
  /// Lifetime `chunk` stays until the task ends.
  /// Tornado  `stream_request_body`, `data_received`.
  virtual Task<> data_received(std::string_view chunk);

  /// Runs after the response was handed over, also when the client has gone or an error was sent.
  virtual void on_finish() {}

  /// The client went away while the response was pending. The task is cancelled next.
  virtual void on_connection_close() {}

  /// Sets the fields every response of this handler has; runs again before an error page.
  virtual void set_default_headers() {}

  /// Writes the body of an error response, after `set_status`. The default is a short HTML page, or
  /// `application/problem+json` for a client that accepts JSON and not HTML.
  /// Params   error  What was thrown, if anything was.
  virtual void write_error(int status, const std::exception_ptr& error);

  /// Logs what a handler threw: what an `HTTPError` says becomes part of the request's line in the
  /// access log (see `WebExchange::log_message`); anything else is an error with the await trace.
  virtual void log_exception(const std::exception_ptr& error);

  // --- the request -----------------------------------------------------------------------------

  HTTPServerRequest& request() noexcept { return exchange_->request(); }
  const HTTPServerRequest& request() const noexcept { return exchange_->request(); }
  const Application& application() const noexcept { return exchange_->application(); }
  IOLoop& loop() noexcept { return exchange_->loop(); }

  /// The path parameter `index` or called `name`, percent-decoded.
  /// Throws  std::out_of_range  The route has no such parameter.
  ///         HTTPError(400)     It is not valid UTF-8.
  std::string path_argument(std::size_t index) const;
  std::string path_argument(std::string_view name) const;

  /// The last argument of that name from the query or the form body (the body wins), without white
  /// space around it.
  /// Throws   MissingArgumentError  400 "Missing argument NAME", from the form without a default.
  ///          HTTPError(400)        It is not valid UTF-8, or the query or the form is malformed.
  /// Tornado  `get_argument`.
  std::string get_argument(std::string_view name) const;
  std::string get_argument(std::string_view name, std::string_view fallback) const;
  /// All arguments of that name: of the query, then of the body.
  std::vector<std::string> get_arguments(std::string_view name) const;
  std::string get_query_argument(std::string_view name) const;
  std::string get_query_argument(std::string_view name, std::string_view fallback) const;
  std::vector<std::string> get_query_arguments(std::string_view name) const;
  std::string get_body_argument(std::string_view name) const;
  std::string get_body_argument(std::string_view name, std::string_view fallback) const;
  std::vector<std::string> get_body_arguments(std::string_view name) const;
  /// What all of these, and `path_argument`, make of the bytes that came; `name` is empty for a
  /// parameter of the path. The default takes UTF-8, trims it, and makes spaces of control characters.
  /// Throws   HTTPError(400)  It is not valid UTF-8.
  virtual std::string decode_argument(std::string_view value, std::string_view name) const;

  /// The next piece of the body, empty at the end; for routes with `stream_body`. On others the
  /// body is whole in `request().body()`.
  ///
  /// Throws  StreamClosedError  The client went away before the end.
  ///         HTTPError          The body breaks the rules or a limit (400, 413), or pauses (408).
  /// Cancel  Ends the wait; nothing is lost.
  HTTPExchange::ReadBody read_body() noexcept { return exchange_->read_body(); }

  /// A cookie of the request.
  std::optional<std::string_view> get_cookie(std::string_view name) const {
    return request().cookie(name);
  }

  // --- the response ----------------------------------------------------------------------------

  /// An unsuitable reason (control characters, "<") becomes "Unknown".
  /// Throws  std::invalid_argument  `status` is not 100 to 999.
  void set_status(int status, std::string_view reason = {});
  int get_status() const noexcept { return status_; }

  /// Throws  std::invalid_argument  See `HeaderBlock::set`.
  void set_header(std::string_view name, std::string_view value);
  void set_header(std::string_view name, std::int64_t value);
  void add_header(std::string_view name, std::string_view value);
  void clear_header(std::string_view name);

  /// Throws   std::invalid_argument  The name, value or an attribute cannot be sent.
  /// Tornado  `set_cookie`; a later one of the same name replaces the earlier.
  void set_cookie(std::string_view name, std::string_view value, const CookieOptions& options);
  void set_cookie(std::string_view name, std::string_view value);
  /// Deletes a cookie. One that was set for a domain or a path is deleted with the same.
  void clear_cookie(std::string_view name);
  void clear_cookie(std::string_view name, const CookieOptions& options);
  /// Deletes every cookie of the request.
  void clear_all_cookies();
  void clear_all_cookies(const CookieOptions& options);

  /// Adds a field that is sent behind the body, for clients that have said `TE: trailers`. The
  /// response is sent in chunks then. What is set before the head leaves is announced in `Trailer`.
  /// Throws  HTTPInputError         See `HTTPHeaders::add`.
  ///         std::invalid_argument  It must not come behind a body, such as Content-Length.
  /// Spec    RFC 9110 6.5.
  void set_trailer(std::string_view name, std::string_view value);

  /// Tells the client ahead of the response what it will need, so that it loads it meanwhile.
  ///
  ///     send_early_hints({"</style.css>; rel=preload; as=style"});
  ///
  /// Params  links  Values of `Link` fields.
  /// Throws  std::logic_error       The head has been sent.
  ///         std::invalid_argument  A link has control characters.
  /// Spec    RFC 8297, 103 Early Hints.
  void send_early_hints(std::initializer_list<std::string_view> links);

  /// Adds to the body, for `flush` or `finish`.   Throws  std::logic_error  After `finish`.
  void write(std::string_view chunk);

  /// Sends the head, the first time, and what was written so far.
  ///
  ///     write(piece);
  ///     co_await flush();   // waits while the client is slow
  ///
  /// Throws  std::logic_error   After `finish`.
  ///         StreamClosedError  From the await: the client went away.
  /// Cancel  Ends the wait; what was sent is sent.
  HTTPExchange::Drain flush();

  /// Sends bytes of a file behind what was written so far; see `HTTPExchange::write_file`. Set
  /// Content-Length before, when the response consists of it.
  /// Throws   std::logic_error    After `finish`.
  ///          StreamClosedError   The client went away.
  ///          std::runtime_error  The file ends before that, or cannot be read.
  /// Cancel   Ends the wait; what was sent is sent.
  Task<> write_file(std::shared_ptr<const OpenFile> file, std::uint64_t offset,
                    std::uint64_t count);

  // --- entity tags -----------------------------------------------------------------------------

  // With `Application::set_automatic_etags` they are set on each 200 to GET and HEAD that was not
  // flushed, and a client that has the representation gets 304 instead of it.

  /// The entity tag of what was written so far, with its quotes; empty: none. The default hashes it.
  virtual std::string compute_etag() const;

  /// Sets `ETag`, unless `compute_etag` has none.
  void set_etag_header();
  /// Whether the client says, in If-None-Match, that it has the representation of the `ETag` that is
  /// set. Then `set_status(304)` and `finish()` without a body.
  bool check_etag_header() const;

  /// Ends the response, not the handler.   Throws  std::logic_error  "finish() called twice".
  void finish(std::string_view last = {});
  bool finished() const noexcept { return finished_; }

  /// Sends the client to `url` and finishes.   Throws  std::logic_error  After `flush`.
  void redirect(std::string_view url, bool permanent = false);

  /// Drops what was written and sends an error page; when the head is out already, cuts the
  /// connection, so that nobody takes half a response for a whole one.
  void send_error(int status = 500, std::string_view reason = {},
                  const std::exception_ptr& error = nullptr);

  /// Forgets status, fields and body.
  void clear();

  // --- signed cookies: include <coronado/web/signed_value.hpp> ----------------------------------

  // They need `SecuritySettings::cookie_secret`; without it they throw `UsageError`.

  /// Sets a cookie that the client can read but not change.
  /// Throws   std::invalid_argument  See `set_cookie`.
  /// Tornado  `set_signed_cookie`, `set_secure_cookie`.
  void set_signed_cookie(std::string_view name, std::string_view value);
  void set_signed_cookie(std::string_view name, std::string_view value,
                         const SignedCookieOptions& options);

  /// The value of a signed cookie; none without a valid one. The log says why one was refused.
  /// Tornado  `get_signed_cookie`, `get_secure_cookie`.
  std::optional<std::string> get_signed_cookie(std::string_view name) const;
  std::optional<std::string> get_signed_cookie(std::string_view name,
                                               const SignedValueRules& rules) const;
  /// With which key a cookie claims to be signed; it is not verified.
  std::optional<int> get_signed_cookie_key_version(std::string_view name) const;

  /// `value` signed as a cookie called `name`.
  std::string create_signed_value(std::string_view name, std::string_view value) const;

  // --- who asks: include <coronado/base/json.hpp> ------------------------------------------------

  /// Who asks, as `get_current_user` found, once for each request, or `set_current_user` said; null:
  /// nobody who has logged in.   Tornado  `current_user`.
  const Json& current_user();
  void set_current_user(Json user);

  /// Finds who asks; the default finds nobody. Override it where a cookie is enough:
  ///
  ///     Json get_current_user() override {
  ///       const auto name = get_signed_cookie("user");
  ///       return name ? Json(*name) : Json();
  ///     }
  virtual Json get_current_user();

  /// The same for those who must wait for the answer. `authenticated` and `load_current_user` await
  /// it, and ask `get_current_user` when it returns an empty task, which is the default.
  /// Throws  As the verbs.   Cancel  As the verbs.
  virtual Task<Json> get_current_user_async();

  /// Has `current_user` know who asks, before a verb looks at it.
  /// Throws  What `get_current_user_async` throws.   Cancel  Passed on to it.
  Task<> load_current_user();

  /// True when somebody has logged in. Otherwise GET and HEAD are sent to the login page, which is
  /// told in `next` where to go on, and true is not returned; other methods are refused.
  ///
  ///     if (!co_await authenticated()) co_return;
  ///
  /// For all verbs of a handler: `Authenticated<H>` (<coronado/web/authenticated.hpp>).
  /// Throws   HTTPError(403)  Nobody has logged in, and the method is another one.
  ///          UsageError      There is no login page.
  ///          What `get_current_user_async` throws.
  /// Cancel   Passed on to that.
  /// Tornado  The decorator `authenticated`.
  Task<bool> authenticated();

  /// Where to log in: the setting `login_url`.   Throws  UsageError  There is none.
  virtual std::string get_login_url() const;

  /// Where a login page goes on: the argument `next` when that is a path of this site, else
  /// `fallback`. A login page that obeyed any `next` would send its users to whoever made the link.
  std::string get_next_url(std::string_view fallback = "/") const;

  // --- sessions: include <coronado/web/session.hpp> ----------------------------------------------

  /// The session of this request.   Throws  std::logic_error  `sessions` is not around this route.
  Session& session();

  /// Loads the session, for what looks at it later:
  ///
  ///     Task<> prepare() override { return load_session(); }
  ///
  /// Throws  As `session`. What the store throws.   Cancel  Passed on to the store.
  Task<> load_session();

  // --- forged requests: see <coronado/web/xsrf.hpp> -------------------------------------------------

  /// The token that forms and scripts send back. Asking for it sets the cookie, if the request has
  /// no valid one.   Throws  std::invalid_argument  The setting `xsrf_cookie_version` is not 1 or 2.
  const std::string& xsrf_token();

  /// `<input type="hidden" name="_xsrf" value="..."/>`, for forms.   Throws  As `xsrf_token`.
  std::string xsrf_form_html();

  /// The nonce that this response's Content-Security-Policy allows scripts by: `<script
  /// nonce="...">`. Empty without `security_headers` and a policy that mentions one.
  std::string_view csp_nonce() const noexcept;

  /// Called before `prepare` when the setting `xsrf_cookies` is on and the method may change
  /// something. Override it to accept requests that prove themselves otherwise, such as webhooks.
  /// Throws  HTTPError(403)  The token is missing or wrong.
  virtual void check_xsrf_cookie();

  // --- the reader's language: include <coronado/web/locale.hpp> --------------------------------

  /// The language for who asks: of `set_locale`, `get_user_locale`, or what the browser likes best of
  /// those that `Application::set_locales` has.
  /// Lifetime  The application's.   Tornado  `locale`.
  const Locale& locale();
  void set_locale(const Locale& locale) noexcept { locale_ = &locale; }

  /// The code of the language that the user has chosen: "de". Empty: what the browser likes.
  virtual std::string get_user_locale() { return {}; }

  /// What the browser likes best.
  const Locale& get_browser_locale() const;

  // --- templates: include <coronado/web/template.hpp> ------------------------------------------

  /// Renders the template `name` with these values, and finishes.
  ///
  ///     render("fortunes.html", {{"fortunes", fortunes}});
  ///
  /// A template sees what `arguments` has, then what `add_template_names` adds, `handler`,
  /// `request`, `current_user`, `reverse_url`, `static_url`, `xsrf_form_html`, `locale`, `_`,
  /// `pgettext`, and its UI modules, whose style sheets and scripts are put into the page.
  /// Throws   UsageError       The application has no template loader, the loader no such template,
  ///                           or the template has an `await`.
  ///          ParseError       The template is malformed.
  ///          TemplateError    An expression failed.
  ///          std::logic_error After `finish`.
  /// Tornado  `render`.
  void render(std::string_view name, std::initializer_list<TemplateArgument> arguments = {});

  /// As `render`, for templates with `{{ await expression }}`.
  /// Throws   As `render`, and what the awaited coroutines throw.
  /// Cancel   Passed on to the coroutine that is being awaited.
  /// Lifetime The values in `names` must live until the task ends.
  Task<> render_async(std::string name, TemplateNamespace names);

  /// As `render_async`, but sends the page piece by piece while it is rendered: a client that reads
  /// slowly stops the rendering. What the UI modules have for the head cannot be put there any more.
  /// Throws   As `render_async`; after the first piece the response is cut off.
  /// Cancel   Ends the rendering; what was sent stays sent.   Lifetime  As `render_async`.
  Task<> render_stream(std::string name, TemplateNamespace names);

  /// The text that `render` would send.   Throws  As `render`.
  std::string render_string(std::string_view name,
                            std::initializer_list<TemplateArgument> arguments = {});

  /// Adds names that every template of this handler sees.   Tornado  `get_template_namespace`.
  virtual void add_template_names(TemplateNamespace&) {}

  /// Where this handler finds templates; the default is the application's loader. Null: nowhere.
  /// Tornado  `create_template_loader`, `get_template_path`.
  virtual BaseLoader* get_template_loader() const;

  /// The markup for the scripts and styles of a page's UI modules. The defaults are Tornado's, with
  /// the `csp_nonce`, if there is one.
  virtual std::string render_linked_js(const std::vector<std::string>& urls) const;
  virtual std::string render_embed_js(std::string_view script) const;
  virtual std::string render_linked_css(const std::vector<std::string>& urls) const;
  virtual std::string render_embed_css(std::string_view style) const;

  /// False: a task goes on when its client goes away.
  void set_cancel_on_close(bool cancel) noexcept { exchange_->set_cancel_on_close(cancel); }

  /// The URL of a named route.   Throws  UsageError  See `Application::reverse_url`.
  std::string reverse_url(std::string_view name,
                          const std::vector<std::string>& arguments = {}) const;

  /// The URL of a static file, with its version: "/static/site.css?v=...".
  /// Params   include_host  Begin with "https://host".
  /// Throws   UsageError  See `Application::static_url`.
  std::string static_url(std::string_view path, bool include_host = false,
                         bool include_version = true) const;

  /// Runs `handler` for `exchange` from `prepare` to `on_finish`.
  /// Throws  Nothing but Cancelled.   Cancel  Passed on to the verb; `on_finish` still runs.
  static Task<> execute(WebExchange& exchange, std::unique_ptr<RequestHandler> handler);

 protected:
  WebExchange& exchange() const noexcept { return *exchange_; }

  /// Somebody else has answered on the exchange: `finish` is not called any more.
  void set_answered() noexcept { finished_ = true; }

  /// Answers 101 with the fields that were set, and gives the connection to another protocol when
  /// the request is done.
  /// Throws  std::logic_error  See `HTTPExchange::upgrade`.
  void upgrade(std::unique_ptr<UpgradedConnection> next);

  /// Called after `upgrade`, when the request is done: the handler may live on.
  virtual void on_upgraded(std::unique_ptr<RequestHandler> self) noexcept;

 private:
  friend class EventStream;
  friend class HandlerScope;
  template <class H, class... Args>
  friend class detail::ClassEndpoint;
  /// The body goes to `data_received`.
  static void receive_data(RequestHandler& handler) noexcept { handler.receives_data_ = true; }
  /// It is told when the client goes away.
  static void hear_close(RequestHandler& handler) noexcept { handler.hears_close_ = true; }
  Task<> call_verb();
  Task<> receive_then_call_verb();
  bool sends_trailers() const;
  bool finish_with_trailers();
  void announce_trailers();
  void answer_unchanged();
  void send_response();
  void handle_exception(const std::exception_ptr& error) noexcept;
  ResponseHead response_head();
  ResponseDraft& draft();
  HandlerSecurity& security();
  [[noreturn]] void refuse_method() const;

  WebExchange* exchange_ = nullptr;
  const Locale* locale_ = nullptr;  // once somebody has asked
  std::uint16_t status_ = 200;
  bool finished_ = false;
  bool upgraded_ = false;
  bool receives_data_ = false;
  bool hears_close_ = false;
  bool default_content_type_ = true;
  std::unique_ptr<ResponseDraft> draft_;       // from the first word about the response on
  std::unique_ptr<HandlerSecurity> security_;  // once somebody asks for the user or a token
  std::shared_ptr<detail::ActiveModules> active_modules_;  // of the pages rendered so far
};

}  // namespace coronado::web
