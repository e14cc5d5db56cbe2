#include "web/template/evaluator.hpp"

#include <coronado/base/error.hpp>
#include <coronado/web/template_error.hpp>

#include <cstring>
#include <map>
#include <mutex>

#include "web/template/datetime.hpp"
#include "web/template/format.hpp"
#include "web/template/format_spec.hpp"
#include "web/template/iteration.hpp"
#include "web/template/loader_names.hpp"
#include "web/template/natives.hpp"
#include "web/template/operators.hpp"

namespace coronado::web::templates {
namespace {

const TemplateMember* find_described(const TemplateType& type, std::string_view name) {
  for (const TemplateMember& member : type.members) {
    if (member.name == name) return &member;
  }
  return nullptr;
}

/// A member of an object, or the value of a key of that name.
bool find_member(const TemplateValue& value, std::string_view name, TemplateMemory& memory,
                 TemplateValue& found, const TemplateMember** described) {
  if (value.kind() == TemplateKind::kDict) {
    const TemplateDict::Entry* entry = value.as<TemplateDict>().find(TemplateValue::string(name));
    if (entry != nullptr) found = entry->value;
    return entry != nullptr;
  }
  if (!value.is_object()) return false;
  const TemplateType& type = value.type();
  if (const TemplateMember* member = find_described(type, name)) {
    if (described != nullptr) *described = member;
    found = member->get(value.pointer(), memory);
    return true;
  }
  if (type.attribute != nullptr && type.attribute(value.pointer(), name, memory, found)) {
    return true;
  }
  return type.find != nullptr &&
         type.find(value.pointer(), TemplateValue::string(name), memory, found);
}

}  // namespace

AttributeSite AttributeSite::make(std::string_view name) noexcept {
  return {.name = name,
          .of_string = find_function(string_methods(), name),
          .of_list = find_function(list_methods(), name),
          .of_tuple = find_function(tuple_methods(), name),
          .of_dict = find_function(dict_methods(), name),
          .of_mapping = find_function(mapping_methods(), name)};
}

const AttributeSite& AttributeSite::shared(std::string_view name) {
  static std::mutex mutex;
  static std::map<std::string, AttributeSite, std::less<>> sites;
  const std::scoped_lock lock(mutex);
  const auto [entry, added] = sites.try_emplace(std::string(name));
  if (added) entry->second = make(entry->first);
  return entry->second;
}

const TemplateFunction* AttributeSite::method_of(const TemplateValue& value) const noexcept {
  switch (value.kind()) {
    case TemplateKind::kString: return of_string;
    case TemplateKind::kList: return of_list;
    case TemplateKind::kTuple:
    case TemplateKind::kRange: return of_tuple;
    case TemplateKind::kDict: return of_dict;
    case TemplateKind::kObject:
      if (is_mapping(value)) return of_mapping;
      return is_sequence(value) ? of_tuple : nullptr;
    default: return nullptr;
  }
}

TemplateValue Evaluator::attribute(const TemplateValue& value, std::string_view name) {
  TemplateValue found;
  if (find_member(value, name, memory_, found, nullptr)) return found;
  return attribute(value, AttributeSite::make(name));
}

TemplateValue Evaluator::attribute(const TemplateValue& value, const AttributeSite& site,
                                   const TemplateMember** member) {
  TemplateValue found;
  if (find_member(value, site.name, memory_, found, member)) return found;
  if (const TemplateFunction* method = site.method_of(value)) {
    return TemplateValue::of(TemplateKind::kMethod, &memory_.make<TemplateMethod>(method, value));
  }
  if (value.kind() == TemplateKind::kAwaitable) {
    fail_type("a coroutine has no value before it is awaited");
  }
  fail(TemplateErrorClass::kAttributeError,
       quoted_type(value) + " object has no attribute '" + std::string(site.name) + "'");
}

void Evaluator::fail_steps() const {
  fail(TemplateErrorClass::kLimit,
       "the template takes more than " + std::to_string(step_limit_) + " steps");
}

// --- output ------------------------------------------------------------------------------------------

bool Evaluator::is_xhtml_escape(const TemplateValue& function) noexcept {
  return function.pointer() == &xhtml_escape_function();
}

void Evaluator::emit_raw_slow(const TemplateValue& value) {
  if (value.is_int()) return output_.write_int(value.as_int());
  output_.write(template_to_string(value));
}

void Evaluator::emit_escaped_slow(const TemplateValue& value) {
  if (value.kind() == TemplateKind::kFloat) {
    char* out = output_.room(kNumberSize);
    return output_.advance(write_shortest(out, value.as_float()));
  }
  output_.write_escaped(template_to_string(value));
}

/// The namespace has an `xhtml_escape` of its own.
void Evaluator::emit_with(const TemplateValue& value, const TemplateValue& function) {
  if (function.is_undefined()) {
    fail(TemplateErrorClass::kNameError, "name 'xhtml_escape' is not defined");
  }
  const TemplateValue text =
      value.is_string() ? value : new_string(template_to_string(value), memory_);
  emit_raw(call(function, {&text, 1}));
}

void Evaluator::emit_field(const TemplateFormatField& field, const TemplateValue& value) {
  if (field.empty && field.conversion == '\0') {
    if (value.is_string()) return output_.write_escaped(value.as_string());
    if (value.is_int()) return output_.write_int(value.as_int());
    return emit_escaped_slow(value);
  }
  const TemplateFormatSpec& spec = field.spec;
  if (spec.quick != TemplateFormatSpec::Quick::kNo) {
    char* out = output_.room(kNumberSize);
    const bool fixed =
        spec.quick == TemplateFormatSpec::Quick::kFixed && value.kind() == TemplateKind::kFloat;
    char* end = fixed ? write_fixed(out, value.as_float(), fixed_precision(spec))
                      : write_number(out, spec, value);
    if (end != nullptr) return output_.advance(end);
  }
  output_.write_escaped(format_field(field, value));
}

TemplateValue Evaluator::field_text(const TemplateFormatField& field, const TemplateValue& value) {
  if (field.empty && field.conversion == '\0' && value.is_string()) return value;
  char text[kNumberSize];
  if (const char* end = field.empty ? nullptr : write_number(text, field.spec, value)) {
    return new_string({text, static_cast<std::size_t>(end - text)}, memory_);
  }
  return new_string(format_field(field, value), memory_);
}

TemplateValue Evaluator::percent(const TemplatePercent& percent, const TemplateValue& value) {
  if (is_tuple(value)) {
    return new_string(percent_format(percent.text, value, memory_), memory_);
  }
  const TemplateValue field = field_text(percent.field, value);
  if (percent.prefix.empty() && percent.suffix.empty()) return field;
  const TemplateValue parts[] = {TemplateValue::string(percent.prefix), field,
                                 TemplateValue::string(percent.suffix)};
  return join(parts);
}

void Evaluator::emit_percent(const TemplatePercent& percent, const TemplateValue& value,
                             const TemplateValue& function) {
  if (!is_xhtml_escape(function) || is_tuple(value)) [[unlikely]] {
    return emit_escaped(this->percent(percent, value), function);
  }
  if (!percent.prefix.empty()) output_.write(percent.escaped_prefix);
  emit_field(percent.field, value);
  if (!percent.suffix.empty()) output_.write(percent.escaped_suffix);
}

// --- calls -------------------------------------------------------------------------------------------

TemplateValue Evaluator::call(const TemplateValue& callee, const TemplateValue& self,
                              std::span<const TemplateValue> arguments, const CallSite& site) {
  charge(1);
  const TemplateCall call(memory_, site.name, arguments, site.keywords);
  switch (callee.kind()) {
    case TemplateKind::kFunction: return call_function(callee.as<TemplateFunction>(), self, call);
    case TemplateKind::kMethod: {
      const TemplateMethod& method = callee.as<TemplateMethod>();
      return call_function(*method.function, method.self, call);
    }
    case TemplateKind::kObject:
      if (callee.type().call != nullptr) {
        TemplateCall copy = call;
        return callee.type().call(callee.pointer(), copy);
      }
      break;
    default: break;
  }
  fail_type(quoted_type(callee) + " object is not callable");
}

TemplateValue Evaluator::call(const TemplateValue& callee,
                              std::span<const TemplateValue> arguments) {
  static const CallSite kSite{.name = "function"};
  return call(callee, TemplateValue::undefined(), arguments, kSite);
}

TemplateValue Evaluator::call_function(const TemplateFunction& function, const TemplateValue& self,
                                       const TemplateCall& call) {
  if (function.lambda != nullptr) return call_lambda(function, call);
  return function.native({call, self, *this});
}

// --- values ------------------------------------------------------------------------------------------

void Evaluator::unpack(const TemplateValue& value, std::span<TemplateValue> parts) {
  if (!value.is_string() && !is_sequence(value) && !is_mapping(value) &&
      !(value.is_object() && value.type().iterate != nullptr)) {
    fail_type("cannot unpack non-iterable " + std::string(template_type_name(value)) + " object");
  }
  Cursor cursor;
  cursor.start(value, memory_);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (!cursor.next(memory_, parts[i])) {
      fail_value("not enough values to unpack (expected " + std::to_string(parts.size()) +
                 ", got " + std::to_string(i) + ")");
    }
  }
  TemplateValue more;
  if (cursor.next(memory_, more)) {
    fail_value("too many values to unpack (expected " + std::to_string(parts.size()) + ")");
  }
}

