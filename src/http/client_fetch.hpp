/// `ClientFetch`: one fetch with all its hops: redirects, authentication, retries.
///
/// Layer: http.
#pragma once

#include <coronado/coro/locks.hpp>
#include <coronado/coro/task_group.hpp>
#include <coronado/http/httpclient.hpp>
#include <coronado/http/url.hpp>

#include <memory>
#include <optional>
#include <string>

#include "http/client_core.hpp"
#include "http/content_decoder.hpp"
#include "http/curl_engine.hpp"
#include "http/digest_auth.hpp"

namespace coronado {

class ClientFetch : public detail::Pooled {
 public:
  enum class Mode : unsigned char {
    kWhole,    ///< the body goes into the response
    kHead,     ///< `run` ends with the head; the body is read with `read_some`
    kUpgrade,  ///< the request asks for another protocol; after 101 `take_transport`
  };
  /// Throws  std::invalid_argument  The request is none that can be sent; the message says why.
  /// Params    response  Filled.
  /// Lifetime  The request and the response must outlive it.
  ClientFetch(ClientCore& core, HTTPRequest& request, Mode mode, HTTPClientResponse& response)
      : ClientFetch(core, request, request.url, mode, response) {}
  /// The same for another URL than the request's.   Lifetime  `url`, too.
  ClientFetch(ClientCore& core, HTTPRequest& request, std::string_view url, Mode mode,
              HTTPClientResponse& response);

  /// Throws   What `HTTPClient::fetch` does, but for the status and the time.
  /// Cancel   At once; the connection is closed when the fetch is destroyed.
  Task<> run();
  /// The same for one that has begun at `begin`, just now.   Throws  As above.   Cancel  As above.
  Task<> run(TimePoint begin);

  /// The next piece of the body; empty at the end.
  /// Throws   HTTPStreamClosedError, HTTPResponseError
  /// Cancel   At once; nothing is lost.
  Task<std::string> read_some(std::size_t max_bytes);
  void close() noexcept;

  /// The channel after 101, paused.
  /// Params  rest   Set to what came behind the response.
  ///         ended  Set to whether that was all that will ever come.
  std::unique_ptr<Transport> take_transport(std::string& rest, bool& ended) noexcept;

  const HTTPRequest& request() const noexcept { return request_; }
  /// `request_timeout` has passed.
  HTTPTimeoutError out_of_time() const;
  /// A `TimeoutError` was caught while the fetch had to end at `until`: throws it on, or what it
  /// means.   Throws  HTTPTimeoutError, TimeoutError
  [[noreturn]] void on_timeout(TimePoint until) const;
  /// Throws  HTTPClientError  The response's status, if that was asked for; it takes the response.
  void check_status();

 private:
  /// Of a compressed body, most bytes that are taken, and given on, at a time.
  static constexpr std::size_t kPiece = 64 * 1024;
  /// Of the body of a redirect so much is read to keep the connection.
  static constexpr std::size_t kMostDiscarded = 64 * 1024;
  static constexpr std::uint64_t kAnySize = static_cast<std::uint64_t>(-1) >> 1;
  static constexpr int kSwitchingProtocols = 101;

  struct Logins {
    DigestLogin server;
    DigestLogin proxy;  // that is given the whole URL
  };

  std::string_view method() const noexcept { return response_.method; }
  static bool is_redirect(int status) noexcept {
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
  }

  // The request, in client_request.cpp.
  void check() const;
  void check_body() const;
  void write_head(std::string& out);
  void append_own_head(std::string& out);
  void append_fields(std::string& out);
  void append_credentials(std::string& out);
  void append_proxy_credentials(std::string& out);
  void append_framing(std::string& out) const;
  bool has_body() const noexcept {
    return !drop_body_ && (request_.body || request_.body_producer);
  }
  std::optional<std::uint64_t> promised_length() const;

  // One request after the other, in client_fetch.cpp.
  void begin_hop();
  bool take_kept();
  Task<> connect();
  bool goes_on();
  const URL& url() const;
  TimePoint recent(TimePoint last) const;
  void finish();

