/// How C++ types look to a template.
///
///     bool, integers, floating point     bool, int, float
///     whatever converts to string_view   str
///     std::optional, pointers            None when empty, else what is inside
///     described structs                  an object: `row.id`; see <coronado/base/describe.hpp>
///     maps                               a dict: `d["key"]`, `d.key`, `d.items()`
///     other ranges                       a list: `xs[0]`, `len(xs)`, `{% for x in xs %}`
///     std::pair, std::tuple              a tuple
///     std::variant                       what it holds
///     Json                               None, bool, int, float, str, list, dict
///     callables                          a function; one that returns a `Task` wants `await`
///     enumerations                       int
///
/// Nothing is copied: a template reads the members and elements where they are.
///
/// A function takes its parameters from the template's arguments, by place or, with
/// `template_function({"path", "absolute"}, function)`, by name; a `std::optional` parameter may be
/// left out. A function of `TemplateCall&` takes the arguments as they come.
///
/// Layer: web.
#pragma once

#include <coronado/coro/task.hpp>
#include <coronado/web/template_types.hpp>

#include <array>
#include <concepts>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace coronado::web {

namespace detail {

// --- functions -------------------------------------------------------------------------------------

template <class F>
struct CallSignature : CallSignature<decltype(&F::operator())> {};
template <class R, class... Args>
struct CallSignature<R (*)(Args...)> {
  using Result = R;
  using Arguments = std::tuple<Args...>;
};
template <class R, class... Args>
struct CallSignature<R (*)(Args...) noexcept> : CallSignature<R (*)(Args...)> {};
template <class C, class R, class... Args>
struct CallSignature<R (C::*)(Args...)> : CallSignature<R (*)(Args...)> {};
template <class C, class R, class... Args>
struct CallSignature<R (C::*)(Args...) const> : CallSignature<R (*)(Args...)> {};
template <class C, class R, class... Args>
struct CallSignature<R (C::*)(Args...) noexcept> : CallSignature<R (*)(Args...)> {};
template <class C, class R, class... Args>
struct CallSignature<R (C::*)(Args...) const noexcept> : CallSignature<R (*)(Args...)> {};

template <class T>
inline constexpr bool kNotForTemplates = false;

template <class T>
struct OptionalValue {
  using type = void;
};
template <class T>
struct OptionalValue<std::optional<T>> {
  using type = T;
};

template <class T>
T convert_argument(const TemplateCall& call, std::string_view name, const TemplateValue& value) {
  using Inner = typename OptionalValue<T>::type;
  if constexpr (!std::is_void_v<Inner>) {
    if (value.is_undefined() || value.is_none()) return std::nullopt;
    return convert_argument<Inner>(call, name, value);
  } else if constexpr (std::same_as<T, TemplateValue>) {
    return value;
  } else if constexpr (std::same_as<T, bool>) {
    if (value.kind() != TemplateKind::kBool) throw_argument(call, name, "bool", value);
    return value.as_bool();
  } else if constexpr (std::integral<T>) {
    return static_cast<T>(
        to_template_int(call, name, value, static_cast<std::int64_t>(std::numeric_limits<T>::min()),
                        static_cast<std::uint64_t>(std::numeric_limits<T>::max())));
  } else if constexpr (std::floating_point<T>) {
    if (value.kind() == TemplateKind::kFloat) return static_cast<T>(value.as_float());
    if (!value.is_int()) throw_argument(call, name, "float", value);
    return static_cast<T>(value.as_int());
  } else if constexpr (std::same_as<T, std::string> || std::same_as<T, std::string_view>) {
    if (!value.is_string()) throw_argument(call, name, "str", value);
    return T(value.as_string());
  } else if constexpr (std::same_as<T, Json>) {
    return to_template_json(value);
  } else if constexpr (JsonDescribed<T>) {
    if (!value.is_object() || &value.type() != &kStructType<T>) {
      throw_argument(call, name, type_name<T>(), value);
    }
    return value.template as<const T>();
  } else {
    static_assert(kNotForTemplates<T>,
                  "a function that a template calls takes bool, numbers, std::string, "
                  "std::string_view, described structs, Json, TemplateValue, or a std::optional of "
                  "one of them");
  }
}

/// Throws  What the coroutine throws.
/// Cancel  Passed on to it.
template <class T>
Task<TemplateValue> bind_result(Task<T> task, TemplateMemory& memory) {
  if constexpr (std::is_void_v<T>) {
    co_await std::move(task);
    co_return TemplateValue();
  } else {
    T result = co_await std::move(task);
    co_return bind_made(std::move(result), memory);
  }
}

template <class F>
struct NamedFunction {
  F function;
  std::vector<std::string> names;
};

template <class F, class Arguments = typename CallSignature<F>::Arguments>
struct Invoker;
template <class F, class... Args>
struct Invoker<F, std::tuple<Args...>> {
  static constexpr std::size_t kCount = sizeof...(Args);
  static constexpr bool kRaw = kCount == 1 && (std::same_as<Args, TemplateCall&> || ... || false);

  /// Parameters from here on may be left out.
  static constexpr std::size_t required() {
    std::size_t count = 0;
    std::size_t index = 0;
    ((++index, std::is_void_v<typename OptionalValue<std::remove_cvref_t<Args>>::type>
                   ? count = index
                   : count),
     ...);
    return count;
  }

