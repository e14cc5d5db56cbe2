/// Digest authentication: reading a server's challenge and answering it.
///
/// Layer: http.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace coronado {

/// What a WWW-Authenticate field asks for.
struct DigestChallenge {
  std::string realm;
  std::string nonce;
  std::string opaque;
  std::string algorithm;  ///< as it was written; empty: none was
  bool sha256 = false;
  bool session = false;  ///< "MD5-sess", "SHA-256-sess"
  bool has_qop = false;  ///< `auth` is offered
  bool has_opaque = false;

  /// The best challenge in those fields that can be answered: SHA-256 before MD5.
  static std::optional<DigestChallenge> find(const std::vector<std::string_view>& fields);

  /// The value of the Authorization field.
  /// Params   cnonce  Random characters, without quotes.
  /// Spec     RFC 7616 3.4, RFC 2069 without `qop`.
  std::string answer(std::string_view method, std::string_view target, std::string_view username,
                     std::string_view password, std::string_view cnonce) const;
};

}  // namespace coronado
