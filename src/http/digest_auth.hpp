/// Digest authentication: reading a server's or a proxy's challenge and answering it.
///
///     DigestChallenge   what one field asks for, and the answer
///     DigestLogin       answers to the one who asks, from one request to the next
///
/// Layer: http.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace coronado {

/// What a WWW-Authenticate or Proxy-Authenticate field asks for.
struct DigestChallenge {
  std::string realm;
  std::string nonce;
  std::string opaque;
  std::string algorithm;  ///< as it was written; empty: none was
  bool sha256 = false;
  bool session = false;  ///< "MD5-sess", "SHA-256-sess"
  bool has_qop = false;  ///< `auth` is offered
  bool has_opaque = false;
  bool stale = false;  ///< the nonce of the last answer was too old, and nothing else was wrong

  /// The best challenge in those fields that can be answered: SHA-256 before MD5.
  static std::optional<DigestChallenge> find(const std::vector<std::string_view>& fields);

  /// The value of the Authorization or Proxy-Authorization field.
  /// Params   cnonce  Random characters, without quotes.
  ///          count   Which answer with this nonce it is, from 1 on.
  /// Spec     RFC 7616 3.4, RFC 2069 without `qop`.
  std::string answer(std::string_view method, std::string_view target, std::string_view username,
                     std::string_view password, std::string_view cnonce, unsigned count = 1) const;
};

/// Shows credentials to whoever has asked for them.
class DigestLogin {
 public:
  /// Takes up the challenge of an answer that has refused a request.
  /// Returns  Whether the request may be sent again: there is a challenge that can be answered, and
  ///          it is not one that has refused these credentials.
  bool take(const std::vector<std::string_view>& fields);

  /// There is a challenge, and nothing has been sent since.
  bool unanswered() const noexcept { return challenge_ && count_ == 0; }

  /// The value of the field for the next request; empty: nobody has asked.
  std::string show(std::string_view method, std::string_view target, std::string_view username,
                   std::string_view password);

  /// The last answer has reached nobody: the next one is the first again.
  void take_back() noexcept { count_ = 0; }

 private:
  std::optional<DigestChallenge> challenge_;
  unsigned count_ = 0;   // of answers to it
  unsigned rounds_ = 0;  // challenges so far
};

}  // namespace coronado
