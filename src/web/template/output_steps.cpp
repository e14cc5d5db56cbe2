// Steps that write.
#include "web/template/machine_steps.hpp"

namespace coronado::web::templates {

using Status = MachineStatus;

struct OutputSteps {
  static Status text(Machine& m, const Instruction* at, TemplateValue* top) {
    m.current_ = at;
    if (!m.output_.write_quickly(m.texts_[at->b])) [[unlikely]] {
      [[clang::musttail]] return text_slow(m, at, top);
    }
    [[clang::musttail]] return at[1].step(m, at + 1, top);
  }
  [[gnu::noinline]] static Status text_slow(Machine& m, const Instruction* at, TemplateValue* top) {
    m.output_.write(m.texts_[at->b]);
    [[clang::musttail]] return at[1].step(m, at + 1, top);
  }
  static Status emit_escaped(Machine& m, const Instruction* at, TemplateValue* top) {
    m.current_ = at;
    const TemplateValue& value = top[-1];
    if (!Machine::is_xhtml_escape(m.slots_[at->b])) [[unlikely]] {
      [[clang::musttail]] return emit_escaped_slow(m, at, top);
    }
    if (value.is_string()) {
      m.output_.write_escaped(value.as_string());
    } else if (value.is_int()) {
      m.output_.write_int(value.as_int());
    } else {
      [[clang::musttail]] return emit_escaped_slow(m, at, top);
    }
    [[clang::musttail]] return at[1].step(m, at + 1, top - 1);
  }
  [[gnu::noinline]] static Status emit_escaped_slow(Machine& m, const Instruction* at,
                                                    TemplateValue* top) {
    m.emit_escaped(top[-1], m.slots_[at->b]);
    [[clang::musttail]] return at[1].step(m, at + 1, top - 1);
  }
  static Status emit_raw(Machine& m, const Instruction* at, TemplateValue* top) {
    m.current_ = at;
    m.emit_raw(top[-1]);
    [[clang::musttail]] return at[1].step(m, at + 1, top - 1);
  }
  static Status emit_local(Machine& m, const Instruction* at, TemplateValue* top) {
    m.current_ = at;
    const EmitSite& site = m.emits_[at->b];
    m.output_.write_padded(site.prefix);
    m.emit_escaped(m.load(site.slot), m.slots_[site.function]);
    [[clang::musttail]] return at[1].step(m, at + 1, top);
  }
  static Status emit_attribute(Machine& m, const Instruction* at, TemplateValue* top) {
    m.current_ = at;
    const EmitSite& site = m.emits_[at->b];
    const TemplateValue& object = m.slots_[site.slot];
    const Machine::AttributeCache& cache = m.caches_[site.site];
    if (!object.is_object() || cache.type != &object.type() ||
        !Machine::is_xhtml_escape(m.slots_[site.function]) || !m.output_.write_quickly(site.prefix))
        [[unlikely]] {
      [[clang::musttail]] return emit_attribute_slow(m, at, top);
    }
    const char* place = static_cast<const char*>(object.pointer()) + cache.offset;
    if (cache.storage == TemplateStorage::kString) {
      m.output_.write_escaped(*reinterpret_cast<const std::string*>(place));
    } else if (cache.storage == TemplateStorage::kInt) {
      m.output_.write_int(*reinterpret_cast<const int*>(place));
    } else {
      [[clang::musttail]] return emit_attribute_value(m, at, top);
    }
    [[clang::musttail]] return at[1].step(m, at + 1, top);
  }
  [[gnu::noinline]] static Status emit_attribute_slow(Machine& m, const Instruction* at,
                                                      TemplateValue* top) {
    m.output_.write(m.emits_[at->b].prefix);
    [[clang::musttail]] return emit_attribute_value(m, at, top);
  }
  [[gnu::noinline]] static Status emit_attribute_value(Machine& m, const Instruction* at,
                                                       TemplateValue* top) {
    const EmitSite& site = m.emits_[at->b];
    m.attribute_at(m.load_object(site.slot, site.site), site.site, *top);
    m.emit_escaped(*top, m.slots_[site.function]);
    [[clang::musttail]] return at[1].step(m, at + 1, top);
  }
  static Status emit_percent(Machine& m, const Instruction* at, TemplateValue* top) {
    m.current_ = at;
    m.emit_percent(m.program_.percents[at->b], top[-1], m.slots_[at->a]);
    [[clang::musttail]] return at[1].step(m, at + 1, top - 1);
  }
  static Status emit_field(Machine& m, const Instruction* at, TemplateValue* top) {
    m.current_ = at;
    m.emit_field(m.program_.fields[at->b], top[-1]);
    [[clang::musttail]] return at[1].step(m, at + 1, top - 1);
  }

  static Step of(const Instruction& instruction) noexcept;
};

Step OutputSteps::of(const Instruction& instruction) noexcept {
  switch (instruction.op) {
    case Op::kText: return text;
    case Op::kEmitEscaped: return emit_escaped;
    case Op::kEmitRaw: return emit_raw;
    case Op::kEmitLocal: return emit_local;
    case Op::kEmitAttribute: return emit_attribute;
    case Op::kEmitPercent: return emit_percent;
    case Op::kEmitField: return emit_field;
    default: return nullptr;
  }
}

Step output_step(const Instruction& instruction) noexcept { return OutputSteps::of(instruction); }

}  // namespace coronado::web::templates
