/// Rules for the fields of described structs, said once: they check what comes in, and stand in the
/// OpenAPI document.
///
///     struct Order { std::string item; int count; };
///     BOOST_DESCRIBE_STRUCT(Order, (), (item, count))
///     void describe_rules(web::Rules<Order>& rules) {      // beside the struct, in its namespace
///       rules.field(&Order::item).length(1, 80).says("What to send");
///       rules.field(&Order::count).between(1, 100);
///     }
///
/// `JsonBody<Order>` and `Form<Order>` check them, also in structs and lists inside of others, and
/// answer 422 with every field that is wrong: those that could not be read, and those that could
/// but break a rule.
///
///     Rules, FieldRule   what is asked of the fields of one struct
///     validation_errors  what is wrong with a value
///     ValidationError    thrown: answered with the fields and what is wrong with them
///
/// Layer: web.
#pragma once

#include <coronado/base/error.hpp>
#include <coronado/base/function.hpp>
#include <coronado/base/json.hpp>
#include <coronado/base/json_typed.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace coronado::web {

/// What a client sent does not fit: each field with what is wrong with it. A client that does not ask
/// for HTML is told in `application/problem+json`, since it is about its own data.
/// Spec  RFC 9457.
class ValidationError : public HTTPError {
 public:
  /// Params  status  400 for what cannot be read, 422 for what can be read but is not right.
  ///         errors  At least one.
  ValidationError(int status, std::vector<JsonFieldError> errors);

  const std::vector<JsonFieldError>& errors() const noexcept { return errors_; }

 private:
  std::vector<JsonFieldError> errors_;
};

/// What rules look at: a number, a text, or how many elements there are.
struct FieldValue {
  enum class Kind : unsigned char { kNone, kNumber, kText, kCount } kind = Kind::kNone;
  double number = 0;
  std::string_view text = {};
  std::size_t count = 0;
};

/// What is asked of one field. Rules that do not suit its type are not looked at; an empty
/// std::optional satisfies all of them.
class FieldRule {
 public:
  explicit FieldRule(std::string name);
  FieldRule(FieldRule&&) noexcept;
  ~FieldRule();

  FieldRule& at_least(double least);
  FieldRule& at_most(double most);
  FieldRule& between(double least, double most) { return at_least(least).at_most(most); }

  /// Of a text in characters (code points), of a list in elements.
  FieldRule& length(std::size_t least, std::size_t most);

  /// The whole text matches.   Throws  UsageError  It is no regular expression of RE2.
  FieldRule& matches(std::string regex);

  /// The text is one of these.
  FieldRule& one_of(std::vector<std::string> values);

  /// For the document.
  FieldRule& says(std::string description);

  const std::string& name() const noexcept { return name_; }

  /// What is wrong with `value`: "must be at least 1"; empty if nothing is.
  std::string problem_of(const FieldValue& value) const;

  /// Adds what is asked to the field's JSON Schema.
  void add_to(Json& schema) const;

 private:
  struct Matcher;
  /// Params  unit  What is counted, in the singular.
  std::string length_problem(std::size_t length, std::string_view unit) const;

  std::string name_;
  std::string description_;
  std::optional<double> least_;
  std::optional<double> most_;
  std::optional<std::pair<std::size_t, std::size_t>> length_;
  std::vector<std::string> one_of_;
  std::unique_ptr<Matcher> matcher_;
};

namespace detail {

/// What is wrong, by fields, in the making.
class FieldErrors {
 public:
  /// Params  unreadable  Fields that hold nothing because what came does not fit them. No rule is
  ///                     asked of them, of what is inside of them, or of a whole they are part of.
  explicit FieldErrors(std::vector<JsonFieldError> unreadable);

  /// The value at `path` was read, or may have been in part.
  bool is_readable(std::string_view path) const noexcept;
  /// All of the value at `path` was read.
  bool is_whole(std::string_view path) const noexcept;

  void add(std::string path, std::string message);
  std::vector<JsonFieldError> take() && { return std::move(errors_); }

 private:
  std::vector<JsonFieldError> errors_;  // the unreadable ones first
  std::size_t unreadable_;
};

}  // namespace detail

