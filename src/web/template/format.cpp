#include "web/template/format.hpp"

#include <coronado/base/escape.hpp>
#include <coronado/base/json.hpp>
#include <coronado/base/json_typed.hpp>
#include <coronado/base/strings.hpp>
#include <coronado/web/template_binding.hpp>

#include <algorithm>
#include <cmath>
#include <optional>

#include "web/template/format_spec.hpp"
#include "web/template/iteration.hpp"
#include "web/template/operators.hpp"

namespace coronado::web::templates {
namespace {

using Kind = TemplateKind;

constexpr int kMaxDepth = 60;

void check_depth(int depth) {
  if (depth > kMaxDepth) fail(TemplateErrorClass::kLimit, "containers nested too deeply");
}

void append_quoted(std::string& out, std::string_view text) {
  const bool has_single = text.find('\'') != std::string_view::npos;
  const char quote = has_single && text.find('"') == std::string_view::npos ? '"' : '\'';
  out += quote;
  for (char c : text) {
    if (c == quote || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else if (c == '\t') {
      out += "\\t";
    } else if (static_cast<unsigned char>(c) < ' ' || c == '\x7F') {
      out += "\\x";
      append_hex(out, {&c, 1});
    } else {
      out += c;
    }
  }
  out += quote;
}

void append_elements(std::string& out, const TemplateValue& value, int depth) {
  const bool tuple = is_tuple(value);
  TemplateMemory memory;
  out += tuple ? '(' : '[';
  Cursor cursor;
  cursor.start(value, memory);
  std::size_t count = 0;
  for (TemplateValue element; cursor.next(memory, element); ++count) {
    if (count > 0) out += ", ";
    append_repr(out, element, depth + 1);
  }
  if (tuple && count == 1) out += ',';
  out += tuple ? ')' : ']';
}

void append_pairs(std::string& out, const TemplateValue& value, int depth) {
  TemplateMemory memory;
  out += '{';
  bool first = true;
  for_each_pair(value, memory, [&](const TemplateValue& key, const TemplateValue& mapped) {
    if (!std::exchange(first, false)) out += ", ";
    append_repr(out, key, depth + 1);
    out += ": ";
    append_repr(out, mapped, depth + 1);
  });
  out += '}';
}

void append_object(std::string& out, const TemplateValue& value, int depth) {
  const TemplateType& type = value.type();
  if (type.text != nullptr) {
    out += type.text(value.pointer());
    return;
  }
  if (type.find != nullptr) return append_pairs(out, value, depth);
  if (type.size != nullptr) return append_elements(out, value, depth);
  if (type.members.empty()) {
    out.append("<").append(type.name).append(">");
    return;
  }
  TemplateMemory memory;
  out.append(type.name).append("(");
  bool first = true;
  for (const TemplateMember& member : type.members) {
    if (!std::exchange(first, false)) out += ", ";
    out.append(member.name).append("=");
    append_repr(out, member.get(value.pointer(), memory), depth + 1);
  }
  out += ')';
}

}  // namespace

void append_float(std::string& out, double value) {
  char digits[kNumberSize];
  out.append(digits, static_cast<std::size_t>(write_shortest(digits, value) - digits));
}

void append_text(std::string& out, const TemplateValue& value, int depth) {
  switch (value.kind()) {
    case Kind::kString: out += value.as_string(); return;
    case Kind::kInt: return append_int(out, value.as_int());
    case Kind::kFailure: out += value.as<TemplateFailure>().message; return;
    default: append_repr(out, value, depth);
  }
}

void append_repr(std::string& out, const TemplateValue& value, int depth) {
  check_depth(depth);
  switch (value.kind()) {
    case Kind::kUndefined: out += "undefined"; return;
    case Kind::kNone: out += "None"; return;
    case Kind::kBool: out += value.as_bool() ? "True" : "False"; return;
    case Kind::kInt: return append_int(out, value.as_int());
    case Kind::kFloat: return append_float(out, value.as_float());
    case Kind::kString: return append_quoted(out, value.as_string());
    case Kind::kList:
    case Kind::kTuple: return append_elements(out, value, depth);
    case Kind::kDict: return append_pairs(out, value, depth);
    case Kind::kRange: {
      const TemplateRange& range = value.as<TemplateRange>();
      out += "range(" + std::to_string(range.start) + ", " + std::to_string(range.stop);
      if (range.step != 1) out += ", " + std::to_string(range.step);
      out += ')';
      return;
    }
    case Kind::kObject: return append_object(out, value, depth);
    case Kind::kFunction:
      out.append("<function ").append(value.as<TemplateFunction>().name).append(">");
      return;
    case Kind::kMethod:
      out.append("<method ").append(value.as<TemplateMethod>().function->name).append(">");
      return;
    case Kind::kFailure: {
      const TemplateFailure& failure = value.as<TemplateFailure>();
      out.append(template_type_name(value)).append("(");
      append_quoted(out, failure.message);
      out += ')';
      return;
    }
    case Kind::kAwaitable:
      fail_type("a coroutine has no value before it is awaited: write {{ await ... }}");
  }
}
// --- JSON --------------------------------------------------------------------------------------------

namespace {
void append_json_key(std::string& out, const TemplateValue& key) {
  std::string text;
  append_text(text, key);
  append_json(out, text);
}
}  // namespace

void append_template_json(std::string& out, const TemplateValue& value, int depth) {
  check_depth(depth);
  TemplateMemory memory;
  char separator = '{';
  const auto put_pair = [&](const TemplateValue& key, const TemplateValue& mapped) {
    out += std::exchange(separator, ',');
    append_json_key(out, key);
    out += ':';
    append_template_json(out, mapped, depth + 1);
  };
  switch (value.kind()) {
    case Kind::kNone: out += "null"; return;
    case Kind::kBool: out += value.as_bool() ? "true" : "false"; return;
    case Kind::kInt: return append_int(out, value.as_int());
    case Kind::kFloat:
      if (!std::isfinite(value.as_float())) fail_value("JSON has no infinity and no NaN");
      return append_float(out, value.as_float());
    case Kind::kString: return append_json(out, value.as_string());
    default: break;
  }
  if (is_mapping(value)) {
    for_each_pair(value, memory, put_pair);
    out += separator == '{' ? "{}" : "}";
  } else if (value.is_object() && !value.type().members.empty()) {
    for (const TemplateMember& member : value.type().members) {
      put_pair(TemplateValue::string(member.name), member.get(value.pointer(), memory));
    }
    out += '}';
  } else if (is_sequence(value) || (value.is_object() && value.type().iterate != nullptr)) {
    Cursor cursor;
    cursor.start(value, memory);
    separator = '[';
    for (TemplateValue element; cursor.next(memory, element);) {
      out += std::exchange(separator, ',');
      append_template_json(out, element, depth + 1);
    }
    out += separator == '[' ? "[]" : "]";
  } else {
    fail_type("object of type " + quoted_type(value) + " is not JSON serializable");
  }
}

}  // namespace coronado::web::templates

namespace coronado::web {

std::string template_to_string(const TemplateValue& value) {
  std::string out;
  templates::append_text(out, value);
  return out;
}

}  // namespace coronado::web
