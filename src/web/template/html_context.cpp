#include "web/template/html_context.hpp"

#include <coronado/base/strings.hpp>

#include <algorithm>
#include <array>

namespace coronado::web::templates {
namespace {

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f'; }

bool is_url_attribute(std::string_view name) {
  constexpr std::array<std::string_view, 7> kNames = {"href",       "src",  "action", "formaction",
                                                      "xlink:href", "data", "poster"};
  return std::ranges::find(kNames, name) != kNames.end();
}

/// The name of the function that a value is the result of.
std::string_view called_function(const Expression& value) {
  if (value.kind != ExpressionKind::kCall) return {};
  const Expression& callee = *value.children[0];
  return callee.kind == ExpressionKind::kName || callee.kind == ExpressionKind::kAttribute
             ? std::string_view(callee.text)
             : std::string_view();
}

/// Functions that make URLs of a site's own.
bool makes_safe_url(const Expression& value) {
  constexpr std::array<std::string_view, 3> kFunctions = {"static_url", "reverse_url",
                                                          "xsrf_form_html"};
  return std::ranges::find(kFunctions, called_function(value)) != kFunctions.end();
}

}  // namespace

void HTMLContext::end_tag() {
  state_ = !closing_ && (tag_ == "script" || tag_ == "style") ? State::kRawText : State::kText;
}

void HTMLContext::read(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) read_character(text[i], text.substr(i));
}

void HTMLContext::read_character(char c, std::string_view rest) {
  switch (state_) {
    case State::kText:
      if (c == '<') state_ = rest.starts_with("<!--") ? State::kComment : State::kTagOpen;
      return;
    case State::kComment:
      if (rest.starts_with("-->")) state_ = State::kText;
      return;
    case State::kRawText:
      if (ascii_lower(rest.substr(0, tag_.size() + 2)) == "</" + tag_) state_ = State::kTagOpen;
      return;
    case State::kTagOpen:
    case State::kTagName: return read_tag(c);
    default: return read_attribute(c);
  }
}

/// The name of a tag.
void HTMLContext::read_tag(char c) {
  if (state_ == State::kTagOpen) {
    closing_ = c == '/';
    tag_.clear();
    if (!closing_ && !is_ascii_letter(c) && c != '!') {
      state_ = State::kText;
      return;
    }
    if (!closing_) tag_ += ascii_lower(c);
    state_ = State::kTagName;
    return;
  }
  if (c == '>') return end_tag();
  if (is_space(c) || c == '/') {
    state_ = State::kInTag;
    attribute_.clear();
  } else {
    tag_ += ascii_lower(c);
  }
}

/// What stands behind it.
void HTMLContext::read_attribute(char c) {
  const bool in_quotes = state_ == State::kValue && quote_ != '\0';
  if (c == '>' && !in_quotes) return end_tag();
  switch (state_) {
    case State::kInTag:
      if (is_space(c) || c == '/') return;
      if (c == '=' && !attribute_.empty()) {  // white space stood before it
        state_ = State::kBeforeValue;
        return;
      }
      attribute_ = std::string(1, ascii_lower(c));
      state_ = State::kAttributeName;
      return;
    case State::kAttributeName:
      if (c == '=') {
        state_ = State::kBeforeValue;
      } else if (is_space(c)) {
        state_ = State::kInTag;
      } else {
        attribute_ += ascii_lower(c);
      }
      return;
    case State::kBeforeValue:
      if (is_space(c)) return;
      value_.clear();
      quote_ = c == '"' || c == '\'' ? c : '\0';
      if (quote_ == '\0') value_ += c;
      state_ = State::kValue;
      return;
    default:  // kValue
      if (in_quotes ? c == quote_ : is_space(c)) {
        state_ = State::kInTag;
        attribute_.clear();
      } else {
        value_ += c;
      }
      return;
  }
}

void HTMLContext::skip_value() {
  if (state_ == State::kBeforeValue) {
    value_.clear();
    quote_ = '\0';
    state_ = State::kValue;
  }
  if (state_ == State::kValue) value_ += '?';
  if (state_ == State::kInTag) {
    attribute_.clear();
    state_ = State::kAttributeName;
  }
}

std::string HTMLContext::problem(const Expression& value) const {
  if (state_ == State::kRawText) {
    if (called_function(value) == "json_encode") {
      return "inside <" + tag_ + "> write {% raw json_encode(...) %}: escaped quotes are no JSON";
    }
    return "a value inside <" + tag_ +
           "> is not protected by escaping: use {% raw json_encode(...) %} in a script";
  }
  if (state_ == State::kTagName || state_ == State::kInTag || state_ == State::kAttributeName) {
    // A whole attribute, such as `{{ 'checked' if on else '' }}`, is a constant of the template.
    const bool constant = value.kind == ExpressionKind::kString ||
                          (value.kind == ExpressionKind::kConditional &&
                           value.children[1]->kind == ExpressionKind::kString &&
                           value.children[2]->kind == ExpressionKind::kString);
    if (constant || makes_safe_url(value)) return {};
    return "a value as a part of a tag is not protected by escaping";
  }
  const bool unquoted =
      state_ == State::kBeforeValue || (state_ == State::kValue && quote_ == '\0');
  if (unquoted) {
    return "the value of " + attribute_ +
           " has no quotes, and escaping does not protect it: write " + attribute_ + "=\"...\"";
  }
  return state_ == State::kValue ? attribute_problem(value) : std::string();
}

/// The same inside the quotes of an attribute.
std::string HTMLContext::attribute_problem(const Expression& value) const {
  if (attribute_.starts_with("on")) {
    return "a value inside the script of " + attribute_ + " is not protected by escaping";
  }
  if (attribute_ == "style") return "a value inside style is not protected by escaping";
  if (attribute_ == "srcdoc") {
    return "srcdoc is a page of its own, in which the value is HTML again: escaping once does not "
           "protect it";
  }
  if (!is_url_attribute(attribute_)) return {};
  const std::string before = ascii_lower(trim(value_));
  for (const std::string_view scheme : {"javascript:", "vbscript:", "data:text/html"}) {
    if (!before.starts_with(scheme)) continue;
    return "a value inside a " + std::string(scheme) + " URL is not protected by escaping";
  }
  if (before.empty() && value.kind != ExpressionKind::kString && !makes_safe_url(value)) {
    return "a URL that begins with a value may be javascript:...; begin " + attribute_ +
           " with a scheme or a path, or check the value";
  }
  return {};
}

bool HTMLContext::is_html(std::string_view name) noexcept {
  return name.ends_with(".html") || name.ends_with(".htm") || name.starts_with('<');
}

void HTMLContext::follow(const Node& node, const ParsedFile& file,
                         const std::vector<Origin>& origins, const OriginPlace& place,
                         std::vector<TemplateWarning>& warnings) {
  if (node.kind == NodeKind::kText) return read(node.text);
  if (node.kind != NodeKind::kEmit && node.kind != NodeKind::kRaw) return;
  if (node.kind == NodeKind::kEmit && !file.autoescape.empty()) {
    std::string message = problem(*node.expression);
    if (!message.empty()) warnings.push_back({std::move(message), make_place(origins, place)});
  }
  skip_value();
}

}  // namespace coronado::web::templates
