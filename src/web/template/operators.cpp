#include "web/template/operators.hpp"

namespace coronado::web::templates {

using Kind = TemplateKind;

std::string quoted_type(const TemplateValue& value) {
  return "'" + std::string(template_type_name(value)) + "'";
}

bool is_integral(const TemplateValue& value) noexcept {
  return value.kind() == Kind::kInt || value.kind() == Kind::kBool;
}

bool is_tuple(const TemplateValue& value) noexcept {
  return value.kind() == Kind::kTuple || (value.is_object() && value.type().name == "tuple");
}

bool is_sequence(const TemplateValue& value) noexcept {
  switch (value.kind()) {
    case Kind::kList:
    case Kind::kTuple:
    case Kind::kRange: return true;
    case Kind::kObject: return value.type().item != nullptr;
    default: return false;
  }
}

bool is_mapping(const TemplateValue& value) noexcept {
  return value.kind() == Kind::kDict || (value.is_object() && value.type().find != nullptr);
}

bool is_number(const TemplateValue& value) noexcept {
  return is_integral(value) || value.kind() == Kind::kFloat;
}

std::int64_t to_integer(const TemplateValue& value, std::string_view what) {
  if (!is_integral(value)) {
    fail_type(std::string(what) + " must be an int, not " + quoted_type(value));
  }
  return value.as_int();
}

double to_double(const TemplateValue& value) {
  return value.kind() == Kind::kFloat ? value.as_float() : static_cast<double>(value.as_int());
}

bool is_true(const TemplateValue& value) {
  switch (value.kind()) {
    case Kind::kUndefined:
    case Kind::kNone: return false;
    case Kind::kBool:
    case Kind::kInt: return value.as_int() != 0;
    case Kind::kFloat: return value.as_float() != 0;
    case Kind::kString: return !value.as_string().empty();
    case Kind::kList:
    case Kind::kTuple: return value.as<TemplateList>().size != 0;
    case Kind::kDict: return value.as<TemplateDict>().size != 0;
    case Kind::kRange: return value.as<TemplateRange>().size != 0;
    case Kind::kObject:
      return value.type().size == nullptr || value.type().size(value.pointer()) != 0;
    case Kind::kAwaitable: fail_type("a coroutine has no value before it is awaited");
    default: return true;
  }
}

std::size_t length(const TemplateValue& value) {
  switch (value.kind()) {
    case Kind::kString: return count_characters(value.as_string());
    case Kind::kList:
    case Kind::kTuple: return value.as<TemplateList>().size;
    case Kind::kDict: return value.as<TemplateDict>().size;
    case Kind::kRange: return value.as<TemplateRange>().size;
    case Kind::kObject:
      if (value.type().size != nullptr) return value.type().size(value.pointer());
      break;
    default: break;
  }
  fail_type("object of type " + quoted_type(value) + " has no len()");
}

TemplateValue element(const TemplateValue& sequence, std::size_t index, TemplateMemory& memory) {
  switch (sequence.kind()) {
    case Kind::kRange: {
      const TemplateRange& range = sequence.as<TemplateRange>();
      return TemplateValue::integer(range.start + static_cast<std::int64_t>(index) * range.step);
    }
    case Kind::kObject: return sequence.type().item(sequence.pointer(), index, memory);
    default: return sequence.as<TemplateList>().data[index];
  }
}

std::size_t count_characters(std::string_view text) noexcept {
  std::size_t count = 0;
  for (char c : text) count += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  return count;
}

std::string_view first_character(std::string_view text) noexcept {
  std::size_t size = 1;
  while (size < text.size() && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80) ++size;
  return text.substr(0, size);
}

std::string_view substring(std::string_view text, std::size_t begin, std::size_t end) noexcept {
  std::size_t at = 0;
  const auto skip = [&](std::size_t count) {
    for (; count > 0 && at < text.size(); --count) at += first_character(text.substr(at)).size();
  };
  skip(begin);
  const std::size_t start = at;
  skip(end - begin);
  return text.substr(start, at - start);
}

}  // namespace coronado::web::templates
