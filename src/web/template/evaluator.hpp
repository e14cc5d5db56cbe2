/// What both engines do alike with values while a template renders: attributes, calls, text.
///
/// `Machine` runs flat programs, `CompiledRun` is what templates that became C++ call.
///
/// Layer: web.
#pragma once

#include <coronado/web/template_format.hpp>
#include <coronado/web/template_namespace.hpp>
#include <coronado/web/template_output.hpp>

#include <cstdint>
#include <exception>
#include <span>
#include <string_view>
#include <vector>

#include "web/template/objects.hpp"

namespace coronado::web::templates {

using Output = TemplateOutput;
struct LoaderNames;

/// A place where something is called: its name there, for messages, and the arguments with names.
struct CallSite {
  std::string_view name;
  std::vector<std::string_view> keywords = {};
};

/// An attribute that stands in a template: its name, and the method of that name of each of the
/// engine's own types; null where there is none.
struct AttributeSite {
  std::string_view name;
  const TemplateFunction* of_string = nullptr;
  const TemplateFunction* of_list = nullptr;
  const TemplateFunction* of_tuple = nullptr;
  const TemplateFunction* of_dict = nullptr;
  const TemplateFunction* of_mapping = nullptr;

  /// `name` must outlive the site.
  static AttributeSite make(std::string_view name) noexcept;
  /// The same for good, for threads too.
  static const AttributeSite& shared(std::string_view name);
  const TemplateFunction* method_of(const TemplateValue& value) const noexcept;
};

/// Where names without a slot of their own come from, in this order.
struct Names {
  std::span<const TemplateArgument> arguments = {};
  const TemplateScope* scope = nullptr;
  /// Null: the template has no loader.
  const LoaderNames* loader = nullptr;
};

class Evaluator {
 public:
  Evaluator(TemplateMemory& memory, Output& output, std::uint64_t steps)
      : memory_(memory), output_(output), steps_left_(steps), step_limit_(steps) {}
  Evaluator(const Evaluator&) = delete;
  Evaluator& operator=(const Evaluator&) = delete;

  TemplateMemory& memory() const noexcept { return memory_; }

  /// Counts steps.   Throws  TemplateFault  The limit is reached.
  void charge(std::uint64_t steps) {
    if (steps > steps_left_) [[unlikely]]
      fail_steps();
    steps_left_ -= steps;
  }

  // All of the following throw TemplateFault for what Python refuses, and what they call throws.

  /// `value.name`. A member that is described is told to `member`, for the next time.
  TemplateValue attribute(const TemplateValue& value, const AttributeSite& site,
                          const TemplateMember** member = nullptr);
  TemplateValue attribute(const TemplateValue& value, std::string_view name);
  /// Calls a function value.
  TemplateValue call(const TemplateValue& callee, std::span<const TemplateValue> arguments);
  /// Calls `callee` with `self`, which is undefined unless it is a method's.
  TemplateValue call(const TemplateValue& callee, const TemplateValue& self,
                     std::span<const TemplateValue> arguments, const CallSite& site);

  void emit_raw(const TemplateValue& value) {
    if (value.is_string()) return output_.write(value.as_string());
    emit_raw_slow(value);
  }
  /// Params  function  What `xhtml_escape` is here.
  void emit_escaped(const TemplateValue& value, const TemplateValue& function) {
    if (!is_xhtml_escape(function)) [[unlikely]]
      return emit_with(value, function);
    if (value.is_string()) return output_.write_escaped(value.as_string());
    if (value.is_int()) return output_.write_int(value.as_int());
    emit_escaped_slow(value);
  }

  /// Writes `value` as a field says, escaped as HTML.
  void emit_field(const TemplateFormatField& field, const TemplateValue& value);
  TemplateValue field_text(const TemplateFormatField& field, const TemplateValue& value);
  TemplateValue percent(const TemplatePercent& percent, const TemplateValue& value);
  /// Params  function  What `xhtml_escape` is here.
  void emit_percent(const TemplatePercent& percent, const TemplateValue& value,
                    const TemplateValue& function);
  TemplateValue join(std::span<const TemplateValue> parts);
  TemplateValue format(const TemplateValue& value, const TemplateValue& spec, char conversion);
  TemplateValue make_dict(std::span<const TemplateValue> pairs);
  /// Takes `value` apart: exactly `parts.size()` elements.
  void unpack(const TemplateValue& value, std::span<TemplateValue> parts);
  /// Whether `{% except classes %}` takes `failure`.
  static bool matches(const TemplateValue& classes, const TemplateFailure& failure);

 protected:
  ~Evaluator() = default;

  virtual TemplateValue call_lambda(const TemplateFunction& function, const TemplateCall& call) = 0;
  static bool is_xhtml_escape(const TemplateValue& function) noexcept;

  TemplateMemory& memory_;
  Output& output_;
  std::uint64_t steps_left_;

 private:
  [[noreturn]] void fail_steps() const;
  void emit_raw_slow(const TemplateValue& value);
  void emit_escaped_slow(const TemplateValue& value);
  void emit_with(const TemplateValue& value, const TemplateValue& function);
  TemplateValue call_function(const TemplateFunction& function, const TemplateValue& self,
                              const TemplateCall& call);

  const std::uint64_t step_limit_;
};

/// The namespace `name` of a loader.   Throws  TemplateFault  NameError: there is none.
TemplateValue import_module(const LoaderNames* loader, std::string_view name);

/// What an error is to a template: its class and message.
struct ErrorText {
  TemplateErrorClass error_class = TemplateErrorClass::kException;
  std::string message;
  bool is_fault = false;  // one of the engine's own
  bool is_http = false;
};
/// Throws  What `error` holds, if that is no std::exception.
ErrorText describe_error(const std::exception_ptr& error);

}  // namespace coronado::web::templates
