/// The handshake of WebSocket: requests checked, answers computed, permessage-deflate negotiated.
///
/// No I/O.
///
/// Layer: http.   Spec  RFC 6455 4, RFC 7692 7.
#pragma once

#include <coronado/http/request_head.hpp>
#include <coronado/http/websocket.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace coronado {

/// What is wrong with a request for a WebSocket.
struct WebSocketRefusal {
  /// 400, or 426: then `Sec-WebSocket-Version: 13` belongs to the answer.
  int status;
  const char* reason;
};

/// Looks at a request.   Returns  Nothing when it is right.
std::optional<WebSocketRefusal> check_websocket_request(const RequestHead& head);

/// The value of Sec-WebSocket-Accept for that of Sec-WebSocket-Key.
std::string websocket_accept(std::string_view key);

/// True when a page from `origin` belongs to `host`: "https://example.org" to "example.org".
/// Params  origin  The Origin field.
///         host    The Host field.
bool is_same_origin(std::string_view origin, std::string_view host);

/// What both sides agreed upon for permessage-deflate.
struct DeflateAgreement {
  bool server_forgets = false;  ///< server_no_context_takeover
  bool client_forgets = false;
  int server_window_bits = 15;
  int client_window_bits = 15;
};

/// Answers the offers of a client, of which the first that can be served is taken.
/// Params   offers  The elements of its Sec-WebSocket-Extensions.
///          wanted  Ours; "own" is the server.
///          answer  Set to the value of our Sec-WebSocket-Extensions.
/// Returns  Nothing: messages are not compressed.
std::optional<DeflateAgreement> answer_deflate_offers(const std::vector<std::string>& offers,
                                                      const WebSocketCompression& wanted,
                                                      std::string& answer);

/// The value of Sec-WebSocket-Extensions of a client; "own" is the client.
std::string offer_deflate(const WebSocketCompression& wanted);

/// Reads the answer to such an offer.
/// Returns  Nothing: it is not one that the offer allows.
std::optional<DeflateAgreement> read_deflate_answer(std::string_view answer,
                                                    const WebSocketCompression& offered);

}  // namespace coronado
