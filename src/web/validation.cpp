#include <coronado/web/validation.hpp>

#include <coronado/base/strings.hpp>

#include <algorithm>
#include <span>

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

/// Whether `path` is `outer` or stands inside of it: "lines[0].item" inside of "lines".
bool is_within(std::string_view path, std::string_view outer) {
  if (!path.starts_with(outer)) return false;
  if (outer.empty() || path.size() == outer.size()) return true;
  return path[outer.size()] == '.' || path[outer.size()] == '[';
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
  if (length >= least && length <= most) return {};
  const std::size_t limit = length < least ? least : most;
  std::string problem = length < least ? "must have at least " : "must have at most ";
  problem.append(std::to_string(limit)).append(" ").append(unit);
  if (limit != 1) problem += 's';
  return problem;
}

std::string FieldRule::problem_of(const FieldValue& value) const {
  switch (value.kind) {
    case FieldValue::Kind::kNone: return {};
    case FieldValue::Kind::kCount: return length_problem(value.count, "element");
    case FieldValue::Kind::kNumber:
      if (least_ && !(value.number >= *least_)) return "must be at least " + number_text(*least_);
      if (most_ && !(value.number <= *most_)) return "must be at most " + number_text(*most_);
      return {};
    case FieldValue::Kind::kText: break;
  }
  if (std::string problem = length_problem(character_count(value.text), "character");
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

void RuleSet::add_requirement(Requirement requirement) {
  requirements_.push_back(std::move(requirement));
}

void RuleSet::check_requirements(const void* value, const std::string& path,
                                 detail::FieldErrors& errors) const {
  for (Requirement& each : requirements_) {
    std::string field = detail::member_path(path, each.field);
    const bool known = errors.is_whole(each.of_field_alone ? field : path);
    if (known && !each.holds(value)) errors.add(std::move(field), each.message);
  }
}

namespace detail {

FieldErrors::FieldErrors(std::vector<JsonFieldError> unreadable)
    : errors_(std::move(unreadable)), unreadable_(errors_.size()) {}

bool FieldErrors::is_readable(std::string_view path) const noexcept {
  return std::ranges::none_of(
      std::span(errors_).first(unreadable_),
      [&](const JsonFieldError& each) { return is_within(path, each.path); });
}

bool FieldErrors::is_whole(std::string_view path) const noexcept {
  return is_readable(path) && std::ranges::none_of(std::span(errors_).first(unreadable_),
                                                   [&](const JsonFieldError& each) {
                                                     return is_within(each.path, path);
                                                   });
}

void FieldErrors::add(std::string path, std::string message) {
  errors_.push_back({std::move(path), std::move(message)});
}

namespace {

void check_field(const FieldRule& rule, const CheckedMember& member, const std::string& path,
                 FieldErrors& errors) {
  std::string problem = rule.problem_of(member.look(member.value));
  if (problem.empty()) return;
  std::string field = member_path(path, member.name);
  if (errors.is_readable(field)) errors.add(std::move(field), std::move(problem));
}

}  // namespace

void validate_members(const void* whole, std::span<const CheckedMember> members,
                      const RuleSet* rules, const std::string& path, FieldErrors& errors) {
  for (const CheckedMember& member : members) {
    const FieldRule* rule = rules == nullptr ? nullptr : rules->find(member.name);
    if (rule != nullptr) check_field(*rule, member, path, errors);
    if (member.validate != nullptr) {
      member.validate(member.value, member_path(path, member.name), errors);
    }
  }
  if (rules != nullptr) rules->check_requirements(whole, path, errors);
}

void validate_array(const void* begin, std::size_t count, std::size_t stride, Validate validate,
                    const std::string& path, FieldErrors& errors) {
  const auto* element = static_cast<const std::byte*>(begin);
  for (std::size_t i = 0; i < count; ++i, element += stride) {
    validate(element, element_path(path, i), errors);
  }
}

std::vector<JsonFieldError> errors_of(const void* value, Validate validate,
                                      std::vector<JsonFieldError> unreadable) {
  FieldErrors errors(std::move(unreadable));
  if (validate != nullptr) validate(value, {}, errors);
  return std::move(errors).take();
}

std::string member_path(const std::string& path, std::string_view name) {
  return path.empty() ? std::string(name) : path + '.' + std::string(name);
}

std::string element_path(const std::string& path, std::size_t index) {
  return path + '[' + std::to_string(index) + ']';
}

}  // namespace detail

}  // namespace coronado::web