  static TemplateValue call(const F& constant, TemplateCall& call,
                            std::span<const std::string_view> names) {
    auto& function = const_cast<F&>(constant);  // lambdas may be mutable
    if constexpr (kRaw) {
      return finish([&]() -> decltype(auto) { return function(call); }, call);
    } else {
      std::array<TemplateValue, kCount + 1> bound;
      call.bind(names, required(), bound.data());
      return [&]<std::size_t... I>(std::index_sequence<I...>) {
        return finish(
            [&]() -> decltype(auto) {
              return function(
                  convert_argument<std::remove_cvref_t<Args>>(call, names[I], bound[I])...);
            },
            call);
      }(std::make_index_sequence<kCount>());
    }
  }

  template <class Invoke>
  static TemplateValue finish(Invoke&& invoke, TemplateCall& call) {
    using Result = decltype(invoke());
    if constexpr (std::is_void_v<Result>) {
      invoke();
      return TemplateValue();
    } else if constexpr (coronado::detail::IsTask<Result>::value) {
      return make_awaitable(call.memory(), bind_result(invoke(), call.memory()));
    } else {
      return bind_made(invoke(), call.memory());
    }
  }
};

// Parameters without a name of their own: no keyword is equal to the empty one.
template <std::size_t N>
inline constexpr std::array<std::string_view, N + 1> kNoNames{};

template <class F>
inline constexpr TemplateType kFunctionType = {
    .name = "function",
    .call =
        [](const void* object, TemplateCall& call) {
          using Call = Invoker<F>;
          return Call::call(*static_cast<const F*>(object), call,
                            std::span(kNoNames<Call::kCount>).first(Call::kCount));
        },
};

template <class F>
inline constexpr TemplateType kNamedFunctionType = {
    .name = "function",
    .call =
        [](const void* object, TemplateCall& call) {
          using Call = Invoker<F>;
          const auto& named = *static_cast<const NamedFunction<F>*>(object);
          std::array<std::string_view, Call::kCount + 1> names;
          for (std::size_t i = 0; i < Call::kCount && i < named.names.size(); ++i) {
            names[i] = named.names[i];
          }
          return Call::call(named.function, call, std::span(names).first(Call::kCount));
        },
};

template <class T>
struct IsNamedFunction : std::false_type {};
template <class F>
struct IsNamedFunction<NamedFunction<F>> : std::true_type {
  using type = F;
};

// --- the choice ------------------------------------------------------------------------------------

template <class T>
TemplateValue view_of(const T& value) {
  if constexpr (std::same_as<T, TemplateValue>) {
    return value;
  } else if constexpr (std::same_as<T, bool>) {
    return TemplateValue::boolean(value);
  } else if constexpr (std::same_as<T, std::nullptr_t> || std::same_as<T, std::nullopt_t>) {
    return TemplateValue();
  } else if constexpr (std::same_as<T, char>) {
    return TemplateValue::string({&value, 1});
  } else if constexpr (std::signed_integral<T>) {
    return TemplateValue::integer(value);
  } else if constexpr (std::integral<T>) {
    return bind_unsigned(value);
  } else if constexpr (std::floating_point<T>) {
    return TemplateValue::real(static_cast<double>(value));
  } else if constexpr (std::is_enum_v<T>) {
    return TemplateValue::integer(static_cast<std::int64_t>(value));
  } else if constexpr (std::convertible_to<const T&, std::string_view>) {
    return TemplateValue::string(value);
  } else if constexpr (std::same_as<T, Json>) {
    return bind_json(value);
  } else if constexpr (std::same_as<T, JsonObject>) {
    return bind_json_object(value);
  } else if constexpr (JsonDescribed<T>) {
    return TemplateValue::object(&value, kStructType<T>);
  } else if constexpr (JsonOptional<T>) {
    return value.has_value() ? view_of(*value) : TemplateValue();
  } else if constexpr (IsVariant<T>::value) {
    return std::visit([](const auto& held) { return view_of(held); }, value);
  } else if constexpr (IsNamedFunction<T>::value) {
    return TemplateValue::object(&value, kNamedFunctionType<typename IsNamedFunction<T>::type>);
  } else if constexpr (TemplateCallable<T>) {
    return TemplateValue::object(&value, kFunctionType<T>);
  } else if constexpr (TemplatePointer<T>) {
    return value ? view_of(*value) : TemplateValue();
  } else if constexpr (TemplateMap<T>) {
    return TemplateValue::object(&value, kMapType<T>);
  } else if constexpr (RandomAccess<T>) {
    return TemplateValue::object(&value, kSequenceType<T>);
  } else if constexpr (JsonRange<T>) {
    return TemplateValue::object(&value, kRangeType<T>);
  } else if constexpr (TupleLike<T>) {
    return TemplateValue::object(&value, kTupleType<T>);
  } else if constexpr (std::is_same_v<T, std::monostate>) {
    return TemplateValue();
  } else {
    static_assert(kNotForTemplates<T>,
                  "a template cannot read this type: describe it with BOOST_DESCRIBE_STRUCT and "
                  "include <coronado/base/describe.hpp>");
  }
}

}  // namespace detail

/// A view of `value` for templates, as the table at the top says.
/// Lifetime  `value` must outlive the view.
template <class T>
TemplateValue template_value(const T& value) {
  return detail::view_of(value);
}

/// A function whose parameters have names, so that a template may call it with them.
///
///     template_function({"path", "absolute"}, [](std::string path, std::optional<bool> absolute)
///     ...);
template <class F>
detail::NamedFunction<F> template_function(std::vector<std::string> names, F function) {
  return {std::move(function), std::move(names)};
}

}  // namespace coronado::web
