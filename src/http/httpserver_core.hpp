/// What the connections of one server share.
#pragma once

#include <coronado/http/exchange.hpp>
#include <coronado/http/httpserver.hpp>
#include <coronado/http/upgrade.hpp>
#include <coronado/net/tls.hpp>

#include <memory>
#include <vector>

#include "http/forwarded.hpp"
#include "http/http1_connection.hpp"
#include "http/output_buffer.hpp"
#include "http/response_encoder.hpp"
#include "http/response_head.hpp"

namespace coronado {

struct HTTPServer::Core final : private StreamSource {
  Core(IOLoop& server_loop, HTTPService& server_service, HTTPServerOptions server_options)
      : StreamSource(server_loop),
        loop(server_loop),
        service(server_service),
        options(std::move(server_options)),
        forwarders(options.trust_forwarded),
        heads(options.server_name),
        encoder(options.compress_response
                    ? std::make_unique<ResponseEncoder>(*options.compress_response)
                    : nullptr),
        handshakes(server_loop, "TLS handshakes", TaskGroup::OnFailure::kLog),
        listener(loop, listener_options(options),
                 [this](std::unique_ptr<Transport> transport, ConnectionSlot slot) {
                   serve(std::move(transport), std::move(slot));
                 }) {}

  static ListenerOptions listener_options(const HTTPServerOptions& options) {
    return {.max_connections = options.max_connections,
            .max_connections_per_peer = options.max_connections_per_peer,
            .proxy = options.proxy};
  }

  void serve(std::unique_ptr<Transport> transport, ConnectionSlot slot);

  /// A place among the connections; a connection takes it over.
  class Place;
  /// Shakes hands, then serves.
  Task<> secure(Place place, std::unique_ptr<Transport> transport, ConnectionSlot slot);
  /// Serves a connection that has been counted.
  void begin(std::unique_ptr<Transport> transport, const TLSTransport* tls,
             ConnectionSlot slot) noexcept;

  /// An unused exchange; it stays in the pool until `take_spare`.
  HTTPExchange& spare();
  HTTPExchange* take_spare() noexcept;
  void put_back(HTTPExchange* exchange) noexcept;

  /// A connection is about to be destroyed.
  void connection_gone() noexcept;

  /// Asks every connection to finish, or ends it at once.
  void drain_connections() noexcept;
  void cut_connections() noexcept;

  // StreamSource: the connections, for the picture of the tasks
  void visit_streams(Visit& visit) const override;
  using StreamSource::note_end;

  IOLoop& loop;
  HTTPService& service;
  HTTPServerOptions options;
  TrustedProxies forwarders;
  ResponseHeadWriter heads;
  std::unique_ptr<ResponseEncoder> encoder;  // null: responses are not compressed
  OutputBuffer output;                       // of the connection that is `corked`, else empty
  HTTP1Connection* corked = nullptr;  // whose input is being processed: it sends once at the end
  IntrusiveList<HTTP1Connection> connections;
  IntrusiveList<UpgradedConnection> upgraded;
  std::size_t connection_count = 0;
  std::uint64_t request_count = 0;
  bool draining = false;
  std::vector<std::unique_ptr<HTTPExchange>> pool;
  std::vector<class AllGone*> waiters;  // for the last connection to go
  TaskGroup handshakes;                 // of connections that are not served yet
  Listener listener;
};

}  // namespace coronado