/// The rules of one struct, whatever its type.
class RuleSet {
 public:
  /// The rule of that field; null: nothing is asked.
  const FieldRule* find(std::string_view name) const noexcept;

  /// Adds what `require` finds wrong with a value.
  void check_requirements(const void* value, const std::string& path,
                          detail::FieldErrors& errors) const;

 protected:
  struct Requirement {
    std::string field;
    std::string message;
    bool of_field_alone = false;
    Function<bool(const void*)> holds;  // given the whole value
  };
  FieldRule& add(std::string_view name);
  void add_requirement(Requirement requirement);

 private:
  std::vector<FieldRule> fields_;
  mutable std::vector<Requirement> requirements_;  // calling one changes nothing
};

/// What `describe_rules` is given.
template <class T>
class Rules : public RuleSet {
 public:
  /// The rules of a field: said once more, they are added to.
  /// Lifetime  Of what it returns: until the next field.
  /// Throws  UsageError  It is not among those that are described.
  template <class M>
  FieldRule& field(M T::* member) {
    return add(name_of(member, typename JsonMembers<T>::type()));
  }

  /// Asks something of a field that no `FieldRule` asks.
  ///
  ///     rules.require(&Guest::address, "must be an e-mail address", is_address);
  template <class M, std::predicate<const M&> F>
    requires(!std::predicate<F&, const T&>)
  void require(M T::* member, std::string message, F holds) {
    add_requirement({std::string(name_of(member, typename JsonMembers<T>::type())),
                     std::move(message), true,
                     [holds = std::move(holds), member](const void* value) mutable {
                       return static_cast<bool>(holds(static_cast<const T*>(value)->*member));
                     }});
  }

  /// Asks something of the whole value; what is wrong is said of `field`.
  ///
  ///     rules.require(&Stay::leave, "must be after arrive",
  ///                   [](const Stay& stay) { return stay.leave > stay.arrive; });
  template <class M, std::predicate<const T&> F>
  void require(M T::* member, std::string message, F holds) {
    add_requirement({std::string(name_of(member, typename JsonMembers<T>::type())),
                     std::move(message), false,
                     [holds = std::move(holds)](const void* value) mutable {
                       return static_cast<bool>(holds(*static_cast<const T*>(value)));
                     }});
  }

 private:
  template <class M, class... D>
  static std::string_view name_of(M T::* member, JsonMemberList<D...>) {
    std::string_view name;
    const auto look = [&]<class Other>(Other pointer, const char* candidate) {
      if constexpr (std::is_same_v<Other, M T::*>) {
        if (pointer == member) name = candidate;
      }
    };
    (look(D::pointer, D::name), ...);
    if (name.empty()) throw UsageError("a rule for a field that is not described");
    return name;
  }
};

