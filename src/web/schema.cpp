#include <coronado/web/schema.hpp>

#include <coronado/base/strings.hpp>

#include <algorithm>

namespace coronado::web {
namespace {

/// "shop::Order" to "shop.Order", of the characters that OpenAPI allows in the name of a component.
std::string component_name(std::string_view full_name) {
  std::string name;
  for (const char c : full_name) {
    if (is_ascii_letter(c) || is_ascii_digit(c) || c == '_' || c == '-') {
      name += c;
    } else if (!name.empty() && name.back() != '.') {
      name += '.';
    }
  }
  return name;
}

/// "shop::Order" of "Json json_schema(...) [T = shop::Order]".
std::string_view type_name_in(std::string_view pretty_function) {
  pretty_function.remove_prefix(pretty_function.find("T = ") + 4);
  return pretty_function.substr(0, pretty_function.find_last_of(']'));
}

/// Adds one member of a struct: its schema, and what its rule asks.
void add_property(Json& schema, const detail::MemberSchema& member, Json property,
                  const RuleSet* rules) {
  if (const FieldRule* rule = rules == nullptr ? nullptr : rules->find(member.name)) {
    // What is asked of an std::optional is asked of what it holds.
    Json* held = &property;
    if (Json* choices = property.find("anyOf")) held = &(*choices)[0];
    rule->add_to(*held);
  }
  schema["properties"][member.name] = std::move(property);
  if (member.required) schema["required"].push_back(Json(member.name));
}

}  // namespace

std::string SchemaRegistry::free_name(std::string_view full_name) const {
  const auto taken = [this](std::string_view name) {
    return std::ranges::any_of(entries_, [&](const Entry& each) { return each.name == name; });
  };
  // The arguments of a template are a part of its name.
  const std::size_t colon = full_name.substr(0, full_name.find('<')).rfind("::");
  std::string name =
      component_name(colon == std::string_view::npos ? full_name : full_name.substr(colon + 2));
  if (taken(name)) name = component_name(full_name);
  while (taken(name)) name += '_';
  return name;
}

Json SchemaRegistry::reference_to(const detail::StructSchema& described) {
  const std::string_view full_name = type_name_in(described.in);
  const auto known = std::ranges::find(entries_, full_name, &Entry::full_name);
  std::string name;
  if (known != entries_.end()) {
    name = known->name;
  } else {
    name = free_name(full_name);
    const std::size_t index = entries_.size();
    entries_.push_back(
        {std::string(full_name), name, {}});  // before its members, which may need it
    Json schema{{"type", "object"}, {"properties", Json::object()}};
    const RuleSet* rules = described.rules == nullptr ? nullptr : &described.rules();
    for (const detail::MemberSchema& member : described.members) {
      add_property(schema, member, member.make(*this), rules);
    }
    entries_[index].schema = std::move(schema);
  }
  return Json{{"$ref", "#/components/schemas/" + name}};
}

Json SchemaRegistry::components() const {
  Json all = Json::object();
  for (const Entry& each : entries_) all[each.name] = each.schema;
  return all;
}

namespace detail {

Json integer_schema(bool is_signed, std::size_t bytes) {
  Json schema{{"type", "integer"}};
  if (bytes >= 4) schema["format"] = bytes == 4 ? "int32" : "int64";
  if (!is_signed) schema["minimum"] = 0;
  return schema;
}

Json simple_schema(const char* type, const char* format) {
  Json schema{{"type", type}};
  if (format != nullptr) schema["format"] = format;
  return schema;
}

Json map_schema(Json mapped) {
  Json schema = simple_schema("object");
  schema["additionalProperties"] = std::move(mapped);
  return schema;
}

Json array_schema(Json element) {
  Json schema = simple_schema("array");
  schema["items"] = std::move(element);
  return schema;
}

Json nullable(Json schema) {
  return Json{{"anyOf", Json::array({std::move(schema), Json{{"type", "null"}}})}};
}

}  // namespace detail

}  // namespace coronado::web
