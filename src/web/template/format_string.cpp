// `%` and str.format.
#include <coronado/base/escape.hpp>
#include <coronado/base/strings.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>

#include "web/template/format.hpp"
#include "web/template/format_spec.hpp"
#include "web/template/operators.hpp"

namespace coronado::web::templates {

using Kind = TemplateKind;

namespace {

/// The arguments of `%`, taken one by one or by name.
class PercentArguments {
 public:
  PercentArguments(const TemplateValue& arguments, TemplateMemory& memory)
      : arguments_(arguments), memory_(memory) {
    single_ = !(arguments.kind() == Kind::kTuple ||
                (arguments.is_object() && arguments.type().name == "tuple"));
  }

  TemplateValue next() {
    if (single_) {
      if (taken_++ > 0) fail_type("not enough arguments for format string");
      return arguments_;
    }
    if (taken_ >= length(arguments_)) fail_type("not enough arguments for format string");
    return element(arguments_, taken_++, memory_);
  }
  TemplateValue named(std::string_view name) {
    if (!is_mapping(arguments_)) fail_type("format requires a mapping");
    named_ = true;
    return item(arguments_, TemplateValue::string(name), memory_);
  }
  void finish() const {
    const std::size_t given = single_ ? 1 : length(arguments_);
    if (taken_ < given && !named_ && !(single_ && is_mapping(arguments_))) {
      fail_type("not all arguments converted during string formatting");
    }
  }

 private:
  const TemplateValue& arguments_;
  TemplateMemory& memory_;
  std::size_t taken_ = 0;
  bool single_ = true;
  bool named_ = false;
};

std::string percent_field(FormatSpec spec, const TemplateValue& value) {
  const char type = spec.type;
  if (type == 's' || type == 'r' || type == 'a') {
    std::string text;
    type == 's' ? append_text(text, value) : append_repr(text, value);
    spec.sign = '-';
    spec.alternate = false;
    spec.zero = false;
    if (spec.align == '=' || spec.align == '\0') spec.align = '>';
    spec.fill = " ";
    return format_text(text, spec);
  }
  if (type == 'c') {
    if (value.is_string()) return pad_field(spec, "", value.as_string(), '>');
    if (spec.align == '\0') spec.align = '>';
    return format_integer(to_integer(value, "%c"), spec);
  }
  if (!is_number(value)) {
    fail_type(std::string("%") + type + " format: a number is required, not '" +
              std::string(template_type_name(value)) + "'");
  }
  if (std::string_view("diuxXo").find(type) != std::string_view::npos) {
    std::int64_t integer = 0;
    if (value.kind() == Kind::kFloat) {
      if (!(std::abs(value.as_float()) < 9.2e18)) {
        fail(TemplateErrorClass::kOverflowError, "float is beyond 64 bits");
      }
      integer = static_cast<std::int64_t>(value.as_float());
    } else {
      integer = value.as_int();
    }
    const std::optional<std::size_t> digits = std::exchange(spec.precision, std::nullopt);
    if (!digits) return format_integer(integer, spec);
    FormatSpec inner = spec;
    inner.width = *digits + (integer < 0 ? 1 : 0);
    inner.fill = "0";
    inner.align = '=';
    const std::string text = format_integer(integer, inner);
    return pad_field(spec, "", text, '>');
  }
  if (!spec.precision) spec.precision = 6;
  return format_real(to_double(value), spec);
}

}  // namespace

std::string percent_format(std::string_view text, const TemplateValue& arguments,
                           TemplateMemory& memory) {
  std::string out;
  PercentArguments values(arguments, memory);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    const auto at = [&] { return i < text.size() ? text[i] : '\0'; };
    ++i;
    std::optional<TemplateValue> named;
    if (at() == '(') {
      const std::size_t end = text.find(')', i);
      if (end == std::string_view::npos) fail_value("incomplete format key");
      named = values.named(text.substr(i + 1, end - i - 1));
      i = end + 1;
    }
    FormatSpec spec;
    for (;; ++i) {
      if (at() == '-') {
        spec.align = '<';
      } else if (at() == '+' || (at() == ' ' && spec.sign != '+')) {
        spec.sign = at();
      } else if (at() == '#') {
        spec.alternate = true;
      } else if (at() == '0') {
        spec.zero = true;
      } else {
        break;
      }
    }
    if (spec.zero && spec.align == '\0') {
      spec.fill = "0";
      spec.align = '=';
    }
    const auto read_number = [&]() -> std::size_t {
      if (at() == '*') {
        ++i;
        const std::int64_t given = to_integer(values.next(), "* width");
        if (given < 0 || static_cast<std::uint64_t>(given) > kMaxFieldWidth)
          fail_value("width too big");
        return static_cast<std::size_t>(given);
      }
      std::string_view rest = text.substr(i);
      if (!is_ascii_digit(at())) return 0;
      const std::size_t number = read_format_size(rest, text);
      i = text.size() - rest.size();
      return number;
    };
    spec.width = read_number();
    if (at() == '.') {
      ++i;
      spec.precision = read_number();
    }
    while (at() == 'l' || at() == 'h' || at() == 'L') ++i;
    spec.type = at();
    if (spec.type == '%') {
      out += '%';
      continue;
    }
    if (spec.type == '\0') fail_value("incomplete format");
    if (std::string_view("diuxXoeEfFgGcrsa").find(spec.type) == std::string_view::npos) {
      fail_value(std::string("unsupported format character '") + spec.type + "'");
    }
    out += percent_field(spec, named ? *named : values.next());
  }
  values.finish();
  return out;
}

