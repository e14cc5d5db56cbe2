/// `OutputBuffer`: bytes on their way to a socket, appended without initialising or re-checking.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>

namespace coronado {

class OutputBuffer {
 public:
  /// Room for `size` more bytes; `commit` says how many were written there.
  /// Lifetime  Until the next call.
  char* reserve(std::size_t size) {
    if (capacity_ - size_ < size) [[unlikely]]
      grow(size);
    return bytes_.get() + size_;
  }
  void commit(const char* end) noexcept { size_ = static_cast<std::size_t>(end - bytes_.get()); }

  void append(std::string_view text) {
    if (text.empty()) return;  // perhaps without an address
    char* place = reserve(text.size());
    std::memcpy(place, text.data(), text.size());
    size_ += text.size();
  }

  bool empty() const noexcept { return size_ == 0; }
  std::size_t size() const noexcept { return size_; }
  std::string_view view() const noexcept { return {bytes_.get(), size_}; }

  /// Forgets the bytes, and gives back what an unusually large response needed.
  void clear() noexcept {
    size_ = 0;
    if (capacity_ > kKept) [[unlikely]] {
      bytes_.reset();
      capacity_ = 0;
    }
  }

 private:
  static constexpr std::size_t kSmallest = 16 * 1024;
  static constexpr std::size_t kKept = 1024 * 1024;

  void grow(std::size_t size) {
    std::size_t wanted = capacity_ == 0 ? kSmallest : capacity_ * 2;
    while (wanted - size_ < size) wanted *= 2;
    std::unique_ptr<char[]> larger(new char[wanted]);
    if (size_ != 0) std::memcpy(larger.get(), bytes_.get(), size_);
    bytes_ = std::move(larger);
    capacity_ = wanted;
  }

  std::unique_ptr<char[]> bytes_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

/// Copies `text` to `place`; returns the end.
inline char* put(char* place, std::string_view text) noexcept {
  if (text.empty()) return place;  // perhaps without an address
  std::memcpy(place, text.data(), text.size());
  return place + text.size();
}

/// Writes `value` in decimal; returns the end. Needs room for 20 characters.
inline char* put_decimal(char* place, std::uint64_t value) noexcept {
  int digits = 1;
  for (std::uint64_t rest = value; rest >= 10; rest /= 10) ++digits;
  char* const end = place + digits;
  for (char* next = end; digits > 0; --digits) {
    *--next = static_cast<char>('0' + value % 10);
    value /= 10;
  }
  return end;
}

}  // namespace coronado
