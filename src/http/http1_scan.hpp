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

/// What a scanner finds at the start of a field line.
struct FieldName {
  std::uint32_t size = 0;  ///< 0: no valid name with a colon.
  FieldId id = FieldId::kOther;
};

/// Longer field names have no place in a `RequestHead`.
inline constexpr std::ptrdiff_t kMostNameBytes = 0xFFFF;

class ScalarScanner {
 public:
  static constexpr std::ptrdiff_t kMinimumSize = 0;

  explicit ScalarScanner(const char* end) noexcept : end_(end) {}

  const char* end() const noexcept { return end_; }

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

  /// The first byte at or after `p` that is not plain ASCII text: a control, a tab included. Bytes
  /// of 0x80 and above may stop it, too.
  const char* plain_end(const char* p) const noexcept { return control(p); }

  /// The first control byte at or after `p`; a tab counts as one.
  const char* control(const char* p) const noexcept {
    while (p != end_ && is_in(*p, kValueChar) && *p != '\t') ++p;
    return p;
  }

  /// The size of the name of the field line at `p`, 0 without a valid name and a colon; and its id.
  void field_name(const char* p, std::uint32_t& size, FieldId& id) const noexcept {
    const FieldName found = field_name(p);
    size = found.size;
    id = found.id;
  }
  FieldName field_name(const char* p) const noexcept {
    const char* colon = p;
    while (colon != end_ && is_in(*colon, kTokenChar)) ++colon;
    if (colon == end_ || *colon != ':' || colon == p || colon - p > kMostNameBytes) return {};
    const auto size = static_cast<std::size_t>(colon - p);
    return {static_cast<std::uint32_t>(size), field_id({p, size})};
  }

  bool host(const char* p, std::size_t size) const noexcept { return is_valid_host({p, size}); }

 private:
  const char* end_;
};

#ifdef __SSE2__

class SSE2Scanner {
 public:
  static constexpr std::ptrdiff_t kMinimumSize = 16;

  explicit SSE2Scanner(const char* end) noexcept : end_(end), last_(end - 16) {}

  const char* end() const noexcept { return end_; }

  [[gnu::always_inline]] const char* path_end(const char* p) const noexcept {
    return find(p, [](__m128i x) {
      return mask(in_target(x)) ^ mask(_mm_cmpeq_epi8(x, _mm_set1_epi8('?'))) ^ 0xFFFF;
    });
  }

  [[gnu::always_inline]] const char* target_end(const char* p) const noexcept {
    return find(p, [](__m128i x) { return mask(in_target(x)) ^ 0xFFFF; });
  }

  [[gnu::always_inline]] const char* plain_end(const char* p) const noexcept {
    // One more than each byte: DEL and everything from 0x80 on but 0xFF become negative, 0xFF zero.
    return find(p, [](__m128i x) {
      const __m128i next = _mm_add_epi8(x, _mm_set1_epi8(1));
      return mask(_mm_cmpgt_epi8(next, _mm_set1_epi8(0x20))) ^ 0xFFFF;
    });
  }

  const char* control(const char* p) const noexcept {
    return find(p, [](__m128i x) {
      const __m128i below_space = _mm_cmpeq_epi8(_mm_min_epu8(x, _mm_set1_epi8(0x1F)), x);
      return mask(_mm_or_si128(below_space, _mm_cmpeq_epi8(x, _mm_set1_epi8(0x7F))));
    });
  }

  [[gnu::always_inline]] void field_name(const char* p, std::uint32_t& size,
                                         FieldId& id) const noexcept {
    if (p > last_) [[unlikely]] {
      const FieldName late = late_field_name(p, end_);
      size = late.size;
      id = late.id;
    } else {
      find_name(load16(p), p, end_, size, id);
    }
  }

  [[gnu::always_inline]] bool host(const char* p, std::size_t size) const noexcept {
    if (size == 0 || size > 15) return is_valid_host({p, size});
    const __m128i bytes = load(p, end_);
    const __m128i digits = in_range(bytes, '0', '9');
    const __m128i usual =
        _mm_or_si128(_mm_or_si128(digits, letters(bytes)), in_range(bytes, '-', '.'));
    const unsigned all = (1U << size) - 1;
    const unsigned unusual = ~mask(usual) & all;
    if (unusual == 0) return true;
    // The common case: one colon, not the first byte, and nothing but digits after it.
    const unsigned at = lowest(unusual);
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
  /// The index of the lowest one; there must be one. `std::countr_zero` would test for zero.
  static unsigned lowest(unsigned mask) noexcept {
    return static_cast<unsigned>(__builtin_ctz(mask));
  }
  /// The bytes from `p` to the end, fewer than 16 of them, then zeros.
  static __m128i load_late(const char* p, const char* end) noexcept {
    char padded[32];
    _mm_storeu_si128(reinterpret_cast<__m128i*>(padded), load16(end - 16));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(padded + 16), _mm_setzero_si128());
    return load16(padded + (16 - (end - p)));
  }
  static __m128i load(const char* p, const char* end) noexcept {
    return end - p >= 16 ? load16(p) : load_late(p, end);
  }

