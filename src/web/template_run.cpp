#include <coronado/web/template_run.hpp>

#include <coronado/web/template.hpp>

#include "web/template/compiled_run.hpp"
#include "web/template/format.hpp"
#include "web/template/iteration.hpp"
#include "web/template/natives.hpp"
#include "web/template/operators.hpp"

namespace coronado::web {

using namespace templates;  // NOLINT: the engine's functions

namespace templates {

CompiledRun::CompiledRun(const TemplateLimits& limits, const TemplateScope* scope,
                         TemplateMemory& memory, Output& output)
    : Evaluator(memory, output, limits.steps),
      scope_(scope),
      run_(*this, output, memory, &steps_left_) {
  TemplateValue own;
  run_.escape_is_own_ = scope != nullptr && scope->find("xhtml_escape", memory, own);
}

TemplateValue CompiledRun::call_lambda(const TemplateFunction&, const TemplateCall&) {
  fail_type("'function' object is not callable");
}

}  // namespace templates

// --- output ------------------------------------------------------------------------------------------

void TemplateRun::emit_value(const TemplateValue& value) {
  run_.emit_escaped(
      value, escape_is_own_ ? find_outer("xhtml_escape")
                            : TemplateValue::of(TemplateKind::kFunction, &xhtml_escape_function()));
}

void TemplateRun::emit_with(const TemplateValue& function, const TemplateValue& value) {
  run_.emit_escaped(value, function);
}

void TemplateRun::emit_percent_value(std::uint32_t site, const TemplatePercent& percent,
                                     const TemplateValue& value) {
  site_ = site;
  static const TemplateValue kEscape =
      TemplateValue::of(TemplateKind::kFunction, &xhtml_escape_function());
  run_.emit_percent(percent, value, kEscape);
}

void TemplateRun::emit_field_value(std::uint32_t site, const TemplateFormatField& field,
                                   const TemplateValue& value) {
  site_ = site;
  run_.emit_field(field, value);
}

void TemplateRun::emit_raw_value(const TemplateValue& value) { run_.emit_raw(value); }

std::size_t TemplateRun::begin_capture() {
  run_.captures_.push_back(out_.size());
  return run_.captures_.back();
}

void TemplateRun::end_capture(std::uint32_t site, const TemplateValue& function) {
  site_ = site;
  const std::size_t start = run_.captures_.back();
  run_.captures_.pop_back();
  const TemplateValue text = new_string(out_.since(start), memory_);
  out_.truncate(start);
  static const CallSite kApply{.name = "apply"};
  run_.emit_raw(run_.call(function, TemplateValue::undefined(), {&text, 1}, kApply));
}

// --- names -------------------------------------------------------------------------------------------

const TemplateValue& TemplateRun::find_outer(std::string_view name) {
  TemplateValue& found = memory_.make<TemplateValue>(TemplateValue::undefined());
  if (run_.scope_ != nullptr && run_.scope_->find(name, memory_, found)) return found;
  found = find_builtin_value(name);
  return found;
}

TemplateValue TemplateRun::import(std::uint32_t site, std::string_view module) {
  site_ = site;
  TemplateValue found;
  if (run_.scope_ != nullptr && run_.scope_->find_module(module, found)) return found;
  return import_module(nullptr, module);
}

void TemplateRun::fail_name(std::uint32_t site, std::string_view name) {
  site_ = site;
  templates::fail(TemplateErrorClass::kNameError,
                  name == "_tt_modules" ? "there are no modules outside of a handler's render"
                                        : "name '" + std::string(name) + "' is not defined");
}

void TemplateRun::fail_none(std::uint32_t site, std::string_view name) {
  attribute_value(site, TemplateValue(), name);
  std::terminate();  // None has no attributes
}

void TemplateRun::fail_steps(std::uint32_t site) {
  site_ = site;
  run_.charge(1);
  std::terminate();  // none is left
}

// --- attributes and elements -------------------------------------------------------------------------

TemplateValue TemplateRun::attribute_value(std::uint32_t site, const TemplateValue& object,
                                           std::string_view name) {
  site_ = site;
  return run_.attribute(object, name);
}

TemplateValue TemplateRun::item_value(std::uint32_t site, const TemplateValue& object,
                                      const TemplateValue& index) {
  site_ = site;
  return templates::item(object, index, memory_);
}

TemplateValue TemplateRun::slice(std::uint32_t site, const TemplateValue& object,
                                 const TemplateValue& start, const TemplateValue& stop,
                                 const TemplateValue& step) {
  site_ = site;
  return templates::slice(object, start, stop, step, memory_);
}

void TemplateRun::set_item(std::uint32_t site, const TemplateValue& object,
                           const TemplateValue& index, const TemplateValue& item) {
  site_ = site;
  templates::set_item(object, index, item, memory_);
}

void TemplateRun::unpack(std::uint32_t site, const TemplateValue& value,
                         std::span<TemplateValue> parts) {
  site_ = site;
  run_.unpack(value, parts);
}

TemplateRun::Walk::Walk(TemplateRun& run, const TemplateValue& values) : run_(run) {
  auto& cursor = run.memory_.make<Cursor>();
  cursor.start(values, run.memory_);
  cursor_ = &cursor;
}

void TemplateRun::Walk::advance() {
  done_ = !static_cast<Cursor*>(cursor_)->next(run_.memory_, current_);
}

// --- operators ---------------------------------------------------------------------------------------

bool TemplateRun::truth_value(std::uint32_t site, const TemplateValue& value) {
  site_ = site;
  return is_true(value);
}

bool TemplateRun::compare_values(std::uint32_t site, TemplateOperator op, const TemplateValue& a,
                                 const TemplateValue& b) {
  site_ = site;
  return templates::compare(op, a, b, memory_);
}

TemplateValue TemplateRun::binary_value(std::uint32_t site, TemplateOperator op,
                                        const TemplateValue& a, const TemplateValue& b) {
  site_ = site;
  return templates::binary(op, a, b, memory_);
}

TemplateValue TemplateRun::percent_value(std::uint32_t site, const TemplatePercent& percent,
                                         const TemplateValue& value) {
  site_ = site;
  return run_.percent(percent, value);
}

TemplateValue TemplateRun::unary_value(std::uint32_t site, TemplateOperator op,
                                       const TemplateValue& value) {
  site_ = site;
  return unary(op, value);
}

// --- calls and displays ------------------------------------------------------------------------------

TemplateValue TemplateRun::call_value(std::uint32_t site, std::string_view name,
                                      const TemplateValue& callee, Values arguments,
                                      Keywords keywords) {
  site_ = site;
  const CallSite place{.name = name, .keywords = keywords};
  const TemplateValue result =
      run_.call(callee, TemplateValue::undefined(), {arguments.begin(), arguments.size()}, place);
  site_ = site;  // a lambda has moved it
  return result;
}

TemplateValue TemplateRun::method_value(std::uint32_t site, const TemplateValue& object,
                                        detail::MethodName& name, Values arguments,
                                        Keywords keywords) {
  site_ = site;
  const auto* attribute =
      static_cast<const AttributeSite*>(name.site_.load(std::memory_order_acquire));
  if (attribute == nullptr) {
    attribute = &AttributeSite::shared(name.name_);
    name.site_.store(attribute, std::memory_order_release);
  }
  const TemplateFunction* method = attribute->method_of(object);
  if (method == nullptr) {
    return call_value(site, name.name_, run_.attribute(object, *attribute), arguments, keywords);
  }
  if (method->of_text != nullptr && arguments.size() == 0) {
    run_.charge(1);
    return method->of_text(object.as_string(), memory_);
  }
  const CallSite place{.name = name.name_, .keywords = keywords};
  return run_.call(TemplateValue::of(TemplateKind::kFunction, method), object,
                   {arguments.begin(), arguments.size()}, place);
}

TemplateValue TemplateRun::list(Values values) {
  return new_list({values.begin(), values.size()}, memory_);
}

TemplateValue TemplateRun::tuple(Values values) {
  return new_tuple({values.begin(), values.size()}, memory_);
}

TemplateValue TemplateRun::dict(std::uint32_t site, Values pairs) {
  site_ = site;
  return run_.make_dict({pairs.begin(), pairs.size()});
}

void TemplateRun::append(const TemplateValue& list, const TemplateValue& value) {
  list.as<TemplateList>().append(value, memory_);
}

void TemplateRun::put(std::uint32_t site, const TemplateValue& dict, const TemplateValue& key,
                      const TemplateValue& value) {
  site_ = site;
  dict.as<TemplateDict>().put(key, value, memory_);
}

TemplateValue TemplateRun::join(Values parts) { return run_.join({parts.begin(), parts.size()}); }

TemplateValue TemplateRun::format(std::uint32_t site, const TemplateValue& value,
                                  const TemplateValue& spec, char conversion) {
  site_ = site;
  return run_.format(value, spec, conversion);
}

TemplateValue TemplateRun::field(std::uint32_t site, const TemplateFormatField& field,
                                 const TemplateValue& value) {
  site_ = site;
  return run_.field_text(field, value);
}

TemplateValue TemplateRun::to_text(std::uint32_t site, const TemplateValue& value) {
  site_ = site;
  return value.is_string() ? value : new_string(template_to_string(value), memory_);
}

TemplateValue TemplateRun::call_lambda(const TemplateCall& call,
                                       std::span<const std::string_view> names, InvokeLambda invoke,
                                       const void* function) {
  constexpr std::size_t kMaxLambdaDepth = 50;
  if (run_.lambda_depth_ >= kMaxLambdaDepth) {
    templates::fail(TemplateErrorClass::kLimit, "lambdas nested too deeply");
  }
  std::vector<TemplateValue> bound(names.size());
  call.bind(names, names.size(), bound.data());
  struct Depth {
    std::size_t& depth;
    explicit Depth(std::size_t& of) : depth(++of) {}
    ~Depth() { --depth; }
  };
  const Depth depth(run_.lambda_depth_);
  return invoke(function, bound.data());
}

// --- control -----------------------------------------------------------------------------------------

bool TemplateRun::can_write_piece() const noexcept { return run_.captures_.empty(); }

Task<> TemplateRun::write_piece() {
  const std::string_view piece = out_.since(0);
  co_await (*run_.write_)(piece);
  out_.clear();
}

TemplateRun::Try::Try(TemplateRun& run) : run_(run), captures_(run.run_.captures_.size()) {}

void TemplateRun::Try::caught() {
  error_ = std::current_exception();
  const ErrorText text = describe_error(error_);  // throws what is no std::exception
  if (text.error_class == TemplateErrorClass::kLimit) throw;
  site_ = run_.site_;
  auto& captures = run_.run_.captures_;
  while (captures.size() > captures_) {
    run_.out_.truncate(captures.back());
    captures.pop_back();
  }
  TemplateMemory& memory = run_.memory_;
  value_ = TemplateValue::of(
      TemplateKind::kFailure,
      &memory.make<TemplateFailure>(text.error_class, memory.copy(text.message), error_, nullptr));
}

bool TemplateRun::Try::matches(std::uint32_t site, const TemplateValue& classes) const {
  run_.site_ = site;
  return Evaluator::matches(classes, value_.as<TemplateFailure>());
}

void TemplateRun::Try::rethrow_error() const {
  run_.site_ = site_;
  std::rethrow_exception(error_);
}

Task<TemplateValue>&& TemplateRun::awaited(std::uint32_t site, const TemplateValue& value) {
  site_ = site;
  if (value.kind() != TemplateKind::kAwaitable) {
    fail_type("object '" + std::string(template_type_name(value)) +
              "' can't be used in 'await' expression");
  }
  return std::move(value.as<TemplateAwaitable>().task);
}

}  // namespace coronado::web
