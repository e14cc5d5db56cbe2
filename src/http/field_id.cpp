#include <coronado/http/field_id.hpp>

#include "http/field_table.hpp"

namespace coronado {

FieldId field_id(std::string_view name) noexcept {
  if (name.size() < 2 || name.size() > kFieldNameSlot) return FieldId::kOther;
  const std::uint8_t id = kFieldHash[field_hash(name)];
  if (kFieldSizes[id] != name.size()) return FieldId::kOther;
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (ascii_lower(name[i]) != kFieldPatterns[id].lower[i]) return FieldId::kOther;
  }
  return static_cast<FieldId>(id);
}

std::string_view field_name(FieldId id) noexcept {
  return kFieldNames[static_cast<std::size_t>(id)];
}

}  // namespace coronado
