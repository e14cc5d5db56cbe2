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

/// What a string gets that turns out to be too short: most pages need no more.
constexpr std::size_t kFirstSize = 8 * 1024;

#if defined(__SSE2__)
/// Those of sixteen bytes that `xhtml_escape` replaces, and '#', which costs less to look at again than
/// to tell apart here.
__m128i special_bytes(__m128i bytes) {
  // '"', '#', '&' and '\'' differ in two bits only, '<' and '>' in one.
  const __m128i quotes = _mm_cmpeq_epi8(_mm_or_si128(bytes, _mm_set1_epi8(5)), _mm_set1_epi8('\''));
  const __m128i angles = _mm_cmpeq_epi8(_mm_or_si128(bytes, _mm_set1_epi8(2)), _mm_set1_epi8('>'));
  return _mm_or_si128(quotes, angles);
}
unsigned bits_of(__m128i bytes) { return static_cast<unsigned>(_mm_movemask_epi8(bytes)); }
/// One bit for each of them.
unsigned special_bits(__m128i bytes) { return bits_of(special_bytes(bytes)); }

__m128i load(const char* place) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(place)); }
void store(char* place, __m128i bytes) {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(place), bytes);
}
#endif

/// What a character becomes, in eight bytes, of which `size` count: written without a branch for each.
struct Escaped {
  char text[7] = {};
  std::uint8_t size = 1;
};
constexpr std::array<Escaped, 256> kEscapedOf = [] {
  std::array<Escaped, 256> all;
  for (std::size_t i = 0; i < all.size(); ++i) all[i].text[0] = static_cast<char>(i);
  const auto set = [&all](char special, std::string_view text) {
    Escaped& escaped = all[static_cast<unsigned char>(special)];
    std::copy(text.begin(), text.end(), escaped.text);
    escaped.size = static_cast<std::uint8_t>(text.size());
  };
  set('&', "&amp;");
  set('<', "&lt;");
  set('>', "&gt;");
  set('"', "&quot;");
  set('\'', "&#x27;");
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
#endif

}  // namespace

// What is rare is done by functions that are called last, so that this one has nothing to save.
void TemplateOutput::write_where_room_is(std::string_view text) {
#if defined(__SSE2__)
  if (text.size() < kStep) return write_short(text);
  const char* from = text.data();
  const char* const end = from + text.size();
  char* out = cursor_;
  // Most texts have nothing to replace: whole blocks, of which the last one ends where the text does.
  const char* const last = end - kStep;
  for (; last - from > kStep; from += 2 * kStep, out += 2 * kStep) {
    const __m128i first = load(from);
    const __m128i second = load(from + kStep);
    store(out, first);
    store(out + kStep, second);
    const __m128i either = _mm_or_si128(special_bytes(first), special_bytes(second));
    if (bits_of(either) == 0) [[likely]]
      continue;
    const int at = std::countr_zero(special_bits(first) | special_bits(second) << kStep);
    cursor_ = out + at;
    return write_from(from + at, end);
  }
  if (from < last) {
    const __m128i bytes = load(from);
    store(out, bytes);
    if (const unsigned bits = special_bits(bytes); bits != 0) [[unlikely]] {
      cursor_ = out + std::countr_zero(bits);
      return write_from(from + std::countr_zero(bits), end);
    }
  }
  const __m128i bytes = load(last);
  out = cursor_ + text.size();
  store(out - kStep, bytes);
  const unsigned bits = special_bits(bytes);
  if (bits == 0) [[likely]] {
    cursor_ = out;
    return;
  }
  cursor_ = out - kStep + std::countr_zero(bits);
  return write_from(last + std::countr_zero(bits), end);
#else
  write_from(text.data(), text.data() + text.size());
#endif
}

#if defined(__SSE2__)
/// Fewer than 16 bytes.
void TemplateOutput::write_short(std::string_view text) {
  const char* const from = text.data();
  char* const out = cursor_;
  const __m128i bytes = load_short(from, text.size());
  store(out, bytes);
  const unsigned bits = special_bits(bytes);
  if (bits == 0) {
    cursor_ = out + text.size();
    return;
  }
  const int at = std::countr_zero(bits);
  cursor_ = escape_bytes(out + at, from + at, from + text.size());
}
#endif

/// The same of [at, end), which begins with a special character more often than not.
void TemplateOutput::write_from(const char* at, const char* end) {
#if defined(__SSE2__)
  // Where all of it may become six times as long, there is nothing to look at on the way.
  const std::size_t most = static_cast<std::size_t>(end - at) * 6 + kMostEscaped;
  const bool roomy = static_cast<std::size_t>(end_ - cursor_) >= most;
  while (at != end) {
    if (!roomy) ensure(static_cast<std::size_t>(end - at) + kMostEscaped);
    const Escaped& escaped = kEscapedOf[static_cast<unsigned char>(*at++)];
    char* out = cursor_;
    std::memcpy(out, escaped.text, sizeof escaped);
    out += escaped.size;
    // Up to the next special character, in whole blocks.
    while (at != end) {
      const std::ptrdiff_t left = std::min(end - at, kStep);
      const __m128i bytes =
          left == kStep ? load(at) : load_short(at, static_cast<std::size_t>(left));
      store(out, bytes);
      const unsigned bits = special_bits(bytes);
      const std::ptrdiff_t plain = bits == 0 ? left : std::countr_zero(bits);
      at += plain;
      out += plain;
      if (bits != 0) break;
    }
    cursor_ = out;
  }
#else
  while (at != end) {
    const std::size_t some = std::min<std::size_t>(static_cast<std::size_t>(end - at), kEscapeStep);
    ensure(kMostEscaped);
    cursor_ = escape_bytes(cursor_, at, at + some);
    at += some;
  }
#endif
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
  text_.resize_and_overwrite(std::max({2 * text_.size(), used_ + more + 512, kFirstSize}),
                             [](char*, std::size_t size) { return size; });
  open();
}

}  // namespace coronado::web
