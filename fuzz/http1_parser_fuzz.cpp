/// Fuzzes the request parser: both scanners must give the same answer, however the bytes are split,
/// and what they accept must obey the grammar.
///
/// The first two input bytes choose limits and a place to split; the rest is what a client sends.
#include <coronado/http/httputil.hpp>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

#include "http/http1_parser.hpp"

namespace {

using namespace coronado;

void require(bool condition) {
  if (!condition) std::abort();
}

/// A copy that ends where its allocation ends.
struct Exact {
  Exact(const char* data, std::size_t count) : bytes(new char[count]), size(count) {
    if (count != 0) std::memcpy(bytes.get(), data, count);
  }
  std::unique_ptr<char[]> bytes;
  std::size_t size;
};

/// The distance of a view from the start of its head; views into different copies compare by it.
bool same_place(std::string_view a, const RequestHead& a_head, std::string_view b,
                const RequestHead& b_head) {
  return a == b &&
         (a.empty() || a.data() - a_head.bytes().data() == b.data() - b_head.bytes().data());
}

void require_equal(const RequestHead& a, const RequestHead& b) {
  require(a.method_id() == b.method_id() && a.method() == b.method());
  require(a.bytes() == b.bytes());
  require(same_place(a.target(), a, b.target(), b));
  require(same_place(a.path(), a, b.path(), b));
  require(same_place(a.query(), a, b.query(), b));
  require(same_place(a.authority(), a, b.authority(), b));
  require(a.target_is_https() == b.target_is_https());
  require(a.minor_version() == b.minor_version());
  require(a.framing() == b.framing() && a.content_length() == b.content_length());
  require(a.keep_alive() == b.keep_alive() && a.upgrade() == b.upgrade());
  require(a.expects_continue() == b.expects_continue());
  require(a.field_count() == b.field_count());
  for (std::size_t i = 0; i < a.field_count(); ++i) {
    const HeaderField left = a.field(i);
    const HeaderField right = b.field(i);
    require(left.id == right.id && left.name == right.name);
    require(same_place(left.value, a, right.value, b));
  }
}

void require_valid(const RequestHead& head, const HTTPLimits& limits) {
  require(head.bytes().ends_with("\r\n\r\n"));
  require(head.bytes().starts_with(head.method()));
  require(is_token(head.method()));
  require(head.field_count() <= limits.max_header_count);
  require(head.size() <= limits.max_header_size);
  for (const char c : head.target()) require(c > 0x20 && c < 0x7F && c != '#');
  require(head.minor_version() == 0 || head.count(FieldId::kHost) == 1);
  const char* last = head.target().data() + head.target().size();
  for (const HeaderField& field : head.fields()) {
    require(is_token(field.name) && is_field_value(field.value));
    require(field.id == field_id(field.name));
    require(field.name.data() > last && field.value.data() > field.name.data());
    require(field.value.empty() || (field.value.front() > ' ' || field.value.front() < 0));
    require(field.value.empty() || (field.value.back() > ' ' || field.value.back() < 0));
    require(head.find(field.name).has_value() && head.count(field.name) >= 1);
    last = field.value.data() + field.value.size();
  }
  const bool has_length = head.contains(FieldId::kContentLength);
  const bool has_coding = head.contains(FieldId::kTransferEncoding);
  require(!(has_length && has_coding));
  require((head.framing() == Framing::kLength) == has_length);
  require((head.framing() == Framing::kChunked) == has_coding);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t input_size) {
  if (input_size < 2) return 0;
  HTTPLimits limits;
  if (input[0] & 1) limits.max_request_line = 40;
  if (input[0] & 2) limits.max_header_size = 120;
  if (input[0] & 4) limits.max_header_count = 3;
  const auto* text = reinterpret_cast<const char*>(input) + 2;
  const std::size_t size = input_size - 2;
  const Exact whole(text, size);

  RequestHead fast;
  RequestHead scalar;
  std::size_t searched = 0;
  const ParseResult fast_result =
      parse_request_head(whole.bytes.get(), size, searched, limits, fast);
  searched = 0;
  const ParseResult scalar_result =
      parse_request_head_scalar(whole.bytes.get(), size, searched, limits, scalar);
  require(fast_result.status == scalar_result.status);
  require(fast_result.http_status == scalar_result.http_status);
  require(fast_result.consumed == scalar_result.consumed);
  require(std::strcmp(fast_result.reason, scalar_result.reason) == 0);
  if (fast_result.status == ParseStatus::kComplete) {
    require(fast_result.consumed <= size);
    require_equal(fast, scalar);
    require_valid(fast, limits);
  }

  // In two pieces. An error may show later than in one, but not after an empty line.
  const Exact first(text, size == 0 ? 0 : input[1] % size);
  const Exact ended((std::string(text, size) + "\r\n\r\n").data(), size + 4);
  searched = 0;
  ParseResult result = parse_request_head(first.bytes.get(), first.size, searched, limits, scalar);
  if (result.status == ParseStatus::kIncomplete) {
    result = parse_request_head(whole.bytes.get(), size, searched, limits, scalar);
  }
  if (result.status == ParseStatus::kIncomplete && fast_result.status == ParseStatus::kError) {
    result = parse_request_head(ended.bytes.get(), ended.size, searched, limits, scalar);
  }
  require(result.status == fast_result.status);
  require(result.http_status == fast_result.http_status);
  require(result.consumed == fast_result.consumed);
  if (result.status == ParseStatus::kComplete) require_equal(fast, scalar);
  return 0;
}
