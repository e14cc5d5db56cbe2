/// `CurlEngine`: libcurl as what makes connections, sends requests and receives responses for an
/// `HTTPClient`.
///
/// Redirects, authentication, cookies, decompression and times are the business of `ClientFetch`, as
/// they are without libcurl; this is one request and its response.
///
/// Layer: http.   Spec  RFC 9112.   Tornado  `curl_httpclient`.
#pragma once

#include <coronado/coro/task.hpp>
#include <coronado/http/httpclient.hpp>

#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "http/response_decoder.hpp"

namespace coronado {

struct ClientTarget;

/// What is to be sent, and by which way. All of it must outlive the transfer.
struct CurlRequest {
  HTTPRequest& request;  ///< for the files of certificates, and whom to call with the handle
  const ClientTarget& target;
  std::string url;  ///< without user information and fragment
  std::string_view method;
  std::vector<std::string> fields;  ///< "Name: value"
  const std::string* body;          ///< null: none
  /// What the name of the server or of its proxy was resolved to; empty: it was not.
  std::vector<std::string> addresses;
  Duration connect_timeout;  ///< zero: none
  bool idempotent;           ///< may be sent again when a kept connection is dead
};

/// Why a response did not come.
class CurlError : public std::runtime_error {
 public:
  enum class Kind : unsigned char { kConnect, kConnectTimeout, kClosed, kMalformed, kTooLarge };
  CurlError(Kind kind, const std::string& why, bool in_upgrade = false)
      : std::runtime_error(why), kind_(kind), in_upgrade_(in_upgrade) {}
  Kind kind() const noexcept { return kind_; }
  /// Of `kConnect`: TCP was connected, but a proxy or TLS failed.
  bool in_upgrade() const noexcept { return in_upgrade_; }

 private:
  Kind kind_;
  bool in_upgrade_;
};

/// One request and its response. Destroying it before the end closes the connection.
class CurlTransfer {
 public:
  enum class Event : unsigned char { kHead, kData, kDone };
  struct Step {
    Event event;
    std::string_view data = {};  ///< of `kData`: 1 to `max_bytes` bytes, until the next call
  };

  virtual ~CurlTransfer() = default;

  /// Throws   CurlError  It will not come.
  /// Cancel   At once; nothing is lost.
  virtual Task<Step> next(std::size_t max_bytes) = 0;

  /// After `kHead`.
  virtual ReceivedHead& head() noexcept = 0;
  /// After `kDone`.
  virtual HTTPHeaders& trailers() noexcept = 0;
  /// How far it has come.
  virtual HTTPPhase phase() const noexcept = 0;
  /// How long its parts have taken so far.
  virtual void fill(HTTPTimeInfo& times) const noexcept = 0;
};

/// The transfers of one client, and the connections that are kept for them.
///
/// Threads   The thread of the loop that the first transfer is begun on.
class CurlEngine {
 public:
  /// Throws  std::logic_error       This build has no libcurl.
  ///         std::invalid_argument  An option is not for it.
  static std::unique_ptr<CurlEngine> make(const HTTPClientOptions& options);
  static bool available() noexcept;

  virtual ~CurlEngine() = default;
  /// Lifetime  The engine must outlive the transfer.
  virtual std::unique_ptr<CurlTransfer> begin(CurlRequest request) = 0;

  /// Connections made, and requests on a connection that had been used before.
  std::uint64_t connects = 0;
  std::uint64_t reuses = 0;
};

}  // namespace coronado
