/// What a function handler may ask of a request, by the types of its parameters.
///
///     Query<"name", T>   an argument of the query; with a std::vector all of that name
///     Header<"Name", T>  a field
///     Cookie<"name", T>  a cookie
///     Extension<T>       what middleware has kept with the request
///     (JsonBody is in <coronado/web/json.hpp>, Form in <coronado/web/form.hpp>, State in
///     <coronado/web/application.hpp>)
///
/// `T` is a `bool`, a number or a std::string, or an std::optional of one, which may be missing.
///
/// Layer: web.
#pragma once

#include <coronado/http/server_request.hpp>
#include <coronado/web/exchange.hpp>
#include <coronado/web/operation.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace coronado::web {

/// A string as a template argument.
template <std::size_t N>
struct FixedString {
  consteval FixedString(const char (&text)[N]) {
    for (std::size_t i = 0; i < N; ++i) characters[i] = text[i];
  }
  constexpr std::string_view view() const { return {characters, N - 1}; }
  char characters[N];
};

namespace detail {

template <class T>
struct IsOptional : std::false_type {};
template <class T>
struct IsOptional<std::optional<T>> : std::true_type {};
template <class T>
struct IsVector : std::false_type {};
template <class T>
struct IsVector<std::vector<T>> : std::true_type {};

// Text to values. They throw HTTPError(400) that names `what`.
std::int64_t to_signed(std::string_view text, std::int64_t least, std::int64_t most,
                       std::string_view what);
std::uint64_t to_unsigned(std::string_view text, std::uint64_t most, std::string_view what);
double to_double(std::string_view text, std::string_view what);
bool to_bool(std::string_view text, std::string_view what);
std::string to_text(std::string_view text, std::string_view what);
[[noreturn]] void throw_missing(std::string_view kind, std::string_view name);

/// `text` as a `T`.
template <class T>
T convert(std::string_view text, std::string_view what) {
  if constexpr (std::is_same_v<T, bool>) {
    return to_bool(text, what);
  } else if constexpr (std::is_integral_v<T> && std::is_signed_v<T>) {
    return static_cast<T>(
        to_signed(text, std::numeric_limits<T>::min(), std::numeric_limits<T>::max(), what));
  } else if constexpr (std::is_integral_v<T>) {
    return static_cast<T>(to_unsigned(text, std::numeric_limits<T>::max(), what));
  } else if constexpr (std::is_floating_point_v<T>) {
    return static_cast<T>(to_double(text, what));
  } else if constexpr (std::is_same_v<T, std::string>) {
    return to_text(text, what);
  } else {
    throw_missing("conversion for", what);
  }
}

/// True for what `convert` makes of text, and for an std::optional of it.
template <class T>
constexpr bool kIsConvertible = std::is_arithmetic_v<T> || std::is_same_v<T, std::string>;
template <class T>
constexpr bool kIsConvertible<std::optional<T>> = kIsConvertible<T>;
template <class T>
constexpr bool kIsConvertible<std::vector<T>> = kIsConvertible<T>;

std::optional<std::string> query_argument(const HTTPServerRequest& request, std::string_view name);
std::vector<std::string> all_query_arguments(const HTTPServerRequest& request,
                                             std::string_view name);
[[noreturn]] void throw_no_extension(std::string_view type);

/// `text` as a `T`; what has no text is missing, unless `T` is an std::optional.
template <class T>
T convert_found(const std::optional<std::string_view>& text, std::string_view kind,
                std::string_view name) {
  if constexpr (IsOptional<T>::value) {
    if (!text) return std::nullopt;
    return convert<typename T::value_type>(*text, name);
  } else {
    if (!text) throw_missing(kind, name);
    return convert<T>(*text, name);
  }
}

}  // namespace detail

/// The last argument `Name` of the query.
template <FixedString Name, class T = std::string>
struct Query {
  static constexpr bool kConvertible = detail::kIsConvertible<T>;
  T value;
  const T& operator*() const noexcept { return value; }
  const T* operator->() const noexcept { return &value; }

  /// Throws  HTTPError(400)  It is missing, or no `T`.
  static Query from_request(const HTTPServerRequest& request) {
    if constexpr (detail::IsVector<T>::value) {
      T all;
      for (const std::string& text : detail::all_query_arguments(request, Name.view())) {
        all.push_back(detail::convert<typename T::value_type>(text, Name.view()));
      }
      return {std::move(all)};
    } else {
      const std::optional<std::string> text = detail::query_argument(request, Name.view());
      return {detail::convert_found<T>(text, "argument", Name.view())};
    }
  }
  static void describe(Operation& operation) {
    constexpr bool required = !detail::IsOptional<T>::value && !detail::IsVector<T>::value;
    detail::add_parameter(operation, "query", Name.view(), required,
                          detail::TextSchemaOf<T>::value);
  }
};

/// The first field `Name` of the request.
template <FixedString Name, class T = std::string>
struct Header {
  static constexpr bool kConvertible = detail::kIsConvertible<T>;
  T value;
  const T& operator*() const noexcept { return value; }
  const T* operator->() const noexcept { return &value; }

  /// Throws  HTTPError(400)  It is missing, or no `T`.
  static Header from_request(const HTTPServerRequest& request) {
    return {detail::convert_found<T>(request.header(Name.view()), "header", Name.view())};
  }
  static void describe(Operation& operation) {
    detail::add_parameter(operation, "header", Name.view(), !detail::IsOptional<T>::value,
                          detail::TextSchemaOf<T>::value);
  }
};

/// The cookie `Name` of the request.
template <FixedString Name, class T = std::string>
struct Cookie {
  static constexpr bool kConvertible = detail::kIsConvertible<T>;
  T value;
  const T& operator*() const noexcept { return value; }
  const T* operator->() const noexcept { return &value; }

  /// Throws  HTTPError(400)  It is missing, or no `T`.
  static Cookie from_request(const HTTPServerRequest& request) {
    return {detail::convert_found<T>(request.cookie(Name.view()), "cookie", Name.view())};
  }
  static void describe(Operation& operation) {
    detail::add_parameter(operation, "cookie", Name.view(), !detail::IsOptional<T>::value,
                          detail::TextSchemaOf<T>::value);
  }
};

/// What middleware has kept with the request by `WebExchange::set_extension`.
/// Lifetime  The request's.
template <class T>
class Extension {
 public:
  explicit Extension(T& value) noexcept : value_(&value) {}
  T& operator*() const noexcept { return *value_; }
  T* operator->() const noexcept { return value_; }

  /// Throws  std::logic_error  Nobody has kept a `T`: answered with 500.
  static Extension from_exchange(WebExchange& exchange) {
    T* value = exchange.extension<T>();
    if (value == nullptr) detail::throw_no_extension(__PRETTY_FUNCTION__);
    return Extension(*value);
  }

 private:
  T* value_;
};

}  // namespace coronado::web
