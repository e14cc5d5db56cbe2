// Steps that load, store, make and call values.
#include "web/template/loader_names.hpp"
#include "web/template/machine_steps.hpp"
#include "web/template/operators.hpp"

namespace coronado::web::templates {

using Status = MachineStatus;

struct ValueSteps {
  static Status constant(Machine& m, const Instruction* at, TemplateValue* top) {
    *top = m.constants_[at->b];
    [[clang::musttail]] return at[1].step(m, at + 1, top + 1);
  }
  static Status load(Machine& m, const Instruction* at, TemplateValue* top) {
    m.current_ = at;
    *top = m.load(at->b);
    [[clang::musttail]] return at[1].step(m, at + 1, top + 1);
  }
  static Status load_attribute(Machine& m, const Instruction* at, TemplateValue* top) {
    m.current_ = at;
    const TemplateValue& object = m.slots_[at->a];
    const Machine::AttributeCache& cache = m.caches_[at->b];
    if (object.is_object() && cache.type == &object.type() &&
        Machine::read_in_place(cache, object.pointer(), *top)) [[likely]] {
      [[clang::musttail]] return at[1].step(m, at + 1, top + 1);
    }
    [[clang::musttail]] return load_attribute_slow(m, at, top);
  }
  [[gnu::noinline]] static Status load_attribute_slow(Machine& m, const Instruction* at,
                                                      TemplateValue* top) {
    m.attribute_at(m.load_object(at->a, at->b), at->b, *top);
    [[clang::musttail]] return at[1].step(m, at + 1, top + 1);
  }
  static Status store(Machine& m, const Instruction* at, TemplateValue* top) {
    m.slots_[at->b] = top[-1];
    [[clang::musttail]] return at[1].step(m, at + 1, top - 1);
  }
  static Status copy_slot(Machine& m, const Instruction* at, TemplateValue* top) {
    m.slots_[at->a] = m.slots_[at->b];
    [[clang::musttail]] return at[1].step(m, at + 1, top);
  }
  static Status attribute(Machine& m, const Instruction* at, TemplateValue* top) {
    m.current_ = at;
    const TemplateValue object = top[-1];
    m.attribute_at(object, at->b, top[-1]);
    [[clang::musttail]] return at[1].step(m, at + 1, top);
  }
  static Status method(Machine& m, const Instruction* at, TemplateValue* top) {
    m.current_ = at;
    m.push_method(top, at->b);
    [[clang::musttail]] return at[1].step(m, at + 1, top + 1);
  }
  static Status push_undefined(Machine& m, const Instruction* at, TemplateValue* top) {
    *top = TemplateValue::undefined();
    [[clang::musttail]] return at[1].step(m, at + 1, top + 1);
  }
  static Status item(Machine& m, const Instruction* at, TemplateValue* top) {
    m.current_ = at;
    top[-2] = templates::item(top[-2], top[-1], m.memory_);
    [[clang::musttail]] return at[1].step(m, at + 1, top - 1);
  }
  static Status slice(Machine& m, const Instruction* at, TemplateValue* top) {
    m.current_ = at;
    top[-4] = templates::slice(top[-4], top[-3], top[-2], top[-1], m.memory_);
    [[clang::musttail]] return at[1].step(m, at + 1, top - 3);
  }
  static Status set_item(Machine& m, const Instruction* at, TemplateValue* top) {
    m.current_ = at;
    templates::set_item(top[-2], top[-1], top[-3], m.memory_);
    [[clang::musttail]] return at[1].step(m, at + 1, top - 3);
  }
  static Status set_item_last(Machine& m, const Instruction* at, TemplateValue* top) {
    m.current_ = at;
    templates::set_item(top[-3], top[-2], top[-1], m.memory_);
    [[clang::musttail]] return at[1].step(m, at + 1, top - 3);
  }
  static Status tuck(Machine& m, const Instruction* at, TemplateValue* top) {
    top[0] = top[-1];
    top[-1] = top[-2];
    top[-2] = top[0];
    [[clang::musttail]] return at[1].step(m, at + 1, top + 1);
  }
  static Status nip(Machine& m, const Instruction* at, TemplateValue* top) {
    top[-2] = top[-1];
    [[clang::musttail]] return at[1].step(m, at + 1, top - 1);
  }
  static Status duplicate(Machine& m, const Instruction* at, TemplateValue* top) {
    top[0] = top[-1];
    [[clang::musttail]] return at[1].step(m, at + 1, top + 1);
  }
  static Status duplicate_two(Machine& m, const Instruction* at, TemplateValue* top) {
    top[0] = top[-2];
    top[1] = top[-1];
    [[clang::musttail]] return at[1].step(m, at + 1, top + 2);
  }
  static Status pop(Machine& m, const Instruction* at, TemplateValue* top) {
    [[clang::musttail]] return at[1].step(m, at + 1, top - 1);
  }

