// `%` and str.format.
#include <coronado/base/escape.hpp>
#include <coronado/base/strings.hpp>

#include <algorithm>
#include <cmath>

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
    single_ = !is_tuple(arguments);
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
    const std::int32_t digits = std::exchange(spec.precision, FormatSpec::kNoPrecision);
    if (digits == FormatSpec::kNoPrecision) return format_integer(integer, spec);
    FormatSpec inner = spec;
    inner.width = static_cast<std::size_t>(digits) + (integer < 0 ? 1 : 0);
    inner.fill = "0";
    inner.align = '=';
    const std::string text = format_integer(integer, inner);
    return pad_field(spec, "", text, '>');
  }
  if (!spec.has_precision()) spec.precision = 6;
  return format_real(to_double(value), spec);
}

}  // namespace

namespace {

/// What stands behind one `%`.
struct PercentField {
  FormatSpec spec;
  std::optional<std::string_view> key;  // "(key)"
  bool width_given = false;             // `*`: an argument says it
  bool precision_given = false;
  std::size_t end = 0;  // where the text goes on
};

constexpr std::string_view kPercentTypes = "diuxXoeEfFgGcrsa%";

/// Params  at  Just behind the `%`.
PercentField parse_percent_field(std::string_view text, std::size_t at) {
  PercentField field;
  FormatSpec& spec = field.spec;
  const auto next = [&] { return at < text.size() ? text[at] : '\0'; };
  if (next() == '(') {
    const std::size_t end = text.find(')', at);
    if (end == std::string_view::npos) fail_value("incomplete format key");
    field.key = text.substr(at + 1, end - at - 1);
    at = end + 1;
  }
  for (;; ++at) {
    if (next() == '-') {
      spec.align = '<';
    } else if (next() == '+' || (next() == ' ' && spec.sign != '+')) {
      spec.sign = next();
    } else if (next() == '#') {
      spec.alternate = true;
    } else if (next() == '0') {
      spec.zero = true;
    } else {
      break;
    }
  }
  if (spec.zero && spec.align == '\0') {
    spec.fill = "0";
    spec.align = '=';
  }
  const auto read_number = [&](bool& given) -> std::size_t {
    if (next() == '*') {
      given = true;
      ++at;
      return 0;
    }
    if (!is_ascii_digit(next())) return 0;
    std::string_view rest = text.substr(at);
    const std::size_t number = read_format_size(rest, text);
    at = text.size() - rest.size();
    return number;
  };
  spec.width = read_number(field.width_given);
  if (next() == '.') {
    ++at;
    spec.precision = static_cast<std::int32_t>(read_number(field.precision_given));
  }
  while (next() == 'l' || next() == 'h' || next() == 'L') ++at;
  spec.type = next();
  if (spec.type == '\0') fail_value("incomplete format");
  if (kPercentTypes.find(spec.type) == std::string_view::npos) {
    fail_value(std::string("unsupported format character '") + spec.type + "'");
  }
  if (spec.type == 'i' || spec.type == 'u') spec.type = 'd';
  mark_quick(spec);
  field.end = at + 1;
  return field;
}

std::size_t given_size(const TemplateValue& value) {
  const std::int64_t given = to_integer(value, "* width");
  if (given < 0 || static_cast<std::uint64_t>(given) > kMaxFieldWidth) fail_value("width too big");
  return static_cast<std::size_t>(given);
}

}  // namespace

std::string percent_format(std::string_view text, const TemplateValue& arguments,
                           TemplateMemory& memory) {
  std::string out;
  PercentArguments values(arguments, memory);
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t percent = std::min(text.find('%', i), text.size());
    out += text.substr(i, percent - i);
    i = percent;
    if (i == text.size()) break;
    PercentField field = parse_percent_field(text, i + 1);
    i = field.end;
    std::optional<TemplateValue> named;
    if (field.key) named = values.named(*field.key);
    if (field.width_given) field.spec.width = given_size(values.next());
    if (field.precision_given) {
      field.spec.precision = static_cast<std::int32_t>(given_size(values.next()));
    }
    if (field.spec.type == '%') {
      out += '%';
    } else {
      out += percent_field(field.spec, named ? *named : values.next());
    }
  }
  values.finish();
  return out;
}

