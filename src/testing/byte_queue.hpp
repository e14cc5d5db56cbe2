/// `ByteQueue`: bytes that are appended at one end and taken from the other.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

namespace coronado {

class ByteQueue {
 public:
  bool empty() const noexcept { return begin_ == bytes_.size(); }
  std::size_t size() const noexcept { return bytes_.size() - begin_; }
  std::string_view view() const noexcept { return std::string_view(bytes_).substr(begin_); }

  void append(std::string_view bytes) { bytes_.append(bytes); }

  /// Takes out what is there, and at most `most`.
  std::string take(std::size_t most) {
    std::string taken(view().substr(0, most));
    drop(taken.size());
    return taken;
  }
  void drop(std::size_t count) noexcept {
    begin_ += std::min(count, size());
    if (begin_ == bytes_.size()) return clear();
    if (begin_ > 4096 && begin_ > bytes_.size() / 2) {  // moves each byte once at most
      bytes_.erase(0, begin_);
      begin_ = 0;
    }
  }
  void clear() noexcept {
    bytes_.clear();
    begin_ = 0;
  }

 private:
  std::string bytes_;
  std::size_t begin_ = 0;
};

}  // namespace coronado
