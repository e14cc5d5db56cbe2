#include "http/response_encoder.hpp"

#include <algorithm>

#include "http/ascii.hpp"

namespace coronado {
namespace {

/// Types that shrink, beside text and those that end in "+json" or "+xml".
constexpr std::string_view kTypes[] = {
    "application/javascript",
    "application/json",
    "application/manifest+json",
    "application/rtf",
    "application/toml",
    "application/vnd.ms-fontobject",
    "application/wasm",
    "application/x-ndjson",
    "application/x-javascript",
    "application/x-yaml",
    "application/xml",
    "application/yaml",
    "application/x-www-form-urlencoded",
    "font/otf",
    "font/ttf",
    "image/bmp",
    "image/vnd.microsoft.icon",
    "image/x-icon",
};

struct Line {
  std::string_view name;
  std::string_view value;
  std::string_view whole;  // with its CRLF
};

/// Cuts off the first of some fields in wire form.
Line next_line(std::string_view& fields) noexcept {
  const std::size_t end = std::min(fields.find("\r\n"), fields.size());
  const std::string_view text = fields.substr(0, end);
  const Line line{.name = text.substr(0, text.find(':')),
                  .value = trim_whitespace(text.substr(std::min(text.find(':') + 1, text.size()))),
                  .whole = fields.substr(0, end + 2)};
  fields.remove_prefix(line.whole.size());
  return line;
}

bool has_element(std::string_view list, std::string_view wanted) noexcept {
  while (!list.empty()) {
    if (equals_ignoring_case(next_element(list, ','), wanted)) return true;
  }
  return false;
}

/// What the fields of a response say about compressing it.
struct Facts {
  std::string_view content_type;
  std::string_view etag;
  bool fixed = false;  // its bytes are not to be changed