  static Status call(Machine& m, const Instruction* at, TemplateValue* top) {
    m.current_ = at;
    TemplateValue* base = top - at->a - 2;
    m.top_ = top;  // a lambda that the callee runs goes on from here
    *base = m.Evaluator::call(base[0], base[1], {base + 2, at->a}, m.program_.calls[at->b]);
    [[clang::musttail]] return at[1].step(m, at + 1, base + 1);
  }
  static Status call_method(Machine& m, const Instruction* at, TemplateValue* top) {
    m.current_ = at;
    const TemplateValue& self = top[-1];
    const TemplateFunction* function = m.program_.sites[m.methods_[at->b].site].of_string;
    if (self.is_string() && function != nullptr && function->of_text != nullptr) [[likely]] {
      m.charge(1);
      top[-1] = function->of_text(self.as_string(), m.memory_);
      [[clang::musttail]] return at[1].step(m, at + 1, top);
    }
    [[clang::musttail]] return call_method_slow(m, at, top);
  }
  [[gnu::noinline]] static Status call_method_slow(Machine& m, const Instruction* at,
                                                   TemplateValue* top) {
    const MethodSite& method = m.methods_[at->b];
    m.push_method(top, method.site);
    m.top_ = top + 1;
    top[-1] = m.Evaluator::call(top[-1], top[0], {}, m.program_.calls[method.call]);
    [[clang::musttail]] return at[1].step(m, at + 1, top);
  }
  static Status build_list(Machine& m, const Instruction* at, TemplateValue* top) {
    m.current_ = at;
    top -= at->b;
    *top = new_list({top, at->b}, m.memory_);
    [[clang::musttail]] return at[1].step(m, at + 1, top + 1);
  }
  static Status build_tuple(Machine& m, const Instruction* at, TemplateValue* top) {
    m.current_ = at;
    top -= at->b;
    *top = new_tuple({top, at->b}, m.memory_);
    [[clang::musttail]] return at[1].step(m, at + 1, top + 1);
  }
  static Status build_dict(Machine& m, const Instruction* at, TemplateValue* top) {
    m.current_ = at;
    top -= at->b;
    *top = m.make_dict({top, at->b});
    [[clang::musttail]] return at[1].step(m, at + 1, top + 1);
  }
  static Status list_append(Machine& m, const Instruction* at, TemplateValue* top) {
    m.current_ = at;
    m.slots_[at->b].as<TemplateList>().append(top[-1], m.memory_);
    [[clang::musttail]] return at[1].step(m, at + 1, top - 1);
  }
  static Status dict_put(Machine& m, const Instruction* at, TemplateValue* top) {
    m.current_ = at;
    m.slots_[at->b].as<TemplateDict>().put(top[-2], top[-1], m.memory_);
    [[clang::musttail]] return at[1].step(m, at + 1, top - 2);
  }
  static Status unpack(Machine& m, const Instruction* at, TemplateValue* top) {
    m.current_ = at;
    m.unpack_reversed(top, at->b);
    [[clang::musttail]] return at[1].step(m, at + 1, top - 1 + at->b);
  }
  static Status lambda(Machine& m, const Instruction* at, TemplateValue* top) {
    *top = m.make_lambda(at->b);
    [[clang::musttail]] return at[1].step(m, at + 1, top + 1);
  }
  static Status import(Machine& m, const Instruction* at, TemplateValue* top) {
    m.current_ = at;
    *top = import_module(m.names_.loader, m.texts_[at->b]);
    [[clang::musttail]] return at[1].step(m, at + 1, top + 1);
  }

  static Step of(const Instruction& instruction) noexcept;
};

Step ValueSteps::of(const Instruction& instruction) noexcept {
  switch (instruction.op) {
    case Op::kConstant: return constant;
    case Op::kLoad: return load;
    case Op::kStore: return store;
    case Op::kLoadAttribute: return load_attribute;
    case Op::kCopySlot: return copy_slot;
    case Op::kAttribute: return attribute;
    case Op::kMethod: return method;
    case Op::kPushUndefined: return push_undefined;
    case Op::kItem: return item;
    case Op::kSlice: return slice;
    case Op::kSetItem: return set_item;
    case Op::kSetItemLast: return set_item_last;
    case Op::kCall: return call;
    case Op::kCallMethod: return call_method;
    case Op::kTuck: return tuck;
    case Op::kNip: return nip;
    case Op::kDuplicate: return duplicate;
    case Op::kDuplicateTwo: return duplicate_two;
    case Op::kPop: return pop;
    case Op::kBuildList: return build_list;
    case Op::kBuildTuple: return build_tuple;
    case Op::kBuildDict: return build_dict;
    case Op::kListAppend: return list_append;
    case Op::kDictPut: return dict_put;
    case Op::kUnpack: return unpack;
    case Op::kImport: return import;
    case Op::kLambda: return lambda;
    default: return nullptr;
  }
}

Step value_step(const Instruction& instruction) noexcept { return ValueSteps::of(instruction); }

}  // namespace coronado::web::templates