std::optional<std::vector<PercentPart>> split_percent(std::string_view text) {
  std::vector<PercentPart> parts;
  std::string literal;
  try {
    for (std::size_t i = 0; i < text.size();) {
      if (text[i] != '%') {
        literal += text[i++];
        continue;
      }
      const PercentField field = parse_percent_field(text, i + 1);
      const std::string_view written = text.substr(i + 1, field.end - i - 1);
      i = field.end;
      if (field.key || field.width_given || field.precision_given) return std::nullopt;
      if (field.spec.type == '%') {
        literal += '%';
        continue;
      }
      const bool empty =
          field.spec.type == 's' && field.spec.width == 0 && !field.spec.has_precision();
      parts.push_back(
          {std::exchange(literal, {}),
           FormatField{.spec = field.spec, .rules = FormatField::Rules::kPercent, .empty = empty},
           std::string(written)});
    }
  } catch (const TemplateFault&) {
    return std::nullopt;  // when it is rendered, the error says where
  }
  parts.push_back({std::move(literal), std::nullopt, {}});
  return parts;
}

std::string format_field(const FormatField& field, const TemplateValue& value) {
  std::string out;
  if (field.rules == FormatField::Rules::kPercent) return percent_field(field.spec, value);
  if (field.conversion != '\0') {
    field.conversion == 's' ? append_text(out, value) : append_repr(out, value);
    if (field.empty) return out;
    return format_by(TemplateValue::string(out), field.spec);
  }
  if (!field.empty) return format_by(value, field.spec);
  append_text(out, value);
  return out;
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

/// Where the field ends that begins at `begin`: its specification may have fields, too.
std::size_t field_end(std::string_view text, std::size_t begin) {
  std::size_t open = 0;
  for (std::size_t i = begin; i < text.size(); ++i) {
    if (text[i] == '{') ++open;
    if (text[i] == '}' && --open == 0) return i;
  }
  return std::string_view::npos;
}

/// The arguments of one `format()`: how many fields without a name have taken theirs, and how many
/// fields may stand in each other.
struct Fields {
  const TemplateCall& call;
  std::size_t automatic = 0;
  std::size_t depth = 2;
};

void append_fields(std::string& out, std::string_view text, Fields& fields);

void append_field(std::string& out, std::string_view field, Fields& fields) {
  std::string_view specification;
  if (const std::size_t colon = field.find(':'); colon != std::string_view::npos) {
    specification = field.substr(colon + 1);
    field = field.substr(0, colon);
  }
  std::string_view conversion;
  if (const std::size_t bang = field.find('!'); bang != std::string_view::npos) {
    conversion = field.substr(bang + 1);
    field = field.substr(0, bang);
  }
  const TemplateValue value = field_value(field, fields.call, fields.automatic);
  std::string made;  // the specification, where it has fields of its own
  if (specification.find('{') != std::string_view::npos) {
    append_fields(made, specification, fields);
    specification = made;
  }
  if (conversion.empty()) {
    out += format_value(value, specification);
  } else {
    std::string shown;
    conversion == "r" ? append_repr(shown, value) : append_text(shown, value);
    out += format_value(TemplateValue::string(shown), specification);
  }
}

void append_fields(std::string& out, std::string_view text, Fields& fields) {
  if (fields.depth == 0) fail_value("Max string recursion exceeded");
  --fields.depth;
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
    const std::size_t end = c == '{' ? field_end(text, i) : std::string_view::npos;
    if (end == std::string_view::npos) {
      fail_value(std::string("single '") + c + "' encountered in format string");
    }
    append_field(out, text.substr(i + 1, end - i - 1), fields);
    i = end;
  }
  ++fields.depth;
}

}  // namespace

std::string format_string(std::string_view text, const TemplateCall& call) {
  std::string out;
  Fields fields{call};
  append_fields(out, text, fields);
  return out;
}

}  // namespace coronado::web::templates
