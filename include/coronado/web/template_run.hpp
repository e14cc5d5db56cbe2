/// What generated code is made of: one rendering of a template that became C++.
///
/// Programs need `<coronado/web/compiled_template.hpp>` instead. Each step has two ways: where the
/// compiler knows the types it is plain C++; else the values become `TemplateValue`s, and what
/// happens is what the run-time engine does.
///
/// Layer: web.
#pragma once

#include <coronado/web/template_format.hpp>
#include <coronado/web/template_namespace.hpp>
#include <coronado/web/template_output.hpp>
#include <coronado/web/template_traits.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <initializer_list>
#include <limits>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

namespace coronado::web {

namespace templates {
class CompiledRun;
}  // namespace templates

/// What `for` takes.
template <class T>
concept TemplateIterable = detail::kFoundByName<T> || JsonDescribed<T> || detail::JsonOptional<T> ||
                           detail::TemplatePointer<T>;

/// One rendering. `site` is the number of a place in the template, for errors.
class TemplateRun {
 public:
  TemplateRun(const TemplateRun&) = delete;
  TemplateRun& operator=(const TemplateRun&) = delete;

  // --- output ----------------------------------------------------------------------------------

  template <std::size_t N>
  void text(const char (&literal)[N]) {
    out_.write({literal, N - 1});
  }

  /// Writes text, and a value, escaped as HTML.
  template <std::size_t N, class Context, class T>
  void emit(const char (&before)[N], std::uint32_t site, const Context& context, const T& value) {
    site_ = site;
    if constexpr (requires { context.xhtml_escape; }) {
      text(before);
      emit_with(detail::view_of(context.xhtml_escape), detail::view_of(value));
    } else if constexpr (detail::kSmallInt<T>) {
      if (!escape_is_own_) [[likely]]
        return out_.write_int_after(before, value);
      text(before);
      emit_value(TemplateValue::integer(value));
    } else if constexpr (detail::kTemplateText<T>) {
      if (!escape_is_own_) [[likely]]
        return out_.write_escaped_after(before, std::string_view(value));
      text(before);
      emit_value(TemplateValue::string(std::string_view(value)));
    } else {
      text(before);
      emit_value(detail::view_of(value));
    }
  }
  /// Whether values are escaped as by `xhtml_escape`, and not as the context or the scope says.
  template <class Context>
  bool escapes(const Context&) const noexcept {
    if constexpr (requires(const Context& context) { context.xhtml_escape; }) {
      return false;
    } else {
      return !escape_is_own_;
    }
  }
  /// Writes a value as a field says, escaped as by `xhtml_escape`.
  template <class T>
  void emit_field(std::uint32_t site, const TemplateFormatField& field, const T& value) {
    emit_field_value(site, field, detail::view_of(value));
  }
  /// Writes `percent % value`, escaped. Text of the template is already written.
  template <class Context, class T>
  void emit_percent(std::uint32_t site, const Context& context, const TemplatePercent& percent,
                    const T& value) {
    if (escapes(context)) [[likely]]
      return emit_percent_value(site, percent, detail::view_of(value));
    emit("", site, context, percent_value(site, percent, detail::view_of(value)));
  }
  template <class T>
  void emit_raw(std::uint32_t site, const T& value) {
    site_ = site;
    if constexpr (detail::kTemplateText<T>) {
      out_.write(std::string_view(value));
    } else {
      emit_raw_value(detail::view_of(value));
    }
  }

  std::size_t begin_capture();
  void end_capture(std::uint32_t site, const TemplateValue& function);

  // --- names -----------------------------------------------------------------------------------

  /// A name that the context may have; else the scope's, or one that every template has.
  template <class Context, class Get>
  decltype(auto) outer(const Context& context, std::string_view name, Get get) {
    if constexpr (std::invocable<Get, const Context&>) {
      return get(context);
    } else {
      return find_outer(name);
    }
  }
  /// The same as the first value of a variable, which may be undefined.
  template <class Context, class Get>
  TemplateValue initial(const Context& context, std::string_view name, Get get) {
    return detail::view_of(outer(context, name, get));
  }
  template <class T>
  const T& defined(std::uint32_t site, const T& value, std::string_view name) {
    if constexpr (std::same_as<T, TemplateValue>) {
      if (value.is_undefined()) [[unlikely]]
        fail_name(site, name);
    }
    return value;
  }
  TemplateValue import(std::uint32_t site, std::string_view module);

