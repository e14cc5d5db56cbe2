#include "net/tls_openssl_context.hpp"

#include <coronado/base/strings.hpp>

#include <algorithm>
#include <array>
#include <limits>
#include <span>

#include "net/tls_openssl_files.hpp"

namespace coronado::tls {
namespace {

/// Forward secrecy and authenticated encryption, nothing else.   Spec  RFC 9325 4.2
constexpr const char* kDefaultCiphers = "ECDHE+AESGCM:ECDHE+CHACHA20";
/// Sessions kept for each server: as many as a browser opens connections.
constexpr std::size_t kSessionsOfOneServer = 4;

int protocol_number(TLSVersion version) noexcept {
  return version == TLSVersion::kTLS12 ? TLS1_2_VERSION : TLS1_3_VERSION;
}

/// OpenSSL passes over names that it does not know as long as one remains; we do not.
void check_cipher_names(const std::string& list) {
  std::size_t begin = 0;
  while (begin <= list.size()) {
    const std::size_t end = std::min(list.find_first_of(":, ", begin), list.size());
    const std::string name = list.substr(begin, end - begin);
    begin = end + 1;
    if (name.empty() || std::string_view("!-+@").contains(name.front())) continue;
    const ContextPointer probe(::SSL_CTX_new(::TLS_method()));
    ::SSL_CTX_set_security_level(probe.get(), 0);
    const bool known = ::SSL_CTX_set_cipher_list(probe.get(), name.c_str()) == 1;
    ::ERR_clear_error();
    if (known) continue;
    throw TLSCipherError(list, "the cipher list \"" + list + "\" cannot be used: \"" + name +
                                   "\" names no cipher of TLS 1.2");
  }
}

/// "h2", "http/1.1" as the protocol has them: each with its length before it.
std::string protocol_list(const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names) {
    if (name.empty() || name.size() > 255) {
      throw TLSConfigError(name, "the ALPN protocol \"" + name + "\" has not 1 to 255 bytes");
    }
    list += static_cast<char>(name.size());
    list += name;
  }
  return list;
}

void on_key_log(const SSL* ssl, const char* line) {
  const Connection& connection = Connection::of(ssl);
  if (connection.kernel) connection.kernel->on_key_log(line);
}

/// What both roles set alike.
template <class Options>
ContextPointer make_context(const Options& options, const SSL_METHOD* method) {
  ContextPointer context(::SSL_CTX_new(method));
  if (!context) throw TLSConfigError("OpenSSL", "no TLS context can be made: " + take_reason());
  SSL_CTX* const raw = context.get();
  // A level of its own: what the system's openssl.cnf says may be weaker.
  ::SSL_CTX_set_security_level(raw, 2);
  ::SSL_CTX_set_options(raw, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                 SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
  if (options.kernel_tls) ::SSL_CTX_set_keylog_callback(raw, on_key_log);
  SSL_CTX_set_mode(raw, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN);
  if (options.min_version > options.max_version) {
    throw TLSConfigError(to_string(options.min_version),
                         std::string("the lowest TLS version, ") + to_string(options.min_version) +
                             ", is above the highest, " + to_string(options.max_version));
  }
  SSL_CTX_set_min_proto_version(raw, protocol_number(options.min_version));
  SSL_CTX_set_max_proto_version(raw, protocol_number(options.max_version));
  check_cipher_names(options.ciphers);
  const std::string ciphers = options.ciphers.empty() ? kDefaultCiphers : options.ciphers;
  if (::SSL_CTX_set_cipher_list(raw, ciphers.c_str()) != 1) {
    throw TLSCipherError(ciphers,
                         "the cipher list \"" + ciphers + "\" cannot be used: " + take_reason());
  }
  if (!options.ciphersuites.empty() &&
      ::SSL_CTX_set_ciphersuites(raw, options.ciphersuites.c_str()) != 1) {
    ::ERR_clear_error();
    throw TLSCipherError(options.ciphersuites, "the TLS 1.3 cipher list \"" + options.ciphersuites +
                                                   "\" cannot be used: it names no cipher, or an "
                                                   "unknown one");
  }
  return context;
}

int on_verify(int good, X509_STORE_CTX* store) {
  if (good == 1) return 1;
  const auto* ssl = static_cast<const SSL*>(
      ::X509_STORE_CTX_get_ex_data(store, ::SSL_get_ex_data_X509_STORE_CTX_idx()));
  VerifyFailure& failure = Connection::of(ssl).failure;
  failure.code = ::X509_STORE_CTX_get_error(store);
  if (X509* certificate = ::X509_STORE_CTX_get_current_cert(store)) {
    failure.subject = name_text(::X509_get_subject_name(certificate));
    failure.issuer = name_text(::X509_get_issuer_name(certificate));
    failure.not_before = time_text(::X509_get0_notBefore(certificate));
    failure.not_after = time_text(::X509_get0_notAfter(certificate));
    const TLSCertificate names = describe(*certificate);
    failure.hosts = host_names(*certificate);
    failure.hosts.insert(failure.hosts.end(), names.ip_addresses.begin(), names.ip_addresses.end());
  }
  return 0;
}

// --- Servers -------------------------------------------------------------------------------------

int on_server_name(SSL* ssl, int*, void*) {
  const char* name = ::SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  if (name == nullptr) return SSL_TLSEXT_ERR_NOACK;
  SSL_CTX* context = Connection::of(ssl).generation->find(name);
  if (context == nullptr) return SSL_TLSEXT_ERR_NOACK;  // the default certificate
  if (context != ::SSL_get_SSL_CTX(ssl)) ::SSL_set_SSL_CTX(ssl, context);
  return SSL_TLSEXT_ERR_OK;
}

int on_protocols(SSL* ssl, const unsigned char** chosen, unsigned char* size,
                 const unsigned char* offered, unsigned offered_size, void*) {
  const std::string_view offer(reinterpret_cast<const char*>(offered), offered_size);
  for (const std::string& name : Connection::of(ssl).context->state().server_options.alpn) {
    for (std::size_t at = 0; at < offer.size();) {
      const auto length = static_cast<unsigned char>(offer[at]);
      if (offer.substr(at + 1, length) == name) {
        *chosen = offered + at + 1;
        *size = length;
        return SSL_TLSEXT_ERR_OK;
      }
      at += 1U + length;
    }
  }
  return SSL_TLSEXT_ERR_ALERT_FATAL;  // RFC 7301 3.2: no_application_protocol
}

int on_ticket(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
              EVP_MAC_CTX* mac, int seal) {
  const int answer =
      Connection::of(ssl).context->state().tickets.prepare(name, iv, cipher, mac, seal != 0);
  // RFC 8446 C.4: a ticket should be used once, so that each resumption is given the next one.
  const bool replace = answer == 1 && seal == 0 && ::SSL_version(ssl) == TLS1_3_VERSION;
  return replace ? 2 : answer;
}

long seconds_of(Duration span) noexcept {
  constexpr long kLongest = 7L * 24 * 3600;  // RFC 8446 4.6.1
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(span).count();
  return std::clamp<long>(seconds, 1, kLongest);
}

void set_sessions(SSL_CTX& context, const TLSServerOptions& options, const std::string& trust) {
  SSL_CTX_set_session_cache_mode(&context, SSL_SESS_CACHE_OFF);
  if (options.session_tickets) {
    ::SSL_CTX_set_tlsext_ticket_key_evp_cb(&context, on_ticket);
    ::SSL_CTX_set_timeout(&context, seconds_of(options.ticket_key_rotation));
  } else {
    ::SSL_CTX_set_options(&context, SSL_OP_NO_TICKET);
    ::SSL_CTX_set_num_tickets(&context, 0);
  }
  // A session belongs to the trust it was verified by: with other authorities it is not resumed.
  const std::string text = std::to_string(static_cast<int>(options.client_certificates)) + trust;
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned size = 0;
  ::EVP_Digest(text.data(), text.size(), digest.data(), &size, ::EVP_sha256(), nullptr);
  ::SSL_CTX_set_session_id_context(&context, digest.data(),
                                   std::min(size, unsigned{SSL_MAX_SID_CTX_LENGTH}));
}

/// Tells clients whose certificates are wanted.
void name_authorities(SSL_CTX& context) {
  STACK_OF(X509_NAME)* names = sk_X509_NAME_new_null();
  STACK_OF(X509_OBJECT)* objects = ::X509_STORE_get0_objects(::SSL_CTX_get_cert_store(&context));
  for (int i = 0; i < sk_X509_OBJECT_num(objects); ++i) {
    X509* certificate = ::X509_OBJECT_get0_X509(sk_X509_OBJECT_value(objects, i));
    if (certificate == nullptr) continue;
    sk_X509_NAME_push(names, ::X509_NAME_dup(::X509_get_subject_name(certificate)));
  }
  ::SSL_CTX_set_client_CA_list(&context, names);
}

void set_client_verification(SSL_CTX& context, const TLSServerOptions& options,
                             const std::string& trust) {
  if (options.client_certificates == TLSClientCertificates::kNone) return;
  if (trust.empty()) {
    throw TLSConfigError("trust",
                         "clients are to show certificates, but no authority is given to verify "
                         "them by (TLSServerOptions::trust)");
  }
  const bool required = options.client_certificates == TLSClientCertificates::kRequired;
  set_verification(context, SSL_VERIFY_PEER | (required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0));
  name_authorities(context);
}

// --- Clients -------------------------------------------------------------------------------------

int on_new_session(SSL* ssl, SSL_SESSION* session) {
  SessionPointer owned(session);
  const Connection& connection = Connection::of(ssl);
  if (connection.session_key.empty()) return 1;
  TLSContext::State& state = connection.context->state();
  // What was verified by authorities that have been replaced is not resumed.
  if (state.current() == connection.generation) {
    state.sessions.put(connection.session_key, std::move(owned));
  }
  return 1;
}

}  // namespace

SSL_CTX* Generation::find(std::string host) const {
  host = ascii_lower(host);
  if (const auto found = exact.find(host); found != exact.end()) return found->second;
  const std::size_t dot = host.find('.');
  if (dot == std::string::npos) return nullptr;
  const auto found = wildcard.find(host.substr(dot));
  return found != wildcard.end() ? found->second : nullptr;
}

void set_verification(SSL_CTX& context, int mode) {
  ::SSL_CTX_set_verify(&context, mode, on_verify);
}

std::shared_ptr<const Generation> make_generation(const TLSServerOptions& options) {
  if (options.identities.empty()) {
    throw TLSConfigError("identities", "a TLS server needs a certificate, and none is given");
  }
  protocol_list(options.alpn);  // checks it
  auto generation = std::make_shared<Generation>();
  for (const TLSIdentity& identity : options.identities) {
    ContextPointer context = make_context(options, ::TLS_server_method());
    for (const std::string& host : use_identity(*context, identity)) {
      auto& names = host.starts_with("*.") ? generation->wildcard : generation->exact;
      names.emplace(host.starts_with("*.") ? host.substr(1) : host, context.get());
    }
    const std::string trust = use_trust(*context, options.trust, false);
    set_client_verification(*context, options, trust);
    set_sessions(*context, options, trust);
    SSL_CTX_set_tlsext_servername_callback(context.get(), on_server_name);
    if (!options.alpn.empty()) {
      ::SSL_CTX_set_alpn_select_cb(context.get(), on_protocols, nullptr);
    }
    generation->contexts.push_back(std::move(context));
  }
  return generation;
}

std::shared_ptr<const Generation> make_generation(const TLSClientOptions& options) {
  auto generation = std::make_shared<Generation>();
  ContextPointer context = make_context(options, ::TLS_client_method());
  if (!options.identity.certificate_file.empty() || !options.identity.certificate_pem.empty()) {
    use_identity(*context, options.identity);
  }
  use_trust(*context, options.trust, true);
  const bool verify = options.verify != TLSVerify::kNone;
  set_verification(*context, verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE);
  if (const std::string list = protocol_list(options.alpn); !list.empty()) {
    ::SSL_CTX_set_alpn_protos(context.get(), reinterpret_cast<const unsigned char*>(list.data()),
                              static_cast<unsigned>(list.size()));
  }
  if (options.session_cache_size != 0) {
    SSL_CTX_set_session_cache_mode(context.get(),
                                   SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    ::SSL_CTX_sess_set_new_cb(context.get(), on_new_session);
  }
  generation->contexts.push_back(std::move(context));
  return generation;
}

// --- SessionCache --------------------------------------------------------------------------------

void SessionCache::put(const std::string& key, SessionPointer session) {
  const std::lock_guard lock(mutex_);
  if (const auto found = by_key_.find(key); found != by_key_.end()) {
    entries_.splice(entries_.begin(), entries_, found->second);
  } else {
    entries_.push_front({key, {}});
    by_key_.emplace(key, entries_.begin());
  }
  std::vector<SessionPointer>& sessions = entries_.front().sessions;
  if (sessions.size() == kSessionsOfOneServer) sessions.erase(sessions.begin());
  sessions.push_back(std::move(session));
  if (entries_.size() <= capacity_) return;
  by_key_.erase(entries_.back().key);
  entries_.pop_back();
}

SessionPointer SessionCache::take(const std::string& key) {
  const std::lock_guard lock(mutex_);
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return nullptr;
  std::vector<SessionPointer>& sessions = found->second->sessions;
  SessionPointer newest = std::move(sessions.back());
  sessions.pop_back();
  if (::SSL_SESSION_get_protocol_version(newest.get()) < TLS1_3_VERSION) {
    ::SSL_SESSION_up_ref(newest.get());
    sessions.emplace_back(newest.get());
  }
  if (sessions.empty()) {
    entries_.erase(found->second);
    by_key_.erase(found);
  }
  return newest;
}

void SessionCache::clear() {
  const std::lock_guard lock(mutex_);
  by_key_.clear();
  entries_.clear();
}

}  // namespace coronado::tls

namespace coronado {

TLSContext::TLSContext(std::unique_ptr<State> state) noexcept : state_(std::move(state)) {}
TLSContext::~TLSContext() = default;

std::shared_ptr<TLSContext> TLSContext::server(TLSServerOptions options) {
  auto state = std::make_unique<State>(Role::kServer, std::move(options), TLSClientOptions{});
  state->generation = tls::make_generation(state->server_options);
  return std::shared_ptr<TLSContext>(new TLSContext(std::move(state)));
}

std::shared_ptr<TLSContext> TLSContext::client(TLSClientOptions options) {
  auto state = std::make_unique<State>(Role::kClient, TLSServerOptions{}, std::move(options));
  state->generation = tls::make_generation(state->client_options);
  return std::shared_ptr<TLSContext>(new TLSContext(std::move(state)));
}

TLSContext::Role TLSContext::role() const noexcept { return state_->role; }

void TLSContext::reload() {
  std::shared_ptr<const tls::Generation> fresh = state_->role == Role::kServer
                                                     ? tls::make_generation(state_->server_options)
                                                     : tls::make_generation(state_->client_options);
  {
    const std::lock_guard lock(state_->mutex);
    state_->generation.swap(fresh);
  }
  clear_session_cache();
}

void TLSContext::rotate_ticket_keys() { state_->tickets.rotate(); }

void TLSContext::clear_session_cache() { state_->sessions.clear(); }

}  // namespace coronado
