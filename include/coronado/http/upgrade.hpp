/// `UpgradedConnection`: what becomes of a connection that leaves HTTP for another protocol.
///
/// An endpoint answers with `HTTPExchange::upgrade`. When its task has ended, the server gives the
/// channel away, and keeps the connection among its own: `HTTPServer::drain` asks it to end, `close`
/// cuts it.
///
/// Threads  The loop's thread only.
/// Layer: http.   Spec  RFC 9110 7.8.
#pragma once

#include <coronado/base/intrusive_list.hpp>
#include <coronado/coro/open_stream.hpp>
#include <coronado/http/httpserver.hpp>
#include <coronado/loop/transport.hpp>
#include <coronado/net/listener.hpp>

#include <memory>
#include <span>

namespace coronado {

class HTTPExchange;

/// Owns itself from `take_over` on: it is destroyed by itself, when it is done.
class UpgradedConnection : public ListHook {
 public:
  UpgradedConnection() noexcept = default;
  virtual ~UpgradedConnection();

  /// The channel is this connection's now; it begins to receive with `Transport::start`, and was
  /// paused: the first thing after it is to deal with `first`, then `resume_receive`.
  /// Params   first     What the client had sent behind its request.
  ///          exchange  The request that asked for the protocol, answered; kept as long as wished.
  virtual void take_over(std::unique_ptr<Transport> transport, std::span<char> first,
                         std::unique_ptr<HTTPExchange> exchange) noexcept = 0;

  /// The server is shutting down: finish, and end. May destroy the connection.
  virtual void drain() noexcept = 0;

  /// End at once. May destroy the connection.
  virtual void cut() noexcept = 0;

  /// What the picture of the tasks tells of it; called only while somebody looks. As it is here: that
  /// it is there.
  virtual StreamInfo stream_info() const;

 private:
  friend class HTTP1Connection;
  HTTPServer::Core* server_ = nullptr;
  ConnectionSlot slot_;
};

}  // namespace coronado
