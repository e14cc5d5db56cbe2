/// What generated code is made of beside `TemplateRun`: its tables, and what it asks of types.
///
/// Programs need `<coronado/web/compiled_template.hpp>` instead.
///
/// Layer: web.
#pragma once

#include <coronado/web/template_binding.hpp>

#include <atomic>
#include <concepts>
#include <cstdint>
#include <iterator>
#include <span>
#include <string_view>
#include <type_traits>

namespace coronado::web {

class TemplateRun;

namespace detail {

/// A file of a generated template, and the directive that leads to it.
struct CompiledOrigin {
  std::string_view file;
  std::int32_t parent;  // -1: it is the template itself
  std::uint32_t line;
};
/// A place that errors can come from.
struct CompiledPlace {
  std::uint32_t origin;
  std::uint32_t line;
  std::uint32_t column;
};
struct CompiledInfo {
  std::string_view name;
  std::span<const CompiledOrigin> origins;
  std::span<const CompiledPlace> places;
};

/// The name of a method that a template calls. What it means for the engine's own types is looked up
/// once.
class MethodName {
 public:
  constexpr explicit MethodName(std::string_view name) noexcept : name_(name) {}
  std::string_view name() const noexcept { return name_; }

 private:
  friend class coronado::web::TemplateRun;
  std::string_view name_;
  std::atomic<const void*> site_ = nullptr;
};

template <class T>
inline constexpr bool kTemplateText = std::convertible_to<const T&, std::string_view>;
template <class T>
inline constexpr bool kTemplateInt =
    std::integral<T> && !std::same_as<T, bool> && !std::same_as<T, char>;
/// Integers that fit into 64 bits with a sign.
template <class T>
inline constexpr bool kSmallInt = kTemplateInt<T> && (std::is_signed_v<T> || sizeof(T) < 8);
template <class T>
inline constexpr bool kNumber = kSmallInt<T> || std::floating_point<T>;
/// Whose attributes are found by name while rendering.
template <class T>
inline constexpr bool kFoundByName =
    std::same_as<T, TemplateValue> || std::same_as<T, Json> || std::same_as<T, JsonObject> ||
    kTemplateText<T> || TemplateMap<T> || JsonRange<T> || IsVariant<T>::value || TupleLike<T>;
/// Whose elements are visited where they are.
template <class T>
concept DirectRange =
    JsonRange<T> && !TemplateMap<T> && !kTemplateText<T> && !std::same_as<T, JsonObject> &&
    requires(const T& range) { requires std::is_lvalue_reference_v<decltype(*std::begin(range))>; };

}  // namespace detail

}  // namespace coronado::web