  // In client_send.cpp.
  void send();
  Task<> exchange_beside();
  Task<> transfer(TaskGroup& group);
  Task<> upload();
  bool uploads_beside() const noexcept;

  // In client_receive.cpp.
  enum class Progress : unsigned char { kWait, kPassOn, kDone };
  Task<> receive();
  Progress advance();
  bool take_body(std::string_view data);
  void keep_data(std::string_view data);
  Task<> pass_on(std::string_view data);
  bool keeps_body() const noexcept { return mode_ == Mode::kWhole && !request_.streaming_callback; }
  TimePoint arrival() const;
  void on_head(ReceivedHead& head, bool in_body, std::uint64_t left);
  void show_head(int minor_version);
  void begin_decoding(bool in_body);
  bool decode(std::string_view& bytes, std::size_t most, std::string& out);
  void check_decoded() const;
  void finish_body();
  void settle_times(TimePoint present);

  // The same by libcurl, in curl_fetch.cpp.
  Task<> curl_hop();
  Task<> curl_begin();
  Task<> curl_receive();
  Task<std::string> curl_read_some(std::size_t max_bytes);
  [[noreturn]] void curl_fail(const CurlError& error) const;
  [[noreturn]] void curl_fail(const WireError& error) const;

  // What follows, in client_next.cpp.
  void plan_next();
  bool takes_challenge();
  Logins& logins();
  void plan_redirect(std::string_view location);
  bool may_repeat() const noexcept;
  bool may_retry() const noexcept;

  // In client_failure.cpp.
  [[noreturn]] void fail(const WireError& error) const;
  std::string failure() const;
  std::string describe(const std::string& what) const;

  ClientCore& core_;
  HTTPRequest& request_;
  std::string_view text_;  // the request's URL
  Mode mode_;
  bool normal_ = false;               // `text_` is the present URL in its normal form
  bool plain_ = false;                // and there is nothing but it
  mutable std::unique_ptr<URL> url_;  // null: not taken apart yet
  LocalPtr<ClientOrigin> known_;      // of `url_`; null: one that is not kept in mind
  std::unique_ptr<URL> origin_;       // after a redirect: the first URL, whom credentials are for
  HTTPClientResponse& response_;      // its method is that of the present request
  const ClientTarget* target_ = nullptr;
  std::unique_ptr<const ClientTarget> own_target_;  // when it is not that of the origin

  ClientPool::Place place_;
  std::unique_ptr<ClientConnection> connection_;  // goes before its place
  std::unique_ptr<CurlTransfer> transfer_;        // with libcurl, instead of a connection
  std::unique_ptr<ContentDecoder> decoder_;       // of a body that is decompressed
  std::string encoded_;  // of it, what `read_some` has not decompressed yet
  HTTPPhase phase_ = HTTPPhase::kQueue;
  TimePoint begin_{};
  TimePoint hop_begin_{};
  TimePoint sent_{};
  TimePoint head_received_{};
  std::string_view data_;      // of the body, with `kPassOn`
  std::size_t discarded_ = 0;  // of the body of a redirect

  Event go_ahead_;  // the body may be sent, or a final response has come
  std::unique_ptr<URL> next_;
  std::unique_ptr<Logins> logins_;  // null: nobody has asked for one
  bool again_ = false;              // the same request, with an answer to a challenge
  bool drop_body_ = false;
  bool left_origin_ = false;
  bool uploaded_ = true;
  bool answered_ = false;  // a final head has come
  bool given_up_ = false;
  bool transfer_ended_ = false;
};

/// A fetch with what it needs, for a stream that outlives its client.
struct ClientStreamState {
  ClientStreamState(LocalPtr<ClientCore> shared_core, HTTPRequest asked)
      : core(std::move(shared_core)),
        request(std::move(asked)),
        fetch(*core, request, ClientFetch::Mode::kHead, response) {}
  LocalPtr<ClientCore> core;
  HTTPRequest request;
  HTTPClientResponse response;
  ClientFetch fetch;
};

}  // namespace coronado
