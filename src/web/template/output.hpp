/// Where a rendering writes: straight into the memory of a string, without a check per character.
///
/// Layer: web.
#pragma once

#include <coronado/base/escape.hpp>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "web/template/objects.hpp"

namespace coronado::web::templates {

/// Appends to a string. The string is longer than what was written until `finish`.
class Output {
 public:
  Output(std::string& text, std::size_t limit)
      : text_(text), start_(text.size()), used_(text.size()), limit_(limit) {
    open();
  }
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  std::size_t size() const noexcept { return static_cast<std::size_t>(cursor_ - begin_) - start_; }
  std::string_view since(std::size_t size) const noexcept {
    return {begin_ + start_ + size, this->size() - size};
  }
  void truncate(std::size_t size) noexcept { cursor_ = begin_ + start_ + size; }

  void write(std::string_view text) {
    ensure(text.size());
    std::memcpy(cursor_, text.data(), text.size());
    cursor_ += text.size();
  }

  /// As `write`, for text in a `TemplateMemory`: readable in whole steps of 16 bytes.
  void write_padded(std::string_view text) {
    constexpr std::size_t kStep = 16;
    ensure(text.size() + kStep);
    if (text.size() > 16 * kStep) {
      std::memcpy(cursor_, text.data(), text.size());
    } else {
      for (std::size_t i = 0; i < text.size(); i += kStep) {
        std::memcpy(cursor_ + i, text.data() + i, kStep);
      }
    }
    cursor_ += text.size();
  }

  void write_int(std::int64_t value) {
    ensure(24);
    cursor_ = std::to_chars(cursor_, cursor_ + 24, value).ptr;
  }

  /// Escaped as by `xhtml_escape`.
  void write_escaped(std::string_view text) {
    const char* at = text.data();
    const char* const end = at + text.size();
    for (;;) {
      const char* special = find_xhtml_special(at, end);
      write({at, static_cast<std::size_t>(special - at)});
      if (special == end) return;
      write(xhtml_reference(*special));
      at = special + 1;
    }
  }

  /// Gives the string its length.
  void finish() { text_.resize(start_ + size()); }
  /// The string is as it was before.
  void discard() noexcept { text_.resize(start_); }
  /// What was written is taken by the caller, who calls this.
  void clear() {
    flushed_ += size();
    used_ = start_;
    open();
  }

 private:
  static constexpr std::size_t kSlack = 64;  // what `write_int` and its kin ask for too much

  void ensure(std::size_t more) {
    if (static_cast<std::size_t>(end_ - cursor_) < more) [[unlikely]]
      grow(more);
  }

  void open() {
    text_.resize_and_overwrite(text_.capacity(), [](char*, std::size_t size) { return size; });
    begin_ = text_.data();
    cursor_ = begin_ + used_;
    // Behind the limit nothing is written, and growing says so.
    end_ = begin_ + std::min(text_.size(), start_ + (limit_ - std::min(flushed_, limit_)) + kSlack);
  }

  [[gnu::noinline]] void grow(std::size_t more) {
    used_ = static_cast<std::size_t>(cursor_ - begin_);
    if (flushed_ + size() + more > limit_ + kSlack) {
      fail(TemplateErrorClass::kLimit, "the output exceeds " + std::to_string(limit_) + " bytes");
    }
    text_.resize_and_overwrite(std::max(2 * text_.size(), used_ + more + 512),
                               [](char*, std::size_t size) { return size; });
    open();
  }

  std::string& text_;
  std::size_t start_;
  std::size_t used_;
  std::size_t limit_;
  std::size_t flushed_ = 0;
  char* begin_ = nullptr;
  char* cursor_ = nullptr;
  char* end_ = nullptr;
};

}  // namespace coronado::web::templates
