#include "web/template/iteration.hpp"

#include "web/template/operators.hpp"

namespace coronado::web::templates {

void Cursor::start(const TemplateValue& value, TemplateMemory& memory) {
  source_ = value;
  position_ = 0;
  switch (value.kind()) {
    case TemplateKind::kList:
    case TemplateKind::kTuple: kind_ = Kind::kList; return;
    case TemplateKind::kDict: kind_ = Kind::kDict; return;
    case TemplateKind::kRange: kind_ = Kind::kRange; return;
    case TemplateKind::kString: kind_ = Kind::kString; return;
    case TemplateKind::kObject:
      if (value.type().item != nullptr) {
        const TemplateType& type = value.type();
        kind_ = Kind::kItems;
        size_ = type.size(value.pointer());
        if (type.data == nullptr) return;
        kind_ = Kind::kObjects;
        at_ = static_cast<const char*>(type.data(value.pointer()));
        end_ = at_ + size_ * type.stride;
        stride_ = type.stride;
        element_ = type.element;
        return;
      }
      if (value.type().iterate != nullptr) {
        kind_ = Kind::kWalk;
        walk_ = value.type().iterate(value.pointer(), memory);
        return;
      }
      break;
    default: break;
  }
  fail_type("'" + std::string(template_type_name(value)) + "' object is not iterable");
}

bool Cursor::next_slow(TemplateMemory& memory, TemplateValue& element) {
  switch (kind_) {
    case Kind::kList: {
      const TemplateList& list = source_.as<TemplateList>();
      if (position_ >= list.size) return false;
      element = list.data[position_++];
      return true;
    }
    case Kind::kDict: {
      const TemplateDict& dict = source_.as<TemplateDict>();
      if (position_ >= dict.size) return false;
      element = dict.entries[position_++].key;
      return true;
    }
    case Kind::kRange: {
      const TemplateRange& range = source_.as<TemplateRange>();
      if (position_ >= range.size) return false;
      element = templates::element(source_, position_++, memory);
      return true;
    }
    case Kind::kString: {
      const std::string_view rest = source_.as_string().substr(position_);
      if (rest.empty()) return false;
      const std::string_view character = first_character(rest);
      position_ += character.size();
      element = TemplateValue::string(character);
      return true;
    }
    case Kind::kWalk: {
      TemplateValue value;
      return source_.type().next(walk_, memory, element, value);
    }
    case Kind::kItems:
      if (position_ >= size_) return false;
      element = source_.type().item(source_.pointer(), position_++, memory);
      return true;
    case Kind::kObjects: break;
  }
  return false;
}

TemplateList& collect(const TemplateValue& value, TemplateMemory& memory) {
  TemplateList& list = memory.make<TemplateList>();
  Cursor cursor;
  cursor.start(value, memory);
  TemplateValue element;
  while (cursor.next(memory, element)) list.append(element, memory);
  return list;
}

}  // namespace coronado::web::templates
