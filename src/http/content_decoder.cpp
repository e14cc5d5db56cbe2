#include "http/content_decoder.hpp"

#include <algorithm>

#include "http/ascii.hpp"

namespace coronado {
namespace {

/// What any body may become, whatever the ratio.
constexpr std::uint64_t kRatioFree = 1024 * 1024;

}  // namespace

std::optional<ContentDecoder> ContentDecoder::make(std::string_view content_encoding,
                                                   std::uint64_t max_size,
                                                   std::uint32_t max_ratio) {
  std::optional<ContentCoding> coding;
  while (!content_encoding.empty()) {
    const std::string_view name = next_element(content_encoding, ',');
    if (name.empty() || equals_ignoring_case(name, "identity")) continue;
    if (coding) return std::nullopt;
    coding = parse_content_coding(name);
    if (!coding) return std::nullopt;
  }
  return ContentDecoder(coding, max_size, max_ratio);
}

void ContentDecoder::begin(char first) {
  Coding coding = Coding::kGzip;
  switch (*coding_) {
    case ContentCoding::kGzip: break;
    case ContentCoding::kBrotli: coding = Coding::kBrotli; break;
    case ContentCoding::kZstd: coding = Coding::kZstd; break;
    case ContentCoding::kDeflate:
      // Some send raw deflate and call it so (RFC 9110 8.4.1.2). The zlib format begins with an 8 in
      // its lower four bits, which in a raw stream would be a stored block with a padding bit set.
      coding =
          (static_cast<unsigned char>(first) & 15) == 8 ? Coding::kDeflate : Coding::kRawDeflate;
  }
  one_part_ = coding == Coding::kRawDeflate;
  decompressor_ = make_decompressor(coding);
}

ContentDecoder::Status ContentDecoder::fail(const char* why, bool too_large) noexcept {
  error_ = why;
  too_large_ = too_large;
  return Status::kError;
}

ContentDecoder::Status ContentDecoder::decode(std::string_view& bytes, std::size_t most,
                                              std::string& out) {
  using Coded = Decompressor::Status;
  if (error_ != nullptr) return Status::kError;
  if (!decompressor_) {
    if (bytes.empty()) return Status::kMore;
    begin(bytes.front());
  }
  if (done_ && one_part_ && !bytes.empty()) return fail("bytes behind the compressed body", false);
  const std::size_t before = out.size();
  const std::size_t offered = bytes.size();
  // One byte more than is allowed shows that there is one.
  const std::uint64_t left = max_size_ - given_;
  const std::size_t allowed = left < most ? static_cast<std::size_t>(left) + 1 : most;
  const Coded status = decompressor_->decode(bytes, allowed, out);
  taken_ += offered - bytes.size();
  given_ += out.size() - before;
  done_ = status == Coded::kDone;
  if (status == Coded::kMalformed) return fail("the body is not what its coding says", false);
  if (given_ > max_size_) return fail("the decompressed body is larger than the limit", true);
  if (max_ratio_ != 0 && given_ > kRatioFree && given_ / max_ratio_ > taken_) {
    return fail("the body grows too much by decompressing", true);
  }
  return status == Coded::kLimit ? Status::kFull : Status::kMore;
}

}  // namespace coronado
