/// JSON Schema of C++ types, for the OpenAPI document.
///
///     json_schema<T>    the schema of what `append_json` writes for a `T`
///     SchemaRegistry    the structs that were met, each described once
///
/// Described structs become components that are referred to; the rules of their fields
/// (<coronado/web/validation.hpp>) stand in them. For a type with an `append_json` of its own declare,
/// in its namespace, `Json json_schema_of(std::type_identity<T>)`.
///
/// Layer: web.   Spec  JSON Schema 2020-12, as OpenAPI 3.1 uses it.
#pragma once

#include <coronado/base/json.hpp>
#include <coronado/base/json_typed.hpp>
#include <coronado/web/operation.hpp>
#include <coronado/web/validation.hpp>

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace coronado::web {

namespace detail {

/// A member of a described struct, for its schema.
struct MemberSchema {
  const char* name;
  SchemaMaker make;
  bool required;
};

/// A described struct, the same.
struct StructSchema {
  std::string_view in;  ///< has the type's name as the compiler writes it: "... [T = shop::Order]"
  std::span<const MemberSchema> members;
  const RuleSet& (*rules)();  ///< null: it has none
};

}  // namespace detail

class SchemaRegistry {
 public:
  /// A reference to the schema of a struct, which is made the first time. Its name with its namespaces
  /// tells it from others. In the document it has its last part for a name, unless another has that
  /// already.
  Json reference_to(const detail::StructSchema& described);

  /// All structs so far, by name: the object `components.schemas`.
  Json components() const;

 private:
  struct Entry {
    std::string full_name;
    std::string name;
    Json schema;
  };
  std::string free_name(std::string_view full_name) const;
  std::vector<Entry> entries_;
};

namespace detail {

Json integer_schema(bool is_signed, std::size_t bytes);
Json simple_schema(const char* type, const char* format = nullptr);
Json map_schema(Json mapped);
Json array_schema(Json element);
/// The schema, or null in its place.
Json nullable(Json schema);

}  // namespace detail

template <class T>
[[gnu::cold]] Json json_schema(SchemaRegistry& registry);

namespace detail {

template <class T, class D>
using MemberType = std::remove_cvref_t<decltype(std::declval<T&>().*D::pointer)>;

template <class T, class Members>
constexpr int kMemberSchemas = 0;
template <class T, class... D>
constexpr std::array<MemberSchema, sizeof...(D)> kMemberSchemas<T, JsonMemberList<D...>> = {
    {{D::name, &json_schema<MemberType<T, D>>,
      !coronado::detail::JsonOptional<MemberType<T, D>>}...}};

template <class T>
constexpr auto kRulesOf = static_cast<const RuleSet& (*)()>(nullptr);
template <HasRules T>
constexpr auto kRulesOf<T> = &rules_of<T>;

}  // namespace detail

template <class T>
Json json_schema(SchemaRegistry& registry) {
  using namespace coronado::detail;
  if constexpr (requires { json_schema_of(std::type_identity<T>()); }) {
    return json_schema_of(std::type_identity<T>());
  } else if constexpr (std::is_same_v<T, bool>) {
    return detail::simple_schema("boolean");
  } else if constexpr (JsonInteger<T>) {
    return detail::integer_schema(std::is_signed_v<T>, sizeof(T));
  } else if constexpr (std::is_same_v<T, float> || std::is_same_v<T, double>) {
    return detail::simple_schema("number", sizeof(T) == 4 ? "float" : "double");
  } else if constexpr (std::is_same_v<T, Json>) {
    return Json::object();  // anything
  } else if constexpr (JsonString<T>) {
    return detail::simple_schema("string");
  } else if constexpr (JsonDescribed<T>) {
    return registry.reference_to({__PRETTY_FUNCTION__,
                                  detail::kMemberSchemas<T, typename JsonMembers<T>::type>,
                                  detail::kRulesOf<T>});
  } else if constexpr (JsonOptional<T>) {
    return detail::nullable(
        json_schema<std::remove_cvref_t<decltype(*std::declval<T&>())>>(registry));
  } else if constexpr (JsonMap<T>) {
    return detail::map_schema(json_schema<typename T::mapped_type>(registry));
  } else if constexpr (JsonRange<T>) {
    return detail::array_schema(json_schema<typename T::value_type>(registry));
  } else {
    return Json::object();  // it has an `append_json` of its own, and says nothing
  }
}

}  // namespace coronado::web
