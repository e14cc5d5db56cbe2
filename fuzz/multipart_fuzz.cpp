/// Fuzzes the multipart decoder: what it tells must not depend on how the input is split, and a form
/// that was accepted holds no delimiter and no more bytes than the body.
///
/// The first input byte is the size of the pieces; the rest is what a peer sends, with the boundary
/// "b".
#include <coronado/base/error.hpp>
#include <coronado/http/multipart.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

using namespace coronado;
using Status = MultipartDecoder::Status;

constexpr MultipartLimits kLimits{.max_parts = 4, .max_part_header_size = 128, .max_part_size = 64};

void require(bool condition) {
  if (!condition) std::abort();
}

/// Everything a decoder tells, as text.
std::string events(std::string_view body, std::size_t size) {
  MultipartDecoder decoder("b", kLimits);
  std::string log;
  std::string kept;
  std::size_t at = 0;
  for (;;) {
    const MultipartDecoder::Step step = decoder.feed(kept);
    require(step.consumed <= kept.size());
    require(step.data.empty() == (step.status != Status::kData));
    log.append(step.data);
    switch (step.status) {
      case Status::kPart:
        log += "\1" + decoder.part().name + "\2" + decoder.part().filename.value_or("\3");
        break;
      case Status::kPartEnd: log += "\4"; break;
      case Status::kDone: return log + "\5";
      case Status::kError: return log + "\6";
      case Status::kMore:
      case Status::kData: break;
    }
    kept.erase(0, step.consumed);
    if (step.status != Status::kMore || step.consumed != 0) continue;
    if (at >= body.size()) return log + "\7";
    kept.append(body.substr(at, size));
    at += size;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size) {
  if (size < 1) return 0;
  const std::string_view body(reinterpret_cast<const char*>(input) + 1, size - 1);
  const std::string whole = events(body, std::max<std::size_t>(body.size(), 1));
  const std::string pieces = events(body, input[0] % 16 + 1U);
  // A part that is too large may have shown some of its content when it came in pieces.
  if (whole.ends_with('\6')) {
    require(pieces.ends_with('\6'));
  } else {
    require(whole == pieces);
  }
  try {
    const MultipartForm form = parse_multipart_form("b", body, kLimits);
    require(whole.ends_with('\5'));
    for (const auto& [name, value] : form.arguments) require(!value.contains("\r\n--b"));
  } catch (const HTTPInputError&) {
    require(!whole.ends_with('\5'));
  }
  return 0;
}
