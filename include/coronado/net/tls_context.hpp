/// What one side of TLS is set up with: certificates, trust, versions, protocols.
///
///     TLSContext         a set-up, made once, shared by connections and threads
///     TLSServerOptions   what a server's is made of
///     TLSClientOptions   what a client's is made of
///     TLSIdentity        a certificate chain with its private key
///     TLSTrust           whom a side believes
///
///     auto context = TLSContext::server({.identities = {{.certificate_file = "chain.pem",
///                                                        .key_file = "key.pem"}}});
///
/// The defaults are safe: TLS 1.2 and later, ciphers with forward secrecy, clients verify chain and
/// host, keys of at least 2048-bit RSA strength, no compression, no renegotiation.
///
/// Layer: net.   Tornado  `netutil.ssl_options_to_context`.
#pragma once

#include <coronado/base/clock.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace coronado {

enum class TLSVersion : unsigned char { kTLS12, kTLS13 };

/// "TLSv1.2", "TLSv1.3".
const char* to_string(TLSVersion version) noexcept;

/// A certificate chain with its private key, in files or as text, in PEM.
struct TLSIdentity {
  /// The certificate, then the intermediate ones that lead to a root.
  std::string certificate_file = {};
  /// Empty: the key is in the certificate's file or text.
  std::string key_file = {};
  /// Text instead of a file.
  std::string certificate_pem = {};
  std::string key_pem = {};
  /// For an encrypted key. Nobody is ever asked for it on the terminal.
  std::string key_password = {};
};

/// Whose signatures are believed. When all is empty: the system's store.
struct TLSTrust {
  /// Certificates of authorities, in PEM.
  std::string ca_file = {};
  std::string ca_pem = {};
  /// A folder as `openssl rehash` makes it.
  std::string ca_directory = {};
  /// The system's store besides those above.
  bool also_system_store = false;
};

/// What a client checks.
enum class TLSVerify : unsigned char {
  kFull,       ///< the chain, and that the certificate is for the host
  kChainOnly,  ///< any host of a trusted authority: for networks with an authority of their own
  kNone,       ///< nothing: whoever stands between may read and change everything
};

/// Whether clients show certificates.
enum class TLSClientCertificates : unsigned char {
  kNone,      ///< they are not asked
  kOptional,  ///< one that is shown must be valid
  kRequired,  ///< who shows none is refused
};

/// What a server's context is made of.
struct TLSServerOptions {
  /// At least one. A client that names a host (SNI) gets the first whose certificate is for it,
  /// exactly or by a wildcard; any other client gets the first of all.
  std::vector<TLSIdentity> identities = {};

  TLSClientCertificates client_certificates = TLSClientCertificates::kNone;
  /// Who signs clients. The system's store is not used unless asked for: anybody can have a
  /// certificate of a public authority.
  TLSTrust trust = {};

  TLSVersion min_version = TLSVersion::kTLS12;
  TLSVersion max_version = TLSVersion::kTLS13;
  /// For TLS 1.2, in OpenSSL's notation. Empty: ECDHE with AES-GCM or ChaCha20.
  std::string ciphers = {};
  /// For TLS 1.3. Empty: OpenSSL's.
  std::string ciphersuites = {};

  /// Protocols, the preferred one first: "h2", "http/1.1". A client that offers others only is
  /// refused. Empty: what clients offer is ignored.   Spec  RFC 7301
  std::vector<std::string> alpn = {};

  /// Let clients resume with tickets. They hold everything; nothing is kept here.
  bool session_tickets = true;
  /// A new ticket key is made so often; the one before is still good as long.
  Duration ticket_key_rotation = std::chrono::hours(12);

  /// Most steps of handshakes in one turn of a loop; the others wait their turn, in order, so that
  /// a storm of handshakes does not starve the requests.
  unsigned handshake_steps_per_turn = 4;

  /// Let the kernel encrypt what is sent (kTLS), where it offers that; else OpenSSL does it as ever.
  /// Then large files leave by sendfile. `TLSTransport::kernel_tls` says how a connection came out.
  bool kernel_tls = false;
};

/// What a client's context is made of.
struct TLSClientOptions {
  TLSVerify verify = TLSVerify::kFull;
  TLSTrust trust = {};
  /// Shown to servers that ask. Empty: none.
  TLSIdentity identity = {};

  TLSVersion min_version = TLSVersion::kTLS12;
  TLSVersion max_version = TLSVersion::kTLS13;
  /// See `TLSServerOptions`.
  std::string ciphers = {};
  std::string ciphersuites = {};

  /// Protocols offered, the preferred one first. Empty: none are.
  std::vector<std::string> alpn = {};

  /// Servers whose sessions are kept, to resume with them. 0: none.
  std::size_t session_cache_size = 1024;

  /// See `TLSServerOptions`.
  unsigned handshake_steps_per_turn = 8;
  bool kernel_tls = false;
};

/// A set-up of TLS. Connections hold what they use of it, and outlive it.
///
/// Threads  Any, all members: loops of several threads may share one, and then share sessions.
/// Tornado  `ssl.SSLContext`.
class TLSContext {
 public:
  enum class Role : unsigned char { kServer, kClient };

  /// Throws  TLSFileError         A file cannot be read, or holds no certificate or key.
  ///         TLSKeyMismatchError  A key does not belong to its certificate.
  ///         TLSWeakKeyError      A certificate's key or signature is too weak.
  ///         TLSCipherError       A cipher is not known.
  ///         TLSConfigError       Anything else that does not fit: no identity, versions without a
  ///                              common one, clients to verify and nobody to trust.
  static std::shared_ptr<TLSContext> server(TLSServerOptions options);
  /// Throws  The same.
  static std::shared_ptr<TLSContext> client(TLSClientOptions options = {});

  ~TLSContext();
  TLSContext(const TLSContext&) = delete;
  TLSContext& operator=(const TLSContext&) = delete;

  Role role() const noexcept;

  /// Reads the files again. Handshakes that begin from now on use what they hold; connections that
  /// exist go on as they are. When the trusted authorities have changed, nobody resumes a session
  /// that was verified by the old ones.
  /// Throws  As `server`; then everything stays as it was.
  void reload();

  /// Makes a new ticket key at once; see `ticket_key_rotation`.
  void rotate_ticket_keys();

  /// Forgets the sessions of servers.
  void clear_session_cache();

  struct State;
  State& state() const noexcept { return *state_; }

 private:
  explicit TLSContext(std::unique_ptr<State> state) noexcept;
  std::unique_ptr<State> state_;
};

}  // namespace coronado
