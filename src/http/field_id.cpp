#include <coronado/http/field_id.hpp>

#include "http/ascii.hpp"
#include "http/field_table.hpp"

namespace coronado {

FieldId field_id(std::string_view name) noexcept {
  if (name.size() < 2) return FieldId::kOther;
  const FieldId id = kFieldSlots[field_hash(name)].id;
  return equals_ignoring_case(name, field_name(id)) ? id : FieldId::kOther;
}

std::string_view field_name(FieldId id) noexcept {
  return kFieldNames[static_cast<std::size_t>(id)];
}

}  // namespace coronado
