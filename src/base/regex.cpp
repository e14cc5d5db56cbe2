#include "base/regex.hpp"

#include <coronado/base/error.hpp>

#include <re2/re2.h>

#include <algorithm>
#include <array>

namespace coronado {
namespace {

RE2::Options options() {
  RE2::Options options;
  options.set_encoding(RE2::Options::EncodingLatin1);
  options.set_log_errors(false);
  options.set_dot_nl(true);
  return options;
}

// RE2 names the offending part but not where it stands; its first occurrence is the place.
std::string describe(std::string_view pattern, const RE2& regex) {
  std::string text = "regular expression '" + std::string(pattern) + "': " + regex.error();
  const std::size_t place = pattern.find(regex.error_arg());
  if (!regex.error_arg().empty() && place != std::string_view::npos) {
    text += " at offset " + std::to_string(place);
  }
  return text;
}

}  // namespace

struct CompiledRegex::Impl {
  explicit Impl(std::string_view pattern)
      : regex(re2::StringPiece(pattern.data(), pattern.size()), options()) {}
  RE2 regex;
};

CompiledRegex::CompiledRegex(std::string_view pattern) : impl_(std::make_unique<Impl>(pattern)) {
  const RE2& regex = impl_->regex;
  if (!regex.ok()) throw UsageError(describe(pattern, regex));
  names_.resize(static_cast<std::size_t>(regex.NumberOfCapturingGroups()));
  for (const auto& [index, name] : regex.CapturingGroupNames()) {
    names_[static_cast<std::size_t>(index) - 1] = name;
  }
}

CompiledRegex::~CompiledRegex() = default;
CompiledRegex::CompiledRegex(CompiledRegex&&) noexcept = default;
CompiledRegex& CompiledRegex::operator=(CompiledRegex&&) noexcept = default;

bool CompiledRegex::full_match(std::string_view text, std::span<std::string_view> groups) const {
  std::array<re2::StringPiece, kMaxGroups + 1> found;
  const std::size_t wanted = std::min({groups.size(), names_.size(), kMaxGroups});
  // Entry 0 is the whole match; asking for nothing lets RE2 skip the search for its bounds.
  const int asked = wanted == 0 ? 0 : static_cast<int>(wanted) + 1;
  if (!impl_->regex.Match(re2::StringPiece(text.data(), text.size()), 0, text.size(),
                          RE2::ANCHOR_BOTH, found.data(), asked)) {
    return false;
  }
  for (std::size_t i = 0; i < wanted; ++i) {
    groups[i] = std::string_view(found[i + 1].data(), found[i + 1].size());
  }
  return true;
}

std::size_t CompiledRegex::find_end(std::string_view text) const {
  re2::StringPiece found;
  if (!impl_->regex.Match(re2::StringPiece(text.data(), text.size()), 0, text.size(),
                          RE2::UNANCHORED, &found, 1)) {
    return std::string_view::npos;
  }
  // A match of nothing in no text has no place of its own.
  return found.data() == nullptr
             ? 0
             : static_cast<std::size_t>(found.data() + found.size() - text.data());
}

}  // namespace coronado
