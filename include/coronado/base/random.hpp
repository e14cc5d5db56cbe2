/// A small generator of random numbers, the same on every machine for the same seed.
///
///     Random        a sequence from a seed
///     random_seed   a seed that nobody has chosen
///
/// For jitter, shuffling and tests. Nothing here is fit for secrets.
///
/// Layer: base.
#pragma once

#include <cstdint>

namespace coronado {

/// SplitMix64: eight bytes of state, every seed as good as the other.
class Random {
 public:
  explicit Random(std::uint64_t seed) noexcept : state_(seed) {}

  /// The next of the sequence, all 64 bits of it random.
  std::uint64_t next() noexcept {
    std::uint64_t mixed = (state_ += 0x9e3779b97f4a7c15U);
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9U;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebU;
    return mixed ^ (mixed >> 31);
  }

  /// One of 0 to `limit` - 1, each as likely; `limit` is at least 1.
  std::uint32_t below(std::uint32_t limit) noexcept {
    return static_cast<std::uint32_t>(((next() >> 32) * limit) >> 32);
  }

  /// From 0 up to, not including, 1.
  double unit() noexcept { return static_cast<double>(next() >> 11) * 0x1p-53; }

 private:
  std::uint64_t state_;
};

/// A seed from the system, never 0.
/// Threads  Any.
std::uint64_t random_seed();

}  // namespace coronado
