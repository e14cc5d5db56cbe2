/// Walks over whatever can be iterated, without making a list of it.
///
/// Layer: web.
#pragma once

#include <coronado/web/template_value.hpp>

#include "web/template/objects.hpp"

namespace coronado::web::templates {

/// One walk over a list, tuple, dict, range, string or C++ range. A list that grows meanwhile is
/// walked to its new end, as in Python.
class Cursor {
 public:
  Cursor() noexcept = default;

  /// Throws  TemplateFault  TypeError: `value` cannot be iterated.
  void start(const TemplateValue& value, TemplateMemory& memory);
  /// The next element, or false at the end.
  bool next(TemplateMemory& memory, TemplateValue& element) {
    if (is_quick()) [[likely]]
      return next_quick(element);
    return next_slow(memory, element);
  }
  /// Whether the elements are objects that stand one behind the other.
  bool is_quick() const noexcept { return kind_ == Kind::kObjects; }
  bool next_quick(TemplateValue& element) noexcept {
    if (at_ == end_) return false;
    element = TemplateValue::object(at_, *element_);
    at_ += stride_;
    return true;
  }

 private:
  enum class Kind : std::uint8_t { kObjects, kItems, kList, kDict, kRange, kString, kWalk };
  bool next_slow(TemplateMemory& memory, TemplateValue& element);

  Kind kind_ = Kind::kList;
  TemplateValue source_;
  std::size_t position_ = 0;
  std::size_t size_ = 0;
  void* walk_ = nullptr;
  // Of objects that stand one behind the other:
  const char* at_ = nullptr;
  const char* end_ = nullptr;
  std::size_t stride_ = 0;
  const TemplateType* element_ = nullptr;
};

/// All elements in a list of their own.
TemplateList& collect(const TemplateValue& value, TemplateMemory& memory);

/// Calls `visit(key, value)` for each pair of a dict or a C++ map.
template <class Visit>
void for_each_pair(const TemplateValue& mapping, TemplateMemory& memory, Visit&& visit) {
  if (mapping.kind() == TemplateKind::kDict) {
    for (const TemplateDict::Entry& entry : mapping.as<TemplateDict>().all()) {
      visit(entry.key, entry.value);
    }
    return;
  }
  void* walk = mapping.type().iterate(mapping.pointer(), memory);
  TemplateValue key;
  TemplateValue value;
  while (mapping.type().next(walk, memory, key, value)) visit(key, value);
}

}  // namespace coronado::web::templates
