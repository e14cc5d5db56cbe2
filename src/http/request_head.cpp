#include <coronado/http/request_head.hpp>

#include "http/ascii.hpp"

namespace coronado {

void RequestHead::clear() noexcept {
  base_ = " ";
  content_length_ = present_ = repeated_ = 0;
  size_ = field_count_ = method_size_ = path_ = path_size_ = authority_ = authority_size_ = 0;
  target_end_ = mark_ = 1;
  facts_ = {};
}

HeaderField RequestHead::field(std::size_t index) const noexcept {
  const Entry& found = entry(index);
  return {view(found.name, found.name_size), view(found.value, found.value_size), found.id};
}

const RequestHead::Entry& RequestHead::first_entry(FieldId id) const noexcept {
  std::size_t index = 0;
  while (entry(index).id != id) ++index;
  return entry(index);
}

std::optional<std::string_view> RequestHead::find(FieldId id) const noexcept {
  if (!contains(id)) return std::nullopt;
  const Entry& found = first_entry(id);
  return view(found.value, found.value_size);
}

std::optional<std::string_view> RequestHead::find(std::string_view name) const noexcept {
  if (const FieldId id = field_id(name); id != FieldId::kOther) return find(id);
  for (std::size_t i = 0; i < field_count_; ++i) {
    const HeaderField candidate = field(i);
    if (candidate.id == FieldId::kOther && equals_ignoring_case(candidate.name, name)) {
      return candidate.value;
    }
  }
  return std::nullopt;
}

void RequestHead::erase(FieldId id) noexcept {
  std::uint32_t kept = 0;
  for (std::uint32_t i = 0; i < field_count_; ++i) {
    const Entry found = entry(i);
    if (found.id == id) continue;
    (kept < kInlineFields ? inline_[kept] : more_[kept - kInlineFields]) = found;
    ++kept;
  }
  field_count_ = kept;
  present_ &= ~bit(id);
  repeated_ &= ~bit(id);
}

std::size_t RequestHead::count(FieldId id) const noexcept {
  if ((repeated_ & bit(id)) == 0) return contains(id) ? 1 : 0;
  std::size_t found = 0;
  for (std::size_t i = 0; i < field_count_; ++i) found += entry(i).id == id ? 1 : 0;
  return found;
}

std::size_t RequestHead::count(std::string_view name) const noexcept {
  if (const FieldId id = field_id(name); id != FieldId::kOther) return count(id);
  std::size_t found = 0;
  for (const HeaderField& candidate : fields()) {
    if (equals_ignoring_case(candidate.name, name)) ++found;
  }
  return found;
}

}  // namespace coronado