  /// The value as something that lives until the rendering ends.
  template <class T>
  TemplateValue value(T&& value) {
    return detail::bind_made(std::forward<T>(value), memory_);
  }

  // --- attributes and elements -------------------------------------------------------------------

  /// Params  get  Reads the member: what the compiler checks.
  template <class T, class Get>
  decltype(auto) attribute(std::uint32_t site, const T& object, std::string_view name, Get get) {
    if constexpr (detail::kFoundByName<T>) {
      return attribute_value(site, detail::view_of(object), name);
    } else if constexpr (detail::JsonOptional<T> || detail::TemplatePointer<T>) {
      if (!object) fail_none(site, name);
      return attribute(site, *object, name, get);
    } else {
      return get(object);
    }
  }
  TemplateValue attribute_value(std::uint32_t site, const TemplateValue& object,
                                std::string_view name);

  template <class T, class Index>
  decltype(auto) item(std::uint32_t site, const T& object, const Index& index) {
    if constexpr (detail::DirectRange<T> && detail::RandomAccess<T> && detail::kSmallInt<Index>) {
      const auto size = static_cast<std::int64_t>(std::size(object));
      std::int64_t at = index;
      if (at < 0) at += size;
      if (at < 0 || at >= size)
        item_value(site, detail::view_of(object), TemplateValue::integer(index));
      return *(std::begin(object) + at);
    } else {
      return item_value(site, detail::view_of(object), detail::view_of(index));
    }
  }
  TemplateValue slice(std::uint32_t site, const TemplateValue& object, const TemplateValue& start,
                      const TemplateValue& stop, const TemplateValue& step);
  void set_item(std::uint32_t site, const TemplateValue& object, const TemplateValue& index,
                const TemplateValue& item);
  void unpack(std::uint32_t site, const TemplateValue& value, std::span<TemplateValue> parts);

  // --- operators ---------------------------------------------------------------------------------

  template <class T>
  bool truth(std::uint32_t site, const T& value) {
    if constexpr (std::same_as<T, bool> || detail::kTemplateInt<T> || std::floating_point<T>) {
      return value != T{};
    } else if constexpr (detail::kTemplateText<T>) {
      return !std::string_view(value).empty();
    } else if constexpr (detail::DirectRange<T> && requires { value.empty(); }) {
      return !value.empty();
    } else {
      return truth_value(site, detail::view_of(value));
    }
  }

  template <TemplateOperator op, class A, class B>
  bool compare(std::uint32_t site, const A& a, const B& b) {
    using enum TemplateOperator;
    if constexpr (op >= kEqual && op <= kGreaterEqual &&
                  ((detail::kSmallInt<A> && detail::kSmallInt<B>) ||
                   (std::floating_point<A> && std::floating_point<B>))) {
      if constexpr (std::floating_point<A>)
        return ordered<op>(a, b);
      else
        return ordered<op>(std::int64_t{a}, std::int64_t{b});
    } else if constexpr (op >= kEqual && op <= kGreaterEqual && detail::kTemplateText<A> &&
                         detail::kTemplateText<B>) {
      return ordered<op>(std::string_view(a), std::string_view(b));
    } else if constexpr (op >= kEqual && op <= kGreaterEqual && std::floating_point<A> &&
                         detail::kSmallInt<B>) {
      constexpr std::int64_t kExact = std::int64_t{1} << 53;
      if (b <= kExact && b >= -kExact) return ordered<op>(double{a}, static_cast<double>(b));
      return compare_values(site, op, detail::view_of(a), detail::view_of(b));
    } else {
      return compare_values(site, op, detail::view_of(a), detail::view_of(b));
    }
  }

  template <TemplateOperator op, class A, class B>
  auto binary(std::uint32_t site, const A& a, const B& b) {
    using enum TemplateOperator;
    static_assert(op != kSubtract || !(detail::kTemplateText<A> || detail::kTemplateText<B>),
                  "text cannot be subtracted");
    static_assert(op != kAdd || !((detail::kTemplateText<A> && detail::kNumber<B>) ||
                                  (detail::kNumber<A> && detail::kTemplateText<B>)),
                  "text and a number cannot be added: use str()");
    if constexpr (detail::kSmallInt<A> && detail::kSmallInt<B> &&
                  (op == kAdd || op == kSubtract || op == kMultiply || op == kModulo)) {
      return binary_integers<op>(site, a, b);
    } else if constexpr (detail::kNumber<A> && detail::kNumber<B> &&
                         (op == kAdd || op == kSubtract || op == kMultiply)) {
      const auto x = static_cast<double>(a);
      const auto y = static_cast<double>(b);
      return op == kAdd ? x + y : op == kSubtract ? x - y : x * y;
    } else {
      return binary_value(site, op, detail::view_of(a), detail::view_of(b));
    }
  }
  template <class T>
  TemplateValue percent(std::uint32_t site, const TemplatePercent& percent, const T& value) {
    return percent_value(site, percent, detail::view_of(value));
  }
  TemplateValue unary_value(std::uint32_t site, TemplateOperator op, const TemplateValue& value);

