#include "web/byte_ranges.hpp"

#include <coronado/base/crypto.hpp>
#include <coronado/base/strings.hpp>
#include <coronado/http/httputil.hpp>

#include <algorithm>
#include <optional>

namespace coronado::web {
namespace {

/// More are no request of an honest client: each costs a part with its own head.
constexpr std::size_t kMostRanges = 50;

bool is_strong(std::string_view etag) noexcept { return etag.starts_with('"'); }

/// RFC 9110 13.1.1: by strong comparison.
bool matches_strongly(std::string_view if_match, std::string_view etag) noexcept {
  if (trim(if_match) == "*") return true;
  if (!is_strong(etag)) return false;
  // An opaque tag may hold a comma, but no quote.
  for (std::size_t at = if_match.find(etag); at != std::string_view::npos;
       at = if_match.find(etag, at + 1)) {
    const bool weak = at >= 2 && if_match.substr(at - 2, 2) == "W/";
    const auto quotes = std::count(if_match.begin(), if_match.begin() + static_cast<long>(at), '"');
    if (!weak && quotes % 2 == 0) return true;
  }
  return false;
}

/// RFC 9110 13.1.5: an entity tag by strong comparison, or the very date.
bool if_range_holds(std::string_view field, const Validators& known) {
  if (field.find('"') != std::string_view::npos) {
    return is_strong(known.etag) && trim(field) == known.etag;
  }
  const auto date = parse_http_date(field);
  return date && known.modified >= 0 && *date == known.modified;
}

/// One element of a Range field.   Returns  None: it cannot be satisfied.
struct Element {
  bool malformed = false;
  std::optional<ByteRange> range = std::nullopt;
};

Element parse_element(std::string_view text, std::uint64_t size) {
  const std::size_t dash = text.find('-');
  if (dash == std::string_view::npos) {
    // "26" says where to begin, by courtesy.
    return parse_int<std::uint64_t>(text) ? parse_element(std::string(text) + '-', size)
                                          : Element{.malformed = true};
  }
  const auto first = parse_int<std::uint64_t>(text.substr(0, dash));
  const auto last = parse_int<std::uint64_t>(text.substr(dash + 1));
  const bool open = dash + 1 == text.size();
  if (dash == 0) {  // the last so many
    if (!last) return {.malformed = true};
    if (*last == 0 || size == 0) return {};
    return {.range = ByteRange{size - std::min(*last, size), size - 1}};
  }
  if (!first || (!open && !last)) return {.malformed = true};
  if (*first >= size || (last && *last < *first)) return {};
  return {.range = ByteRange{*first, open ? size - 1 : std::min(*last, size - 1)}};
}

}  // namespace

RangePlan parse_range(std::string_view field, std::uint64_t size) {
  const std::size_t equals = field.find('=');
  if (equals == std::string_view::npos ||
      !equals_ignore_case(trim(field.substr(0, equals)), "bytes")) {
    return {};
  }
  RangePlan plan;
  std::uint64_t asked = 0;
  std::size_t elements = 0;
  bool malformed = false;
  bool too_much = false;
  for_each_part(field.substr(equals + 1), ',', [&](std::string_view part) {
    part = trim(part);
    if (part.empty() || malformed || ++elements > kMostRanges) return;
    const Element element = parse_element(part, size);
    malformed = element.malformed;
    if (!element.range) return;
    too_much = too_much || element.range->size() > size - asked;
    if (!too_much) asked += element.range->size();
    plan.ranges.push_back(*element.range);
  });
  if (malformed || elements == 0 || elements > kMostRanges) return {};
  if (plan.ranges.empty()) return {.status = 416};
  // All of it, or the same bytes several times: the whole serves better (RFC 9110 14.2).
  if (too_much || plan.ranges.front().size() == size) return {};
  plan.status = 206;
  return plan;
}

int check_preconditions(const RequestHead& request, const Validators& known) {
  if (const auto match = request.find(FieldId::kIfMatch)) {
    if (!matches_strongly(*match, known.etag)) return 412;
  } else if (const auto since = request.find(FieldId::kIfUnmodifiedSince)) {
    const auto date = parse_http_date(*since);
    if (date && known.modified > *date) return 412;
  }
  if (const auto none = request.find(FieldId::kIfNoneMatch)) {
    return etag_matches(*none, known.etag) ? 304 : 200;
  }
  if (const auto since = request.find(FieldId::kIfModifiedSince)) {
    const auto date = parse_http_date(*since);
    if (date && known.modified >= 0 && known.modified <= *date) return 304;
  }
  return 200;
}

RangePlan plan_response(const RequestHead& request, const Validators& known, Ranges ranges) {
  const int status = check_preconditions(request, known);
  if (status != 200 || ranges == Ranges::kIgnored) return {.status = status};
  const auto range = request.find(FieldId::kRange);
  if (!range) return {};
  const auto condition = request.find(FieldId::kIfRange);
  if (condition && !if_range_holds(*condition, known)) return {};
  return parse_range(*range, known.size);
}

MultipartRanges make_multipart_ranges(const std::vector<ByteRange>& ranges,
                                      std::string_view content_type, std::uint64_t size) {
  std::string boundary;
  append_hex(boundary, random_bytes(16));  // it is not in the file, as far as anybody can know
  MultipartRanges made;
  made.content_type = "multipart/byteranges; boundary=" + boundary;
  for (const ByteRange& range : ranges) {
    std::string head = made.heads.empty() ? "--" : "\r\n--";
    head.append(boundary).append("\r\nContent-Type: ").append(content_type);
    head.append("\r\nContent-Range: ").append(content_range(range, size)).append("\r\n\r\n");
    made.length += head.size() + range.size();
    made.heads.push_back(std::move(head));
  }
  made.end = "\r\n--" + boundary + "--\r\n";
  made.length += made.end.size();
  return made;
}

std::string content_range(const ByteRange& range, std::uint64_t size) {
  return "bytes " + std::to_string(range.first) + "-" + std::to_string(range.last) + "/" +
         std::to_string(size);
}

}  // namespace coronado::web
