#include "web/template/machine.hpp"

#include <coronado/base/error.hpp>

#include <algorithm>
#include <memory>

#include "web/template/loader_names.hpp"
#include "web/template/machine_steps.hpp"
#include "web/template/natives.hpp"

namespace coronado::web::templates {
namespace {

constexpr std::size_t kMaxLambdaDepth = 50;

}  // namespace

Machine::Machine(const Program& program, const TemplateLimits& limits, const Names& names,
                 TemplateMemory& memory, Output& output)
    : Evaluator(memory, output, limits.steps),
      program_(program),
      names_(names),
      code_(program.code.data()),
      texts_(program.texts.data()),
      emits_(program.emits.data()),
      constants_(program.constants.data()),
      methods_(program.methods.data()),
      next_(code_),
      current_(code_) {
  slots_ = memory_.allocate_array<TemplateValue>(program.slots.size());
  top_ = memory_.allocate_array<TemplateValue>(program.stack_size + 1);
  cursors_ = memory_.allocate_array<Cursor>(program.iterator_count);
  std::uninitialized_default_construct_n(cursors_, program.iterator_count);
  caches_ = memory_.allocate_array<AttributeCache>(program.sites.size());
  std::fill_n(caches_, program.sites.size(), AttributeCache{});
  bind_names(names);
}

void Machine::bind_names(const Names& names) {
  for (std::size_t i = 0; i < program_.slots.size(); ++i) {
    const SlotName& slot = program_.slots[i];
    TemplateValue& value = slots_[i];
    value = TemplateValue::undefined();
    if (!slot.outside) continue;
    bool found = false;
    for (const TemplateArgument& argument : names.arguments) {
      if (argument.name() == slot.name) {
        value = argument.value();
        found = true;
      }
    }
    if (found) continue;
    if (names.scope != nullptr && names.scope->find(slot.name, memory_, value)) continue;
    if (names.loader != nullptr && names.loader->names.find(slot.name, memory_, value)) continue;
    value = slot.builtin;
  }
}

MachineStatus Machine::run() {
  for (;;) {
    try {
      return next_->step(*this, next_, top_);
    } catch (const std::exception&) {
      handle_error(std::current_exception());
    }
  }
}

Task<TemplateValue>& Machine::awaited() noexcept { return top_[-1].as<TemplateAwaitable>().task; }

void Machine::resume(const TemplateValue& value) { top_[-1] = value; }

void Machine::resume_error(const std::exception_ptr& error) { handle_error(error); }

/// To the innermost `try`, or out.
void Machine::handle_error(const std::exception_ptr& error) {
  const ErrorText text = describe_error(error);
  if (tries_.empty() || text.error_class == TemplateErrorClass::kLimit) {
    if (text.is_http) std::rethrow_exception(error);
    throw_error(text.error_class, text.message, text.is_fault ? nullptr : error);
  }
  name_offset_.reset();
  const Try handler = tries_.back();
  tries_.pop_back();
  top_ = handler.stack;
  while (captures_.size() > handler.captures) {
    output_.truncate(captures_.back());
    captures_.pop_back();
  }
  caught_ = TemplateValue::of(TemplateKind::kFailure,
                              &memory_.make<TemplateFailure>(
                                  text.error_class, memory_.copy(text.message), error, current_));
  next_ = program_.code.data() + handler.handler;
}

void Machine::throw_error(TemplateErrorClass error_class, const std::string& message,
                          const std::exception_ptr& cause) {
  OriginPlace place = program_.places[static_cast<std::size_t>(current_ - program_.code.data())];
  if (name_offset_) place.offset = *name_offset_;
  throw TemplateError(error_class, message, make_place(program_.origins, place), cause);
}

void Machine::fail_name(std::uint32_t slot) const {
  const std::string name(program_.slots[slot].name);
  if (name == "_tt_modules") {
    fail(TemplateErrorClass::kNameError, "there are no modules outside of a handler's render");
  }
  fail(TemplateErrorClass::kNameError, "name '" + name + "' is not defined");
}

// --- attributes --------------------------------------------------------------------------------------

void Machine::attribute_slow(const TemplateValue& value, std::uint32_t site, TemplateValue& found) {
  const TemplateMember* member = nullptr;
  found = attribute(value, program_.sites[site], &member);
  if (member == nullptr) return;
  AttributeCache& cache = caches_[site];
  cache = {.type = &value.type(), .get = member->get};
  if (member->place == nullptr) return;
  cache.storage = member->storage;
  cache.offset = static_cast<const char*>(member->place(value.pointer())) -
                 static_cast<const char*>(value.pointer());
}

/// For a call: methods come first, so that a key called `items` does not hide `items()`.
void Machine::push_method(TemplateValue* top, std::uint32_t site) {
  const TemplateValue object = top[-1];
  if (const TemplateFunction* method = program_.sites[site].method_of(object)) {
    top[-1] = TemplateValue::of(TemplateKind::kFunction, method);
    *top = object;
    return;
  }
  attribute_at(object, site, top[-1]);
  *top = TemplateValue::undefined();
}

TemplateValue Machine::end_capture() {
  const std::size_t start = captures_.back();
  captures_.pop_back();
  const TemplateValue text = new_string(output_.since(start), memory_);
  output_.truncate(start);
  return text;
}

TemplateValue Machine::make_lambda(std::uint32_t index) {
  auto& function = memory_.make<TemplateFunction>();
  function.name = "<lambda>";
  function.lambda = &program_.lambdas[index];
  return TemplateValue::of(TemplateKind::kFunction, &function);
}

/// Runs the body of a lambda on the stack above the current one. Its slots are kept aside, because
/// a lambda may call itself.
TemplateValue Machine::call_lambda(const TemplateFunction& function, const TemplateCall& call) {
  const LambdaCode& lambda = *function.lambda;
  if (lambda_depth_ >= kMaxLambdaDepth) {
    fail(TemplateErrorClass::kLimit, "lambdas nested too deeply");
  }
  std::vector<TemplateValue> bound(lambda.parameters);
  call.bind(lambda.names, lambda.parameters, bound.data());

  struct Restore {
    Machine& machine;
    const LambdaCode& lambda;
    const Instruction* next = machine.next_;
    const Instruction* current = machine.current_;
    TemplateValue* top = machine.top_;
    std::vector<TemplateValue> slots;
    std::vector<Cursor> cursors;
    Restore(Machine& owner, const LambdaCode& code)
        : machine(owner),
          lambda(code),
          slots(owner.slots_ + code.first_slot, owner.slots_ + code.first_slot + code.slot_count),
          cursors(owner.cursors_ + code.first_iterator,
                  owner.cursors_ + code.first_iterator + code.iterator_count) {
      ++owner.lambda_depth_;
    }
    ~Restore() {
      --machine.lambda_depth_;
      machine.next_ = next;
      machine.top_ = top;
      std::copy(slots.begin(), slots.end(), machine.slots_ + lambda.first_slot);
      std::copy(cursors.begin(), cursors.end(), machine.cursors_ + lambda.first_iterator);
    }
  };
  const Restore restore(*this, lambda);
  std::copy(bound.begin(), bound.end(), slots_ + lambda.first_slot);
  if (lambda_stacks_.size() < lambda_depth_) {
    lambda_stacks_.push_back(memory_.allocate_array<TemplateValue>(program_.stack_size + 1));
  }
  top_ = lambda_stacks_[lambda_depth_ - 1];
  next_ = program_.code.data() + lambda.entry;
  next_->step(*this, next_, top_);
  current_ = restore.current;
  return top_[-1];
}

/// The first on top, because they are stored in the order in which they are written.
void Machine::unpack_reversed(TemplateValue* top, std::size_t count) {
  const TemplateValue value = top[-1];
  unpack(value, {top - 1, count});
  std::reverse(top - 1, top - 1 + count);
}

void link_steps(Program& program) noexcept {
  for (Instruction& instruction : program.code) {
    for (const auto step_of : {output_step, value_step, operator_step, control_step}) {
      if (instruction.step == nullptr) instruction.step = step_of(instruction);
    }
  }
}

}  // namespace coronado::web::templates
