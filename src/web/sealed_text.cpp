#include "web/sealed_text.hpp"

#include <coronado/base/crypto.hpp>
#include <coronado/base/strings.hpp>

namespace coronado::web {

std::optional<int> sealed_key_version(std::string_view text) noexcept {
  return parse_int<int>(text.substr(0, text.find('.')));
}

std::string seal_text(const CookieSecret& secret, std::string_view purpose,
                      std::string_view context, std::string_view plain) {
  const int version = secret.key_version();
  const std::string key = derive_key(*secret.find(version), purpose);
  return std::to_string(version) + "." + base64_encode(encrypt(key, plain, context), Base64::kURL);
}

std::optional<std::string> open_text(const CookieSecret& secret, std::string_view purpose,
                                     std::string_view context, std::string_view text,
                                     std::string& why) {
  const std::size_t dot = text.find('.');
  const std::optional<int> version = sealed_key_version(text);
  const auto sealed = base64_decode(dot < text.size() ? text.substr(dot + 1) : "", Base64::kURL);
  if (!version || !sealed || dot == text.npos) {
    why = "it is malformed";
    return std::nullopt;
  }
  const std::string* key = secret.find(*version);
  if (key == nullptr) {
    why = "it is encrypted with a key that is not in use";
    return std::nullopt;
  }
  std::optional<std::string> plain = decrypt(derive_key(*key, purpose), *sealed, context);
  if (!plain) why = "it was changed, or encrypted with another key";
  return plain;
}

}  // namespace coronado::web