TemplateValue Evaluator::make_dict(std::span<const TemplateValue> pairs) {
  TemplateDict& dict = memory_.make<TemplateDict>();
  for (std::size_t i = 0; i < pairs.size(); i += 2) dict.put(pairs[i], pairs[i + 1], memory_);
  return TemplateValue::dict(dict);
}

TemplateValue Evaluator::join(std::span<const TemplateValue> parts) {
  std::size_t size = 0;
  for (const TemplateValue& part : parts) size += part.as_string().size();
  char* place = memory_.allocate_array<char>(size);
  char* at = place;
  for (const TemplateValue& part : parts) {
    const std::string_view text = part.as_string();
    std::memcpy(at, text.data(), text.size());
    at += text.size();
  }
  return TemplateValue::string({place, size});
}

TemplateValue Evaluator::format(const TemplateValue& value, const TemplateValue& spec,
                                char conversion) {
  const std::string_view specification = spec.as_string();
  if (conversion == '\0' || conversion == 's') {
    if (specification.empty() && value.is_string()) return value;
    if (conversion == '\0') return new_string(format_value(value, specification), memory_);
  }
  std::string text;
  if (conversion == 's') {
    append_text(text, value);
  } else {
    append_repr(text, value);
  }
  return new_string(format_value(TemplateValue::string(text), specification), memory_);
}

