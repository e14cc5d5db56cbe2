#include <coronado/web/validation.hpp>

#include <coronado/base/strings.hpp>

#include <algorithm>

#include "base/regex.hpp"

namespace coronado::web {
namespace {

std::string in_one_line(const std::vector<JsonFieldError>& errors) {
  std::string line;
  for (const JsonFieldError& error : errors) {
    if (!line.empty()) line += "; ";
    if (!error.path.empty()) line.append(error.path).append(": ");
    line += error.message;
  }
  return line;
}

/// Code points of valid UTF-8.
std::size_t character_count(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string number_text(double value) {
  std::string text;
  append_double(text, value);
  return text;
}

/// As an integer where it is one, so that a schema says 1 and not 1.0.
Json number_json(double value) {
  const auto whole = static_cast<std::int64_t>(value);
  if (static_cast<double>(whole) == value) return Json(whole);
  return Json(value);
}

}  // namespace

ValidationError::ValidationError(int status, std::vector<JsonFieldError> errors)
    : HTTPError(status, in_one_line(errors)), errors_(std::move(errors)) {}

// --- FieldRule ---------------------------------------------------------------------------------

struct FieldRule::Matcher {
  std::string text;
  CompiledRegex regex;
};

FieldRule::FieldRule(std::string name) : name_(std::move(name)) {}
FieldRule::FieldRule(FieldRule&&) noexcept = default;
FieldRule::~FieldRule() = default;

FieldRule& FieldRule::at_least(double least) {
  least_ = least;
  return *this;
}

FieldRule& FieldRule::at_most(double most) {
  most_ = most;
  return *this;
}

FieldRule& FieldRule::length(std::size_t least, std::size_t most) {
  length_ = {least, most};
  return *this;
}

FieldRule& FieldRule::matches(std::string regex) {
  CompiledRegex compiled(regex);
  matcher_ = std::make_unique<Matcher>(std::move(regex), std::move(compiled));
  return *this;
}

FieldRule& FieldRule::one_of(std::vector<std::string> values) {
  one_of_ = std::move(values);
  return *this;
}

FieldRule& FieldRule::says(std::string description) {
  description_ = std::move(description);
  return *this;
}

std::string FieldRule::length_problem(std::size_t length, std::string_view unit) const {
  if (!length_) return {};
  const auto [least, most] = *length_;
  if (length < least) return "must have at least " + std::to_string(least) + std::string(unit);
  if (length > most) return "must have at most " + std::to_string(most) + std::string(unit);
  return {};
}

std::string FieldRule::problem_of(const FieldValue& value) const {
  switch (value.kind) {
    case FieldValue::Kind::kNone: return {};
    case FieldValue::Kind::kCount: return length_problem(value.count, " elements");
    case FieldValue::Kind::kNumber:
      if (least_ && !(value.number >= *least_)) return "must be at least " + number_text(*least_);
      if (most_ && !(value.number <= *most_)) return "must be at most " + number_text(*most_);
      return {};
    case FieldValue::Kind::kText: break;
  }
  if (std::string problem = length_problem(character_count(value.text), " characters");
      !problem.empty()) {
    return problem;
  }
  if (!one_of_.empty() && std::ranges::find(one_of_, value.text) == one_of_.end()) {
    std::string problem = "must be one of";
    for (const std::string& each : one_of_) {
      problem.append(each == one_of_.front() ? " " : ", ").append(each);
    }
    return problem;
  }
  if (matcher_ && !matcher_->regex.full_match(value.text)) return "must match " + matcher_->text;
  return {};
}

void FieldRule::add_to(Json& schema) const {
  if (!description_.empty()) schema["description"] = description_;
  const Json* type = schema.find("type");
  const std::string kind = type != nullptr && type->is_string() ? type->as_string() : "";
  if (kind == "integer" || kind == "number") {
    if (least_) schema["minimum"] = number_json(*least_);
    if (most_) schema["maximum"] = number_json(*most_);
  } else if (kind == "string") {
    if (length_) {
      schema["minLength"] = length_->first;
      schema["maxLength"] = length_->second;
    }
    if (matcher_) schema["pattern"] = "^(?:" + matcher_->text + ")$";
    if (!one_of_.empty()) schema["enum"] = Json(one_of_);
  } else if (kind == "array" && length_) {
    schema["minItems"] = length_->first;
    schema["maxItems"] = length_->second;
  }
}

// --- RuleSet -----------------------------------------------------------------------------------

FieldRule& RuleSet::add(std::string_view name) {
  for (FieldRule& each : fields_) {
    if (each.name() == name) return each;
  }
  return fields_.emplace_back(std::string(name));
}

const FieldRule* RuleSet::find(std::string_view name) const noexcept {
  for (const FieldRule& each : fields_) {
    if (each.name() == name) return &each;
  }
  return nullptr;
}

void RuleSet::add_whole(std::string field, std::string message, Function<bool(const void*)> holds) {
  wholes_.push_back({std::move(field), std::move(message), std::move(holds)});
}

void RuleSet::check_whole(const void* value, const std::string& path,
                          std::vector<JsonFieldError>& errors) const {
  for (Whole& each : wholes_) {
    if (!each.holds(value)) errors.push_back({detail::member_path(path, each.field), each.message});
  }
}

namespace detail {

void check_field(const RuleSet& rules, std::string_view name, const FieldValue& value,
                 const std::string& path, std::vector<JsonFieldError>& errors) {
  const FieldRule* rule = rules.find(name);
  if (rule == nullptr) return;
  std::string problem = rule->problem_of(value);
  if (!problem.empty()) errors.push_back({member_path(path, name), std::move(problem)});
}

std::string member_path(const std::string& path, std::string_view name) {
  return path.empty() ? std::string(name) : path + '.' + std::string(name);
}

std::string element_path(const std::string& path, std::size_t index) {
  return path + '[' + std::to_string(index) + ']';
}

}  // namespace detail

}  // namespace coronado::web