  /// The first byte for which `stops`, a function from 16 bytes to 16 bits, has a one.
  template <class Stops>
  [[gnu::always_inline]] const char* find(const char* p, Stops stops) const noexcept {
    while (p <= last_) [[likely]] {
      const unsigned found = stops(load16(p));
      if (found != 0) return p + lowest(found);
      p += 16;
    }
    // Fewer than 16 bytes are left: look at the last 16 and drop those that have been seen.
    const unsigned found = stops(load16(last_)) >> static_cast<unsigned>(p - last_);
    return found != 0 ? p + lowest(found) : end_;
  }

  // Comparisons are signed, so that bytes of 0x80 and above are below every bound.
  static __m128i in_range(__m128i x, char low, char high) noexcept {
    return _mm_and_si128(_mm_cmpgt_epi8(x, _mm_set1_epi8(static_cast<char>(low - 1))),
                         _mm_cmplt_epi8(x, _mm_set1_epi8(static_cast<char>(high + 1))));
  }
  static __m128i letters(__m128i x) noexcept {
    return in_range(_mm_or_si128(x, _mm_set1_epi8(0x20)), 'a', 'z');
  }
  static __m128i in_target(__m128i x) noexcept {
    const __m128i visible = _mm_cmpgt_epi8(_mm_add_epi8(x, _mm_set1_epi8(1)), _mm_set1_epi8(0x21));
    return _mm_andnot_si128(_mm_cmpeq_epi8(x, _mm_set1_epi8('#')), visible);
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

  static const FieldSlot& slot(const char* name, std::size_t size) noexcept {
    std::uint16_t last_two;
    std::memcpy(&last_two, name + size - 2, sizeof last_two);
    return kFieldSlots[field_hash(last_two, size)];
  }

  /// Params  bytes  The first 16 of the line. A line follows another, so the two bytes before it
  /// are
  ///                readable, and hashing a name shorter than that does no harm.
  [[gnu::always_inline]] static void find_name(__m128i bytes, const char* p, const char* end,
                                               std::uint32_t& size, FieldId& id) noexcept {
    const unsigned colons = mask(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(':')));
    if (colons == 0) [[unlikely]] {
      const FieldName found = long_field_name(p, end);
      size = found.size;
      id = found.id;
      return;
    }
    const unsigned at = lowest(colons);
    const FieldSlot& found = slot(p, at);
    if (lowest(~match(bytes, found.lower)) > at) [[likely]] {
      [[assume(at >= 2)]];
      size = at;
      id = found.id;
    } else {
      size = other_field_name(bytes, p, at);
      id = FieldId::kOther;
    }
  }

  /// A name that starts in the last 15 bytes.
  [[gnu::noinline]] static FieldName late_field_name(const char* p, const char* end) noexcept {
    FieldName late;
    find_name(load_late(p, end), p, end, late.size, late.id);
    return late;
  }

  /// `size`, if those bytes are a name; 0 if not. For names without an id, of up to 15 bytes.
  [[gnu::noinline]] static unsigned other_field_name(__m128i bytes, const char* p,
                                                     unsigned size) noexcept {
    const bool usual = lowest(~mask(usual_in_name(bytes))) >= size;
    return usual || is_token(p, size) ? size : 0;
  }
  static bool is_token(const char* p, unsigned size) noexcept {
    for (unsigned i = 0; i < size; ++i) {
      if (!is_in(p[i], kTokenChar)) return false;
    }
    return true;
  }

  /// A name with no colon in its first 16 bytes.
  [[gnu::noinline]] static FieldName long_field_name(const char* p, const char* end) noexcept {
    if (end - p <= 16) return {};
    const __m128i head = load16(p);
    const __m128i tail = load(p + 16, end);
    const unsigned colons = mask(_mm_cmpeq_epi8(tail, _mm_set1_epi8(':')));
    if (colons == 0) return ScalarScanner(end).field_name(p);
    const unsigned size = 16 + lowest(colons);
    const FieldSlot& found = slot(p, size);
    if (match(head, found.lower) == 0xFFFF && 16 + lowest(~match(tail, found.lower + 16)) > size) {
      return {size, found.id};
    }
    const bool usual =
        mask(usual_in_name(head)) == 0xFFFF && 16 + lowest(~mask(usual_in_name(tail))) >= size;
    return usual || is_token(p, size) ? FieldName{size} : FieldName{};
  }

  const char* end_;
  const char* last_;  // start of the last 16 bytes
};

using FastScanner = SSE2Scanner;

#else

using FastScanner = ScalarScanner;

#endif

}  // namespace coronado
