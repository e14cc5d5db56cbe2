#include "web/template/code_builder.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "web/template/natives.hpp"

namespace coronado::web::templates {

namespace {
constexpr std::size_t kMaxSlots = 60'000;
}  // namespace

std::uint32_t CodeBuilder::emit(Op op, int change, std::uint32_t b, std::uint16_t a) {
  if (program_.code.size() >= kMaxInstructions) {
    fail("the template has more than " + std::to_string(kMaxInstructions) +
         " instructions, with what it includes");
  }
  program_.code.push_back({.op = op, .a = a, .b = b});
  program_.places.push_back(place());
  height_ += change;
  program_.stack_size =
      std::max(program_.stack_size, static_cast<std::size_t>(std::max(height_, 0)) + 4);
  return static_cast<std::uint32_t>(program_.code.size() - 1);
}

std::uint32_t CodeBuilder::here() noexcept {
  landing_ = static_cast<std::uint32_t>(program_.code.size());
  return landing_;
}

void CodeBuilder::land(std::uint32_t jump) { program_.code[jump].b = here(); }

Instruction* CodeBuilder::last() noexcept {
  if (program_.code.empty() || program_.code.size() == landing_) return nullptr;
  return &program_.code.back();
}

void CodeBuilder::drop_last() noexcept {
  program_.code.pop_back();
  program_.places.pop_back();
}

std::uint32_t CodeBuilder::emit_jump_if_false() {
  Instruction* compare = last();
  if (compare == nullptr || compare->op != Op::kCompare) return emit_jump(Op::kJumpIfFalse, -1);
  const auto op = static_cast<std::uint8_t>(compare->a);
  const OriginPlace compared = program_.places.back();
  drop_last();
  Instruction jump{.op = Op::kCompareJump, .c = op};
  if (Instruction* constant = last(); constant != nullptr && constant->op == Op::kConstant &&
                                      constant->b <= std::numeric_limits<std::uint16_t>::max()) {
    jump = {.op = Op::kCompareConstantJump, .c = op, .a = static_cast<std::uint16_t>(constant->b)};
    drop_last();
  }
  const OriginPlace current = place();
  set_place(compared);
  const std::uint32_t at = emit(jump.op, -1, 0, jump.a);
  set_place(current);
  program_.code[at].c = op;
  return at;
}

void CodeBuilder::emit_text(std::string_view text) {
  if (text.empty()) return;
  Instruction* before = last();
  if (before != nullptr && before->op == Op::kText) {
    std::string joined(program_.texts[before->b]);
    joined += text;
    program_.texts[before->b] = program_.memory.copy(joined);
    return;
  }
  emit(Op::kText, 0, add_text(text));
}

void CodeBuilder::emit_constant(TemplateValue value) {
  if (value.is_string()) value = TemplateValue::string(program_.memory.copy(value.as_string()));
  program_.constants.push_back(value);
  emit(Op::kConstant, 1, static_cast<std::uint32_t>(program_.constants.size() - 1));
}

std::uint32_t CodeBuilder::add_text(std::string_view text) {
  program_.texts.push_back(program_.memory.copy(text));
  return static_cast<std::uint32_t>(program_.texts.size() - 1);
}

std::uint32_t CodeBuilder::add_site(std::string_view name) {
  program_.sites.push_back(AttributeSite::make(program_.memory.copy(name)));
  program_.site_objects.push_back(place().offset);
  return static_cast<std::uint32_t>(program_.sites.size() - 1);
}

std::uint32_t CodeBuilder::add_field(const TemplateFormatField& field) {
  program_.fields.push_back(field);
  TemplateFormatSpec& spec = program_.fields.back().spec;
  spec.fill = program_.memory.copy(spec.fill);
  return static_cast<std::uint32_t>(program_.fields.size() - 1);
}

std::uint32_t CodeBuilder::add_call(std::string_view name,
                                    const std::vector<std::string>& keywords) {
  CallSite site{.name = program_.memory.copy(name)};
  for (const std::string& keyword : keywords) {
    site.keywords.push_back(program_.memory.copy(keyword));
  }
  program_.calls.push_back(std::move(site));
  return static_cast<std::uint32_t>(program_.calls.size() - 1);
}

std::uint32_t CodeBuilder::add_slot(std::string_view name, bool outside) {
  if (program_.slots.size() >= kMaxSlots) fail("the template has too many names");
  program_.slots.push_back(
      {.name = program_.memory.copy(name),
       .outside = outside,
       .builtin = outside ? find_builtin_value(name) : TemplateValue::undefined()});
  return static_cast<std::uint32_t>(program_.slots.size() - 1);
}

std::uint32_t CodeBuilder::slot_of(std::string_view name) {
  for (std::size_t i = scopes_.size(); i-- > 0;) {
    if (auto found = scopes_[i].slots.find(name); found != scopes_[i].slots.end()) {
      return found->second;
    }
  }
  const std::uint32_t slot = add_slot(name, true);
  scopes_.front().slots.emplace(name, slot);
  return slot;
}

std::uint32_t CodeBuilder::assigned_slot(std::string_view name) {
  std::size_t scope = scopes_.size() - 1;
  while (!scopes_[scope].function) --scope;
  if (scope == 0) {
    // A comprehension's own variable of that name stays untouched: this one is the function's.
    if (auto found = scopes_[0].slots.find(name); found != scopes_[0].slots.end()) {
      return found->second;
    }
    const std::uint32_t slot = add_slot(name, true);
    scopes_[0].slots.emplace(name, slot);
    return slot;
  }
  auto& slots = scopes_[scope].slots;
  if (auto found = slots.find(name); found != slots.end()) return found->second;
  const std::uint32_t slot = add_slot(name, false);
  slots.emplace(name, slot);
  return slot;
}

std::uint32_t CodeBuilder::temporary() { return add_slot({}, false); }

void CodeBuilder::push_scope(bool function) { scopes_.push_back({.function = function}); }

std::uint32_t CodeBuilder::declare(std::string_view name) {
  const std::uint32_t slot = add_slot(name, false);
  scopes_.back().slots.insert_or_assign(std::string(name), slot);
  return slot;
}

std::uint16_t CodeBuilder::push_iterator() {
  if (iterators_ >= 1000) fail("loops nested too deeply");
  const auto index = static_cast<std::uint16_t>(iterators_++);
  program_.iterator_count = std::max<std::size_t>(program_.iterator_count, iterators_);
  return index;
}

}  // namespace coronado::web::templates
