/// Route patterns: which paths, hosts and methods a handler answers.
///
///     Pattern          a path or host pattern: literal with {parameters}, or a regular expression
///     re               marks a pattern as a regular expression, as Tornado's routes are
///     MethodMask       a set of request methods
///     RouteParameters  the pieces of the path that the parameters took
///
/// **Path patterns.** `/a/b` is literal. A parameter stands between braces, at most once in a
/// segment for the fast way, with literal text before or after it if you like: `/img{n:int}.png`.
///
///     {name}        one segment or the part of it between the literals, never empty
///     {name:int}    optional '-', digits; fits std::int64_t
///     {name:uint}   digits; fits std::uint64_t
///     {name:float}  optional '-', digits, optional '.' and digits
///     {name:slug}   letters, digits, '-' and '_'
///     {name:uuid}   8-4-4-4-12 hexadecimal digits
///     {name:path}   the rest of the path with its slashes, may be empty; only at the end
///
/// `{{` and `}}` stand for a brace. Several parameters in one segment (`/{title}-{id:int}`) are
/// allowed; the left ones take as much as they can, and such a route costs a regular expression.
///
/// **Regular expressions.** `re("/users/([0-9]+)")` must match the whole path. Its groups are all
/// named, `(?P<id>...)`, or all positional. RE2's syntax: Python's without look-around and
/// back-references, and linear in time whatever the client sends.
///
/// **Matching** is on the path as it came, without its query and *not* percent-decoded: `%2F` does
/// not split a segment, and the literal `/caf%C3%A9` is written as it is sent. Parameters are views
/// into that path; `RouteParameters::decoded` decodes one.
///
/// **The first match wins**: routes for a host before those for any, then in the order of
/// registration, over literal, parameter and regular expression routes alike. A route that matches the path but not the method does not end the
/// search.
///
/// **Host patterns** are `example.com`, `*.example.com` (one or more labels in front), or a regular
/// expression for the whole host, which sees lower case. The port and the letter case of the
/// request's host are ignored. An empty pattern matches any host.
///
/// Layer: web.   Tornado  `tornado.routing`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace coronado {

/// The text of a regular expression, told apart from a literal by its type.
struct Regex {
  std::string text;
};

/// Mark `text` as a regular expression.
///
///     app.add<UserHandler>(re("/users/([0-9]+)"));
Regex re(std::string_view text);

/// A path or host pattern as the user wrote it. It is parsed, and refused with `UsageError`, where
/// it is registered.
class Pattern {
 public:
  Pattern() = default;
  Pattern(const char* text);
  Pattern(std::string_view text);
  Pattern(std::string text);
  Pattern(Regex regex);
  // Each route has its pattern made and destroyed where it is added: in calls, not in place.
  Pattern(const Pattern&);
  Pattern(Pattern&&) noexcept;
  Pattern& operator=(const Pattern&);
  Pattern& operator=(Pattern&&) noexcept;
  ~Pattern();

  const std::string& text() const noexcept { return text_; }
  bool is_regex() const noexcept { return is_regex_; }

  friend bool operator==(const Pattern&, const Pattern&) = default;

 private:
  std::string text_;
  bool is_regex_ = false;
};

/// What a parameter accepts; the words after the colon in a path pattern.
enum class ParameterKind : std::uint8_t {
  kSegment,  ///< {name}
  kInt,      ///< {name:int}
  kUint,     ///< {name:uint}
  kFloat,    ///< {name:float}
  kSlug,     ///< {name:slug}
  kUUID,     ///< {name:uuid}
  kPath,     ///< {name:path}
  kGroup,    ///< a group of a regular expression
};

/// A set of request methods, one bit each.
using MethodMask = std::uint32_t;
inline constexpr MethodMask kMethodGet = 1u << 0;
inline constexpr MethodMask kMethodHead = 1u << 1;
inline constexpr MethodMask kMethodPost = 1u << 2;
inline constexpr MethodMask kMethodPut = 1u << 3;
inline constexpr MethodMask kMethodPatch = 1u << 4;
inline constexpr MethodMask kMethodDelete = 1u << 5;
inline constexpr MethodMask kMethodOptions = 1u << 6;
/// Every method without a bit of its own.
inline constexpr MethodMask kMethodOther = 1u << 31;
inline constexpr MethodMask kAnyMethod = ~MethodMask{0};

/// The bit of a method by its name, which is case-sensitive; `kMethodOther` for one not listed
/// above.
/// Spec  RFC 9110 9.1
MethodMask method_bit(std::string_view name) noexcept;

/// The parameters of a matched route, in the order of the pattern, without any allocation.
///
/// Lifetime  Views into the path given to the match and into the router; both must outlive it.
class RouteParameters {
 public:
  /// Most parameters one pattern may have; more are refused at registration.
  static constexpr std::size_t kMax = 16;

  RouteParameters() noexcept {}

  std::size_t size() const noexcept { return count_; }
  bool empty() const noexcept { return count_ == 0; }

  /// The bytes of the path that parameter `index` took, not percent-decoded. `data()` is null for a
  /// group of a regular expression that took no part in the match.
  std::string_view operator[](std::size_t index) const noexcept {
    const Span& span = spans_[index];
    if (span.offset == kAbsent) return {};
    return std::string_view(path_ + span.offset, span.length);
  }

  /// The name of parameter `index`; empty for a positional group.
  std::string_view name(std::size_t index) const noexcept {
    return names_ == nullptr ? std::string_view() : std::string_view(names_[index]);
  }

  /// The undecoded bytes of the parameter called `name`, if the route has one.
  std::optional<std::string_view> find(std::string_view name) const noexcept;

  /// The path has moved: follow it.
  void rebase(const char* path) noexcept { path_ = path; }

  /// Parameter `index`, percent-decoded ('+' stays '+').
  std::string decoded(std::size_t index) const;

 private:
  friend class RouteTable;
  static constexpr std::uint32_t kAbsent = ~std::uint32_t{0};
  struct Span {
    std::uint32_t offset;
    std::uint32_t length;
  };

  const char* path_ = nullptr;
  const std::string* names_ = nullptr;
  std::uint32_t count_ = 0;
  Span spans_[kMax];  // the first `count_` are set
};

}  // namespace coronado
