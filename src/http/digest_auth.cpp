#include "http/digest_auth.hpp"

#include <coronado/base/crypto.hpp>
#include <coronado/base/strings.hpp>

#include <utility>

#include "http/ascii.hpp"
#include "http/char_class.hpp"

namespace coronado {
namespace {

/// RFC 9110 11.6.1: challenge = scheme [ 1*SP ( token68 / #auth-param ) ], and a list of those. Walks
/// over a field, which may hold several challenges.
class ChallengeReader {
 public:
  explicit ChallengeReader(std::string_view text) noexcept : rest_(text) {}

  struct Item {
    std::string_view scheme;  ///< set: a challenge begins
    std::string_view name;    ///< set: a parameter of it
    std::string value;
  };

  /// The next item; nothing at the end, or where the field breaks the rules.
  std::optional<Item> next() {
    while (!rest_.empty() && (is_whitespace(rest_.front()) || rest_.front() == ',')) {
      rest_.remove_prefix(1);
    }
    const std::string_view word = token();
    if (word.empty()) return std::nullopt;
    std::string_view after = trim_whitespace(rest_);
    if (!after.starts_with('=')) return Item{word, {}, {}};
    rest_ = trim_whitespace(after.substr(1));
    if (rest_.starts_with('=')) {  // token68 with padding: not one of ours
      rest_ = rest_.substr(std::min(rest_.find(','), rest_.size()));
      return next();
    }
    Item item{{}, word, {}};
    if (!rest_.starts_with('"')) {
      item.value = token();
      return item;
    }
    if (!quoted(item.value)) return std::nullopt;
    return item;
  }

 private:
  std::string_view token() noexcept {
    std::size_t size = 0;
    while (size < rest_.size() && is_in(rest_[size], kTokenChar)) ++size;
    const std::string_view word = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return word;
  }
  bool quoted(std::string& value) {
    for (std::size_t i = 1; i < rest_.size(); ++i) {
      if (rest_[i] == '"') {
        rest_.remove_prefix(i + 1);
        return true;
      }
      if (rest_[i] == '\\' && ++i == rest_.size()) break;
      value += rest_[i];
    }
    return false;
  }

  std::string_view rest_;
};

void note(DigestChallenge& challenge, std::string_view name, std::string value, bool& known) {
  if (equals_ignoring_case(name, "realm")) {
    challenge.realm = std::move(value);
  } else if (equals_ignoring_case(name, "nonce")) {
    challenge.nonce = std::move(value);
  } else if (equals_ignoring_case(name, "opaque")) {
    challenge.opaque = std::move(value);
    challenge.has_opaque = true;
  } else if (equals_ignoring_case(name, "algorithm")) {
    challenge.sha256 =
        equals_ignoring_case(value, "SHA-256") || equals_ignoring_case(value, "SHA-256-sess");
    challenge.session = ascii_lower(value).ends_with("-sess");
    known = challenge.sha256 || equals_ignoring_case(value, "MD5") ||
            equals_ignoring_case(value, "MD5-sess");
    challenge.algorithm = std::move(value);
  } else if (equals_ignoring_case(name, "stale")) {
    challenge.stale = equals_ignoring_case(value, "true");
  } else if (equals_ignoring_case(name, "qop")) {
    // "auth-int" alone, with a hash of the body, is not answered.
    known = false;
    for_each_part(value, ',', [&](std::string_view option) {
      if (equals_ignoring_case(trim_whitespace(option), "auth")) known = true;
    });
    challenge.has_qop = known;
  }
}

/// RFC 7616 3.4: nc-value = 8LHEX
std::string count_text(unsigned count) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text(8, '0');
  for (std::size_t i = 8; i-- != 0; count >>= 4) text[i] = kDigits[count & 15];
  return text;
}

std::string quote(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "\"";
}

}  // namespace

std::optional<DigestChallenge> DigestChallenge::find(const std::vector<std::string_view>& fields) {
  std::optional<DigestChallenge> best;
  for (const std::string_view field : fields) {
    ChallengeReader reader(field);
    DigestChallenge current;
    bool digest = false;
    bool known = true;
    const auto settle = [&] {
      const bool better = !best || (current.sha256 && !best->sha256);
      if (digest && known && !current.nonce.empty() && better) best = current;
      current = {};
      known = true;
    };
    while (auto item = reader.next()) {
      if (!item->scheme.empty()) {
        settle();
        digest = equals_ignoring_case(item->scheme, "Digest");
      } else if (known) {
        note(current, item->name, std::move(item->value), known);
      }
    }
    settle();
  }
  return best;
}

std::string DigestChallenge::answer(std::string_view method, std::string_view target,
                                    std::string_view username, std::string_view password,
                                    std::string_view cnonce, unsigned count) const {
  const auto digest = [this](std::initializer_list<std::string_view> parts) {
    std::string text;
    for (const std::string_view part : parts) text.append(part).append(":");
    text.pop_back();
    std::string hex;
    append_hex(hex, hash(sha256 ? HashAlgorithm::kSHA256 : HashAlgorithm::kMD5, text));
    return hex;
  };
  const std::string nc = count_text(count);
  std::string ha1 = digest({username, realm, password});
  if (session) ha1 = digest({ha1, nonce, cnonce});
  const std::string ha2 = digest({method, target});
  const std::string response =
      has_qop ? digest({ha1, nonce, nc, cnonce, "auth", ha2}) : digest({ha1, nonce, ha2});
  std::string value = "Digest username=" + quote(username) + ", realm=" + quote(realm) +
                      ", nonce=" + quote(nonce) + ", uri=" + quote(target) + ", response=\"" +
                      response + "\"";
  if (!algorithm.empty()) value += ", algorithm=" + algorithm;
  if (has_opaque) value += ", opaque=" + quote(opaque);
  if (has_qop || session) value += ", cnonce=\"" + std::string(cnonce) + "\"";
  if (has_qop) value.append(", qop=auth, nc=").append(nc);
  return value;
}

bool DigestLogin::take(const std::vector<std::string_view>& fields) {
  // A server that calls every nonce stale would be asked without end.
  constexpr unsigned kMostRounds = 3;
  auto found = DigestChallenge::find(fields);
  const bool refused = challenge_ && found && !found->stale;
  if (!found || refused || rounds_ == kMostRounds) return false;
  challenge_ = std::move(found);
  count_ = 0;
  ++rounds_;
  return true;
}

std::string DigestLogin::show(std::string_view method, std::string_view target,
                              std::string_view username, std::string_view password) {
  if (!challenge_) return {};
  const std::string cnonce = base64_encode(random_bytes(18), Base64::kURL);
  return challenge_->answer(method, target, username, password, cnonce, ++count_);
}

}  // namespace coronado
