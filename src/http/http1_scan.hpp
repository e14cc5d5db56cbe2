/// Finding where names, targets and values end: once byte by byte, once with SSE2.
///
///     ScalarScanner   the plain meaning, for any machine
///     SSE2Scanner     16 bytes at a time; needs 16 readable bytes in all
///     FastScanner     the quickest one this machine has
///
/// Both have the same members and must give the same answers. A scanner sees the bytes from `begin`
/// to `end` and reads nothing outside them. Where nothing stops a scan, the answer is `end`.
///
/// Layer: http.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "http/ascii.hpp"
#include "http/char_class.hpp"
#include "http/field_table.hpp"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace coronado {

/// True for `uri-host [ ":" port ]`, and for nothing at all.   Spec  RFC 9110 7.2, RFC 3986 3.2.
inline bool is_valid_host(std::string_view host) noexcept {
  std::size_t i = 0;
  if (host.starts_with('[')) {
    for (i = 1; i < host.size() && host[i] != ']'; ++i) {
      if (!is_in(host[i], kHexDigit) && host[i] != ':' && host[i] != '.') return false;
    }
    if (i < 3 || i == host.size()) return false;  // "[::]" is the shortest address
    ++i;
  } else {
    while (i < host.size() && is_in(host[i], kHostChar)) ++i;
    if (i == 0 && !host.empty()) return false;
  }
  if (i == host.size()) return true;
  if (host[i] != ':') return false;
  for (++i; i < host.size(); ++i) {
    if (!is_in(host[i], kDigit)) return false;
  }
  return true;
}

class ScalarScanner {
 public:
  static constexpr std::size_t kMinimumSize = 0;

  explicit ScalarScanner(const char* end) noexcept : end_(end) {}

  /// The first byte at or after `p` that no target has, or that starts the query.
  const char* path_end(const char* p) const noexcept {
    while (p != end_ && is_in(*p, kTargetChar) && *p != '?') ++p;
    return p;
  }

  /// The first byte at or after `p` that no target has.
  const char* target_end(const char* p) const noexcept {
    while (p != end_ && is_in(*p, kTargetChar)) ++p;
    return p;
  }

  /// The first control byte at or after `p`; a tab counts as one.
  const char* control(const char* p) const noexcept {
    while (p != end_ && is_in(*p, kValueChar) && *p != '\t') ++p;
    return p;
  }

  /// The colon that ends the field name at `p`, or null when there is no valid name and colon.
  const char* field_name(const char* p, FieldId& id) const noexcept {
    const char* colon = p;
    while (colon != end_ && is_in(*colon, kTokenChar)) ++colon;
    if (colon == end_ || *colon != ':' || colon == p) return nullptr;
    id = field_id({p, static_cast<std::size_t>(colon - p)});
    return colon;
  }

  bool host(const char* p, std::size_t size) const noexcept { return is_valid_host({p, size}); }

 private:
  const char* end_;
};

#ifdef __SSE2__

class SSE2Scanner {
 public:
  static constexpr std::size_t kMinimumSize = 16;

  explicit SSE2Scanner(const char* end) noexcept : last_(end - 16), end_(end) {}

  const char* path_end(const char* p) const noexcept {
    return find(p, [](__m128i x) {
      return _mm_or_si128(outside_target(x), _mm_cmpeq_epi8(x, _mm_set1_epi8('?')));
    });
  }

  const char* target_end(const char* p) const noexcept { return find(p, outside_target); }

  const char* control(const char* p) const noexcept {
    return find(p, [](__m128i x) {
      const __m128i below_space = _mm_cmpeq_epi8(_mm_min_epu8(x, _mm_set1_epi8(0x1F)), x);
      return _mm_or_si128(below_space, _mm_cmpeq_epi8(x, _mm_set1_epi8(0x7F)));
    });
  }