  // --- calls and displays ------------------------------------------------------------------------

  using Values = std::initializer_list<TemplateValue>;
  using Keywords = std::initializer_list<std::string_view>;

  template <class F>
  TemplateValue call(std::uint32_t site, std::string_view name, const F& callee, Values arguments,
                     Keywords keywords = {}) {
    return call_value(site, name, detail::view_of(callee), arguments, keywords);
  }
  /// `object.name(...)`. Methods come before members of the same name.
  template <class T, class Get>
  TemplateValue call_method(std::uint32_t site, const T& object, detail::MethodName& name, Get get,
                            Values arguments, Keywords keywords = {}) {
    if constexpr (detail::kFoundByName<T>) {
      return method_value(site, detail::view_of(object), name, arguments, keywords);
    } else {
      return call_value(site, name.name(),
                        detail::view_of(attribute(site, object, name.name(), get)), arguments,
                        keywords);
    }
  }
  TemplateValue list(Values values);
  TemplateValue tuple(Values values);
  TemplateValue dict(std::uint32_t site, Values pairs);
  void append(const TemplateValue& list, const TemplateValue& value);
  void put(std::uint32_t site, const TemplateValue& dict, const TemplateValue& key,
           const TemplateValue& value);
  TemplateValue join(Values parts);
  TemplateValue format(std::uint32_t site, const TemplateValue& value, const TemplateValue& spec,
                       char conversion);
  TemplateValue field(std::uint32_t site, const TemplateFormatField& field,
                      const TemplateValue& value);
  TemplateValue to_text(std::uint32_t site, const TemplateValue& value);

  /// A function of the template. Lifetime  What `function` refers to lives as long as the run.
  template <class F>
  TemplateValue lambda(std::span<const std::string_view> names, F function) {
    return detail::view_of(memory_.make<Lambda<F>>(this, names, std::move(function)));
  }

  // --- control -----------------------------------------------------------------------------------

  /// Counts a turn of a loop.
  void step(std::uint32_t site) {
    if (*steps_left_ == 0) [[unlikely]]
      fail_steps(site);
    --*steps_left_;
  }

  /// Whether a piece of output must be written before the rendering goes on.
  bool piece_is_ready() const noexcept { return out_.size() >= piece_size_ && can_write_piece(); }
  /// Writes it.
  /// Throws  What the function throws that writes.
  /// Cancel  Passed on to it.
  Task<> write_piece();

  /// A walk over values that are made on the way.
  class Walk;
  template <TemplateIterable T>
  decltype(auto) range(std::uint32_t site, const T& values);

  /// One `{% try %}`.
  class Try {
   public:
    explicit Try(TemplateRun& run);
    /// For a `catch (...)`: keeps the error.
    /// Throws  What is thrown, when a template cannot catch it.
    void caught();
    bool failed() const noexcept { return error_ != nullptr; }
    bool matches(std::uint32_t site, const TemplateValue& classes) const;
    /// What `as name` binds.
    TemplateValue value() const noexcept { return value_; }
    void rethrow() const {
      if (error_ != nullptr) rethrow_error();
    }

   private:
    [[noreturn]] void rethrow_error() const;

    TemplateRun& run_;
    std::size_t captures_;
    std::uint32_t site_ = 0;
    std::exception_ptr error_;
    TemplateValue value_;
  };

  /// What `await` awaits.
  Task<TemplateValue>&& awaited(std::uint32_t site, const TemplateValue& value);

 private:
  friend class templates::CompiledRun;

  template <class F>
  struct Lambda {
    TemplateRun* run;
    std::span<const std::string_view> names;
    F function;
    TemplateValue operator()(TemplateCall& call) const {
      return run->call_lambda(
          call, names,
          [](const void* self, const TemplateValue* bound) {
            return (*static_cast<const F*>(self))(bound);
          },
          &function);
    }
  };
  using InvokeLambda = TemplateValue (*)(const void* function, const TemplateValue* bound);

