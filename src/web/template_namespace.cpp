#include <coronado/web/template_namespace.hpp>

namespace coronado::web {

TemplateNamespace::TemplateNamespace() = default;
TemplateNamespace::TemplateNamespace(std::initializer_list<TemplateArgument> arguments) {
  for (const TemplateArgument& argument : arguments) set(argument);
}
TemplateNamespace::~TemplateNamespace() = default;
TemplateNamespace::TemplateNamespace(TemplateNamespace&&) noexcept = default;
TemplateNamespace& TemplateNamespace::operator=(TemplateNamespace&&) noexcept = default;

std::span<const TemplateArgument> TemplateNamespace::arguments() const noexcept {
  return arguments_;
}

void TemplateNamespace::set(const TemplateArgument& argument) {
  for (TemplateArgument& own : arguments_) {
    if (own.name_ != argument.name_) continue;
    const std::string_view name = own.name_;
    own = argument;
    own.name_ = name;
    return;
  }
  names_.push_back(std::make_unique<std::string>(argument.name_));
  arguments_.push_back(argument);
  arguments_.back().name_ = *names_.back();
}

bool TemplateNamespace::find(std::string_view name, TemplateMemory&, TemplateValue& found) const {
  for (const TemplateArgument& argument : arguments_) {
    if (argument.name_ != name) continue;
    found = argument.value_;
    return true;
  }
  return false;
}

}  // namespace coronado::web
