#include <coronado/base/crypto.hpp>
#include <coronado/base/error.hpp>
#include <coronado/base/strings.hpp>
#include <coronado/http/httputil.hpp>

#include <algorithm>
#include <iterator>

#include "http/ascii.hpp"
#include "http/char_class.hpp"
#include "http/http1_scan.hpp"

namespace coronado {
namespace {

/// RFC 3986 2.3: unreserved characters never need an escape.
bool is_unreserved(char c) noexcept {
  return is_in(c, kDigit) || is_in(c, kAlpha) || c == '-' || c == '.' || c == '_' || c == '~';
}

void append_encoded(std::string& out, std::string_view text) {
  constexpr char kHex[] = "0123456789ABCDEF";
  for (const char c : text) {
    if (is_unreserved(c)) {
      out += c;
    } else if (c == ' ') {
      out += '+';
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
}

bool all_in(std::string_view text, CharClass char_class) noexcept {
  return std::all_of(text.begin(), text.end(),
                     [char_class](char c) { return is_in(c, char_class); });
}

/// Takes the entity tag off the front of `list`, without its "W/"; empty when there is none.
std::string_view next_opaque_tag(std::string_view& list) noexcept {
  if (list.starts_with("W/")) list.remove_prefix(2);
  if (!list.starts_with('"')) return {};
  const std::size_t close = list.find('"', 1);
  if (close == std::string_view::npos) return {};
  const std::string_view tag = list.substr(0, close + 1);
  list.remove_prefix(close + 1);
  return tag;
}

}  // namespace

std::string percent_decode(std::string_view text, PlusSign plus) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '%' && text.size() - i > 2) {
      const int high = hex_value(text[i + 1]);
      const int low = hex_value(text[i + 2]);
      if (high >= 0 && low >= 0) {
        decoded += static_cast<char>(high * 16 + low);
        i += 2;
        continue;
      }
    }
    decoded += c == '+' && plus == PlusSign::kSpace ? ' ' : c;
  }
  return decoded;
}

ArgumentList parse_qs(std::string_view query, std::size_t max_fields) {
  ArgumentList arguments;
  while (!query.empty()) {
    const std::size_t end = query.find('&');
    const std::string_view piece = query.substr(0, end);
    query = end == std::string_view::npos ? std::string_view{} : query.substr(end + 1);
    if (piece.empty()) continue;
    if (arguments.size() == max_fields) {
      throw HTTPInputError("More than " + std::to_string(max_fields) + " arguments");
    }
    const std::size_t equals = piece.find('=');
    const bool has_value = equals != std::string_view::npos;
    arguments.emplace_back(
        percent_decode(piece.substr(0, equals), PlusSign::kSpace),
        has_value ? percent_decode(piece.substr(equals + 1), PlusSign::kSpace) : std::string());
  }
  return arguments;
}

std::string urlencode(const ArgumentList& arguments) {
  std::string encoded;
  for (const auto& [name, value] : arguments) {
    if (!encoded.empty()) encoded += '&';
    append_encoded(encoded, name);
    encoded += '=';
    append_encoded(encoded, value);
  }
  return encoded;
}

std::string url_concat(std::string_view url, const ArgumentList& arguments) {
  const std::size_t hash = std::min(url.find('#'), url.size());
  const std::string_view fragment = url.substr(hash);
  const std::string_view main = url.substr(0, hash);
  const std::size_t mark = std::min(main.find('?'), main.size());
  ArgumentList all = mark == main.size() ? ArgumentList{}
                                         : parse_qs(main.substr(mark + 1), std::string_view::npos);
  all.insert(all.end(), arguments.begin(), arguments.end());
  std::string result(main.substr(0, mark));
  if (!all.empty()) result.append("?").append(urlencode(all));
  return result.append(fragment);
}

std::string make_etag(std::string_view content) {
  std::string tag = "\"";
  append_hex(tag, hash(HashAlgorithm::kSHA1, content));
  return tag + '"';
}

bool etag_matches(std::string_view if_none_match, std::string_view etag) noexcept {
  std::string_view list = trim_whitespace(if_none_match);
  if (list == "*") return true;
  const std::string_view wanted = next_opaque_tag(etag);
  while (!list.empty()) {
    const std::string_view tag = next_opaque_tag(list);
    if (tag.empty()) return false;  // not a list of entity tags from here on
    if (tag == wanted) return true;
    list = trim_whitespace(list);
    if (!list.starts_with(',')) return false;
    while (list.starts_with(',')) list = trim_whitespace(list.substr(1));
  }
  return false;
}

HostAndPort split_host_and_port(std::string_view authority) noexcept {
  const std::size_t colon = authority.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return {authority, std::nullopt};
  const std::string_view digits = authority.substr(colon + 1);
  if (digits.empty() || digits.size() > 5 || !all_in(digits, kDigit)) {
    return {authority, std::nullopt};
  }
  unsigned port = 0;
  for (const char c : digits) port = port * 10 + static_cast<unsigned>(c - '0');
  if (port > 0xFFFF) return {authority, std::nullopt};
  return {authority.substr(0, colon), static_cast<std::uint16_t>(port)};
}

bool is_token(std::string_view text) noexcept { return !text.empty() && all_in(text, kTokenChar); }

bool is_field_value(std::string_view text) noexcept {
  if (std::ssize(text) >= FastScanner::kMinimumSize) {  // plain text for the most part
    const char* const begin = text.data();
    const char* const plain = FastScanner(begin + text.size()).plain_end(begin);
    text.remove_prefix(static_cast<std::size_t>(plain - begin));
  }
  return all_in(text, kValueChar);
}

}  // namespace coronado
