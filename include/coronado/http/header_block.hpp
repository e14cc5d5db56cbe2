/// `HeaderBlock`: response header fields, kept as the bytes that go on the wire.
///
/// Layer: http.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace coronado {

/// Fields in order, each "Name: value" and CRLF. They are few and short: looking one up is a walk,
/// and the usual response needs no memory beside the block.
class HeaderBlock {
 public:
  /// Fields whose presence is asked for with every response.
  enum Known : std::uint8_t {
    kUnknown = 0,
    kDate = 1,
    kServer = 2,
    kContentType = 4,
    kContentLength = 8,
    kConnection = 16,
    kTransferEncoding = 32,
  };

  HeaderBlock() noexcept {}
  HeaderBlock(const HeaderBlock& other) { *this = other; }
  HeaderBlock& operator=(const HeaderBlock& other);

  /// Replaces every field of that name.
  /// Throws  std::invalid_argument  The name is no token, or the value has control characters: the
  ///                                message shows it. Nothing is changed then.
  void set(std::string_view name, std::string_view value);

  /// Adds one more field of that name.   Throws  As `set`.
  void add(std::string_view name, std::string_view value);

  /// Removes every field of that name (in any case).
  void erase(std::string_view name) noexcept;

  /// The first value of that name.   Lifetime  Until the next change.
  std::optional<std::string_view> find(std::string_view name) const noexcept;
  bool contains(std::string_view name) const noexcept { return find(name).has_value(); }
  /// Cost  One test.
  bool contains(Known field) const noexcept { return (known_ & field) != 0; }

  /// Appends a field known to be right, already in wire form with its CRLF.
  void append_wire(std::string_view text, Known field = kUnknown);

  void clear() noexcept;
  bool empty() const noexcept { return size_ == 0 && more_.empty(); }
  std::string_view wire() const noexcept {
    return more_.empty() ? std::string_view(inline_, size_) : std::string_view(more_);
  }

 private:
  static constexpr std::size_t kInline = 190;

  void append(std::string_view name, std::string_view value);
  char* grow(std::size_t size);

  std::string more_;  // all of it, once it does not fit
  std::uint8_t size_ = 0;
  std::uint8_t known_ = 0;
  char inline_[kInline];  // the first `size_` are set
};

}  // namespace coronado
