/// A compiled regular expression: RE2 behind a small face, matched in linear time.
///
/// Layer: base.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace coronado {

class CompiledRegex {
 public:
  /// Most groups that can be asked for at once.
  static constexpr std::size_t kMaxGroups = 16;

  /// Compile `pattern`. Text and pattern are bytes (Latin-1), so any input can be matched.
  /// Throws  UsageError  The pattern is not RE2 syntax; the message names it and the place.
  explicit CompiledRegex(std::string_view pattern);
  ~CompiledRegex();
  CompiledRegex(CompiledRegex&&) noexcept;
  CompiledRegex& operator=(CompiledRegex&&) noexcept;

  std::size_t group_count() const noexcept { return names_.size(); }

  /// The names of the groups in order; empty for a positional one.
  const std::vector<std::string>& group_names() const noexcept { return names_; }

  /// Whether the whole of `text` matches; `groups` receives at most its size of groups, with a null
  /// view for one that took no part.
  bool full_match(std::string_view text, std::span<std::string_view> groups = {}) const;

  /// Where the leftmost match in `text` ends; `npos` without one.
  std::size_t find_end(std::string_view text) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
  std::vector<std::string> names_;
};

}  // namespace coronado
