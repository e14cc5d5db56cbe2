#include <coronado/http/httputil.hpp>

#include <algorithm>
#include <stdexcept>

#include "http/ascii.hpp"
#include "http/char_class.hpp"
#include "http/quote.hpp"

namespace coronado {
namespace {

bool is_octal(char c) noexcept { return c >= '0' && c <= '7'; }

/// Undo the quoting of Python's cookie library, which browsers hand back unchanged: "\ooo" and
/// "\x".
std::string unquote(std::string_view value) {
  if (value.size() < 2 || value.front() != '"' || value.back() != '"') return std::string(value);
  value = value.substr(1, value.size() - 2);
  std::string plain;
  plain.reserve(value.size());
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (value[i] != '\\' || i + 1 == value.size()) {
      plain += value[i];
    } else if (value.size() - i > 3 && value[i + 1] <= '3' && is_octal(value[i + 1]) &&
               is_octal(value[i + 2]) && is_octal(value[i + 3])) {
      plain += static_cast<char>((value[i + 1] - '0') * 64 + (value[i + 2] - '0') * 8 +
                                 (value[i + 3] - '0'));
      i += 3;
    } else {
      plain += value[++i];
    }
  }
  return plain;
}

/// What may stand in a cookie's name, or in its value without quotes. An empty value is quoted.
bool is_bare(std::string_view text) noexcept {
  return !text.empty() && std::all_of(text.begin(), text.end(),
                                      [](char c) { return is_in(c, kTokenChar) || c == ':'; });
}

void append_quoted(std::string& out, std::string_view value) {
  constexpr std::string_view kAllowedInQuotes = "()/<=>?@[]{}";
  out += '"';
  for (const char c : value) {
    if (c == '"' || c == '\\') {
      out += {'\\', c};
    } else if (is_bare({&c, 1}) || kAllowedInQuotes.find(c) != std::string_view::npos) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += {'\\', static_cast<char>('0' + (byte >> 6)), static_cast<char>('0' + (byte >> 3 & 7)),
              static_cast<char>('0' + (byte & 7))};
    }
  }
  out += '"';
}

[[noreturn]] void refuse(std::string_view what, std::string_view text) {
  throw std::invalid_argument("Invalid cookie " + std::string(what) + " " + quote_for_log(text));
}

void check_name(std::string_view name) {
  constexpr std::string_view kAttributes[] = {"comment", "domain",      "expires", "httponly",
                                              "max-age", "partitioned", "path",    "samesite",
                                              "secure",  "version"};
  if (!is_bare(name)) refuse("name", name);
  for (const std::string_view attribute : kAttributes) {
    if (equals_ignoring_case(name, attribute)) refuse("name", name);
  }
}

void check_attribute(std::string_view what, std::string_view text) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte == 0x7F || c == ';') refuse(what, text);
  }
}

/// RFC 6265bis 4.1.3: browsers drop a cookie whose name promises what its attributes do not keep.
/// They compare the prefix without regard to case.
void check_promises(std::string_view name, const CookieOptions& options) {
  const auto has_prefix = [name](std::string_view prefix) {
    return equals_ignoring_case(name.substr(0, prefix.size()), prefix);
  };
  const bool host = has_prefix("__Host-");
  if ((host || has_prefix("__Secure-")) && !options.secure) {
    refuse("attributes: it must be `secure` to have the name", name);
  }
  if (host && (options.path != "/" || !options.domain.empty())) {
    refuse("attributes: it must have the path \"/\" and no domain to have the name", name);
  }
  if (options.partitioned && !options.secure) {
    refuse("attributes: Partitioned needs `secure` for", name);
  }
}

std::optional<std::time_t> expiry(const CookieOptions& options) {
  if (options.expires || !options.expires_days) return options.expires;
  constexpr double kDay = 86'400;
  return std::time(nullptr) + static_cast<std::time_t>(*options.expires_days * kDay);
}

std::string_view same_site_name(SameSite same_site) noexcept {
  switch (same_site) {
    case SameSite::kLax: return "Lax";
    case SameSite::kStrict: return "Strict";
    case SameSite::kNone: return "None";
    case SameSite::kUnset: break;
  }
  return "";
}

}  // namespace

ArgumentList parse_cookie(std::string_view cookie) {
  ArgumentList pairs;
  while (!cookie.empty()) {
    const std::string_view piece = next_element(cookie, ';');
    const std::size_t equals = piece.find('=');
    std::string_view name;
    std::string_view value = piece;
    if (equals != std::string_view::npos) {
      name = trim_whitespace(piece.substr(0, equals));
      value = trim_whitespace(piece.substr(equals + 1));
    }
    if (!name.empty() || !value.empty()) pairs.emplace_back(name, unquote(value));
  }
  return pairs;
}

std::string format_set_cookie(std::string_view name, std::string_view value,
                              const CookieOptions& options) {
  check_name(name);
  const bool has_space_or_control = std::any_of(
      value.begin(), value.end(), [](char c) { return static_cast<unsigned char>(c) <= 0x20; });
  if (has_space_or_control) refuse("value", value);
  check_attribute("domain", options.domain);
  check_attribute("path", options.path);
  check_promises(name, options);

  std::string cookie(name);
  cookie += '=';
  if (is_bare(value)) {
    cookie += value;
  } else {
    append_quoted(cookie, value);
  }
  const auto add = [&cookie](std::string_view attribute, std::string_view text) {
    cookie.append("; ").append(attribute).append(text);
  };
  if (!options.domain.empty()) add("Domain=", options.domain);
  if (const auto expires = expiry(options)) add("expires=", format_timestamp(*expires));
  if (options.http_only) add("HttpOnly", "");
  if (options.max_age) add("Max-Age=", std::to_string(*options.max_age));
  if (options.partitioned) add("Partitioned", "");
  if (!options.path.empty()) add("Path=", options.path);
  if (options.same_site != SameSite::kUnset) add("SameSite=", same_site_name(options.same_site));
  if (options.secure) add("Secure", "");
  return cookie;
}

}  // namespace coronado