  TemplateRun(templates::CompiledRun& run, TemplateOutput& out, TemplateMemory& memory,
              std::uint64_t* steps_left)
      : run_(run), out_(out), memory_(memory), steps_left_(steps_left) {}

  template <TemplateOperator op, class T>
  static bool ordered(const T& a, const T& b) {
    using enum TemplateOperator;
    if constexpr (op == kEqual)
      return a == b;
    else if constexpr (op == kNotEqual)
      return a != b;
    else if constexpr (op == kLess)
      return a < b;
    else if constexpr (op == kLessEqual)
      return a <= b;
    else if constexpr (op == kGreater)
      return a > b;
    else
      return a >= b;
  }

  template <TemplateOperator op>
  std::int64_t binary_integers(std::uint32_t site, std::int64_t a, std::int64_t b) {
    using enum TemplateOperator;
    std::int64_t result = 0;
    bool done = true;
    if constexpr (op == kAdd) {
      done = !__builtin_add_overflow(a, b, &result);
    } else if constexpr (op == kSubtract) {
      done = !__builtin_sub_overflow(a, b, &result);
    } else if constexpr (op == kMultiply) {
      done = !__builtin_mul_overflow(a, b, &result);
    } else {
      done = a >= 0 && b > 0;
      if (done) result = a % b;
    }
    if (done) [[likely]]
      return result;
    return binary_value(site, op, TemplateValue::integer(a), TemplateValue::integer(b)).as_int();
  }

  bool can_write_piece() const noexcept;
  void emit_value(const TemplateValue& value);
  void emit_raw_value(const TemplateValue& value);
  void emit_with(const TemplateValue& function, const TemplateValue& value);
  const TemplateValue& find_outer(std::string_view name);
  TemplateValue item_value(std::uint32_t site, const TemplateValue& object,
                           const TemplateValue& index);
  bool truth_value(std::uint32_t site, const TemplateValue& value);
  bool compare_values(std::uint32_t site, TemplateOperator op, const TemplateValue& a,
                      const TemplateValue& b);
  TemplateValue binary_value(std::uint32_t site, TemplateOperator op, const TemplateValue& a,
                             const TemplateValue& b);
  TemplateValue percent_value(std::uint32_t site, const TemplatePercent& percent,
                              const TemplateValue& value);
  void emit_percent_value(std::uint32_t site, const TemplatePercent& percent,
                          const TemplateValue& value);
  void emit_field_value(std::uint32_t site, const TemplateFormatField& field,
                        const TemplateValue& value);
  TemplateValue call_value(std::uint32_t site, std::string_view name, const TemplateValue& callee,
                           Values arguments, Keywords keywords);
  TemplateValue method_value(std::uint32_t site, const TemplateValue& object,
                             detail::MethodName& name, Values arguments, Keywords keywords);
  TemplateValue call_lambda(const TemplateCall& call, std::span<const std::string_view> names,
                            InvokeLambda invoke, const void* function);
  [[noreturn]] void fail_name(std::uint32_t site, std::string_view name);
  [[noreturn]] void fail_none(std::uint32_t site, std::string_view name);
  [[noreturn]] void fail_steps(std::uint32_t site);

  templates::CompiledRun& run_;
  TemplateOutput& out_;
  TemplateMemory& memory_;
  std::uint64_t* steps_left_;
  std::size_t piece_size_ = std::numeric_limits<std::size_t>::max();
  std::uint32_t site_ = 0;
  bool escape_is_own_ = false;  // the scope has an `xhtml_escape` of its own
};

class TemplateRun::Walk {
 public:
  Walk(TemplateRun& run, const TemplateValue& values);

  struct End {};
  class Iterator {
   public:
    explicit Iterator(Walk& walk) : walk_(&walk) {}
    const TemplateValue& operator*() const noexcept { return walk_->current_; }
    Iterator& operator++() {
      walk_->advance();
      return *this;
    }
    bool operator!=(End) const noexcept { return !walk_->done_; }

   private:
    Walk* walk_;
  };
  Iterator begin() {
    advance();
    return Iterator(*this);
  }
  static End end() noexcept { return {}; }

 private:
  void advance();

  TemplateRun& run_;
  void* cursor_;
  TemplateValue current_;
  bool done_ = false;
};

template <TemplateIterable T>
decltype(auto) TemplateRun::range(std::uint32_t site, const T& values) {
  site_ = site;
  if constexpr (detail::DirectRange<T>) {
    return (values);
  } else {
    return Walk(*this, detail::view_of(values));
  }
}

}  // namespace coronado::web
