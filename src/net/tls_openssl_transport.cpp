#include "net/tls_openssl_transport.hpp"

#include <coronado/base/log.hpp>
#include <coronado/coro/timeout.hpp>

#include <algorithm>
#include <limits>
#include <stdexcept>

namespace coronado::tls {
namespace {

constexpr std::size_t kRecord = SSL3_RT_MAX_PLAIN_LENGTH;  // 16 KiB
/// Decrypted before it is delivered.
constexpr std::size_t kPlainBuffer = 4 * kRecord;
/// Gathered before it is written.
constexpr std::size_t kGathered = 8 * kRecord;
constexpr std::size_t kMostSpare = 4;

/// Buffers of this thread that nobody uses at the moment. More than one is in use only where TLS is
/// carried by TLS.
template <class T>
class Spares {
 public:
  T take() {
    if (spare_.empty()) return {};
    T taken = std::move(spare_.back());
    spare_.pop_back();
    return taken;
  }
  void give_back(T object) {
    if (spare_.size() < kMostSpare) spare_.push_back(std::move(object));
  }

 private:
  std::vector<T> spare_;
};

thread_local Spares<std::unique_ptr<char[]>> spare_plain;
thread_local Spares<std::string> spare_output;

/// A buffer for plaintext, for as long as it lives.
class PlainBuffer {
 public:
  PlainBuffer() : bytes_(spare_plain.take()) {
    if (!bytes_) bytes_.reset(new char[kPlainBuffer]);
  }
  ~PlainBuffer() { spare_plain.give_back(std::move(bytes_)); }
  PlainBuffer(const PlainBuffer&) = delete;
  PlainBuffer& operator=(const PlainBuffer&) = delete;
  std::span<char> all() noexcept { return {bytes_.get(), kPlainBuffer}; }

 private:
  std::unique_ptr<char[]> bytes_;
};

// --- the BIO: OpenSSL's side of the inner transport ----------------------------------------------

OpenSSLTransport& transport_of(BIO* bio) {
  return *static_cast<OpenSSLTransport*>(::BIO_get_data(bio));
}

int bio_write(BIO* bio, const char* bytes, int size) {
  try {
    transport_of(bio).put_output({bytes, static_cast<std::size_t>(size)});
    return size;
  } catch (const std::bad_alloc&) {
    return -1;
  }
}

int bio_read(BIO* bio, char* to, int size) {
  BIO_clear_retry_flags(bio);
  const std::size_t taken = transport_of(bio).take_input({to, static_cast<std::size_t>(size)});
  if (taken != 0) return static_cast<int>(taken);
  BIO_set_retry_read(bio);
  return -1;
}

long bio_control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

int bio_create(BIO* bio) {
  ::BIO_set_init(bio, 1);
  return 1;
}

const BIO_METHOD* bio_method() {
  static BIO_METHOD* const method = [] {
    BIO_METHOD* made = ::BIO_meth_new(::BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "transport");
    ::BIO_meth_set_write(made, bio_write);
    ::BIO_meth_set_read(made, bio_read);
    ::BIO_meth_set_ctrl(made, bio_control);
    ::BIO_meth_set_create(made, bio_create);
    return made;
  }();
  return method;
}

/// OpenSSL keeps its complaints in a queue of the thread; old ones would be taken for new.
void begin_call() noexcept { ::ERR_clear_error(); }

}  // namespace

/// Notices that the transport was destroyed in a call of its handler.
class OpenSSLTransport::Alive {
 public:
  explicit Alive(OpenSSLTransport& transport) noexcept
      : transport_(&transport), outer_(std::exchange(transport.alive_, this)) {}
  ~Alive() {
    if (transport_ != nullptr) transport_->alive_ = outer_;
  }
  Alive(const Alive&) = delete;
  Alive& operator=(const Alive&) = delete;
  explicit operator bool() const noexcept { return transport_ != nullptr; }
  static void end_all(Alive* innermost) noexcept {
    for (Alive* each = innermost; each != nullptr; each = each->outer_) each->transport_ = nullptr;
  }

