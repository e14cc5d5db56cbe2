// Methods of str. Upper and lower case, and what is a letter, are ASCII's; other characters stay.
#include <coronado/base/strings.hpp>

#include <algorithm>

#include "web/template/format.hpp"
#include "web/template/iteration.hpp"
#include "web/template/natives.hpp"
#include "web/template/operators.hpp"

namespace coronado::web::templates {
namespace {

constexpr std::string_view kSpace = " \t\r\n\v\f";

std::string_view self(const NativeCall& call) { return call.self.as_string(); }

TemplateValue made(const NativeCall& call, std::string_view text) {
  return new_string(text, call.memory());
}

void no_arguments(const NativeCall& call) { call.call.bind({}, 0, nullptr); }

/// The native of a method without arguments.
template <TextMethod method>
TemplateValue without_arguments(const NativeCall& call) {
  no_arguments(call);
  return method(self(call), call.memory());
}
template <TextMethod method>
constexpr TemplateFunction text_method(std::string_view name) {
  return {.name = name, .native = without_arguments<method>, .of_text = method};
}

/// The characters from `first` to `first + 25` become those that differ in one bit.
template <char first>
TemplateValue change_case(std::string_view text, TemplateMemory& memory) {
  char* out = memory.allocate_array<char>(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool letter = static_cast<unsigned char>(text[i] - first) < 26;
    out[i] = static_cast<char>(text[i] ^ (letter ? 0x20 : 0));
  }
  return TemplateValue::string({out, text.size()});
}

bool is_letter(char c) { return is_ascii_letter(c) || static_cast<unsigned char>(c) >= 0x80; }

/// Params  change  Makes a character of it and the one before.
template <class Change>
TemplateValue change_characters(std::string_view text, TemplateMemory& memory, Change change) {
  char* out = memory.allocate_array<char>(text.size());
  char before = ' ';
  for (std::size_t i = 0; i < text.size(); ++i) {
    out[i] = change(text[i], before);
    before = text[i];
  }
  return TemplateValue::string({out, text.size()});
}

TemplateValue title(std::string_view text, TemplateMemory& memory) {
  return change_characters(text, memory, [](char c, char before) {
    return is_letter(before) ? ascii_lower(c) : ascii_upper(c);
  });
}
TemplateValue swapcase(std::string_view text, TemplateMemory& memory) {
  return change_characters(text, memory, [](char c, char) {
    return c >= 'a' && c <= 'z' ? ascii_upper(c) : ascii_lower(c);
  });
}
TemplateValue capitalize(std::string_view text, TemplateMemory& memory) {
  std::string out = ascii_lower(text);
  if (!out.empty()) out[0] = ascii_upper(out[0]);
  return new_string(out, memory);
}

enum class Side { kBoth, kLeft, kRight };

/// Characters may be of several bytes, so they are compared as texts.
bool has_character(std::string_view set, std::string_view character) {
  while (!set.empty()) {
    const std::string_view one = first_character(set);
    if (one == character) return true;
    set.remove_prefix(one.size());
  }
  return false;
}

std::string_view last_character(std::string_view text) {
  std::size_t begin = text.size() - 1;
  while (begin > 0 && (static_cast<unsigned char>(text[begin]) & 0xC0) == 0x80) --begin;
  return text.substr(begin);
}

template <Side side>
TemplateValue strip(const NativeCall& call) {
  const NativeArguments<1> arguments(call, {"chars"}, 0);
  const std::string_view set = arguments.has(0) ? to_text(arguments[0], "strip arg") : kSpace;
  std::string_view text = self(call);
  while (side != Side::kRight && !text.empty() && has_character(set, first_character(text))) {
    text.remove_prefix(first_character(text).size());
  }
  while (side != Side::kLeft && !text.empty() && has_character(set, last_character(text))) {
    text.remove_suffix(last_character(text).size());
  }
  return TemplateValue::string(text);
}

void split_on_space(std::string_view text, std::int64_t limit, TemplateList& parts,
                    TemplateMemory& memory) {
  for (;;) {
    text.remove_prefix(std::min(text.find_first_not_of(kSpace), text.size()));
    if (text.empty()) return;
    if (limit-- == 0) {
      parts.append(TemplateValue::string(text), memory);
      return;
    }
    const std::size_t end = std::min(text.find_first_of(kSpace), text.size());
    parts.append(TemplateValue::string(text.substr(0, end)), memory);
    text.remove_prefix(end);
  }
}

void split_on_space_from_right(std::string_view text, std::int64_t limit, TemplateList& parts,
                               TemplateMemory& memory) {
  for (;;) {
    const std::size_t last = text.find_last_not_of(kSpace);
    if (last == std::string_view::npos) break;
    text = text.substr(0, last + 1);
    if (limit-- == 0) {
      parts.append(TemplateValue::string(text), memory);
      break;
    }
    const std::size_t gap = text.find_last_of(kSpace);
    const std::size_t begin = gap == std::string_view::npos ? 0 : gap + 1;
    parts.append(TemplateValue::string(text.substr(begin)), memory);
    text = text.substr(0, begin);
  }
  std::reverse(parts.data, parts.data + parts.size);
}

template <bool from_right>
TemplateValue split_text(const NativeCall& call) {
  const NativeArguments<2> arguments(call, {"sep", "maxsplit"}, 0);
  std::int64_t limit = arguments.has(1) ? to_integer(arguments[1], "maxsplit") : -1;
  TemplateMemory& memory = call.memory();
  TemplateList& parts = memory.make<TemplateList>();
  std::string_view text = self(call);
  if (!arguments.has(0)) {
    from_right ? split_on_space_from_right(text, limit, parts, memory)
               : split_on_space(text, limit, parts, memory);
    return TemplateValue::list(parts);
  }
  const std::string_view separator = to_text(arguments[0], "separator");
  if (separator.empty()) fail_value("empty separator");
  for (; limit != 0; --limit) {
    const std::size_t found = from_right ? text.rfind(separator) : text.find(separator);
    if (found == std::string_view::npos) break;
    const std::size_t after = found + separator.size();
    parts.append(TemplateValue::string(from_right ? text.substr(after) : text.substr(0, found)),
                 memory);
    text = from_right ? text.substr(0, found) : text.substr(after);
  }
  parts.append(TemplateValue::string(text), memory);
  if (from_right) std::reverse(parts.data, parts.data + parts.size);
  return TemplateValue::list(parts);
}

TemplateValue splitlines(const NativeCall& call) {
  no_arguments(call);
  TemplateList& lines = call.memory().make<TemplateList>();
  for (std::string_view text = self(call); !text.empty();) {
    const std::size_t end = std::min(text.find_first_of("\r\n"), text.size());
    lines.append(TemplateValue::string(text.substr(0, end)), call.memory());
    const bool both = text.substr(end).starts_with("\r\n");
    text.remove_prefix(std::min(end + (both ? 2 : 1), text.size()));
  }
  return TemplateValue::list(lines);
}

TemplateValue join(const NativeCall& call) {
  const NativeArguments<1> arguments(call, {"iterable"}, 1);
  std::string out;
  Cursor cursor;
  cursor.start(arguments[0], call.memory());
  std::size_t count = 0;
  for (TemplateValue element; cursor.next(call.memory(), element); ++count) {
    if (!element.is_string()) {
      fail_type("sequence item " + std::to_string(count) + ": expected str, '" +
                std::string(template_type_name(element)) + "' found");
    }
    if (count > 0) out += self(call);
    out += element.as_string();
  }
  return made(call, out);
}

TemplateValue replace(const NativeCall& call) {
  const NativeArguments<3> arguments(call, {"old", "new", "count"}, 2);
  const std::string_view before = to_text(arguments[0], "replace() argument 1");
  const std::string_view after = to_text(arguments[1], "replace() argument 2");
  std::int64_t limit = arguments.has(2) ? to_integer(arguments[2], "count") : -1;
  std::string_view text = self(call);
  std::string out;
  for (; limit != 0; --limit) {
    if (before.empty()) {
      // Between all characters, and at both ends.
      out += after;
      if (text.empty()) return made(call, out);
      out += first_character(text);
      text.remove_prefix(first_character(text).size());
      continue;
    }
    const std::size_t found = text.find(before);
    if (found == std::string_view::npos) break;
    out.append(text.substr(0, found)).append(after);
    text.remove_prefix(found + before.size());
  }
  return made(call, out.append(text));
}

template <bool at_end>
TemplateValue starts_or_ends(const NativeCall& call) {
  const NativeArguments<1> arguments(call, {at_end ? "suffix" : "prefix"}, 1);
  const auto fits = [&](const TemplateValue& affix) {
    const std::string_view text = to_text(affix, at_end ? "endswith arg" : "startswith arg");
    return at_end ? self(call).ends_with(text) : self(call).starts_with(text);
  };
  if (arguments[0].kind() != TemplateKind::kTuple)
    return TemplateValue::boolean(fits(arguments[0]));
  const auto affixes = arguments[0].as<TemplateList>().values();
  return TemplateValue::boolean(std::any_of(affixes.begin(), affixes.end(), fits));
}

template <bool last, bool throws>
TemplateValue find(const NativeCall& call) {
  const NativeArguments<1> arguments(call, {"sub"}, 1);
  const std::string_view wanted = to_text(arguments[0], "find() argument");
  const std::size_t found = last ? self(call).rfind(wanted) : self(call).find(wanted);
  if (found == std::string_view::npos) {
    if (throws) fail_value("substring not found");
    return TemplateValue::integer(-1);
  }
  return TemplateValue::integer(
      static_cast<std::int64_t>(count_characters(self(call).substr(0, found))));
}

TemplateValue count(const NativeCall& call) {
  const NativeArguments<1> arguments(call, {"sub"}, 1);
  const std::string_view wanted = to_text(arguments[0], "count() argument");
  std::int64_t total = 0;
  if (wanted.empty()) {
    return TemplateValue::integer(static_cast<std::int64_t>(count_characters(self(call))) + 1);
  }
  for (std::size_t at = self(call).find(wanted); at != std::string_view::npos;
       at = self(call).find(wanted, at + wanted.size())) {
    ++total;
  }
  return TemplateValue::integer(total);
}

TemplateValue format(const NativeCall& call) {
  return made(call, format_string(self(call), call.call));
}

template <char align>
TemplateValue justify(const NativeCall& call) {
  const NativeArguments<2> arguments(call, {"width", "fillchar"}, 1);
  const std::int64_t width = to_integer(arguments[0], "width");
  const std::string_view fill = arguments.has(1) ? to_text(arguments[1], "fillchar") : " ";
  if (count_characters(fill) != 1) fail_type("the fill character must be exactly one character");
  if (width <= static_cast<std::int64_t>(count_characters(self(call)))) return call.self;
  std::string specification(fill);
  specification += align;
  return made(call, format_value(call.self, specification + std::to_string(width)));
}

TemplateValue zfill(const NativeCall& call) {
  const NativeArguments<1> arguments(call, {"width"}, 1);
  const std::int64_t width = to_integer(arguments[0], "width");
  const auto size = static_cast<std::int64_t>(count_characters(self(call)));
  if (width <= size) return call.self;
  if (width > 100'000) fail_value("width too big");
  std::string out(self(call));
  const bool sign = out.starts_with('+') || out.starts_with('-');
  out.insert(sign ? 1 : 0, static_cast<std::size_t>(width - size), '0');
  return made(call, out);
}

template <class Test>
TemplateValue all_characters(const NativeCall& call, Test test) {
  no_arguments(call);
  const std::string_view text = self(call);
  return TemplateValue::boolean(!text.empty() && std::all_of(text.begin(), text.end(), test));
}

TemplateValue isdigit(const NativeCall& call) {
  return all_characters(call, [](char c) { return is_ascii_digit(c); });
}
TemplateValue isalpha(const NativeCall& call) { return all_characters(call, is_letter); }
TemplateValue isalnum(const NativeCall& call) {
  return all_characters(call, [](char c) { return is_ascii_digit(c) || is_letter(c); });
}
TemplateValue isspace(const NativeCall& call) {
  return all_characters(call, [](char c) { return kSpace.find(c) != std::string_view::npos; });
}

template <bool upper_case>
TemplateValue has_case(const NativeCall& call) {
  no_arguments(call);
  const std::string_view text = self(call);
  const auto wrong = [](char c) { return upper_case ? c != ascii_upper(c) : c != ascii_lower(c); };
  return TemplateValue::boolean(std::any_of(text.begin(), text.end(), is_ascii_letter) &&
                                std::none_of(text.begin(), text.end(), wrong));
}

template <bool last>
TemplateValue partition(const NativeCall& call) {
  const NativeArguments<1> arguments(call, {"sep"}, 1);
  const std::string_view separator = to_text(arguments[0], "separator");
  if (separator.empty()) fail_value("empty separator");
  const std::string_view text = self(call);
  const std::size_t found = last ? text.rfind(separator) : text.find(separator);
  std::string_view parts[3] = {text, "", ""};
  if (found != std::string_view::npos) {
    parts[0] = text.substr(0, found);
    parts[1] = separator;
    parts[2] = text.substr(found + separator.size());
  } else if (last) {
    std::swap(parts[0], parts[2]);
  }
  const TemplateValue values[] = {TemplateValue::string(parts[0]), TemplateValue::string(parts[1]),
                                  TemplateValue::string(parts[2])};
  return new_tuple(values, call.memory());
}

template <bool suffix>
TemplateValue remove_affix(const NativeCall& call) {
  const NativeArguments<1> arguments(call, {suffix ? "suffix" : "prefix"}, 1);
  const std::string_view affix = to_text(arguments[0], "argument");
  std::string_view text = self(call);
  if (suffix && text.ends_with(affix)) text.remove_suffix(affix.size());
  if (!suffix && text.starts_with(affix)) text.remove_prefix(affix.size());
  return TemplateValue::string(text);
}

constexpr TemplateFunction kMethods[] = {
    text_method<change_case<'a'>>("upper"),
    text_method<change_case<'A'>>("lower"),
    text_method<change_case<'A'>>("casefold"),
    text_method<title>("title"),
    text_method<capitalize>("capitalize"),
    text_method<swapcase>("swapcase"),
    {"strip", strip<Side::kBoth>},
    {"lstrip", strip<Side::kLeft>},
    {"rstrip", strip<Side::kRight>},
    {"split", split_text<false>},
    {"rsplit", split_text<true>},
    {"splitlines", splitlines},
    {"join", join},
    {"replace", replace},
    {"startswith", starts_or_ends<false>},
    {"endswith", starts_or_ends<true>},
    {"find", find<false, false>},
    {"rfind", find<true, false>},
    {"index", find<false, true>},
    {"rindex", find<true, true>},
    {"count", count},
    {"format", format},
    {"center", justify<'^'>},
    {"ljust", justify<'<'>},
    {"rjust", justify<'>'>},
    {"zfill", zfill},
    {"isdigit", isdigit},
    {"isnumeric", isdigit},
    {"isdecimal", isdigit},
    {"isalpha", isalpha},
    {"isalnum", isalnum},
    {"isspace", isspace},
    {"isupper", has_case<true>},
    {"islower", has_case<false>},
    {"partition", partition<false>},
    {"rpartition", partition<true>},
    {"removeprefix", remove_affix<false>},
    {"removesuffix", remove_affix<true>},
};

}  // namespace

std::span<const TemplateFunction> string_methods() noexcept { return kMethods; }

}  // namespace coronado::web::templates
