#include "http/websocket_handshake.hpp"

#include <coronado/base/crypto.hpp>
#include <coronado/base/strings.hpp>

#include <algorithm>

#include "http/list_elements.hpp"

namespace coronado {
namespace {

constexpr std::string_view kGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";  // RFC 6455 1.3

bool has_element(const RequestHead& head, std::string_view name, std::string_view element) {
  const std::vector<std::string> all = list_elements(head, name);
  return std::ranges::any_of(
      all, [&](const std::string& each) { return equals_ignore_case(each, element); });
}

/// Without the quotes around it.
std::string_view unquoted(std::string_view value) noexcept {
  const bool quoted = value.size() >= 2 && value.front() == '"' && value.back() == '"';
  return quoted ? value.substr(1, value.size() - 2) : value;
}

/// 8 to 15, without leading zeros.   Spec  RFC 7692 7.1.2.
std::optional<int> window_bits(std::string_view text) noexcept {
  const std::optional<int> bits = parse_int<int>(text);
  const bool right = bits && *bits >= 8 && *bits <= 15 && text.front() != '0' && text.size() <= 2;
  return right ? bits : std::nullopt;
}

/// What a client offers.
struct DeflateOffer {
  bool server_forgets = false;
  bool client_forgets = false;
  std::optional<int> server_bits;
  bool client_bits_named = false;  // it can be told a window
  std::optional<int> client_bits;
};

bool set_once(bool& flag) noexcept { return !std::exchange(flag, true); }

/// One parameter; false: it is unknown, malformed or repeated.
bool take_parameter(std::string_view name, std::optional<std::string_view> value,
                    DeflateOffer& offer) noexcept {
  if (name == "server_no_context_takeover") return !value && set_once(offer.server_forgets);
  if (name == "client_no_context_takeover") return !value && set_once(offer.client_forgets);
  if (name == "server_max_window_bits") {
    if (offer.server_bits || !value) return false;
    return (offer.server_bits = window_bits(*value)).has_value();
  }
  if (name == "client_max_window_bits") {
    if (!set_once(offer.client_bits_named)) return false;
    return !value || (offer.client_bits = window_bits(*value)).has_value();
  }
  return false;
}

/// Nothing: it is another extension, or malformed.
std::optional<DeflateOffer> read_offer(std::string_view text) {
  DeflateOffer offer;
  bool first = true;
  for (const std::string_view part : split(text, ';')) {
    const std::string_view parameter = trim(part);
    if (std::exchange(first, false)) {
      if (parameter != "permessage-deflate") return std::nullopt;
      continue;
    }
    const std::size_t equals = parameter.find('=');
    std::optional<std::string_view> value;
    if (equals != parameter.npos) value = unquoted(trim(parameter.substr(equals + 1)));
    if (!take_parameter(trim(parameter.substr(0, equals)), value, offer)) return std::nullopt;
  }
  return offer;
}

}  // namespace

std::optional<WebSocketRefusal> check_websocket_request(const RequestHead& head) {
  if (head.method_id() != Method::kGet) return WebSocketRefusal{400, "A WebSocket begins with GET"};
  if (!has_element(head, "Upgrade", "websocket")) {
    return WebSocketRefusal{400, "Can \"Upgrade\" only to \"WebSocket\"."};
  }
  if (!has_element(head, "Connection", "upgrade")) {
    return WebSocketRefusal{400, "\"Connection\" must be \"Upgrade\"."};
  }
  const auto version = head.find("Sec-WebSocket-Version");
  if (version && trim(*version) != "13") return WebSocketRefusal{426, ""};
  const auto key = head.find("Sec-WebSocket-Key");
  const auto nonce = key ? base64_decode(trim(*key)) : std::nullopt;
  if (!version || !nonce || nonce->size() != 16 || head.minor_version() == 0 || head.has_body()) {
    return WebSocketRefusal{400, "Missing/Invalid WebSocket headers"};
  }
  return std::nullopt;
}

std::string websocket_accept(std::string_view key) {
  return base64_encode(hash(HashAlgorithm::kSHA1, std::string(trim(key)).append(kGuid)));
}

bool is_same_origin(std::string_view origin, std::string_view host) {
  const std::size_t scheme = origin.find("://");
  if (scheme == origin.npos) return false;  // "null", or nothing a browser sends
  const std::string_view rest = origin.substr(scheme + 3);
  return equals_ignore_case(rest.substr(0, rest.find('/')), host);
}

std::optional<DeflateAgreement> answer_deflate_offers(const std::vector<std::string>& offers,
                                                      const WebSocketCompression& wanted,
                                                      std::string& answer) {
  for (const std::string& text : offers) {
    const std::optional<DeflateOffer> offer = read_offer(text);
    if (!offer) continue;
    DeflateAgreement agreed;
    agreed.server_forgets = offer->server_forgets || wanted.forget_own_window;
    agreed.client_forgets = offer->client_forgets || wanted.forget_peer_window;
    agreed.server_window_bits = std::min(offer->server_bits.value_or(15), wanted.own_window_bits);
    if (offer->client_bits_named) {
      agreed.client_window_bits =
          std::min(offer->client_bits.value_or(15), wanted.peer_window_bits);
    }
    answer = "permessage-deflate";
    if (agreed.server_forgets) answer += "; server_no_context_takeover";
    if (agreed.client_forgets) answer += "; client_no_context_takeover";
    if (offer->server_bits || agreed.server_window_bits < 15) {
      answer += "; server_max_window_bits=" + std::to_string(agreed.server_window_bits);
    }
    if (offer->client_bits || agreed.client_window_bits < 15) {
      answer += "; client_max_window_bits=" + std::to_string(agreed.client_window_bits);
    }
    return agreed;
  }
  return std::nullopt;
}

std::string offer_deflate(const WebSocketCompression& wanted) {
  std::string offer = "permessage-deflate";
  if (wanted.forget_peer_window) offer += "; server_no_context_takeover";
  if (wanted.forget_own_window) offer += "; client_no_context_takeover";
  if (wanted.peer_window_bits < 15) {
    offer += "; server_max_window_bits=" + std::to_string(wanted.peer_window_bits);
  }
  offer += "; client_max_window_bits";
  if (wanted.own_window_bits < 15) offer += "=" + std::to_string(wanted.own_window_bits);
  return offer;
}

std::optional<DeflateAgreement> read_deflate_answer(std::string_view answer,
                                                    const WebSocketCompression& offered) {
  const std::optional<DeflateOffer> chosen = read_offer(answer);
  if (!chosen || (chosen->client_bits_named && !chosen->client_bits)) return std::nullopt;
  DeflateAgreement agreed;
  agreed.server_forgets = chosen->server_forgets;
  agreed.client_forgets = chosen->client_forgets || offered.forget_own_window;
  agreed.server_window_bits = chosen->server_bits.value_or(15);
  agreed.client_window_bits = std::min(chosen->client_bits.value_or(15), offered.own_window_bits);
  // RFC 7692 7.1: what was asked for is granted, or the extension is not agreed upon.
  const bool keeps = offered.forget_peer_window && !agreed.server_forgets;
  const bool exceeds = agreed.server_window_bits > offered.peer_window_bits;
  if (keeps || exceeds) return std::nullopt;
  return agreed;
}

}  // namespace coronado