 private:
  OpenSSLTransport* transport_;
  Alive* outer_;
};

OpenSSLTransport::OpenSSLTransport(IOLoop& loop, std::unique_ptr<Transport> inner,
                                   std::shared_ptr<const TLSContext> context, std::string host)
    : loop_(loop), inner_(std::move(inner)) {
  TLSContext::State& state = context->state();
  const bool is_server = state.role == TLSContext::Role::kServer;
  budget_ = HandshakeBudget::of(loop, context.get(), state.steps_per_turn());
  connection_.generation = state.current();
  connection_.context = std::move(context);
  counterpart_.is_client = is_server;
  counterpart_.name = is_server || host.empty() ? to_string(inner_->peer()) : host;
  if (counterpart_.name.empty()) counterpart_.name = "a peer without an address";
  ssl_.reset(::SSL_new(connection_.generation->main()));
  BIO* bio = ::BIO_new(bio_method());
  if (!ssl_ || bio == nullptr) {
    ::BIO_free(bio);
    throw std::bad_alloc();
  }
  ::BIO_set_data(bio, this);
  ::SSL_set_bio(ssl_.get(), bio, bio);
  SSL_set_app_data(ssl_.get(), &connection_);
  if (state.kernel_tls()) {
    kernel_ = std::make_unique<KernelSending>(*ssl_, is_server);
    connection_.kernel = kernel_.get();
  }
  if (is_server) {
    ::SSL_set_accept_state(ssl_.get());
  } else {
    ::SSL_set_connect_state(ssl_.get());
    set_up_client(host);
  }
}

OpenSSLTransport::~OpenSSLTransport() {
  Alive::end_all(alive_);
  loop_.disarm(*this);
  HandshakeStep::unlink();
  // OpenSSL takes the session of a connection without farewells for a broken one, and would never
  // resume it. Whether the peer said farewell matters to the stream, not to the session.
  if (!broken_) ::SSL_set_shutdown(ssl_.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
}

void OpenSSLTransport::set_up_client(const std::string& host) {
  TLSContext::State& state = connection_.context->state();
  const TLSVerify verify = state.client_options.verify;
  if (host.empty() && verify == TLSVerify::kFull) {
    throw std::invalid_argument("tls_handshake: a client that verifies the host needs its name");
  }
  const bool is_ip = SocketAddress::from_ip(host).has_value();
  if (!host.empty() && !is_ip) SSL_set_tlsext_host_name(ssl_.get(), host.c_str());
  if (verify == TLSVerify::kFull) {
    X509_VERIFY_PARAM* parameters = ::SSL_get0_param(ssl_.get());
    if (is_ip) {
      ::X509_VERIFY_PARAM_set1_ip_asc(parameters, host.c_str());
    } else {
      // RFC 9525 6.3: a wildcard is the whole leftmost label; the common name does not count.
      ::X509_VERIFY_PARAM_set_hostflags(
          parameters, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
      if (::X509_VERIFY_PARAM_set1_host(parameters, host.c_str(), host.size()) != 1) {
        throw std::invalid_argument("tls_handshake: \"" + host + "\" is no host name");
      }
    }
  }
  if (state.client_options.session_cache_size == 0 || host.empty()) return;
  connection_.session_key = host + ":" + std::to_string(inner_->peer().port);
  if (const SessionPointer session = state.sessions.take(connection_.session_key)) {
    ::SSL_set_session(ssl_.get(), session.get());
  }
}

// --- handshake -----------------------------------------------------------------------------------

OpenSSLTransport::Handshake OpenSSLTransport::handshake() noexcept { return Handshake(*this); }

bool OpenSSLTransport::Handshake::suspend(PromiseBase& promise) {
  if (!park(promise)) return false;
  transport_.waiting_ = this;
  try {
    transport_.begin();
  } catch (...) {
    transport_.failure_ = std::current_exception();
    transport_.end_waiting();
  }
  return true;
}

void OpenSSLTransport::Handshake::await_resume() const {
  check();
  if (transport_.failure_) std::rethrow_exception(transport_.failure_);
}

void OpenSSLTransport::Handshake::cancel() noexcept {
  if (std::exchange(transport_.waiting_, nullptr) == nullptr) return;
  cancelled_ = true;
  wake();
}

void OpenSSLTransport::begin() {
  phase_ = Phase::kHandshake;
  inner_->start(*this);
  inner_->resume_receive();  // who had the channel before may have paused it
  if (!counterpart_.is_client) request_step({});
}

void OpenSSLTransport::end_waiting() noexcept {
  budget_.reset();
  if (Handshake* waiting = std::exchange(waiting_, nullptr)) waiting->ended();
}

/// Makes a step now if the budget allows it, else in a later turn.
void OpenSSLTransport::request_step(std::span<char> bytes) {
  if (!HandshakeStep::linked() && held_.empty() && budget_->take()) return step(bytes);
  hold(bytes);
  hold_back_peer();
  if (!HandshakeStep::linked()) budget_->wait(*this);
}

void OpenSSLTransport::run_step() noexcept {
  std::string held = std::move(held_);
  held_.clear();
  try {
    step(held);
  } catch (...) {
    fail(std::current_exception());
  }
  if (phase_ != Phase::kHandshake) return;
  if (inner_ended_) return fail(truncated_error(counterpart_, end_error_));
  if (std::exchange(inner_paused_, false)) inner_->resume_receive();
}

void OpenSSLTransport::step(std::span<char> bytes) {
  if (first_size_ < first_bytes_.size()) {
    const std::size_t size = std::min(bytes.size(), first_bytes_.size() - first_size_);
    std::ranges::copy(bytes.first(size), first_bytes_.begin() + first_size_);
    first_size_ = static_cast<std::uint8_t>(first_size_ + size);
    if (first_size_ != 0 && !begins_tls(first_bytes_[0])) {
      return fail(garbage_error(counterpart_, {first_bytes_.data(), first_size_}));
    }
  }
  in_ = bytes;
  advance();
  hold(std::exchange(in_, {}));  // what came behind the handshake
}

void OpenSSLTransport::advance() {
  begin_call();
  const int done = ::SSL_do_handshake(ssl_.get());
  if (done == 1) {
    phase_ = Phase::kOpen;
    unread_ = ::SSL_has_pending(ssl_.get()) == 1;
    flush();
    if (kernel_) offer_to_kernel();
    return end_waiting();
  }
  if (::SSL_get_error(ssl_.get(), done) == SSL_ERROR_WANT_READ) return flush();
  fail(handshake_error(counterpart_, connection_.failure));
}

void OpenSSLTransport::fail(std::exception_ptr error) {
  phase_ = Phase::kFailed;
  broken_ = true;
  failure_ = std::move(error);
  in_ = {};
  held_.clear();
  flush();  // the alert that tells the peer
  inner_->shutdown_write();
  HandshakeStep::unlink();
  end_waiting();
}

// --- what comes ----------------------------------------------------------------------------------

std::size_t OpenSSLTransport::take_input(std::span<char> to) noexcept {
  const std::size_t size = std::min(to.size(), in_.size());
  std::ranges::copy(in_.first(size), to.begin());
  in_ = in_.subspan(size);
  return size;
}

void OpenSSLTransport::hold(std::span<const char> bytes) {
  held_.append(bytes.data(), bytes.size());
}

void OpenSSLTransport::hold_back_peer() noexcept {
  if (!std::exchange(inner_paused_, true)) inner_->pause_receive();
}

void OpenSSLTransport::on_receive(std::span<char> bytes) noexcept {
  try {
    if (phase_ == Phase::kHandshake) return request_step(bytes);
    if (phase_ != Phase::kOpen || stream_over_) return;  // discarded
    if (handler_ != nullptr && !paused_ && held_.empty() && !delivering_) return deliver(bytes);
    hold(bytes);
    hold_back_peer();
  } catch (const std::bad_alloc&) {
    const auto error = std::make_error_code(std::errc::not_enough_memory);
    if (phase_ == Phase::kOpen) return break_off(error);
    fail(std::make_exception_ptr(std::bad_alloc()));
  }
}

/// Reads records into `room` while it has space for a whole one. False: no more are there.
bool OpenSSLTransport::decrypt(std::span<char> room, std::size_t& filled) {
  while (room.size() - filled >= kRecord) {
    begin_call();
    std::size_t size = 0;
    if (::SSL_read_ex(ssl_.get(), room.data() + filled, room.size() - filled, &size) != 1) {
      return false;
    }
    filled += size;
  }
  return true;
}

/// Hands all that `bytes` hold to the handler; what it does not want yet is held.
void OpenSSLTransport::deliver(std::span<char> bytes) {
  const Alive alive(*this);
  PlainBuffer buffer;
  in_ = bytes;
  delivering_ = true;
  unread_ = true;
  while (unread_ && !paused_) {
    std::size_t filled = 0;
    unread_ = decrypt(buffer.all(), filled);
    if (!unread_) note_end();
    if (filled == 0) continue;
    handler_->on_receive(buffer.all().first(filled));
    if (!alive) return;
  }
  delivering_ = false;
  hold(std::exchange(in_, {}));
  flush();  // OpenSSL may have answered
  settle();
}

/// After a read that brought nothing: is there an end?
void OpenSSLTransport::note_end() {
  const int why = ::SSL_get_error(ssl_.get(), 0);
  if (why == SSL_ERROR_WANT_READ) return;
  in_ = {};
  stream_over_ = true;
  if (why == SSL_ERROR_ZERO_RETURN) {
    end_error_.clear();
  } else {
    end_error_ = stream_error();
    broken_ = true;
  }
}

/// When all that came has been delivered: the end of it, or more of it.
void OpenSSLTransport::settle() {
  const Alive alive(*this);
  if (!paused_ && !unread_ && held_.empty() && !end_told_) go_on();
  if (alive && send_failed_ && (paused_ || end_told_)) tell_end(break_error_);
}

void OpenSSLTransport::go_on() {
  if (broken_ && stream_over_) return break_off(end_error_);
  if (stream_over_ || inner_ended_) return tell_end(end_error_);
  if (std::exchange(inner_paused_, false)) inner_->resume_receive();
}

void OpenSSLTransport::deliver_held() {
  std::string held = std::move(held_);
  held_.clear();
  deliver(held);
}

void OpenSSLTransport::on_receive_end(std::error_code error) noexcept {
  const bool again = std::exchange(inner_ended_, true);  // it says so for the sake of the writer
  if (phase_ == Phase::kHandshake) {
    end_error_ = error;
    if (!HandshakeStep::linked()) fail(truncated_error(counterpart_, error));
    return;
  }
  if (phase_ != Phase::kOpen) return;
  // An attacker can end a TCP connection, but cannot forge a close_notify.
  if (!stream_over_) end_error_ = error ? error : make_error_code(TLSErrc::kTruncated);
  break_error_ = error;
  send_failed_ = error && (again || undrained_);
  if (handler_ != nullptr) settle();
}

/// After an orderly end a break is told as well.
void OpenSSLTransport::tell_end(std::error_code error) {
  if (error ? break_told_ : end_told_) return;
  end_told_ = true;
  break_told_ = static_cast<bool>(error);
  handler_->on_receive_end(error);
}

/// The connection cannot go on: the peer is told why, the handler that it is over.
void OpenSSLTransport::break_off(std::error_code error) {
  broken_ = true;
  in_ = {};
  held_.clear();
  flush();
  inner_->shutdown_write();
  tell_end(error);
}

void OpenSSLTransport::start(TransportHandler& handler) {
  handler_ = &handler;
  // What has come already is not delivered from inside here.
  if (inner_paused_ || inner_ended_ || unread_ || !held_.empty()) put_off();
}

/// Delivers in the next turn.
void OpenSSLTransport::put_off() noexcept { loop_.arm(*this, loop_.turn_time()); }

void OpenSSLTransport::on_timer() noexcept {
  if (paused_ || end_told_) return settle();
  try {
    deliver_held();
  } catch (const std::bad_alloc&) {
    break_off(std::make_error_code(std::errc::not_enough_memory));
  }
}

void OpenSSLTransport::pause_receive() noexcept {
  paused_ = true;
  hold_back_peer();
}

void OpenSSLTransport::resume_receive() noexcept {
  if (!std::exchange(paused_, false) || handler_ == nullptr || end_told_) return;
  if (delivering_) return;  // which goes on
  put_off();
}

// --- what goes -----------------------------------------------------------------------------------

void OpenSSLTransport::put_output(std::string_view bytes) {
  if (kernel_tls()) return;  // which has been told what this says
  if (direct_ && out_.empty()) return inner_->write(bytes);
  if (out_.empty() && out_.capacity() < kRecord) out_ = spare_output.take();
  out_.append(bytes);
}

void OpenSSLTransport::flush() {
  if (kernel_tls()) {
    send_records();
    return;
  }
  if (out_.empty()) return;
  std::string bytes = std::move(out_);
  out_ = {};
  inner_->write(bytes);
  bytes.clear();
  if (bytes.capacity() >= kRecord && bytes.capacity() <= 2 * kGathered) {
    spare_output.give_back(std::move(bytes));
  }
}

/// False: what is written now is lost.
bool OpenSSLTransport::may_write() {
  if (phase_ != Phase::kOpen || shut_ || broken_) return false;
  if (!break_error_) return true;
  send_failed_ = true;
  put_off();  // the handler is told in a turn of its own
  return false;
}

void OpenSSLTransport::write(std::string_view bytes) {
  if (!may_write()) return;
  flush();
  if (!kernel_tls()) {
    write_encrypted(bytes);
  } else if (kernel_->records.empty()) {
    inner_->write(bytes);
  } else {
    kernel_->records.push_back({SSL3_RT_APPLICATION_DATA, std::string(bytes)});
  }
  undrained_ = inner_->pending() != 0;
}

void OpenSSLTransport::write_encrypted(std::string_view bytes) {
  while (!bytes.empty() && !broken_) {
    const std::string_view piece = bytes.substr(0, kGathered);
    bytes.remove_prefix(piece.size());
    begin_call();
    std::size_t written = 0;
    direct_ = piece.size() <= kRecord;
    const int done = ::SSL_write_ex(ssl_.get(), piece.data(), piece.size(), &written);
    direct_ = false;
    if (done != 1) broken_ = true;  // the receiving side reports it
    flush();
  }
}

std::optional<std::size_t> OpenSSLTransport::send_file(int file, std::uint64_t offset,
                                                       std::size_t count) {
  if (!kernel_tls()) return std::nullopt;
  if (!may_write()) return count;
  flush();
  if (pending() != 0) return 0;
  const auto sent = inner_->send_file(file, offset, count);
  undrained_ = inner_->pending() != 0;
  return sent;
}

void OpenSSLTransport::on_drained() noexcept {
  undrained_ = false;
  if (kernel_tls()) {
    const Alive alive(*this);
    const bool all = send_records();
    if (broken_ && handler_ != nullptr) settle();
    if (!alive || !all || inner_->pending() != 0) return;
  }
  if (handler_ != nullptr && phase_ == Phase::kOpen) handler_->on_drained();
}

void OpenSSLTransport::shutdown_write() noexcept {
  say_farewell();
  ending_ = kernel_tls() && !kernel_->records.empty();
  if (!ending_) inner_->shutdown_write();
}

void OpenSSLTransport::say_farewell() noexcept {
  if (std::exchange(shut_, true) || phase_ != Phase::kOpen || broken_) return;
  begin_call();
  ::SSL_shutdown(ssl_.get());  // sends close_notify; the peer's is awaited like any other record
  ::ERR_clear_error();
  flush();
}

// --- the kernel ----------------------------------------------------------------------------------

/// The handshake is done, and what it had to say has been written.
void OpenSSLTransport::offer_to_kernel() {
  const std::string keys = inner_->pending() == 0 ? kernel_->keys() : std::string();
  if (!keys.empty() && inner_->encrypt_output(keys)) return kernel_->take_over();
  connection_.kernel = nullptr;
  kernel_.reset();
  general_log().debug("TLS with " + counterpart_.name +
                      ": the kernel does not encrypt what is sent, OpenSSL goes on");
}

/// Has the kernel send what OpenSSL has said, and what was written behind it.
/// Returns  False: the channel takes no more now.
bool OpenSSLTransport::send_records() {
  std::deque<KernelSending::Record>& records = kernel_->records;
  if (records.empty()) return true;
  while (!records.empty()) {
    const KernelSending::Record& record = records.front();
    if (record.type == SSL3_RT_APPLICATION_DATA) {
      inner_->write(record.content);
    } else if (!inner_->send_record(record.type, record.content)) {
      return false;
    }
    const bool is_update = record.updates_keys();
    records.pop_front();
    if (!is_update) continue;
    kernel_->update_keys();
    if (inner_->encrypt_output(kernel_->keys())) continue;
    // A kernel before 6.14 keeps the keys it has, and the peer expects others from here on.
    broken_ = stream_over_ = true;
    end_error_ = std::make_error_code(std::errc::not_supported);
    records.clear();
    inner_->shutdown_write();
    return true;
  }
  if (std::exchange(ending_, false)) inner_->shutdown_write();
  return true;
}

// --- who the peer is -----------------------------------------------------------------------------

TLSVersion OpenSSLTransport::version() const noexcept {
  return ::SSL_version(ssl_.get()) == TLS1_2_VERSION ? TLSVersion::kTLS12 : TLSVersion::kTLS13;
}

std::string_view OpenSSLTransport::cipher() const noexcept {
  return SSL_get_cipher_name(ssl_.get());
}

std::string_view OpenSSLTransport::alpn() const noexcept {
  const unsigned char* name = nullptr;
  unsigned size = 0;
  ::SSL_get0_alpn_selected(ssl_.get(), &name, &size);
  return {reinterpret_cast<const char*>(name), size};
}

std::string OpenSSLTransport::server_name() const {
  const char* name = ::SSL_get_servername(ssl_.get(), TLSEXT_NAMETYPE_host_name);
  return name != nullptr ? name : "";
}

bool OpenSSLTransport::resumed() const noexcept { return ::SSL_session_reused(ssl_.get()) == 1; }

std::optional<TLSCertificate> OpenSSLTransport::peer_certificate() const {
  X509* certificate = ::SSL_get0_peer_certificate(ssl_.get());
  if (certificate == nullptr) return std::nullopt;
  return describe(*certificate);
}

std::vector<TLSCertificate> OpenSSLTransport::verified_chain() const {
  std::vector<TLSCertificate> chain;
  if (::SSL_get_verify_result(ssl_.get()) != X509_V_OK) return chain;
  const STACK_OF(X509)* certificates = ::SSL_get0_verified_chain(ssl_.get());
  for (int i = 0; i < sk_X509_num(certificates); ++i) {
    chain.push_back(describe(*sk_X509_value(certificates, i)));
  }
  return chain;
}

}  // namespace coronado::tls

namespace coronado {

Task<std::unique_ptr<TLSTransport>> tls_handshake(std::unique_ptr<Transport> transport,
                                                  std::shared_ptr<const TLSContext> context,
                                                  std::string host, TLSHandshakeOptions options) {
  IOLoop* const loop = IOLoop::current();
  auto secure = std::make_unique<tls::OpenSSLTransport>(*loop, std::move(transport),
                                                        std::move(context), std::move(host));
  if (options.timeout <= Duration::zero()) {
    co_await secure->handshake();
    co_return secure;
  }
  bool in_time = true;
  try {
    co_await with_timeout(options.timeout, secure->handshake());
  } catch (const TimeoutError&) {
    in_time = false;
  }
  if (!in_time) {
    std::rethrow_exception(tls::timeout_error(secure->counterpart(), options.timeout));
  }
  co_return secure;
}

}  // namespace coronado
