#include "http/curl_engine.hpp"

#include <coronado/base/strings.hpp>
#include <coronado/coro/executor.hpp>
#include <coronado/coro/locks.hpp>
#include <coronado/loop/ioloop.hpp>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "http/client_core.hpp"

#ifdef CORONADO_CURL
#include <curl/curl.h>
#endif

namespace coronado {

#ifndef CORONADO_CURL

std::unique_ptr<CurlEngine> CurlEngine::make(const HTTPClientOptions&) {
  throw std::logic_error("HTTPClient: this build has no libcurl");
}
bool CurlEngine::available() noexcept { return false; }

#else

namespace {

/// With so much unread the server is slowed down.
constexpr std::size_t kMostUnread = 64 * 1024;
/// A server that sends more interim responses than this has lost its way.
constexpr unsigned kMostInterims = 64;
/// The timer is always armed, for the loop to tell it of its end.
constexpr Duration kNoTimeout = std::chrono::hours(24);

std::size_t on_head_line(char* line, std::size_t size, std::size_t count, void* transfer);
std::size_t on_body(char* bytes, std::size_t size, std::size_t count, void* transfer);

/// Throws  std::bad_alloc
template <class Value>
void set(CURL* easy, CURLoption option, Value value) {
  // Options that this libcurl does not know are none that we use; what is left is memory.
  if (curl_easy_setopt(easy, option, value) != CURLE_OK) throw std::bad_alloc();
}

curl_off_t info(CURL* easy, CURLINFO which) noexcept {
  curl_off_t value = 0;
  curl_easy_getinfo(easy, which, &value);
  return value;
}

/// A list of strings for libcurl.
class List {
 public:
  List() = default;
  List(const List&) = delete;
  List& operator=(const List&) = delete;
  ~List() { curl_slist_free_all(list_); }
  void add(const std::string& text) {
    curl_slist* longer = curl_slist_append(list_, text.c_str());
    if (longer == nullptr) throw std::bad_alloc();
    list_ = longer;
  }
  curl_slist* get() const noexcept { return list_; }

 private:
  curl_slist* list_ = nullptr;
};

class Transfer;

class Engine final : public CurlEngine, private Timer {
 public:
  explicit Engine(const HTTPClientOptions& options)
      : idle_timeout_(options.max_idle == 0 ? Duration::zero() : options.idle_timeout),
        max_header_size_(options.limits.max_header_size),
        max_header_count_(options.limits.max_header_count) {
    static const bool ready = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
    multi_ = ready ? curl_multi_init() : nullptr;
    if (multi_ == nullptr) throw std::runtime_error("HTTPClient: libcurl cannot be set up");
    curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &Engine::on_socket);
    curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
    curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &Engine::on_timeout);
    curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
    curl_multi_setopt(multi_, CURLMOPT_PIPELINING, CURLPIPE_NOTHING);
    curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, static_cast<long>(options.max_idle));
  }
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;
  ~Engine() override {
    curl_multi_cleanup(multi_);
    if (loop_ != nullptr && armed()) loop_->disarm(*this);
  }

  std::unique_ptr<CurlTransfer> begin(CurlRequest request) override;

  CURLM* multi() const noexcept { return multi_; }
  Duration idle_timeout() const noexcept { return idle_timeout_; }
  std::size_t max_header_size() const noexcept { return max_header_size_; }
  std::size_t max_header_count() const noexcept { return max_header_count_; }

 private:
  /// libcurl wants to know when a socket is ready.
  static int on_socket(CURL*, curl_socket_t fd, int what, void* self, void*) {
    Engine& engine = *static_cast<Engine*>(self);
    if (engine.loop_ == nullptr) return 0;
    try {
      engine.watch(fd, what);
    } catch (const std::exception&) {
      return -1;  // the transfer ends with an error
    }
    return 0;
  }
  void watch(int fd, int what) {
    const auto found = std::ranges::find(watched_, fd);
    if (what == CURL_POLL_REMOVE) {
      if (found != watched_.end()) watched_.erase(found);
      loop_->remove_handler(fd);
      return;
    }
    const unsigned events = ((what & CURL_POLL_IN) != 0 ? IOLoop::kRead : 0) |
                            ((what & CURL_POLL_OUT) != 0 ? IOLoop::kWrite : 0);
    if (found != watched_.end()) return loop_->update_handler(fd, events);
    loop_->add_handler(fd, [this](int ready, unsigned happened) { act(ready, happened); }, events);
    watched_.push_back(fd);
  }

  /// libcurl wants to be called after so many milliseconds; -1: not at all.
  static int on_timeout(CURLM*, long milliseconds, void* self) {
    Engine& engine = *static_cast<Engine*>(self);
    if (engine.loop_ == nullptr) return 0;
    const Duration in =
        milliseconds < 0 ? kNoTimeout : Duration(std::chrono::milliseconds(milliseconds));
    engine.loop_->arm(engine, engine.loop_->now() + in);
    return 0;
  }
  void on_timer() noexcept override {
    loop_->arm(*this, loop_->now() + kNoTimeout);
    act(CURL_SOCKET_TIMEOUT, 0);
  }
  void on_loop_closed() noexcept override { loop_ = nullptr; }

  void act(curl_socket_t fd, unsigned events) noexcept {
    int flags = 0;
    if ((events & IOLoop::kRead) != 0) flags |= CURL_CSELECT_IN;
    if ((events & IOLoop::kWrite) != 0) flags |= CURL_CSELECT_OUT;
    if ((events & IOLoop::kError) != 0) flags |= CURL_CSELECT_ERR;
    int running = 0;
    curl_multi_socket_action(multi_, fd, flags, &running);
    collect();
  }
  void collect() noexcept;

  CURLM* multi_ = nullptr;
  IOLoop* loop_ = nullptr;
  std::vector<int> watched_;
  Duration idle_timeout_;
  std::size_t max_header_size_;
  std::size_t max_header_count_;
};