  const char* field_name(const char* p, FieldId& id) const noexcept {
    const __m128i bytes = load(p);
    const unsigned colons = mask(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(':')));
    if (colons == 0) [[unlikely]]
      return long_field_name(p, id);
    const auto size = static_cast<std::size_t>(std::countr_zero(colons));
    if (size < 2) [[unlikely]]
      return short_field_name(p, size, id);
    const unsigned name_bits = ~colons & (colons - 1);
    const unsigned found = hashed(p, size);
    if (kFieldSizes[found] == size && has_all(match(bytes, kFieldPatterns[found].lower), name_bits))
        [[likely]] {
      id = static_cast<FieldId>(found);
      return p + size;
    }
    id = FieldId::kOther;
    return has_all(mask(usual_in_name(bytes)), name_bits) || is_token(p, size) ? p + size : nullptr;
  }

  bool host(const char* p, std::size_t size) const noexcept {
    if (size == 0 || size > 15) return is_valid_host({p, size});
    const __m128i bytes = load(p);
    const __m128i digits = in_range(bytes, '0', '9');
    const __m128i usual =
        _mm_or_si128(_mm_or_si128(digits, letters(bytes)), in_range(bytes, '-', '.'));
    const unsigned all = (1U << size) - 1;
    const unsigned unusual = ~mask(usual) & all;
    if (unusual == 0) return true;
    // The common case: one colon, not the first byte, and nothing but digits after it.
    const auto at = static_cast<unsigned>(std::countr_zero(unusual));
    if (at != 0 && p[at] == ':' && (~mask(digits) & all) >> (at + 1) == 0) return true;
    return is_valid_host({p, size});
  }

 private:
  static __m128i load16(const void* p) noexcept {
    return _mm_loadu_si128(static_cast<const __m128i*>(p));
  }
  static unsigned mask(__m128i matches) noexcept {
    return static_cast<unsigned>(_mm_movemask_epi8(matches));
  }
  static bool has_all(unsigned matches, unsigned wanted) noexcept {
    return (matches & wanted) == wanted;
  }

  /// The 16 bytes at `p`; near the end, what is left of them, then zeros.
  __m128i load(const char* p) const noexcept {
    if (p <= last_) [[likely]]
      return load16(p);
    char padded[32];
    _mm_storeu_si128(reinterpret_cast<__m128i*>(padded), load16(last_));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(padded + 16), _mm_setzero_si128());
    return load16(padded + (p - last_));
  }

  template <class Class>
  [[gnu::always_inline]] const char* find(const char* p, Class char_class) const noexcept {
    while (p <= last_) [[likely]] {
      const unsigned found = mask(char_class(load16(p)));
      if (found != 0) return p + std::countr_zero(found);
      p += 16;
    }
    // Fewer than 16 bytes are left: look at the last 16 and drop those that have been seen.
    const unsigned found = mask(char_class(load16(last_))) >> static_cast<unsigned>(p - last_);
    return found != 0 ? p + std::countr_zero(found) : end_;
  }

  // Comparisons are signed, so that bytes of 0x80 and above are below every bound.
  static __m128i in_range(__m128i x, char low, char high) noexcept {
    return _mm_and_si128(_mm_cmpgt_epi8(x, _mm_set1_epi8(static_cast<char>(low - 1))),
                         _mm_cmplt_epi8(x, _mm_set1_epi8(static_cast<char>(high + 1))));
  }
  static __m128i letters(__m128i x) noexcept {
    return in_range(_mm_or_si128(x, _mm_set1_epi8(0x20)), 'a', 'z');
  }
  static __m128i outside_target(__m128i x) noexcept {
    const __m128i refused =
        _mm_or_si128(_mm_cmpeq_epi8(x, _mm_set1_epi8(0x7F)), _mm_cmpeq_epi8(x, _mm_set1_epi8('#')));
    return _mm_or_si128(_mm_cmplt_epi8(x, _mm_set1_epi8(0x21)), refused);
  }
  static __m128i usual_in_name(__m128i x) noexcept {
    const __m128i marks =
        _mm_or_si128(_mm_cmpeq_epi8(x, _mm_set1_epi8('-')), _mm_cmpeq_epi8(x, _mm_set1_epi8('_')));
    return _mm_or_si128(_mm_or_si128(letters(x), in_range(x, '0', '9')), marks);
  }

  /// Which of 16 bytes equal the lower-case `pattern`, in any case. Bit 5 is set only where the
  /// pattern has a letter, so that no other byte can pass for '-'.
  static unsigned match(__m128i x, const char* pattern) noexcept {
    const __m128i wanted = _mm_load_si128(reinterpret_cast<const __m128i*>(pattern));
    const __m128i case_bits =
        _mm_and_si128(_mm_cmpgt_epi8(wanted, _mm_set1_epi8(0x60)), _mm_set1_epi8(0x20));
    return mask(_mm_cmpeq_epi8(_mm_or_si128(x, case_bits), wanted));
  }

  static unsigned hashed(const char* name, std::size_t size) noexcept {
    std::uint16_t last_two;
    std::memcpy(&last_two, name + size - 2, sizeof last_two);
    return kFieldHash[field_hash(last_two, static_cast<std::uint8_t>(*name), size)];
  }
  static bool is_token(const char* p, std::size_t size) noexcept {
    for (std::size_t i = 0; i < size; ++i) {
      if (!is_in(p[i], kTokenChar)) return false;
    }
    return true;
  }

  static const char* short_field_name(const char* p, std::size_t size, FieldId& id) noexcept {
    id = FieldId::kOther;
    return size == 1 && is_in(*p, kTokenChar) ? p + 1 : nullptr;
  }

  /// A name with no colon in its first 16 bytes.
  [[gnu::noinline]] const char* long_field_name(const char* p, FieldId& id) const noexcept {
    const __m128i head = load(p);
    if (end_ - p <= 16) return nullptr;
    const __m128i tail = load(p + 16);
    const unsigned colons = mask(_mm_cmpeq_epi8(tail, _mm_set1_epi8(':')));
    if (colons == 0) return ScalarScanner(end_).field_name(p, id);
    const auto size = 16 + static_cast<std::size_t>(std::countr_zero(colons));
    const unsigned name_bits = ~colons & (colons - 1);
    const unsigned found = hashed(p, size);
    if (kFieldSizes[found] == size && match(head, kFieldPatterns[found].lower) == 0xFFFF &&
        has_all(match(tail, kFieldPatterns[found].lower + 16), name_bits)) {
      id = static_cast<FieldId>(found);
      return p + size;
    }
    id = FieldId::kOther;
    if (mask(usual_in_name(head)) == 0xFFFF && has_all(mask(usual_in_name(tail)), name_bits)) {
      return p + size;
    }
    return is_token(p, size) ? p + size : nullptr;
  }

  const char* last_;  // start of the last 16 bytes
  const char* end_;
};

using FastScanner = SSE2Scanner;

#else

using FastScanner = ScalarScanner;

#endif

}  // namespace coronado
