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
/// One bit for each of the sixteen bytes, set for those that `xhtml_escape` replaces, and for '#',
/// which costs less to look at again than to tell apart here.
unsigned special_bits(__m128i bytes) {
  // '"', '#', '&' and '\'' differ in two bits only, '<' and '>' in one.
  const __m128i quotes = _mm_cmpeq_epi8(_mm_or_si128(bytes, _mm_set1_epi8(5)), _mm_set1_epi8('\''));
  const __m128i angles = _mm_cmpeq_epi8(_mm_or_si128(bytes, _mm_set1_epi8(2)), _mm_set1_epi8('>'));
  return static_cast<unsigned>(_mm_movemask_epi8(_mm_or_si128(quotes, angles)));
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
  set('#', "#");  // see `special_bits`
  return all;
}();

#if defined(__SSE2__)
constexpr std::ptrdiff_t kStep = 16;

/// Copies the end of a text, fewer than 16 bytes, up to a special character.
/// Returns  How many were copied.
std::ptrdiff_t copy_end(char* out, const char* begin, const char* at, const char* end) {
  const std::ptrdiff_t left = end - at;
  // A block that ends where the text ends begins earlier, where the text is long enough.
  char block[2 * kStep];
  const char* rest = block;
  if (end - begin >= kStep) {
    store(block, load(end - kStep));
    rest += kStep - left;
  } else {
    std::memcpy(block, at, static_cast<std::size_t>(left));
  }
  const __m128i bytes = load(rest);
  store(out, bytes);
  const unsigned bits = special_bits(bytes) & ((1U << left) - 1);
  return bits == 0 ? left : std::countr_zero(bits);
}

/// Copies up to a special character, which `at` then is at, or the end. There is room for 16 bytes
/// more than the text has.
char* copy_plain(char* out, const char* begin, const char*& at, const char* end) {
  const char* from = at;
  for (; end - from >= kStep; from += kStep, out += kStep) {
    const __m128i bytes = load(from);
    store(out, bytes);
    if (const unsigned bits = special_bits(bytes); bits != 0) {
      at = from + std::countr_zero(bits);
      return out + std::countr_zero(bits);
    }
  }
  const std::ptrdiff_t copied = from == end ? 0 : copy_end(out, begin, from, end);
  at = from + copied;
  return out + copied;
}
#else
char* copy_plain(char* out, const char*, const char*& at, const char* end) {
  const char* special = find_xhtml_special(at, end);
  std::memcpy(out, at, static_cast<std::size_t>(special - at));
  out += special - at;
  at = special;
  return out;
}
#endif

}  // namespace

void TemplateOutput::write_escaped(std::string_view text) {
#if defined(__SSE2__)
  const char* from = text.data();
  // Most texts have nothing to replace: whole blocks, of which the last one ends where the text does.
  if (text.size() >= kStep && static_cast<std::size_t>(end_ - cursor_) >= text.size()) [[likely]] {
    const char* const last = from + text.size() - kStep;
    char* out = cursor_;
    for (; from < last; from += kStep, out += kStep) {
      const __m128i bytes = load(from);
      store(out, bytes);
      if (special_bits(bytes) != 0) [[unlikely]] {
        cursor_ = out;
        return write_from(text, from);
      }
    }
    const __m128i bytes = load(last);
    out = cursor_ + text.size();
    store(out - kStep, bytes);
    if (special_bits(bytes) == 0) [[likely]] {
      cursor_ = out;
      return;
    }
  }
#endif
  write_from(text, text.data());
}

/// The same from a place in the text on.
void TemplateOutput::write_from(std::string_view text, const char* at) {
  constexpr std::size_t kMore = 16;
  const char* const end = text.data() + text.size();
  for (;;) {
    ensure(static_cast<std::size_t>(end - at) + kMore);
    char* out = copy_plain(cursor_, text.data(), at, end);
    if (at == end) {
      cursor_ = out;
      return;
    }
    const Reference& reference = kReferenceOf[static_cast<unsigned char>(*at) % kReferences];
    std::memcpy(out, reference.text, sizeof reference.text);
    cursor_ = out + reference.size;
    ++at;
  }
}

void TemplateOutput::write_long_int(std::int64_t value) {
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