class Transfer final : public CurlTransfer {
 public:
  Transfer(Engine& engine, CurlRequest request)
      : engine_(engine), request_(std::move(request)), easy_(curl_easy_init()) {
    if (easy_ == nullptr) throw std::bad_alloc();
    try {
      set_up();
      if (curl_multi_add_handle(engine.multi(), easy_) != CURLM_OK) throw std::bad_alloc();
    } catch (...) {
      curl_easy_cleanup(easy_);
      throw;
    }
  }
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;
  ~Transfer() override {
    curl_multi_remove_handle(engine_.multi(), easy_);
    curl_easy_cleanup(easy_);
  }

  Task<Step> next(std::size_t max_bytes) override {
    for (;;) {
      if (head_complete_ && !std::exchange(head_given_, head_complete_)) {
        co_return Step{Event::kHead};
      }
      if (head_given_ && used_ < body_.size()) {
        const std::string_view data = std::string_view(body_).substr(used_, max_bytes);
        used_ += data.size();
        co_return Step{Event::kData, data};
      }
      body_.clear();
      used_ = 0;
      if (result_) {
        check();
        co_return Step{Event::kDone};
      }
      changed_.clear();
      if (std::exchange(paused_, false)) curl_easy_pause(easy_, CURLPAUSE_CONT);
      if (!changed_.is_set()) co_await changed_.wait();
    }
  }

  ReceivedHead& head() noexcept override { return head_; }
  HTTPHeaders& trailers() noexcept override { return trailers_; }

  HTTPPhase phase() const noexcept override {
    if (head_complete_) return HTTPPhase::kReceive;
    if (info(easy_, CURLINFO_PRETRANSFER_TIME_T) == 0) return HTTPPhase::kConnect;
    const auto sent = static_cast<std::size_t>(info(easy_, CURLINFO_SIZE_UPLOAD_T));
    const bool all = request_.body == nullptr || sent >= request_.body->size();
    return all ? HTTPPhase::kWait : HTTPPhase::kSend;
  }

  void fill(HTTPTimeInfo& times) const noexcept override {
    const auto at = [this](CURLINFO which) {
      return Duration(std::chrono::microseconds(info(easy_, which)));
    };
    times.reused = reused();
    if (times.reused) return;
    const Duration connected = at(CURLINFO_CONNECT_TIME_T);
    times.connect = connected - std::min(at(CURLINFO_NAMELOOKUP_TIME_T), connected);
    times.appconnect = std::max(at(CURLINFO_APPCONNECT_TIME_T), connected) - connected;
  }

  // --- what libcurl tells ------------------------------------------------------------------------

  void finished(CURLcode result) noexcept {
    result_ = stopped_ ? CURLE_OK : result;
    if (head_complete_) guarded([&] { add_field(); });  // the last one of the trailers
    if (reused()) {
      ++engine_.reuses;
    } else if (info(easy_, CURLINFO_CONNECT_TIME_T) != 0) {
      ++engine_.connects;
    }
    changed_.set();
  }

  /// Returns  False: the transfer is to end, with `failure_` if there is one.
  bool take_line(std::string_view line) noexcept {
    return guarded([&] { add_line(line); }) && !stopped_;
  }

