/// `OutputTransform`: changes a response on its way to the client, whoever has written it.
///
///     class Signature final : public OutputTransform {
///      public:
///       bool transform_first_chunk(int& status, HeaderBlock& headers, std::string& chunk,
///                                  bool finishing) override {
///         if (!headers.find("Content-Type").value_or("").starts_with("text/html")) return false;
///         return OutputTransform::transform_first_chunk(status, headers, chunk, finishing);
///       }
///       void transform_chunk(std::string& chunk, bool finishing) override {
///         if (finishing) chunk += "<!-- printed by Coronado -->";
///       }
///     };
///
/// `HTTPExchange::transform_output` puts one into the way of one response, and
/// <coronado/web/output_transform.hpp> of those of many routes. The lengths, `Content-Length` among
/// them, follow what it does, and the body is compressed behind it.
///
/// Threads  The loop's thread only.
/// Layer: http.   Tornado  `web.OutputTransform`.
#pragma once

#include <coronado/http/header_block.hpp>

#include <string>

namespace coronado {

/// Changes one response. An object serves one; it may keep bytes back for the next call.
class OutputTransform {
 public:
  virtual ~OutputTransform() = default;

  /// Called once, just before the head is sent, with the first bytes of the body. The default gives
  /// them to `transform_chunk` and returns true.
  ///
  /// When it returns true, a strong `ETag` that it leaves as it was becomes a weak one, `Accept-Ranges`
  /// goes, and so do digests of the body as it was.
  ///
  /// Params   status     What it makes of it is sent.
  ///          headers    The fields, without the framing and what the server adds.
  ///          chunk      Of the whole body, if `finishing`. Empty when there can be no body (204, 304).
  /// Returns  Whether it changes the body. False: it has left `chunk` as it was and is not called
  ///          again; files are sent by the kernel as ever.
  /// Throws   Anything: it is thrown where the response was to begin, and nothing is sent. The error
  ///          page that follows is not transformed.
  virtual bool transform_first_chunk(int& status, HeaderBlock& headers, std::string& chunk,
                                     bool finishing);

  /// Called for each further piece, and with `finishing` at the end, then perhaps with nothing. The
  /// default leaves it as it is.
  /// Throws  Anything: it is thrown where the piece was written, and the response is cut.
  virtual void transform_chunk(std::string& chunk, bool finishing);
};

}  // namespace coronado
