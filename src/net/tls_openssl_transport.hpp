/// `OpenSSLTransport`: TLS between a handler and an inner transport.
///
/// OpenSSL reads ciphertext through a BIO straight from the loop's receive buffer and decrypts into
/// a buffer that all connections of the thread share; what it writes goes to the inner transport at
/// once, or, when there are several records, gathered into one write. An idle connection holds no
/// buffer at all.
#pragma once

#include <coronado/coro/context.hpp>

#include <exception>
#include <span>

#include "net/tls_budget.hpp"
#include "net/tls_openssl_context.hpp"
#include "net/tls_openssl_errors.hpp"

namespace coronado::tls {

class OpenSSLTransport final : public TLSTransport,
                               private TransportHandler,
                               private HandshakeStep,
                               private Timer {
 public:
  OpenSSLTransport(IOLoop& loop, std::unique_ptr<Transport> inner,
                   std::shared_ptr<const TLSContext> context, std::string host);
  ~OpenSSLTransport() override;

  const Counterpart& counterpart() const noexcept { return counterpart_; }

  /// Waits until the handshake has ended. It begins when this is awaited first.
  class Handshake;
  Handshake handshake() noexcept;

  // Transport
  void start(TransportHandler& handler) override;
  void write(std::string_view bytes) override;
  std::optional<std::size_t> send_file(int file, std::uint64_t offset, std::size_t count) override;
  std::size_t pending() const noexcept override {
    return inner_->pending() + out_.size() + (kernel_ ? kernel_->unsent() : 0);
  }
  void pause_receive() noexcept override;
  void resume_receive() noexcept override;
  void shutdown_write() noexcept override;
  void say_farewell() noexcept override;
  void set_nodelay(bool on) noexcept override { inner_->set_nodelay(on); }
  SocketAddress peer() const override { return inner_->peer(); }
  SocketAddress local() const override { return inner_->local(); }
  int native_handle() const noexcept override { return inner_->native_handle(); }

  // TLSTransport
  TLSVersion version() const noexcept override;
  std::string_view cipher() const noexcept override;
  std::string_view alpn() const noexcept override;
  std::string server_name() const override;
  bool resumed() const noexcept override;
  bool kernel_tls() const noexcept override { return kernel_ && kernel_->in_charge(); }
  std::optional<TLSCertificate> peer_certificate() const override;
  std::vector<TLSCertificate> verified_chain() const override;

  // What OpenSSL reads and writes; for the BIO.
  std::size_t take_input(std::span<char> to) noexcept;
  void put_output(std::string_view bytes);

 private:
  enum class Phase : unsigned char { kNew, kHandshake, kOpen, kFailed };
  class Alive;

  // TransportHandler, of the inner transport
  void on_receive(std::span<char> bytes) noexcept override;
  void on_receive_end(std::error_code error) noexcept override;
  void on_drained() noexcept override;
  // HandshakeStep
  void run_step() noexcept override;
  // Timer: what was put off is done
  void on_timer() noexcept override;

  void begin();
  void set_up_client(const std::string& host);
  void request_step(std::span<char> bytes);
  void step(std::span<char> bytes);
  void advance();
  void fail(std::exception_ptr error);
  void end_waiting() noexcept;
  void hold(std::span<const char> bytes);
  void hold_back_peer() noexcept;
  void deliver(std::span<char> bytes);
  bool decrypt(std::span<char> room, std::size_t& filled);
  void note_end();
  void settle();
  void go_on();
  void put_off() noexcept;
  void deliver_held();
  void break_off(std::error_code error);
  void tell_end(std::error_code error);
  void flush();
  bool may_write();
  void write_encrypted(std::string_view bytes);
  void offer_to_kernel();
  bool send_records();

  IOLoop& loop_;
  std::unique_ptr<Transport> inner_;
  TransportHandler* handler_ = nullptr;
  Connection connection_;
  SSLPointer ssl_;
  std::unique_ptr<KernelSending> kernel_;  // null: OpenSSL encrypts what is sent
  Counterpart counterpart_;
  std::shared_ptr<HandshakeBudget> budget_;  // until the handshake is done
  Handshake* waiting_ = nullptr;
  std::exception_ptr failure_;
  Alive* alive_ = nullptr;  // the calls of the handler that are going on
  std::span<char> in_;      // received, for OpenSSL to read
  std::string held_;        // received, to be processed later
  std::string out_;         // written by OpenSSL, not given to `inner_` yet
  std::error_code end_error_;
  std::error_code break_error_;  // of the inner channel
  std::array<char, 8> first_bytes_{};
  std::uint8_t first_size_ = 0;
  Phase phase_ = Phase::kNew;
  bool paused_ = false;        // by the handler
  bool inner_paused_ = false;  // by us
  bool inner_ended_ = false;
  bool undrained_ = false;    // `inner_` has not taken all that was written
  bool send_failed_ = false;  // something was written that `inner_` cannot send
  bool stream_over_ = false;  // the peer's farewell, or nonsense, was read
  bool delivering_ = false;
  bool unread_ = false;  // OpenSSL may hold plaintext that was not delivered
  bool end_told_ = false;
  bool break_told_ = false;
  bool shut_ = false;    // farewell said
  bool ending_ = false;  // our side of `inner_` ends when the records of the kernel have been sent
  bool broken_ = false;  // nothing more can be written
  bool direct_ = false;  // one record is coming: it need not be gathered
};

/// The awaiter of a handshake.
class OpenSSLTransport::Handshake final : public Suspension {
 public:
  explicit Handshake(OpenSSLTransport& transport) noexcept : transport_(transport) {}
  Handshake(Handshake&& other) noexcept : Handshake(other.transport_) {}
  bool await_ready() const noexcept { return false; }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> handle) {
    return suspend(handle.promise());
  }
  void await_resume() const;
  void cancel() noexcept override;
  const char* what() const noexcept override { return "TLS handshake"; }
  void ended() noexcept { wake(); }

 private:
  bool suspend(PromiseBase& promise);
  OpenSSLTransport& transport_;
};

}  // namespace coronado::tls
