/// What stands behind a `TLSContext`: OpenSSL's contexts, read once and replaced as a whole.
#pragma once

#include <list>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "net/tls_openssl.hpp"
#include "net/tls_openssl_kernel.hpp"
#include "net/tls_openssl_tickets.hpp"

namespace coronado::tls {

/// One reading of the files: a context for each identity. Never changed once made.
struct Generation {
  std::vector<ContextPointer> contexts;                // the first is the default
  std::unordered_map<std::string, SSL_CTX*> exact;     // "example.com"
  std::unordered_map<std::string, SSL_CTX*> wildcard;  // "*.example.com" without the star

  SSL_CTX* main() const noexcept { return contexts.front().get(); }
  /// The context whose certificate is for `host`; null: none is.
  SSL_CTX* find(std::string host) const;
};

/// Why the peer's certificate is not accepted.
struct VerifyFailure {
  int code = X509_V_OK;
  std::string subject;
  std::string issuer;
  std::string not_before;
  std::string not_after;
  std::vector<std::string> hosts;  // it is for these
};

/// What OpenSSL's callbacks find behind an `SSL`.
struct Connection {
  std::shared_ptr<const TLSContext> context;
  std::shared_ptr<const Generation> generation;
  std::string session_key;  // client: the server whose session this is; empty: do not keep it
  VerifyFailure failure;
  KernelSending* kernel = nullptr;  // null: OpenSSL encrypts what is sent

  static Connection& of(const SSL* ssl) noexcept {
    return *static_cast<Connection*>(SSL_get_app_data(ssl));
  }
};

/// A client's sessions by server; the one not used for longest goes first.
/// Threads  Any.
class SessionCache {
 public:
  explicit SessionCache(std::size_t capacity) noexcept : capacity_(capacity) {}

  void put(const std::string& key, SessionPointer session);
  /// A session to resume, or null. One of TLS 1.3 is taken out: it is good for one connection only,
  /// lest an onlooker links the two (RFC 8446 C.4).
  SessionPointer take(const std::string& key);
  void clear();

 private:
  struct Entry {
    std::string key;
    std::vector<SessionPointer> sessions;
  };
  const std::size_t capacity_;
  std::mutex mutex_;
  std::list<Entry> entries_;  // guarded by mutex_; the most recently used first
  std::unordered_map<std::string, std::list<Entry>::iterator> by_key_;  // guarded by mutex_
};

}  // namespace coronado::tls

namespace coronado {

struct TLSContext::State {
  State(Role its_role, TLSServerOptions server, TLSClientOptions client)
      : role(its_role),
        server_options(std::move(server)),
        client_options(std::move(client)),
        tickets(server_options.ticket_key_rotation),
        sessions(client_options.session_cache_size) {}

  std::shared_ptr<const tls::Generation> current() {
    const std::lock_guard lock(mutex);
    return generation;
  }
  bool kernel_tls() const noexcept {
    return role == Role::kServer ? server_options.kernel_tls : client_options.kernel_tls;
  }
  unsigned steps_per_turn() const noexcept {
    return role == Role::kServer ? server_options.handshake_steps_per_turn
                                 : client_options.handshake_steps_per_turn;
  }

  const Role role;
  const TLSServerOptions server_options;
  const TLSClientOptions client_options;
  tls::TicketKeys tickets;
  tls::SessionCache sessions;
  std::mutex mutex;
  std::shared_ptr<const tls::Generation> generation;  // guarded by mutex
};

namespace tls {

/// Reads the files and makes the contexts.   Throws  See `TLSContext::server`.
std::shared_ptr<const Generation> make_generation(const TLSServerOptions& options);
std::shared_ptr<const Generation> make_generation(const TLSClientOptions& options);

/// Has certificates verified, and failures kept in the `Connection`.
void set_verification(SSL_CTX& context, int mode);

}  // namespace tls
}  // namespace coronado
