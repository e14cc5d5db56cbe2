/// Bodies of several parts, as browsers send forms with files.
///
///     MultipartDecoder     bytes in any fragmentation in, parts and pieces of them out
///     MultipartReader      the same as a coroutine, over a body that streams
///     parse_multipart_form a body in memory at once
///     MultipartPart, HTTPFile, MultipartForm
///
/// Layer: http.   Spec  RFC 7578, RFC 2046 5.1.
#pragma once

#include <coronado/base/function.hpp>
#include <coronado/coro/task.hpp>
#include <coronado/http/http_limits.hpp>
#include <coronado/http/httputil.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace coronado {

/// The head of one part.
struct MultipartPart {
  std::string name;                          ///< Of the form's field.
  std::optional<std::string> filename = {};  ///< None: a plain field. The client's word, not a
                                             ///< path to be trusted.
  std::string content_type = {};             ///< Empty: none was given.
};

/// Takes a multipart/form-data body apart.
///
/// Strict: lines of a part's head end in CRLF, every part has a Content-Disposition of `form-data`
/// with a name, and the last delimiter must come. What precedes the first delimiter and follows the
/// last is skipped.
class MultipartDecoder {
 public:
  enum class Status : std::uint8_t {
    kMore,     ///< More bytes are needed.
    kPart,     ///< A part begins: `part()`.
    kData,     ///< `data` is the next piece of its content.
    kPartEnd,  ///< It is complete.
    kDone,     ///< So is the body.
    kError,    ///< The body is malformed, or exceeds a limit: `reason()`.
  };

  struct Step {
    Status status;
    std::size_t consumed;   ///< Input bytes used by this step, those of `data` included.
    std::string_view data;  ///< With `kData`: a view into the input, never empty.
  };

  /// Params  boundary  As `multipart_boundary` returns it.
  explicit MultipartDecoder(std::string_view boundary, MultipartLimits limits = {});

  /// Decodes up to the next event. Call again with what follows the bytes consumed. After `kMore`
  /// what was not consumed, which is never more than a head or a delimiter, must be offered again,
  /// with more bytes behind it. After `kDone` or `kError` the answer stays the same.
  Step feed(std::string_view input);

  /// The part that `kPart` told of.
  const MultipartPart& part() const noexcept { return part_; }

  /// After `kError`: what is wrong, such as "too many parts".
  const char* reason() const noexcept { return reason_; }

 private:
  enum class State : std::uint8_t { kPreamble, kDelimiterLine, kHead, kContent, kDone, kError };

  Step find_first_delimiter(std::string_view input);
  Step end_delimiter_line(std::string_view input);
  Step take_head(std::string_view input);
  Step take_content(std::string_view input);
  Step fail(const char* reason) noexcept;
  const char* read_head(std::string_view head);

  std::string delimiter_;  // CRLF, two hyphens and the boundary
  MultipartLimits limits_;
  MultipartPart part_;
  std::size_t parts_ = 0;
  std::uint64_t part_size_ = 0;
  State state_ = State::kPreamble;
  bool begun_ = false;       // bytes of the preamble were consumed
  bool in_content_ = false;  // the line end between head and content was consumed
  const char* reason_ = "";
};

/// The boundary that a Content-Type field names.
/// Returns  Nothing when the type is not multipart/form-data.
/// Throws   HTTPInputError  The type has no boundary, or one that is malformed.
std::optional<std::string> multipart_boundary(std::string_view content_type);

/// A file of a form.   Tornado  `httputil.HTTPFile`.
struct HTTPFile {
  std::string name;      ///< Of the form's field.
  std::string filename;  ///< The client's word, not a path to be trusted.
  std::string body;
  std::string content_type;  ///< "application/unknown" when the client gave none.
};

/// A form: its plain fields and its files, each in order.
struct MultipartForm {
  ArgumentList arguments;
  std::vector<HTTPFile> files;
};

/// Takes a whole body apart. A file field without a file chosen (an empty file name) is left out.
/// Throws   HTTPInputError  "invalid multipart/form-data: " and the reason.
/// Tornado  `httputil.parse_multipart_form_data`.
MultipartForm parse_multipart_form(std::string_view boundary, std::string_view body,
                                   const MultipartLimits& limits = {});

/// Reads a multipart body part by part while it arrives.
///
///     MultipartReader reader(boundary, [this] { return as_task(read_body()); });
///     while (const MultipartPart* part = co_await reader.next_part()) {
///       for (std::string piece = co_await reader.read(); !piece.empty();
///            piece = co_await reader.read()) {
///         hasher.update(piece);
///       }
///     }
///
/// Lifetime  `source` and what it captures must outlive the reader.
class MultipartReader {
 public:
  /// The next piece of the body; an empty one is its end.
  using Source = Function<Task<std::string>()>;

  MultipartReader(std::string_view boundary, Source source, MultipartLimits limits = {});

  /// Skips what is left of the present part and waits for the head of the next one.
  /// Returns  Null after the last part. The part stays valid until the next call.
  /// Throws   HTTPInputError  The body is malformed, ends too early, or exceeds a limit; and
  ///          whatever the source throws.
  /// Cancel   At once; the body cannot be read further.
  Task<const MultipartPart*> next_part();

  /// The next piece of the present part's content; empty at its end.
  /// Throws   As `next_part`.
  /// Cancel   As `next_part`.
  Task<std::string> read();

  /// Writes what is left of the present part to a new file, a piece at a time, in the thread pool.
  ///
  ///     if (part->filename) co_await reader.save("/var/spool/uploads/" + make_uuid());
  ///
  /// Params   path  There must be no such file. The client's `filename` is no path to be trusted.
  /// Returns  The size of the file, which its owner alone can read.
  /// Throws   std::system_error  It exists already, or cannot be created or written.
  ///          And as `next_part`. What was written is removed then.
  /// Cancel   As `next_part`; what was written is removed.
  Task<std::uint64_t> save(std::string path);

 private:
  Task<MultipartDecoder::Step> step();

  MultipartDecoder decoder_;
  Source source_;
  std::string input_;
  std::size_t used_ = 0;  // of `input_`
  bool source_ended_ = false;
  bool in_part_ = false;
};

}  // namespace coronado
