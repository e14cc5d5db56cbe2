#include <coronado/web/template_output.hpp>

#include <coronado/base/escape.hpp>
#include <coronado/web/template_value.hpp>

#include <algorithm>
#include <array>
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

/// What stands in the place of a character, in eight bytes, of which `size` count.
struct Reference {
  char text[8] = {};
  std::uint8_t size = 0;
};
constexpr std::size_t kReferences = 64;  // all special characters are below

constexpr std::array<Reference, kReferences> kReferenceOf = [] {
  std::array<Reference, kReferences> all;
  const auto set = [&all](char special, std::string_view text) {
    Reference& reference = all[static_cast<std::size_t>(special)];
    std::copy(text.begin(), text.end(), reference.text);
    reference.size = static_cast<std::uint8_t>(text.size());
  };
  set('&', "&amp;");
  set('<', "&lt;");
  set('>', "&gt;");
  set('"', "&quot;");
  set('\'', "&#x27;");
  return all;
}();

}  // namespace

/// Copies the rest of a text up to a special character, whose reference it writes: `at` is behind
/// it. False: the text has ended. There is room for 16 bytes more than are left.
bool TemplateOutput::copy_plain(const char* begin, const char*& at, const char* end) {
  const char* special = end;
#if defined(__SSE2__)
  constexpr std::ptrdiff_t kStep = 16;
  for (; end - at >= kStep; at += kStep, cursor_ += kStep) {
    const __m128i bytes = load(at);
    store(cursor_, bytes);
    if (const unsigned bits = special_bits(bytes); bits != 0) {
      const int plain = std::countr_zero(bits);
      cursor_ += plain;
      special = at + plain;
      break;
    }
  }
  if (special == end) {
    const std::ptrdiff_t left = end - at;
    if (left == 0) return false;
    // Fewer than 16 are left. Their block begins earlier, where the text is long enough.
    char block[2 * kStep];
    const char* rest = block;
    if (end - begin >= kStep) {
      store(block, load(end - kStep));
      rest += kStep - left;
    } else {
      std::memcpy(block, at, static_cast<std::size_t>(left));
    }
    const __m128i bytes = load(rest);
    store(cursor_, bytes);
    const unsigned bits = special_bits(bytes) & ((1U << left) - 1);
    if (bits == 0) {
      cursor_ += left;
      return false;
    }
    const int plain = std::countr_zero(bits);
    cursor_ += plain;
    special = at + plain;
  }
#else
  static_cast<void>(begin);
  special = find_xhtml_special(at, end);
  std::memcpy(cursor_, at, static_cast<std::size_t>(special - at));
  cursor_ += special - at;
  if (special == end) return false;
#endif
  const Reference& reference = kReferenceOf[static_cast<unsigned char>(*special) % kReferences];
  std::memcpy(cursor_, reference.text, sizeof reference.text);
  cursor_ += reference.size;
  at = special + 1;
  return true;
}

void TemplateOutput::write_escaped(std::string_view text) {
  constexpr std::size_t kStep = 16;
  const char* at = text.data();
  const char* const end = at + text.size();
  do {
    ensure(static_cast<std::size_t>(end - at) + kStep);
  } while (copy_plain(text.data(), at, end));
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