  explicit Facts(std::string_view fields) noexcept {
    while (!fields.empty()) {
      const Line line = next_line(fields);
      if (equals_ignoring_case(line.name, "Content-Type")) {
        content_type = line.value;
      } else if (equals_ignoring_case(line.name, "ETag")) {
        etag = line.value;
      } else if (equals_ignoring_case(line.name, "Cache-Control")) {
        // RFC 9111 5.2.2.6
        fixed = fixed || has_element(line.value, "no-transform");
      } else if (equals_ignoring_case(line.name, "Content-Encoding") ||
                 std::ranges::any_of(kDigestFields, [&](std::string_view digest) {
                   return equals_ignoring_case(line.name, digest);
                 })) {
        fixed = true;
      }
    }
  }
};

/// All Accept-Encoding fields of a request.
CodingChoice choose(const RequestHead& request, std::span<const ContentCoding> offered) {
  if (request.count(FieldId::kAcceptEncoding) < 2) {
    return choose_content_coding(request.find(FieldId::kAcceptEncoding).value_or(""), offered);
  }
  std::string all;
  for (const HeaderField& field : request.fields()) {
    if (field.id == FieldId::kAcceptEncoding) all.append(field.value).append(",");
  }
  return choose_content_coding(all, offered);
}

Coding coding_of(ContentCoding coding) noexcept {
  switch (coding) {
    case ContentCoding::kGzip: return Coding::kGzip;
    case ContentCoding::kDeflate: return Coding::kDeflate;
    case ContentCoding::kBrotli: return Coding::kBrotli;
    case ContentCoding::kZstd: break;
  }
  return Coding::kZstd;
}

}  // namespace

ResponseEncoder::ResponseEncoder(ResponseCompression options) : options_(std::move(options)) {
  // A wrong level is to be seen when the server is made, not by a client.
  for (const ContentCoding coding : options_.codings) put_back(coding, take(coding));
}

/// Whether bodies of that type are worth it.
bool ResponseEncoder::shrinks(std::string_view content_type) const noexcept {
  const std::string_view type = trim_whitespace(content_type.substr(0, content_type.find(';')));
  const auto same = [type](std::string_view known) { return equals_ignoring_case(type, known); };
  const auto begins = [type](std::string_view start) {
    return equals_ignoring_case(type.substr(0, start.size()), start);
  };
  const auto ends = [type](std::string_view end) {
    return type.size() > end.size() &&
           equals_ignoring_case(type.substr(type.size() - end.size()), end);
  };
  if (std::ranges::any_of(options_.types, same)) return true;
  if (begins("text/")) return !same("text/event-stream");
  return ends("+json") || ends("+xml") || std::ranges::any_of(kTypes, same);
}

ResponseEncoder::Plan ResponseEncoder::plan(const RequestHead& request, const ResponseHead& head,
                                            std::optional<std::uint64_t> length) const {
  Plan plan;
  if (head.status < 200 || head.status == 204) return plan;
  const Facts facts(head.fields);
  if (head.status == 304) {
    // RFC 9110 15.4.5: what the 200 would say. That of a compressed variant has a weak tag, and the
    // client shows it.
    const std::string_view known = request.find(FieldId::kIfNoneMatch).value_or("");
    plan.varies = !facts.fixed && (facts.content_type.empty() || shrinks(facts.content_type));
    plan.weak_etag =
        facts.etag.starts_with('"') && has_element(known, "W/" + std::string(facts.etag));
    return plan;
  }
  if (facts.fixed || !shrinks(facts.content_type)) return plan;
  plan.varies = true;
  if (head.status == 206) return plan;
  const CodingChoice choice = choose(request, options_.codings);
  plan.must = !choice.identity_allowed;
  if (plan.must || !length || *length >= options_.min_size) plan.coding = choice.coding;
  if (length == 0) plan.coding.reset();
  return plan;
}

std::string ResponseEncoder::fields(const ResponseHead& head, const Plan& plan) {
  const bool weaken = plan.coding || plan.weak_etag;
  bool varies = !plan.varies;  // said, or not to be said
  std::string out;
  out.reserve(head.fields.size() + 64);
  for (std::string_view rest = head.fields; !rest.empty();) {
    const Line line = next_line(rest);
    if (weaken && line.value.starts_with('"') && equals_ignoring_case(line.name, "ETag")) {
      // RFC 9110 8.8.1: the same meaning in other bytes.
      out.append("ETag: W/").append(line.value).append("\r\n");
    } else if (!varies && equals_ignoring_case(line.name, "Vary")) {
      varies = true;
      const bool said = has_element(line.value, "Accept-Encoding") || has_element(line.value, "*");
      out.append(line.whole.substr(0, line.whole.size() - 2));
      out.append(said                 ? "\r\n"
                 : line.value.empty() ? "Accept-Encoding\r\n"
                                      : ", Accept-Encoding\r\n");
    } else if (plan.coding && equals_ignoring_case(line.name, "Accept-Ranges")) {
      // Ranges would be those of the body as it is.
    } else {
      out.append(line.whole);
    }
  }
  if (!varies) out.append("Vary: Accept-Encoding\r\n");
  if (plan.coding) out.append("Content-Encoding: ").append(to_string(*plan.coding)).append("\r\n");
  return out;
}

std::unique_ptr<Compressor> ResponseEncoder::take(ContentCoding coding) {
  auto& idle = idle_[static_cast<std::size_t>(coding)];
  if (!idle.empty()) {
    std::unique_ptr<Compressor> compressor = std::move(idle.back());
    idle.pop_back();
    return compressor;
  }
  const int level = coding == ContentCoding::kBrotli ? options_.brotli_level
                    : coding == ContentCoding::kZstd ? options_.zstd_level
                                                     : options_.gzip_level;
  return make_compressor(coding_of(coding), {.level = level});
}

void ResponseEncoder::put_back(ContentCoding coding,
                               std::unique_ptr<Compressor> compressor) noexcept {
  auto& idle = idle_[static_cast<std::size_t>(coding)];
  if (idle.size() >= kMostIdle) return;
  try {
    compressor->reset();
    idle.push_back(std::move(compressor));
  } catch (const std::bad_alloc&) {  // then the next one is made anew
  }
}

// --- Stream ------------------------------------------------------------------------------------

ResponseEncoder::Stream::Stream(ResponseEncoder& encoder, ContentCoding coding)
    : encoder_(encoder), coding_(coding), compressor_(encoder.take(coding)) {}

ResponseEncoder::Stream::~Stream() { encoder_.put_back(coding_, std::move(compressor_)); }

std::string ResponseEncoder::Stream::piece(std::string_view bytes) {
  std::string out;
  if (bytes.empty()) return out;
  written += bytes.size();
  compressor_->append(bytes, Compressor::Flush::kSync, out);
  return out;
}

std::string ResponseEncoder::Stream::last(std::string_view bytes) {
  std::string out;
  written += bytes.size();
  compressor_->append(bytes, Compressor::Flush::kFinish, out);
  return out;
}

}  // namespace coronado
