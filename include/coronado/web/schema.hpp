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
#include <coronado/web/validation.hpp>

#include <limits>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace coronado::web {

class SchemaRegistry {
 public:
  /// A reference to the schema of a struct, which `fill` writes the first time.
  /// Params  full_name  With its namespaces: what tells two structs apart. In the document it has its
  ///                    last part for a name, unless another has that already.
  Json reference_to(std::string_view full_name, void (*fill)(SchemaRegistry&, Json& schema));

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

/// The name of a type as the compiler writes it: "shop::Order".
template <class T>
constexpr std::string_view full_type_name() {
  std::string_view text = __PRETTY_FUNCTION__;
  text.remove_prefix(text.find("T = ") + 4);
  return text.substr(0, text.find_last_of(']'));
}

/// Adds one member of a struct: its schema, what its rule asks, and whether it must be there.
void add_property(Json& schema, std::string_view name, Json property, bool required,
                  const RuleSet* rules);

Json integer_schema(bool is_signed, std::size_t bytes);
Json simple_schema(const char* type, const char* format = nullptr);
/// The schema, or null in its place.
Json nullable(Json schema);

template <class T>
[[gnu::cold]] void fill_struct(SchemaRegistry& registry, Json& schema);

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
    return registry.reference_to(detail::full_type_name<T>(), detail::fill_struct<T>);
  } else if constexpr (JsonOptional<T>) {
    return detail::nullable(
        json_schema<std::remove_cvref_t<decltype(*std::declval<T&>())>>(registry));
  } else if constexpr (JsonMap<T>) {
    Json schema = detail::simple_schema("object");
    schema["additionalProperties"] = json_schema<typename T::mapped_type>(registry);
    return schema;
  } else if constexpr (JsonRange<T>) {
    Json schema = detail::simple_schema("array");
    schema["items"] = json_schema<typename T::value_type>(registry);
    return schema;
  } else {
    return Json::object();  // it has an `append_json` of its own, and says nothing
  }
}

namespace detail {

template <class T>
void fill_struct(SchemaRegistry& registry, Json& schema) {
  const RuleSet* rules = nullptr;
  if constexpr (HasRules<T>) rules = &rules_of<T>();
  [&]<class... D>(JsonMemberList<D...>) {
    const auto member = [&]<class M>(std::type_identity<M>, const char* name) {
      add_property(schema, name, json_schema<M>(registry), !coronado::detail::JsonOptional<M>,
                   rules);
    };
    (member(std::type_identity<std::remove_cvref_t<decltype(std::declval<T&>().*D::pointer)>>(),
            D::name),
     ...);
  }(typename JsonMembers<T>::type());
}

}  // namespace detail

}  // namespace coronado::web
