/// `HeaderBlock`: response header fields, kept as the bytes that go on the wire.
///
/// Layer: http.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace coronado {

/// Fields in order, each "Name: value" and CRLF. Few and short: looking one up is a walk.
class HeaderBlock {
 public:
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

  /// Appends text that is already in wire form and known to be right.
  void append_wire(std::string_view text) { text_.append(text); }

  void clear() noexcept { text_.clear(); }
  bool empty() const noexcept { return text_.empty(); }
  std::string_view wire() const noexcept { return text_; }

 private:
  std::string text_;
};

}  // namespace coronado
