#include <coronado/http/multipart.hpp>

#include <coronado/base/error.hpp>
#include <coronado/base/strings.hpp>
#include <coronado/loop/thread_pool.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "http/ascii.hpp"
#include "http/field_parameters.hpp"

namespace coronado {
namespace {

constexpr std::string_view kHeadEnd = "\r\n\r\n";
/// White space that may follow a delimiter on its line (RFC 2046 5.1.1, "transport padding").
constexpr std::size_t kMostPadding = 64;

HTTPInputError malformed(std::string_view reason) {
  return HTTPInputError(std::string("invalid multipart/form-data: ").append(reason));
}

/// How many bytes at the end of `text` may be the beginning of `delimiter`.
std::size_t partial_match(std::string_view text, std::string_view delimiter) noexcept {
  const std::size_t most = std::min(text.size(), delimiter.size() - 1);
  std::string_view tail = text.substr(text.size() - most);
  while (!tail.empty() && !delimiter.starts_with(tail)) {
    const std::size_t next = tail.find(delimiter.front(), 1);
    tail = next == tail.npos ? std::string_view{} : tail.substr(next);
  }
  return tail.size();
}

}  // namespace

// --- MultipartDecoder --------------------------------------------------------------------------

MultipartDecoder::MultipartDecoder(std::string_view boundary, MultipartLimits limits)
    : delimiter_("\r\n--"), limits_(limits) {
  delimiter_.append(boundary);
}

MultipartDecoder::Step MultipartDecoder::feed(std::string_view input) {
  switch (state_) {
    case State::kPreamble: return find_first_delimiter(input);
    case State::kDelimiterLine: return end_delimiter_line(input);
    case State::kHead: return take_head(input);
    case State::kContent: return take_content(input);
    case State::kDone: return {Status::kDone, input.size(), {}};
    case State::kError: break;
  }
  return {Status::kError, 0, {}};
}

MultipartDecoder::Step MultipartDecoder::fail(const char* reason) noexcept {
  state_ = State::kError;
  reason_ = reason;
  return {Status::kError, 0, {}};
}

MultipartDecoder::Step MultipartDecoder::find_first_delimiter(std::string_view input) {
  const std::string_view at_start = std::string_view(delimiter_).substr(2);  // without CRLF
  if (!begun_) {
    if (input.starts_with(at_start)) {
      state_ = State::kDelimiterLine;
      return {Status::kMore, at_start.size(), {}};
    }
    if (at_start.starts_with(input)) return {Status::kMore, 0, {}};
    begun_ = true;
  }
  const std::size_t found = input.find(delimiter_);
  if (found == input.npos) {
    return {Status::kMore, input.size() - partial_match(input, delimiter_), {}};
  }
  state_ = State::kDelimiterLine;
  return {Status::kMore, found + delimiter_.size(), {}};
}

/// Behind a delimiter: "--" ends the body, CRLF begins a part.
MultipartDecoder::Step MultipartDecoder::end_delimiter_line(std::string_view input) {
  if (input.size() < 2) return {Status::kMore, 0, {}};
  if (input.starts_with("--")) {
    state_ = State::kDone;
    return {Status::kDone, input.size(), {}};
  }
  const std::size_t padding = std::min(input.find_first_not_of(" \t"), input.size());
  if (padding > kMostPadding) return fail("a delimiter is followed by too much white space");
  const std::string_view rest = input.substr(padding);
  if (rest.size() < 2 && std::string_view("\r\n").starts_with(rest)) return {Status::kMore, 0, {}};
  if (!rest.starts_with("\r\n")) return fail("a delimiter is followed by other text");
  if (++parts_ > limits_.max_parts) return fail("too many parts");
  state_ = State::kHead;
  return {Status::kMore, padding + 2, {}};
}

MultipartDecoder::Step MultipartDecoder::take_head(std::string_view input) {
  if (input.starts_with("\r\n")) return fail("a part has no head");
  const std::size_t end = input.find(kHeadEnd);
  const std::size_t size = end == input.npos ? input.size() : end + kHeadEnd.size();
  if (size > limits_.max_part_header_size) return fail("the head of a part is too large");
  if (end == input.npos) return {Status::kMore, 0, {}};
  if (const char* reason = read_head(input.substr(0, end))) return fail(reason);
  // The delimiter may follow at once: it begins with the CRLF that ends the head.
  state_ = State::kContent;
  part_size_ = 0;
  return {Status::kPart, size - 2, {}};
}

/// Reads the head of a part; returns what is wrong with it, or null.
const char* MultipartDecoder::read_head(std::string_view head) {
  part_ = {};
  bool named = false;
  while (!head.empty()) {
    const std::size_t end = std::min(head.find("\r\n"), head.size());
    const std::string_view line = head.substr(0, end);
    head.remove_prefix(std::min(end + 2, head.size()));
    const std::size_t colon = line.find(':');
    if (colon == line.npos || !is_token(line.substr(0, colon)))
      return "a part has a malformed head";
    const std::string_view value = trim_whitespace(line.substr(colon + 1));
    if (!is_field_value(value)) return "the head of a part has control bytes";
    const std::string_view name = line.substr(0, colon);
    if (equals_ignoring_case(name, "Content-Type")) part_.content_type = value;
    if (!equals_ignoring_case(name, "Content-Disposition")) continue;
    if (std::exchange(named, true)) return "a part has two Content-Dispositions";
    const auto disposition = parse_field_parameters(value);
    if (!disposition || disposition->value != "form-data") return "a part is no form-data";
    std::optional<std::string> field = disposition->find("name");
    if (!field) return "a part has no name";
    part_.name = std::move(*field);
    part_.filename = disposition->find("filename");
  }
  return named ? nullptr : "a part has no Content-Disposition";
}

MultipartDecoder::Step MultipartDecoder::take_content(std::string_view input) {
  // The state begins at the CRLF that ends the head, which is not part of the content.
  if (!in_content_) {
    if (input.size() < 2) return {Status::kMore, 0, {}};
    if (input.starts_with(delimiter_)) {
      state_ = State::kDelimiterLine;
      return {Status::kPartEnd, delimiter_.size(), {}};
    }
    if (std::string_view(delimiter_).starts_with(input)) return {Status::kMore, 0, {}};
    in_content_ = true;
    return {Status::kMore, 2, {}};
  }
  const std::size_t found = input.find(delimiter_);
  if (found == 0) {
    in_content_ = false;
    state_ = State::kDelimiterLine;
    return {Status::kPartEnd, delimiter_.size(), {}};
  }
  const std::size_t size =
      found == input.npos ? input.size() - partial_match(input, delimiter_) : found;
  if (size == 0) return {Status::kMore, 0, {}};
  part_size_ += size;
  if (part_size_ > limits_.max_part_size) return fail("a part is too large");
  return {Status::kData, size, input.substr(0, size)};
}

// --- whole bodies ------------------------------------------------------------------------------

std::optional<std::string> multipart_boundary(std::string_view content_type) {
  const std::string_view type = trim_whitespace(content_type.substr(0, content_type.find(';')));
  if (!equals_ignoring_case(type, "multipart/form-data")) return std::nullopt;
  const auto parameters = parse_field_parameters(content_type);
  const std::optional<std::string> boundary =
      parameters ? parameters->find("boundary") : std::nullopt;
  if (!boundary) throw malformed("the Content-Type has no boundary");
  // RFC 2046 5.1.1: 1 to 70 characters of a small set, the last of them no space.
  constexpr std::string_view kAllowed =
      "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'()+_,-./:=? ";
  if (boundary->empty() || boundary->size() > 70 || boundary->ends_with(' ') ||
      boundary->find_first_not_of(kAllowed) != boundary->npos) {
    throw malformed("the boundary is malformed");
  }
  return boundary;
}

MultipartForm parse_multipart_form(std::string_view boundary, std::string_view body,
                                   const MultipartLimits& limits) {
  using Status = MultipartDecoder::Status;
  MultipartDecoder decoder(boundary, limits);
  MultipartForm form;
  std::string content;
  for (;;) {
    const MultipartDecoder::Step step = decoder.feed(body);
    body.remove_prefix(step.consumed);
    switch (step.status) {
      case Status::kPart: content.clear(); break;
      case Status::kData: content.append(step.data); break;
      case Status::kPartEnd: {
        const MultipartPart& part = decoder.part();
        if (!part.filename) {
          form.arguments.emplace_back(part.name, std::move(content));
        } else if (!part.filename->empty()) {
          form.files.push_back(
              {part.name, *part.filename, std::move(content),
               part.content_type.empty() ? "application/unknown" : part.content_type});
        }
        break;
      }
      case Status::kDone: return form;
      case Status::kError: throw malformed(decoder.reason());
      case Status::kMore:
        if (step.consumed == 0) throw malformed("the last delimiter is missing");
    }
  }
}

// --- MultipartReader ---------------------------------------------------------------------------

MultipartReader::MultipartReader(std::string_view boundary, Source source, MultipartLimits limits)
    : decoder_(boundary, limits), source_(std::move(source)) {}

/// Up to the next event. Its data is a view into `input_`.
Task<MultipartDecoder::Step> MultipartReader::step() {
  using Status = MultipartDecoder::Status;
  for (;;) {
    const MultipartDecoder::Step step = decoder_.feed(std::string_view(input_).substr(used_));
    used_ += step.consumed;
    if (step.status == Status::kError) throw malformed(decoder_.reason());
    if (step.status != Status::kMore) co_return step;
    if (step.consumed != 0) continue;
    if (source_ended_) throw malformed("the last delimiter is missing");
    input_.erase(0, std::exchange(used_, 0));
    const std::string piece = co_await source_();
    source_ended_ = piece.empty();
    input_.append(piece);
  }
}

Task<const MultipartPart*> MultipartReader::next_part() {
  using Status = MultipartDecoder::Status;
  for (;;) {
    const MultipartDecoder::Step found = co_await step();
    in_part_ = found.status == Status::kPart;
    if (in_part_) co_return &decoder_.part();
    if (found.status == Status::kDone) co_return nullptr;
  }
}

Task<std::string> MultipartReader::read() {
  if (!in_part_) co_return std::string();
  const MultipartDecoder::Step found = co_await step();
  if (found.status == MultipartDecoder::Status::kData) co_return std::string(found.data);
  in_part_ = false;
  co_return std::string();
}

namespace {

/// A file that is removed unless it was completed.
class NewFile {
 public:
  explicit NewFile(std::string path) : path_(std::move(path)) {
    fd_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd_ < 0) fail("cannot create ");
  }
  ~NewFile() {
    ::close(fd_);
    if (!complete_) ::unlink(path_.c_str());
  }
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;

  void append(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t count = ::write(fd_, bytes.data(), bytes.size());
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) fail("cannot write to ");
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
  }
  void complete() noexcept { complete_ = true; }

 private:
  [[noreturn]] void fail(const char* what) const {
    throw std::system_error(errno, std::generic_category(), what + path_);
  }

  std::string path_;
  int fd_ = -1;
  bool complete_ = false;
};

}  // namespace

Task<std::uint64_t> MultipartReader::save(std::string path) {
  // Shared with the thread: a job that is cancelled goes on for a moment.
  const auto create = [path] { return std::make_shared<NewFile>(path); };
  const auto file = co_await offload(create);
  std::uint64_t size = 0;
  for (std::string piece = co_await read(); !piece.empty(); piece = co_await read()) {
    size += piece.size();
    auto append = [file, piece = std::move(piece)] { file->append(piece); };
    co_await offload(std::move(append));
  }
  file->complete();
  co_return size;
}

}  // namespace coronado
