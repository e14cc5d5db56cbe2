#include "http/forwarded.hpp"

#include <coronado/base/error.hpp>
#include <coronado/base/strings.hpp>

#include <algorithm>
#include <ranges>

#include "http/field_parameters.hpp"
#include "http/http1_scan.hpp"
#include "http/list_elements.hpp"

namespace coronado {
namespace {

/// An address with or without a port: "192.0.2.1", "192.0.2.1:80", "2001:db8::1",
/// "[2001:db8::1]:80". Nothing for "unknown" and names that hide somebody.   Spec  RFC 7239 6.
std::optional<SocketAddress> parse_node(std::string_view text) {
  std::string_view port;
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    port = text.substr(end + 1);
    text = text.substr(1, end - 1);
    if (!port.empty() && !port.starts_with(':')) return std::nullopt;
  } else if (std::ranges::count(text, ':') == 1) {
    port = text.substr(text.find(':'));
    text = text.substr(0, text.find(':'));
  }
  std::uint16_t number = 0;
  if (!port.empty()) {
    const auto read = parse_int<std::uint16_t>(port.substr(1));
    if (!read) return std::nullopt;
    number = *read;
  }
  return SocketAddress::from_ip(text, number);
}

std::optional<bool> parse_scheme(std::string_view text) {
  if (equals_ignore_case(text, "https")) return true;
  if (equals_ignore_case(text, "http")) return false;
  return std::nullopt;
}

/// Nothing when it is no host.
std::string valid_host(std::string host) { return is_valid_host(host) ? host : std::string(); }

/// Names the port when neither the host does nor the scheme.
void add_port(ForwardedClient& client, const std::optional<std::string>& port) {
  const auto number = port ? parse_int<std::uint16_t>(*port) : std::nullopt;
  if (client.host.empty() || !number) return;
  const bool has_port = client.host.find(':', client.host.rfind(']') + 1) != std::string::npos;
  const std::uint16_t usual = client.https.value_or(false) ? 443 : 80;
  if (!has_port && *number != usual) client.host += ":" + std::to_string(*number);
}

/// The last element of the field; nothing when there is none.
std::optional<std::string> last_element(const RequestHead& head, std::string_view name) {
  std::vector<std::string> all = list_elements(head, name);
  return all.empty() ? std::nullopt : std::optional(std::move(all.back()));
}

}  // namespace

TrustedProxies::TrustedProxies(const std::vector<std::string>& networks) {
  for (const std::string& text : networks) {
    if (text == "unix") {
      unix_ = true;
      continue;
    }
    const std::optional<IPNetwork> network = IPNetwork::from_text(text);
    if (!network) {
      throw UsageError("trusted forwarder \"" + text + "\" is no network, such as 10.0.0.0/8");
    }
    networks_.push_back(*network);
  }
}

bool TrustedProxies::contains(const SocketAddress& address) const noexcept {
  if (address.family == SocketAddress::Family::kUnix) return unix_;
  return std::ranges::any_of(networks_,
                             [&](const IPNetwork& each) { return each.contains(address); });
}

ForwardedClient TrustedProxies::client_of(const RequestHead& head) const {
  const std::vector<std::string> forwarded = list_elements(head, "Forwarded");
  return forwarded.empty() ? from_x_fields(head) : from_forwarded(forwarded);
}

ForwardedClient TrustedProxies::from_forwarded(const std::vector<std::string>& elements) const {
  ForwardedClient client;
  for (const std::string& element : elements | std::views::reverse) {
    // As if it were the parameters of a field with a value.
    const std::optional<FieldParameters> parts = parse_field_parameters("forwarded;" + element);
    const std::optional<std::string> node = parts ? parts->find("for") : std::nullopt;
    const std::optional<SocketAddress> address = node ? parse_node(*node) : std::nullopt;
    if (!address) break;
    client.address = address;
    if (const auto scheme = parts->find("proto")) client.https = parse_scheme(*scheme);
    if (auto host = parts->find("host")) client.host = valid_host(std::move(*host));
    if (!contains(*address)) break;
  }
  return client;
}

ForwardedClient TrustedProxies::from_x_fields(const RequestHead& head) const {
  ForwardedClient client;
  const std::vector<std::string> nodes = list_elements(head, "X-Forwarded-For");
  for (const std::string& node : nodes | std::views::reverse) {
    const std::optional<SocketAddress> address = parse_node(node);
    if (!address) break;
    client.address = address;
    if (!contains(*address)) break;
  }
  if (nodes.empty()) {
    if (const auto node = last_element(head, "X-Real-Ip")) client.address = parse_node(*node);
  }
  auto scheme = last_element(head, "X-Forwarded-Proto");
  if (!scheme) scheme = last_element(head, "X-Scheme");
  if (scheme) client.https = parse_scheme(*scheme);
  if (auto host = last_element(head, "X-Forwarded-Host")) {
    client.host = valid_host(std::move(*host));
    add_port(client, last_element(head, "X-Forwarded-Port"));
  }
  return client;
}

}  // namespace coronado
