/// Where a rendering writes: straight into the memory of a string, without a check per character.
///
/// Layer: web.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace coronado::web {

/// Appends to a string. The string is longer than what was written until `finish`.
///
/// The writing members throw TemplateFault when there would be more than `limit` bytes.
/// Lifetime  The string must outlive it, and is nobody else's until `finish` or `discard`.
class TemplateOutput {
 public:
  /// What the writing members want free at the end, at most, beside what they write.
  static constexpr std::size_t kRoom = 128;

  /// Params  limit  Most bytes that may be written in all.
  TemplateOutput(std::string& text, std::size_t limit)
      : text_(text), start_(text.size()), used_(text.size()), limit_(limit) {
    open();
  }
  TemplateOutput(const TemplateOutput&) = delete;
  TemplateOutput& operator=(const TemplateOutput&) = delete;

  /// What was written since it was made, or since the last `clear`.
  std::size_t size() const noexcept { return static_cast<std::size_t>(cursor_ - begin_) - start_; }
  std::string_view since(std::size_t size) const noexcept {
    return {begin_ + start_ + size, this->size() - size};
  }
  /// Takes back what was written behind the first `size` bytes.
  void truncate(std::size_t size) noexcept { cursor_ = begin_ + start_ + size; }

  void write(std::string_view text) {
    ensure(text.size());
    // Unlike memcpy from nowhere, too, where the text is empty.
    std::char_traits<char>::copy(cursor_, text.data(), text.size());
    cursor_ += text.size();
  }

  /// As `write`, for text that is readable in whole steps of 16 bytes: what a `TemplateMemory` has.
  /// Returns  False, and nothing happened: there is no room.
  bool write_quickly(std::string_view text) noexcept {
    constexpr std::size_t kStep = 16;
    char* const out = cursor_;
    if (static_cast<std::size_t>(end_ - out) < text.size() + 2 * kStep) [[unlikely]]
      return false;
    std::memcpy(out, text.data(), kStep);
    if (text.size() > kStep) {
      std::memcpy(out + kStep, text.data() + kStep, kStep);
      for (std::size_t i = 2 * kStep; i < text.size(); i += kStep) {
        std::memcpy(out + i, text.data() + i, kStep);
      }
    }
    cursor_ = out + text.size();
    return true;
  }
  void write_padded(std::string_view text) {
    if (!write_quickly(text)) [[unlikely]]
      write(text);
  }

  /// Text of the program, and a value behind it.
  template <std::size_t N>
  void write_int_after(const char (&text)[N], std::int64_t value) {
    ensure(N + kDigits);
    char* const out = cursor_;
    std::memcpy(out, text, N - 1);
    if (static_cast<std::uint64_t>(value) > 99) {
      cursor_ = out + N - 1;
      return write_long_int(value);
    }
    cursor_ = write_two_digits(out + N - 1, value);
  }
  template <std::size_t N>
  void write_escaped_after(const char (&before)[N], std::string_view text) {
    ensure(N - 1 + text.size() + kMostEscaped);
    char* const out = cursor_;
    std::memcpy(out, before, N - 1);
    cursor_ = out + N - 1;
    write_where_room_is(text);
  }

  void write_int(std::int64_t value) {
    if (static_cast<std::uint64_t>(value) > 99) return write_long_int(value);
    ensure(2);
    cursor_ = write_two_digits(cursor_, value);
  }

  /// Room for `size` bytes, which the caller writes; `advance` says up to where.
  char* room(std::size_t size) {
    ensure(size);
    return cursor_;
  }
  void advance(char* end) noexcept { cursor_ = end; }

  /// Escaped as by `xhtml_escape`.
  void write_escaped(std::string_view text) {
    ensure(text.size() + kMostEscaped);
    write_where_room_is(text);
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
  void ensure(std::size_t more) {
    if (static_cast<std::size_t>(end_ - cursor_) < more) [[unlikely]]
      grow(more);
  }
  static constexpr std::size_t kDigits = 24;  // of a long integer
  static constexpr std::size_t kEscapeStep = 16;
  /// What so many bytes may become, and what is written at once.
  static constexpr std::size_t kMostEscaped = 6 * kEscapeStep + 8;

  static char* write_two_digits(char* out, std::int64_t value) {
    const auto digits = static_cast<std::uint32_t>(value);
    if (digits > 9) {
      out[0] = static_cast<char>('0' + digits / 10);
      out[1] = static_cast<char>('0' + digits % 10);
      return out + 2;
    }
    *out = static_cast<char>('0' + digits);
    return out + 1;
  }
  void open();
  /// As `write_escaped`: there is room for the text and what one block of it may become.
  void write_where_room_is(std::string_view text);
  [[gnu::noinline]] void write_short(std::string_view text);
  [[gnu::noinline]] void write_from(const char* at, const char* end);
  void write_long_int(std::int64_t value);
  [[gnu::noinline]] void grow(std::size_t more);

  std::string& text_;
  std::size_t start_;
  std::size_t used_;
  std::size_t limit_;
  std::size_t flushed_ = 0;
  char* begin_ = nullptr;
  char* cursor_ = nullptr;
  char* end_ = nullptr;
};

}  // namespace coronado::web
