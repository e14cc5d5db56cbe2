#include <coronado/web/template_output.hpp>

#include <coronado/base/escape.hpp>
#include <coronado/web/template_value.hpp>

#include <bit>
#include <charconv>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace coronado::web {

namespace {

#if defined(__SSE2__)
/// One bit for each of the sixteen bytes, set for those that `xhtml_escape` replaces.
unsigned special_bits(__m128i bytes) {
  // '&' and '\'' differ in the last bit only, '<' and '>' in the last but one.
  const __m128i quotes = _mm_cmpeq_epi8(_mm_or_si128(bytes, _mm_set1_epi8(1)), _mm_set1_epi8('\''));
  const __m128i angles = _mm_cmpeq_epi8(_mm_or_si128(bytes, _mm_set1_epi8(2)), _mm_set1_epi8('>'));
  const __m128i doubles = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'));
  return static_cast<unsigned>(
      _mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quotes, angles), doubles)));
}

__m128i load(const char* place) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(place)); }
void store(char* place, __m128i bytes) {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(place), bytes);
}
#endif

/// Copies up to the first character that must be replaced, which it returns, or `end`. `out` has
/// room for 16 bytes more than there are.
const char* copy_plain(char* out, const char* at, const char* end) {
#if defined(__SSE2__)
  constexpr std::ptrdiff_t kStep = 16;
  const char* const begin = at;
  for (; end - at >= kStep; at += kStep, out += kStep) {
    const __m128i bytes = load(at);
    store(out, bytes);
    if (const unsigned bits = special_bits(bytes); bits != 0) return at + std::countr_zero(bits);
  }
  if (at == end) return end;
  if (end - begin >= kStep) {  // the last 16 bytes, of which some were seen before
    const std::ptrdiff_t seen = kStep - (end - at);
    const __m128i bytes = load(end - kStep);
    store(out - seen, bytes);
    const unsigned bits = special_bits(bytes);  // what was seen has none
    return bits == 0 ? end : end - kStep + std::countr_zero(bits);
  }
#endif
  for (; at != end; ++at) {
    if (!xhtml_reference(*at).empty()) return at;
    *out++ = *at;
  }
  return end;
}

}  // namespace

void TemplateOutput::write_escaped(std::string_view text) {
  constexpr std::size_t kStep = 16;
  const char* at = text.data();
  const char* const end = at + text.size();
  for (;;) {
    ensure(static_cast<std::size_t>(end - at) + kStep);
    const char* special = copy_plain(cursor_, at, end);
    cursor_ += special - at;
    if (special == end) return;
    const std::string_view reference = xhtml_reference(*special);
    std::memcpy(cursor_, reference.data(), reference.size());  // `ensure` left room for it
    cursor_ += reference.size();
    at = special + 1;
  }
}

void TemplateOutput::write_long_int(std::int64_t value) {
  constexpr std::size_t kDigits = 24;
  ensure(kDigits);
  cursor_ = std::to_chars(cursor_, cursor_ + kDigits, value).ptr;
}

void TemplateOutput::open() {
  text_.resize_and_overwrite(text_.capacity(), [](char*, std::size_t size) { return size; });
  begin_ = text_.data();
  cursor_ = begin_ + used_;
  // Behind the limit nothing is written, and growing says so.
  end_ = begin_ + std::min(text_.size(), start_ + (limit_ - std::min(flushed_, limit_)) + kRoom);
}

void TemplateOutput::grow(std::size_t more) {
  used_ = static_cast<std::size_t>(cursor_ - begin_);
  if (flushed_ + size() + more > limit_ + kRoom) {
    throw TemplateFault(TemplateErrorClass::kLimit,
                        "the output exceeds " + std::to_string(limit_) + " bytes");
  }
  text_.resize_and_overwrite(std::max(2 * text_.size(), used_ + more + 512),
                             [](char*, std::size_t size) { return size; });
  open();
}

}  // namespace coronado::web