  /// Returns  False: not now.
  bool take_body(std::string_view bytes) {
    if (body_.size() - used_ >= kMostUnread) {
      paused_ = true;
      return false;
    }
    body_.append(bytes);
    changed_.set();
    return true;
  }

 private:
  void set_up();
  void set_up_way();
  void set_up_tls();
  void set_up_message();
  [[noreturn]] void fail(CURLcode result) const;
  void check() const {
    if (*result_ != CURLE_OK || failure_) fail(*result_);
    if (!head_complete_) {
      throw CurlError(CurlError::Kind::kClosed, "the server closed the connection");
    }
  }
  bool reused() const noexcept {
    long connects = 0;
    curl_easy_getinfo(easy_, CURLINFO_NUM_CONNECTS, &connects);
    return connects == 0 && info(easy_, CURLINFO_PRETRANSFER_TIME_T) != 0;
  }

  /// What `action` throws becomes `failure_`.   Returns  False: it has.
  template <class Action>
  bool guarded(Action action) noexcept {
    try {
      action();
      return true;
    } catch (const CurlError& error) {
      failure_ = error;
    } catch (const std::exception& error) {
      failure_.emplace(CurlError::Kind::kMalformed, error.what());
    }
    return false;
  }

  /// A line of the head, or of the trailers.
  void add_line(std::string_view line) {
    const bool folded = line.starts_with(' ') || line.starts_with('\t');
    line = trim(line);
    head_size_ += line.size() + 2;
    if (head_size_ > engine_.max_header_size()) {
      throw CurlError(CurlError::Kind::kTooLarge, "the head is too large");
    }
    if (folded) {  // RFC 9112 5.2: a client takes folded lines for one
      if (field_.empty()) {
        throw CurlError(CurlError::Kind::kMalformed, "a folded line before the first field");
      }
      if (!line.empty()) field_.append(1, ' ').append(line);
      return;
    }
    add_field();
    if (!line.empty() && (head_complete_ || !line.starts_with("HTTP/"))) {
      field_ = line;
    } else if (!line.empty()) {
      begin_head(line);
    } else if (!head_complete_) {
      // 1xx: the one that counts follows.
      head_complete_ = head_.status >= 200;
      head_size_ = 0;
      if (head_complete_) changed_.set();
      if (!head_complete_ && ++interims_ > kMostInterims) {
        throw CurlError(CurlError::Kind::kMalformed, "too many interim responses");
      }
      // libcurl would ask again by itself.
      stopped_ =
          head_.status == 417 && request_.body != nullptr && request_.request.expect_100_continue;
    }
  }

  void begin_head(std::string_view line) {  // "HTTP/1.1 200 OK"
    head_ = {};
    head_size_ = line.size();
    const std::size_t space = line.find(' ');
    const std::string_view code = space == line.npos ? "" : line.substr(space + 1, 3);
    const auto status = parse_int<int>(code);
    if (!status || *status < 100) {
      throw CurlError(CurlError::Kind::kMalformed, "the status line is malformed");
    }
    head_.status = *status;
    head_.minor_version = line.substr(5, 3) == "1.0" ? 0 : 1;
    if (line.size() > space + 5) head_.reason = trim(line.substr(space + 5));
  }

  /// Takes up the field of which all lines are there.
  void add_field() {
    const std::string line = std::exchange(field_, {});
    if (line.empty()) return;
    HTTPHeaders& headers = head_complete_ ? trailers_ : head_.headers;
    const std::size_t colon = line.find(':');
    if (colon == line.npos) {
      throw CurlError(CurlError::Kind::kMalformed, "a header field has no colon");
    }
    if (headers.size() >= engine_.max_header_count()) {
      throw CurlError(CurlError::Kind::kTooLarge, "there are too many header fields");
    }
    headers.add(line.substr(0, colon), trim(std::string_view(line).substr(colon + 1)));
  }

  Engine& engine_;
  CurlRequest request_;
  CURL* easy_;
  List fields_;
  List addresses_;
  std::string proxy_;
  std::array<char, CURL_ERROR_SIZE> error_{};

  ReceivedHead head_;
  HTTPHeaders trailers_;
  std::size_t head_size_ = 0;
  unsigned interims_ = 0;
  std::string field_;  // the last one: its next line may continue it
  std::string body_;   // what has come of it
  std::size_t used_ = 0;
  std::optional<CurlError> failure_;
  std::optional<CURLcode> result_;
  coronado::Event changed_;  // there is more to look at
  bool head_complete_ = false;
  bool head_given_ = false;
  bool paused_ = false;
  bool stopped_ = false;  // with the head; nothing more of it is wanted
};

// --- what is asked for ---------------------------------------------------------------------------