namespace detail {

template <class T>
concept HasRules = JsonDescribed<T> && requires(Rules<T>& rules) { describe_rules(rules); };

template <class T>
struct DescribedRules final : Rules<T> {
  DescribedRules() { describe_rules(static_cast<Rules<T>&>(*this)); }
};

/// The rules of a struct that has some.
template <class T>
[[gnu::noinline]] const RuleSet& rules_of() {
  static const DescribedRules<T> rules;
  return rules;
}

template <class T>
FieldValue field_value(const T& value) {
  using coronado::detail::JsonOptional;
  if constexpr (std::is_arithmetic_v<T>) {
    return {.kind = FieldValue::Kind::kNumber, .number = static_cast<double>(value)};
  } else if constexpr (std::is_convertible_v<const T&, std::string_view>) {
    return {.kind = FieldValue::Kind::kText, .text = value};
  } else if constexpr (JsonOptional<T>) {
    return value ? field_value(*value) : FieldValue{};
  } else if constexpr (requires { value.size(); }) {
    return {.kind = FieldValue::Kind::kCount, .count = value.size()};
  } else {
    return {};
  }
}

std::string member_path(const std::string& path, std::string_view name);
std::string element_path(const std::string& path, std::size_t index);

/// Adds what is wrong with the value that is there and stands at `path`.
using Validate = void (*)(const void* value, const std::string& path, FieldErrors& errors);

/// A member of a struct that is checked: the code for it is that of its type, whatever the struct.
struct CheckedMember {
  const char* name;
  const void* value;
  FieldValue (*look)(const void* value);  // what rules see
  Validate validate;                      // what is inside of it; null: nothing that has rules
};

/// Adds what is wrong with a struct.   Params  rules  Null: it has none.
void validate_members(const void* whole, std::span<const CheckedMember> members,
                      const RuleSet* rules, const std::string& path, FieldErrors& errors);

void validate_array(const void* begin, std::size_t count, std::size_t stride, Validate validate,
                    const std::string& path, FieldErrors& errors);

/// False for what has no rules, and nothing inside that has some.
template <class T>
constexpr bool may_have_rules() {
  using namespace coronado::detail;
  if constexpr (JsonDescribed<T>) {
    return true;
  } else if constexpr (std::is_arithmetic_v<T> || JsonString<T> || std::is_same_v<T, Json>) {
    return false;
  } else if constexpr (JsonOptional<T>) {
    return may_have_rules<std::remove_cvref_t<decltype(*std::declval<const T&>())>>();
  } else if constexpr (JsonMap<T>) {
    return may_have_rules<typename T::mapped_type>();
  } else if constexpr (JsonRange<T>) {
    return may_have_rules<typename T::value_type>();
  } else {
    return false;
  }
}

template <class T>
void validate(const void* value, const std::string& path, FieldErrors& errors);

template <class T>
constexpr Validate kValidate = nullptr;
template <class T>
  requires(may_have_rules<T>())
constexpr Validate kValidate<T> = &validate<T>;

template <class M>
FieldValue look_at(const void* value) {
  return field_value(*static_cast<const M*>(value));
}

template <bool kHasRules, class M>
CheckedMember checked_member(const char* name, const M& value) {
  if constexpr (kHasRules) return {name, &value, &look_at<M>, kValidate<M>};
  return {name, &value, nullptr, kValidate<M>};
}

template <class T, class... D>
[[gnu::noinline]] void validate_struct(const T& value, JsonMemberList<D...>,
                                       const std::string& path, FieldErrors& errors) {
  const std::array<CheckedMember, sizeof...(D)> members = {
      {checked_member<HasRules<T>>(D::name, value.*D::pointer)...}};
  const RuleSet* rules = nullptr;
  if constexpr (HasRules<T>) rules = &rules_of<T>();
  validate_members(&value, members, rules, path, errors);
}

template <class T>
void validate(const void* value, const std::string& path, FieldErrors& errors) {
  using namespace coronado::detail;
  const T& of = *static_cast<const T*>(value);
  if constexpr (JsonDescribed<T>) {
    validate_struct(of, typename JsonMembers<T>::type(), path, errors);
  } else if constexpr (JsonOptional<T>) {
    if (of) kValidate<std::remove_cvref_t<decltype(*of)>>(&*of, path, errors);
  } else if constexpr (JsonMap<T>) {
    for (const auto& [key, each] : of) {
      kValidate<typename T::mapped_type>(&each, member_path(path, key), errors);
    }
  } else if constexpr (requires {
                         { of.data() } -> std::same_as<const typename T::value_type*>;
                       }) {
    validate_array(of.data(), of.size(), sizeof(typename T::value_type),
                   kValidate<typename T::value_type>, path, errors);
  } else {
    std::size_t index = 0;
    for (const typename T::value_type& each : of) {
      kValidate<typename T::value_type>(&each, element_path(path, index++), errors);
    }
  }
}

/// See `validation_errors`.
std::vector<JsonFieldError> errors_of(const void* value, Validate validate,
                                      std::vector<JsonFieldError> unreadable);

}  // namespace detail

/// What is wrong with `value` by the rules of its fields; empty if nothing is.
/// Params  unreadable  What is known to be wrong before: these fields hold nothing, so that no rule
///                     is asked of them. They come first in the result.
template <class T>
std::vector<JsonFieldError> validation_errors(const T& value,
                                              std::vector<JsonFieldError> unreadable = {}) {
  return detail::errors_of(&value, detail::kValidate<T>, std::move(unreadable));
}

}  // namespace coronado::web
