/// The part of an exchange that exists only while a request's body did not come with its head.
#pragma once

#include <coronado/http/exchange.hpp>

#include <cstdint>
#include <string>

#include "http/chunked.hpp"
#include "http/content_decoder.hpp"

namespace coronado {

struct HTTPExchange::Body {
  explicit Body(const HTTPLimits& limits) : decoder(limits) {}

  /// Reading pauses while so much is waiting for the endpoint.
  static constexpr std::size_t kHighWater = 64 * 1024;

  /// Decompresses what has come until `most` bytes wait for the endpoint. When `data` is empty
  /// afterwards, nothing is left to decompress.
  void decode(std::size_t most);

  /// Bytes that wait for the endpoint, in whatever form.
  std::size_t waiting() const noexcept { return data.size() + encoded.size(); }

  std::string data;                         // all of it, or what the endpoint has not yet read
  std::string encoded;                      // with `content`: what is not decompressed yet
  std::unique_ptr<ContentDecoder> content;  // null: nothing is to be decompressed
  std::uint64_t left = 0;                   // with a known length: bytes still to come
  std::uint64_t received = 0;               // body bytes so far
  Duration waited{};                        // for the client, until its last piece came
  ChunkedDecoder decoder;
  ReadBody* reader = nullptr;  // the endpoint waiting for more
  const char* failed_reason = "";
  int failed_status = 0;
  bool complete = false;
  bool discard = false;          // nobody wants it any more
  bool continue_wanted = false;  // the client waits for "100 Continue"
};

}  // namespace coronado