void Transfer::set_up() {
  set(easy_, CURLOPT_PRIVATE, static_cast<void*>(this));
  set(easy_, CURLOPT_ERRORBUFFER, error_.data());
  set(easy_, CURLOPT_HEADERFUNCTION, &on_head_line);
  set(easy_, CURLOPT_HEADERDATA, static_cast<void*>(this));
  set(easy_, CURLOPT_WRITEFUNCTION, &on_body);
  set(easy_, CURLOPT_WRITEDATA, static_cast<void*>(this));
  set(easy_, CURLOPT_NOSIGNAL, 1L);
  set(easy_, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(easy_, CURLOPT_FOLLOWLOCATION, 0L);
  set(easy_, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  set(easy_, CURLOPT_HTTP_TRANSFER_DECODING, 1L);
  // Zero would be five minutes; and its own limit for everything is none of ours.
  const auto limit = std::chrono::ceil<std::chrono::milliseconds>(request_.connect_timeout);
  set(easy_, CURLOPT_CONNECTTIMEOUT_MS,
      limit.count() == 0 ? 1'000'000'000L : static_cast<long>(limit.count()));
  const Duration idle = engine_.idle_timeout();
  if (idle == Duration::zero()) {
    set(easy_, CURLOPT_FORBID_REUSE, 1L);
  } else {
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(idle).count();
    set(easy_, CURLOPT_MAXAGE_CONN, static_cast<long>(seconds));
  }
  // On a kept connection that is dead libcurl sends every request again, also one that may not be.
  if (!request_.idempotent) set(easy_, CURLOPT_FRESH_CONNECT, 1L);
  set_up_way();
  if (request_.target.secure) set_up_tls();
  set_up_message();
  if (request_.request.prepare_curl_callback) request_.request.prepare_curl_callback(easy_);
}

void Transfer::set_up_way() {
  const ClientTarget& target = request_.target;
  if (target.proxy) {
    const HTTPProxy& proxy = *target.proxy;
    const bool socks = proxy.kind == HTTPProxy::Kind::kSOCKS5;  // which looks the names up
    const bool ipv6 = proxy.host.find(':') != std::string::npos;
    proxy_ = socks ? "socks5h://" : "http://";
    proxy_ += ipv6 ? "[" + proxy.host + "]" : proxy.host;
    proxy_ += ":" + std::to_string(proxy.port);
    // Of a request that goes to the proxy whole the field is among the others.
    if (proxy.has_user() && !target.absolute_form()) {
      set(easy_, CURLOPT_PROXYUSERNAME, proxy.username.c_str());
      set(easy_, CURLOPT_PROXYPASSWORD, proxy.password.c_str());
      const bool digest = target.proxy_auth == HTTPAuth::kDigest;
      set(easy_, CURLOPT_PROXYAUTH, static_cast<long>(digest ? CURLAUTH_DIGEST : CURLAUTH_BASIC));
    }
  }
  set(easy_, CURLOPT_PROXY, proxy_.c_str());  // empty: none, whatever the environment says
  if (!target.unix_socket.empty()) {
    set(easy_, CURLOPT_UNIX_SOCKET_PATH, target.unix_socket.c_str());
  }
  if (target.source.is_ip()) {
    set(easy_, CURLOPT_INTERFACE, ("host!" + target.source.host()).c_str());
  } else if (!target.source_interface.empty()) {
    set(easy_, CURLOPT_INTERFACE, ("if!" + target.source_interface).c_str());
  }
  if (!target.ipv6) set(easy_, CURLOPT_IPRESOLVE, static_cast<long>(CURL_IPRESOLVE_V4));
  if (request_.addresses.empty()) return;
  std::string entry = "+" + (target.proxy ? target.proxy->host : target.host) + ":" +
                      std::to_string(target.proxy ? target.proxy->port : target.port) + ":";
  for (const std::string& each : request_.addresses) {
    if (entry.back() != ':') entry += ",";
    entry += each.find(':') == std::string::npos ? each : "[" + each + "]";
  }
  addresses_.add(entry);
  set(easy_, CURLOPT_RESOLVE, addresses_.get());
}

void Transfer::set_up_tls() {
  const HTTPRequest& request = request_.request;
  set(easy_, CURLOPT_SSL_VERIFYPEER, request.validate_cert ? 1L : 0L);
  set(easy_, CURLOPT_SSL_VERIFYHOST, request.validate_cert ? 2L : 0L);
  if (!request.ca_certs.empty()) {
    set(easy_, CURLOPT_CAINFO, request.ca_certs.c_str());
    set(easy_, CURLOPT_CAPATH, static_cast<const char*>(nullptr));
  }
  if (!request.client_cert.empty()) set(easy_, CURLOPT_SSLCERT, request.client_cert.c_str());
  if (!request.client_key.empty()) set(easy_, CURLOPT_SSLKEY, request.client_key.c_str());
}

void Transfer::set_up_message() {
  set(easy_, CURLOPT_URL, request_.url.c_str());
  set(easy_, CURLOPT_PATH_AS_IS, 1L);
  const std::string method(request_.method);
  if (request_.body != nullptr) {
    set(easy_, CURLOPT_POSTFIELDS, request_.body->c_str());
    set(easy_, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body->size()));
  } else if (method == "HEAD") {
    set(easy_, CURLOPT_NOBODY, 1L);
  }
  set(easy_, CURLOPT_CUSTOMREQUEST, method.c_str());
  bool expects = false;
  bool typed = false;
  for (const std::string& field : request_.fields) {
    const std::string_view name = std::string_view(field).substr(0, field.find(':'));
    expects |= equals_ignore_case(name, "Expect");
    typed |= equals_ignore_case(name, "Content-Type");
    // A field without a value is written like that; with a colon it would be left out.
    fields_.add(trim(std::string_view(field).substr(name.size() + 1)).empty()
                    ? std::string(name) + ";"
                    : field);
  }
  // What libcurl would add by itself.
  fields_.add("Accept:");
  if (!expects) fields_.add("Expect:");
  if (!typed) fields_.add("Content-Type:");
  set(easy_, CURLOPT_HTTPHEADER, fields_.get());
}

/// What went wrong, in our terms.
void Transfer::fail(CURLcode result) const {
  using Kind = CurlError::Kind;
  if (failure_) throw *failure_;
  const std::string why = error_[0] != 0 ? error_.data() : curl_easy_strerror(result);
  // What fails before the request is sent, but for TCP, fails in TLS or in a proxy's dialog.
  const bool connected = result != CURLE_COULDNT_CONNECT && result != CURLE_INTERFACE_FAILED &&
                         result != CURLE_COULDNT_RESOLVE_HOST &&
                         result != CURLE_COULDNT_RESOLVE_PROXY;
  const bool ready = info(easy_, CURLINFO_PRETRANSFER_TIME_T) != 0;
  if (result == CURLE_OPERATION_TIMEDOUT) throw CurlError(Kind::kConnectTimeout, why, connected);
  if (!ready) throw CurlError(Kind::kConnect, why, connected);
  switch (result) {
    case CURLE_RECV_ERROR:
      if (why.find("chunked-encoding") != why.npos) throw CurlError(Kind::kMalformed, why);
      break;
    case CURLE_PARTIAL_FILE:
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR: break;
    case CURLE_OUT_OF_MEMORY:  // it says so also of a line that is longer than it takes
      throw CurlError(Kind::kTooLarge, "a line of the head is too long");
    default: throw CurlError(Kind::kMalformed, why);
  }
  throw CurlError(Kind::kClosed, why);
}

// --- callbacks -------------------------------------------------------------------------------------

std::size_t on_head_line(char* line, std::size_t size, std::size_t count, void* transfer) {
  const std::size_t length = size * count;
  return static_cast<Transfer*>(transfer)->take_line({line, length}) ? length : 0;
}

std::size_t on_body(char* bytes, std::size_t size, std::size_t count, void* transfer) {
  const std::size_t length = size * count;
  try {
    return static_cast<Transfer*>(transfer)->take_body({bytes, length}) ? length
                                                                        : CURL_WRITEFUNC_PAUSE;
  } catch (const std::bad_alloc&) {
    return length == 0 ? 1 : 0;
  }
}

/// Tells the transfers that have ended.
void Engine::collect() noexcept {
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    char* transfer = nullptr;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
    static_cast<Transfer*>(static_cast<void*>(transfer))->finished(message->data.result);
  }
}

std::unique_ptr<CurlTransfer> Engine::begin(CurlRequest request) {
  if (loop_ == nullptr) {
    loop_ = IOLoop::current();
    loop_->arm(*this, loop_->now() + kNoTimeout);
  }
  return std::make_unique<Transfer>(*this, std::move(request));
}

}  // namespace

std::unique_ptr<CurlEngine> CurlEngine::make(const HTTPClientOptions& options) {
  if (options.connector != nullptr) {
    throw std::invalid_argument("HTTPClientOptions::connector is not for libcurl");
  }
  return std::make_unique<Engine>(options);
}
bool CurlEngine::available() noexcept { return true; }

#endif

}  // namespace coronado