PercentSite PercentSite::make(std::string_view text) {
  PercentSite site{.text = text};
  const std::size_t percent = text.find('%');
  if (percent == std::string_view::npos || text.find('%', percent + 1) != std::string_view::npos) {
    return site;
  }
  std::string_view rest = text.substr(percent + 1);
  std::size_t precision = 6;
  if (rest.size() > 2 && rest[0] == '.' && is_ascii_digit(rest[1])) {
    precision = static_cast<std::size_t>(rest[1] - '0');
    rest.remove_prefix(2);
    if (!rest.starts_with('f')) return site;
  }
  if (!rest.starts_with('f') && !rest.starts_with('d') && !rest.starts_with('s')) return site;
  site.type = rest[0];
  site.precision = precision;
  site.prefix = text.substr(0, percent);
  site.suffix = rest.substr(1);
  return site;
}

TemplateValue percent_format(const PercentSite& site, const TemplateValue& value,
                             TemplateMemory& memory) {
  char field[kFixedSize];
  std::string_view middle;
  if (site.type == 'f' && value.kind() == Kind::kFloat) {
    const char* end = write_fixed(field, value.as_float(), site.precision);
    if (end != nullptr) middle = {field, static_cast<std::size_t>(end - field)};
  } else if (site.type != 'f' && site.type != '\0' && value.is_int()) {
    const char* end = std::to_chars(field, field + sizeof field, value.as_int()).ptr;
    middle = {field, static_cast<std::size_t>(end - field)};
  } else if (site.type == 's' && value.is_string()) {
    middle = value.as_string();
  }
  if (middle.empty()) return new_string(percent_format(site.text, value, memory), memory);
  char* place =
      memory.allocate_array<char>(site.prefix.size() + middle.size() + site.suffix.size());
  char* at = place;
  for (const std::string_view part : {site.prefix, middle, site.suffix}) {
    std::memcpy(at, part.data(), part.size());
    at += part.size();
  }
  return TemplateValue::string({place, static_cast<std::size_t>(at - place)});
}

namespace {

/// The value that "0.name[key]" names.
TemplateValue field_value(std::string_view field, const TemplateCall& call,
                          std::size_t& automatic) {
  const std::size_t end = std::min(field.find_first_of(".["), field.size());
  const std::string_view first = field.substr(0, end);
  TemplateValue value = TemplateValue::undefined();
  const auto number = parse_int<std::uint32_t>(first);
  if (first.empty() || number) {
    const std::size_t index = first.empty() ? automatic++ : *number;
    if (index >= call.size()) {
      fail(TemplateErrorClass::kIndexError,
           "format(): replacement index " + std::to_string(index) + " out of range");
    }
    value = call.argument(index);
  } else {
    for (std::size_t i = 0; i < call.keyword_count(); ++i) {
      if (call.keyword_name(i) == first) value = call.keyword(i);
    }
    if (value.is_undefined()) {
      fail(TemplateErrorClass::kKeyError, "'" + std::string(first) + "'");
    }
  }
  for (std::string_view rest = field.substr(end); !rest.empty();) {
    if (rest[0] != '[') fail_value("format(): only [index] may follow an argument");
    const std::size_t close = rest.find(']');
    if (close == std::string_view::npos) fail_value("expected ']' in the format string");
    const std::string_view key = rest.substr(1, close - 1);
    const auto index = parse_int<std::int64_t>(key);
    value = item(value, index ? TemplateValue::integer(*index) : TemplateValue::string(key),
                 call.memory());
    rest.remove_prefix(close + 1);
  }
  return value;
}

}  // namespace

std::string format_string(std::string_view text, const TemplateCall& call) {
  std::string out;
  std::size_t automatic = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c != '{' && c != '}') {
      out += c;
      continue;
    }
    if (i + 1 < text.size() && text[i + 1] == c) {
      out += c;
      ++i;
      continue;
    }
    const std::size_t end = c == '{' ? text.find('}', i) : std::string_view::npos;
    if (end == std::string_view::npos) {
      fail_value(std::string("single '") + c + "' encountered in format string");
    }
    std::string_view field = text.substr(i + 1, end - i - 1);
    std::string_view specification;
    if (const std::size_t colon = field.find(':'); colon != std::string_view::npos) {
      specification = field.substr(colon + 1);
      field = field.substr(0, colon);
      if (specification.find('{') != std::string_view::npos) {
        fail_value("format(): a field inside a specification is not supported");
      }
    }
    std::string_view conversion;
    if (const std::size_t bang = field.find('!'); bang != std::string_view::npos) {
      conversion = field.substr(bang + 1);
      field = field.substr(0, bang);
    }
    const TemplateValue value = field_value(field, call, automatic);
    if (conversion.empty()) {
      out += format_value(value, specification);
    } else {
      std::string shown;
      conversion == "r" ? append_repr(shown, value) : append_text(shown, value);
      out += format_value(TemplateValue::string(shown), specification);
    }
    i = end;
  }
  return out;
}

}  // namespace coronado::web::templates
