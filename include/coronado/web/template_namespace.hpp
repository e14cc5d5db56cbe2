/// The names a template sees.
///
///     TemplateArgument    one name with its value
///     TemplateNamespace   several, kept
///     TemplateScope       names that are looked up when a template asks for them
///
/// Layer: web.
#pragma once

#include <coronado/web/template_binding.hpp>

#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace coronado::web {

/// A name and its value: `{"title", title}`.
///
/// What is passed as an lvalue is only looked at, and must live as long as the argument; what is
/// passed as a temporary is moved in and kept.
class TemplateArgument {
 public:
  template <class T>
  TemplateArgument(std::string_view name, T&& value) : name_(name) {
    using Plain = std::remove_cvref_t<T>;
    if constexpr (std::is_function_v<std::remove_pointer_t<Plain>>) {
      keep(static_cast<std::decay_t<T>>(value));
    } else if constexpr (std::is_lvalue_reference_v<T> || detail::kIsView<Plain>) {
      value_ = detail::view_of(static_cast<const Plain&>(value));
    } else {
      keep(std::forward<T>(value));
    }
  }

  /// An object of a type that a template sees as `type` says; it is kept.
  TemplateArgument(std::string_view name, std::shared_ptr<const void> object,
                   const TemplateType& type)
      : name_(name), value_(TemplateValue::object(object.get(), type)), owner_(std::move(object)) {}

  std::string_view name() const noexcept { return name_; }
  const TemplateValue& value() const noexcept { return value_; }

 private:
  friend class TemplateNamespace;

  template <class T>
  void keep(T value) {
    auto kept = std::make_shared<const T>(std::move(value));
    value_ = detail::view_of(*kept);
    owner_ = std::move(kept);
  }

  std::string_view name_;
  TemplateValue value_;
  std::shared_ptr<const void> owner_;
};

/// Looks names up when a template that uses them is rendered.
class TemplateScope {
 public:
  /// Whether there is a value called `name`; it must live until the rendering ends.
  virtual bool find(std::string_view name, TemplateMemory& memory, TemplateValue& found) const = 0;
  /// Whether there is a module called `name` for `{% import %}` in a generated template.
  virtual bool find_module(std::string_view, TemplateValue&) const { return false; }

 protected:
  ~TemplateScope() = default;
};

/// Names with their values; a later one of the same name replaces the earlier.
class TemplateNamespace final : public TemplateScope {
 public:
  TemplateNamespace();
  TemplateNamespace(std::initializer_list<TemplateArgument> arguments);
  ~TemplateNamespace();
  TemplateNamespace(TemplateNamespace&&) noexcept;
  TemplateNamespace& operator=(TemplateNamespace&&) noexcept;

  /// An lvalue is only looked at, and must outlive the namespace; a temporary is kept.
  template <class T>
  void set(std::string_view name, T&& value) {
    set(TemplateArgument(name, std::forward<T>(value)));
  }
  void set(const TemplateArgument& argument);

  std::span<const TemplateArgument> arguments() const noexcept;
  bool find(std::string_view name, TemplateMemory& memory, TemplateValue& found) const override;

 private:
  std::vector<TemplateArgument> arguments_;
  std::vector<std::unique_ptr<std::string>> names_;
};

}  // namespace coronado::web
