/// `ProxyTransport`: a channel that begins with a PROXY header.
///
/// It reads the header by itself, then shows itself to whoever asked for it as a transport whose
/// peer is the client that the proxy names.
#pragma once

#include <coronado/coro/executor.hpp>
#include <coronado/loop/transport.hpp>

#include <memory>
#include <string>

#include "net/proxy_protocol.hpp"

namespace coronado {

/// Told how the header of a `ProxyTransport` came out. It then owns the transport, and may destroy
/// it. `problem`: null when the header is good.
class ProxyHeaderHandler {
 public:
  virtual void on_proxy_header(class ProxyTransport& transport, const char* problem) noexcept = 0;

 protected:
  ~ProxyHeaderHandler() = default;
};

class ProxyTransport final : public Transport, public ListHook, private TransportHandler {
 public:
  /// Begins to read the header.
  /// Lifetime  `handler` must outlive the reading of the header.
  ProxyTransport(Executor& executor, std::unique_ptr<Transport> inner, ProxyHeaderHandler& handler,
                 Duration timeout);
  ~ProxyTransport() override;

  void start(TransportHandler& handler) override;
  void write(std::string_view bytes) override { inner_->write(bytes); }
  std::optional<std::size_t> send_file(int file, std::uint64_t offset, std::size_t count) override {
    return inner_->send_file(file, offset, count);
  }
  bool encrypt_output(std::span<const char> keys) override { return inner_->encrypt_output(keys); }
  bool send_record(unsigned char type, std::string_view content) override {
    return inner_->send_record(type, content);
  }
  std::size_t pending() const noexcept override { return inner_->pending(); }
  void pause_receive() noexcept override;
  void resume_receive() noexcept override;
  std::string take_received(std::string_view bytes) override {
    return inner_->take_received(bytes);
  }
  void shutdown_write() noexcept override { inner_->shutdown_write(); }
  void set_nodelay(bool on) noexcept override { inner_->set_nodelay(on); }
  SocketAddress peer() const override;
  SocketAddress local() const override;
  int native_handle() const noexcept override { return inner_->native_handle(); }

 private:
  void on_receive(std::span<char> bytes) noexcept override;
  void on_receive_end(std::error_code error) noexcept override;
  void on_drained() noexcept override;

  void read_header();
  void decide(const char* problem) noexcept;
  void deliver_soon();
  void deliver() noexcept;

  struct Deadline final : Timer {
    explicit Deadline(ProxyTransport& owner) noexcept : transport(owner) {}
    void on_timer() noexcept override { transport.decide("no header in time"); }
    ProxyTransport& transport;
  };

  Executor& executor_;
  Deadline deadline_{*this};
  std::unique_ptr<Transport> inner_;
  ProxyHeaderHandler* header_handler_;  // null when the header has been read
  TransportHandler* handler_ = nullptr;
  ProxyHeader header_;
  std::string early_;  // of the header; then what came with it and is not delivered yet
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  std::error_code error_;
  bool ended_ = false;  // and not told yet
  bool paused_ = false;
};

}  // namespace coronado
