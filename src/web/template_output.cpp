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

/// What a character becomes, in eight bytes, of which `size` count: for texts that are written byte by
/// byte, without a branch for each.
struct Escaped {
  char text[7] = {};
  std::uint8_t size = 1;
};
constexpr std::array<Escaped, 256> kEscapedOf = [] {
  std::array<Escaped, 256> all;
  for (std::size_t i = 0; i < all.size(); ++i) {
    all[i].text[0] = static_cast<char>(i);
    if (i >= kReferences || kReferenceOf[i].size == 0) continue;
    std::copy_n(kReferenceOf[i].text, kReferenceOf[i].size, all[i].text);
    all[i].size = kReferenceOf[i].size;
  }
  return all;
}();

/// Writes eight bytes at once: there is room for six times the text and a little.
char* escape_bytes(char* out, const char* at, const char* end) {
  for (; at != end; ++at) {
    const Escaped& escaped = kEscapedOf[static_cast<unsigned char>(*at)];
    std::memcpy(out, escaped.text, sizeof escaped);
    out += escaped.size;
  }
  return out;
}

#if defined(__SSE2__)
constexpr std::ptrdiff_t kStep = 16;

/// Fewer than 16 bytes, of which nothing behind is read; what stands behind them in the block is 0.
__m128i load_short(const char* at, std::size_t size) {
  const auto read = [at]<class T>(T, std::size_t from) {
    T value;
    std::memcpy(&value, at + from, sizeof value);
    return static_cast<std::uint64_t>(value);
  };
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  if (size >= 8) {
    low = read(std::uint64_t{}, 0);
    // The last eight bytes, without those that are in `low` already.
    if (size > 8) high = read(std::uint64_t{}, size - 8) >> (8 * (kStep - size));
  } else if (size >= 4) {
    low = read(std::uint32_t{}, 0) | read(std::uint32_t{}, size - 4) << (8 * (size - 4));
  } else if (size > 0) {
    low = read(std::uint8_t{}, 0) | read(std::uint8_t{}, size / 2) << (8 * (size / 2)) |
          read(std::uint8_t{}, size - 1) << (8 * (size - 1));
  }
  return _mm_set_epi64x(static_cast<long long>(high), static_cast<long long>(low));
}

/// A block of 16 bytes that has special characters where `bits` says. It and as many bytes behind it
/// can be read.
char* escape_block(char* out, const char* from, unsigned bits) {
  std::ptrdiff_t done = 0;
  for (; bits != 0; bits &= bits - 1) {
    const std::ptrdiff_t at = std::countr_zero(bits);
    store(out, load(from + done));
    out += at - done;
    const Reference& reference = kReferenceOf[static_cast<unsigned char>(from[at]) % kReferences];
    std::memcpy(out, reference.text, sizeof reference.text);
    out += reference.size;
    done = at + 1;
  }
  store(out, load(from + done));
  return out + (kStep - done);
}
#endif

}  // namespace

void TemplateOutput::write_escaped(std::string_view text) {
#if defined(__SSE2__)
  const char* from = text.data();
  // Most texts have nothing to replace: whole blocks, of which the last one ends where the text does.
  if (text.size() >= kStep) {
    if (static_cast<std::size_t>(end_ - cursor_) >= text.size()) [[likely]] {
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
      store(cursor_ + text.size() - kStep, bytes);
      if (special_bits(bytes) == 0) [[likely]] {
        cursor_ += text.size();
        return;
      }
    }
  } else {
    ensure(kMostEscaped);
    const __m128i bytes = load_short(from, text.size());
    char* const out = cursor_;
    store(out, bytes);
    const unsigned bits = special_bits(bytes);
    if (bits == 0) {
      cursor_ = out + text.size();
      return;
    }
    const int at = std::countr_zero(bits);
    cursor_ = escape_bytes(out + at, from + at, from + text.size());
    return;
  }
#endif
  write_from(text, text.data());
}

/// The same from a place in the text on.
void TemplateOutput::write_from(std::string_view text, const char* at) {
  const char* const end = text.data() + text.size();
#if defined(__SSE2__)
  for (; end - at >= 2 * kStep; at += kStep) {
    ensure(static_cast<std::size_t>(end - at) + kMostEscaped);
    const __m128i bytes = load(at);
    const unsigned bits = special_bits(bytes);
    if (bits == 0) {
      store(cursor_, bytes);
      cursor_ += kStep;
    } else {
      cursor_ = escape_block(cursor_, at, bits);
    }
  }
#endif
  while (at != end) {
    const std::size_t some = std::min<std::size_t>(static_cast<std::size_t>(end - at), kEscapeStep);
    ensure(kMostEscaped);
    cursor_ = escape_bytes(cursor_, at, at + some);
    at += some;
  }
}

void TemplateOutput::write_long_int(std::int64_t value) {
  ensure(kDigits);
  if (value < 0 || value > 9999) {
    cursor_ = std::to_chars(cursor_, cursor_ + kDigits, value).ptr;
    return;
  }
  const auto number = static_cast<std::uint32_t>(value);
  char* out = write_two_digits(cursor_, number / 100);
  const std::uint32_t rest = number % 100;
  out[0] = static_cast<char>('0' + rest / 10);
  out[1] = static_cast<char>('0' + rest % 10);
  cursor_ = out + 2;
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