bool Evaluator::matches(const TemplateValue& classes, const TemplateFailure& failure) {
  if (classes.kind() == TemplateKind::kTuple) {
    for (const TemplateValue& each : classes.as<TemplateList>().values()) {
      if (matches(each, failure)) return true;
    }
    return false;
  }
  if (classes.kind() != TemplateKind::kFunction ||
      classes.as<TemplateFunction>().error_class == nullptr) {
    fail_type("except needs the name of an error, such as KeyError, not " + quoted_type(classes));
  }
  return error_matches(failure.error_class, *classes.as<TemplateFunction>().error_class);
}

// --- modules and errors ------------------------------------------------------------------------------

namespace {
constexpr TemplateType kModuleType = {
    .name = "module",
    .attribute = [](const void* object, std::string_view name, TemplateMemory& memory,
                    TemplateValue& found) {
      return static_cast<const TemplateNamespace*>(object)->find(name, memory, found);
    }};
}  // namespace

TemplateValue import_module(const LoaderNames* loader, std::string_view name) {
  if (loader != nullptr) {
    if (const auto found = loader->modules.find(name); found != loader->modules.end()) {
      return TemplateValue::object(found->second.get(), kModuleType);
    }
  }
  if (name == "datetime") return datetime_module();
  fail(TemplateErrorClass::kNameError,
       "no module named '" + std::string(name) + "'; the loader's module() makes one");
}

ErrorText describe_error(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const TemplateFault& fault) {
    return {fault.error_class(), fault.what(), true, false};
  } catch (const HTTPError& http) {
    return {TemplateErrorClass::kException, http.what(), false, true};
  } catch (
      const TemplateError& inner) {  // of a template that was rendered inside: a limit stays one
    const bool limit = inner.error_class() == TemplateErrorClass::kLimit;
    return {limit ? TemplateErrorClass::kLimit : TemplateErrorClass::kException, inner.what(),
            false, false};
  } catch (const std::exception& other) {
    return {TemplateErrorClass::kException, other.what(), false, false};
  }
}

}  // namespace coronado::web::templates
