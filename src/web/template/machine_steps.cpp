// What each instruction of a program does.
//
// A step ends with a tail call of the next one's, so that the machine's state stays in registers and the
// processor sees where each instruction usually goes on. What may fail says first where it stands.
#include <algorithm>
#include <array>

#include "web/template/format.hpp"
#include "web/template/loader_names.hpp"
#include "web/template/machine.hpp"
#include "web/template/operators.hpp"

namespace coronado::web::templates {

using Status = MachineStatus;

/// The steps: what `Machine` lets them see is theirs.
struct MachineSteps {
  // --- output ----------------------------------------------------------------------------------

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

  // --- values ----------------------------------------------------------------------------------

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

  // --- calls -----------------------------------------------------------------------------------

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

  // --- operators -------------------------------------------------------------------------------

  static Status unary(Machine& m, const Instruction* at, TemplateValue* top) {
    m.current_ = at;
    top[-1] = templates::unary(static_cast<Operator>(at->a), top[-1]);
    [[clang::musttail]] return at[1].step(m, at + 1, top);
  }

  /// What most operators do: integers, without overflow. False: `templates::binary` knows.
  template <Operator op>
  static bool quick(std::int64_t x, std::int64_t y, std::int64_t& result) {
    if constexpr (op == Operator::kAdd) return !__builtin_add_overflow(x, y, &result);
    if constexpr (op == Operator::kSubtract) return !__builtin_sub_overflow(x, y, &result);
    if constexpr (op == Operator::kMultiply) return !__builtin_mul_overflow(x, y, &result);
    if constexpr (op == Operator::kModulo) {
      if (y <= 0) return false;
      if ((y & (y - 1)) == 0) {  // the last bits, of negative numbers too
        result = x & (y - 1);
        return true;
      }
      if (x < 0) return false;
      // A division of 32 bits takes a third of the time.
      result = ((x | y) >> 32) == 0 ? static_cast<std::int64_t>(static_cast<std::uint32_t>(x) %
                                                                static_cast<std::uint32_t>(y))
                                    : x % y;
      return true;
    }
    return false;
  }
  template <Operator op>
  static Status binary(Machine& m, const Instruction* at, TemplateValue* top) {
    std::int64_t result = 0;
    if (top[-2].is_int() && top[-1].is_int() &&
        quick<op>(top[-2].as_int(), top[-1].as_int(), result)) [[likely]] {
      top[-2] = TemplateValue::integer(result);
      [[clang::musttail]] return at[1].step(m, at + 1, top - 1);
    }
    [[clang::musttail]] return binary_slow(m, at, top);
  }
  template <Operator op>
  static Status binary_constant(Machine& m, const Instruction* at, TemplateValue* top) {
    const TemplateValue& constant = m.constants_[at->b];
    std::int64_t result = 0;
    if (top[-1].is_int() && constant.is_int() &&
        quick<op>(top[-1].as_int(), constant.as_int(), result)) [[likely]] {
      top[-1] = TemplateValue::integer(result);
      [[clang::musttail]] return at[1].step(m, at + 1, top);
    }
    *top = constant;
    [[clang::musttail]] return binary_slow(m, at, top + 1);
  }
  [[gnu::noinline]] static Status binary_slow(Machine& m, const Instruction* at,
                                              TemplateValue* top) {
    m.current_ = at;
    top[-2] = templates::binary(static_cast<Operator>(at->a), top[-2], top[-1], m.memory_);
    [[clang::musttail]] return at[1].step(m, at + 1, top - 1);
  }
  static Status percent(Machine& m, const Instruction* at, TemplateValue* top) {
    m.current_ = at;
    top[-1] = m.percent(m.program_.percents[at->b], top[-1]);
    [[clang::musttail]] return at[1].step(m, at + 1, top);
  }
  static Status format_field(Machine& m, const Instruction* at, TemplateValue* top) {
    m.current_ = at;
    top[-1] = m.field_text(m.program_.fields[at->b], top[-1]);
    [[clang::musttail]] return at[1].step(m, at + 1, top);
  }
  static Status format(Machine& m, const Instruction* at, TemplateValue* top) {
    m.current_ = at;
    top[-2] = m.format(top[-2], top[-1], static_cast<char>(at->a));
    [[clang::musttail]] return at[1].step(m, at + 1, top - 1);
  }
  static Status join(Machine& m, const Instruction* at, TemplateValue* top) {
    m.current_ = at;
    top -= at->b;
    *top = m.join({top, at->b});
    [[clang::musttail]] return at[1].step(m, at + 1, top + 1);
  }
  static Status to_string(Machine& m, const Instruction* at, TemplateValue* top) {
    m.current_ = at;
    if (!top[-1].is_string()) top[-1] = new_string(template_to_string(top[-1]), m.memory_);
    [[clang::musttail]] return at[1].step(m, at + 1, top);
  }

  // --- comparisons -----------------------------------------------------------------------------

  template <Operator op, class T>
  static bool ordered(T x, T y) {
    if constexpr (op == Operator::kEqual) return x == y;
    if constexpr (op == Operator::kNotEqual) return x != y;
    if constexpr (op == Operator::kLess) return x < y;
    if constexpr (op == Operator::kLessEqual) return x <= y;
    if constexpr (op == Operator::kGreater) return x > y;
    return x >= y;
  }
  static constexpr bool is_order(Operator op) {
    return op >= Operator::kEqual && op <= Operator::kGreaterEqual;
  }
  template <Operator op>
  static bool holds(Machine& m, const TemplateValue& a, const TemplateValue& b) {
    constexpr std::int64_t kExact = std::int64_t{1} << 53;  // a double holds every integer up to it
    if constexpr (is_order(op)) {
      if (a.is_int() && b.is_int()) return ordered<op>(a.as_int(), b.as_int());
      if (a.kind() == TemplateKind::kFloat) {
        if (b.is_int() && b.as_int() <= kExact && b.as_int() >= -kExact) {
          return ordered<op>(a.as_float(), static_cast<double>(b.as_int()));
        }
        if (b.kind() == TemplateKind::kFloat) return ordered<op>(a.as_float(), b.as_float());
      }
    }
    return templates::compare(op, a, b, m.memory_);
  }
  template <Operator op>
  static Status compare(Machine& m, const Instruction* at, TemplateValue* top) {
    m.current_ = at;
    top[-2] = TemplateValue::boolean(holds<op>(m, top[-2], top[-1]));
    [[clang::musttail]] return at[1].step(m, at + 1, top - 1);
  }
  template <Operator op>
  static Status compare_jump(Machine& m, const Instruction* at, TemplateValue* top) {
    m.current_ = at;
    const Instruction* next = holds<op>(m, top[-2], top[-1]) ? at + 1 : m.code_ + at->b;
    [[clang::musttail]] return next->step(m, next, top - 2);
  }
  template <Operator op>
  static Status compare_constant_jump(Machine& m, const Instruction* at, TemplateValue* top) {
    m.current_ = at;
    const Instruction* next = holds<op>(m, top[-1], m.constants_[at->a]) ? at + 1 : m.code_ + at->b;
    [[clang::musttail]] return next->step(m, next, top - 1);
  }

  // --- jumps and loops -------------------------------------------------------------------------

  static bool truth(const TemplateValue& value) {
    return value.kind() == TemplateKind::kBool ? value.as_bool() : is_true(value);
  }
  static Status jump(Machine& m, const Instruction* at, TemplateValue* top) {
    const Instruction* next = m.code_ + at->b;
    if (next < at) {
      m.current_ = at;
      m.charge(1);
    }
    [[clang::musttail]] return next->step(m, next, top);
  }
  static Status jump_if_false(Machine& m, const Instruction* at, TemplateValue* top) {
    m.current_ = at;
    const Instruction* next = truth(top[-1]) ? at + 1 : m.code_ + at->b;
    [[clang::musttail]] return next->step(m, next, top - 1);
  }
  static Status jump_if_false_keep(Machine& m, const Instruction* at, TemplateValue* top) {
    m.current_ = at;
    if (truth(top[-1])) [[clang::musttail]]
      return at[1].step(m, at + 1, top - 1);
    const Instruction* next = m.code_ + at->b;
    [[clang::musttail]] return next->step(m, next, top);
  }
  static Status jump_if_true_keep(Machine& m, const Instruction* at, TemplateValue* top) {
    m.current_ = at;
    if (!truth(top[-1])) [[clang::musttail]]
      return at[1].step(m, at + 1, top - 1);
    const Instruction* next = m.code_ + at->b;
    [[clang::musttail]] return next->step(m, next, top);
  }
  static Status jump_unless_escape(Machine& m, const Instruction* at, TemplateValue* top) {
    const bool own = !Machine::is_xhtml_escape(m.slots_[at->a]);
    const Instruction* next = own ? m.code_ + at->b : at + 1;
    [[clang::musttail]] return next->step(m, next, top);
  }
  static Status iterate(Machine& m, const Instruction* at, TemplateValue* top) {
    m.current_ = at;
    m.cursors_[at->a].start(top[-1], m.memory_);
    [[clang::musttail]] return at[1].step(m, at + 1, top - 1);
  }
  /// Stops before `at`, which is done when the machine goes on.
  static Status stop(Machine& m, const Instruction* at, TemplateValue* top, Status status) {
    m.next_ = at;
    m.top_ = top;
    return status;
  }
  static Status next(Machine& m, const Instruction* at, TemplateValue* top) {
    m.current_ = at;
    if (m.piece_is_ready()) [[unlikely]]
      return stop(m, at, top, Status::kPiece);
    m.charge(1);
    if (m.cursors_[at->a].next(m.memory_, *top)) {
      [[clang::musttail]] return at[1].step(m, at + 1, top + 1);
    }
    const Instruction* done = m.code_ + at->b;
    [[clang::musttail]] return done->step(m, done, top);
  }
  static Status loop(Machine& m, const Instruction* at, TemplateValue* top) {
    m.current_ = at;
    if (m.piece_is_ready()) [[unlikely]]
      return stop(m, at, top, Status::kPiece);
    m.charge(1);
    if (!m.cursors_[at->a].next(m.memory_, *top)) {
      [[clang::musttail]] return at[1].step(m, at + 1, top);
    }
    const Instruction* body = m.code_ + at->b;
    [[clang::musttail]] return body->step(m, body, top + 1);
  }
  static Status loop_store(Machine& m, const Instruction* at, TemplateValue* top) {
    Cursor& cursor = m.cursors_[at->a];
    if (m.output_.size() >= m.piece_size_ || m.steps_left_ == 0 || !cursor.is_quick())
        [[unlikely]] {
      [[clang::musttail]] return loop_store_slow(m, at, top);
    }
    --m.steps_left_;
    const Instruction* next = cursor.next_quick(m.slots_[at->c]) ? m.code_ + at->b : at + 1;
    [[clang::musttail]] return next->step(m, next, top);
  }
  [[gnu::noinline]] static Status loop_store_slow(Machine& m, const Instruction* at,
                                                  TemplateValue* top) {
    m.current_ = at;
    if (m.piece_is_ready()) return stop(m, at, top, Status::kPiece);
    m.charge(1);
    if (!m.cursors_[at->a].next(m.memory_, m.slots_[at->c])) {
      [[clang::musttail]] return at[1].step(m, at + 1, top);
    }
    const Instruction* body = m.code_ + at->b;
    [[clang::musttail]] return body->step(m, body, top);
  }

  // --- capture, errors, the end ----------------------------------------------------------------

  static Status begin_capture(Machine& m, const Instruction* at, TemplateValue* top) {
    m.captures_.push_back(m.output_.size());
    [[clang::musttail]] return at[1].step(m, at + 1, top);
  }
  static Status end_capture(Machine& m, const Instruction* at, TemplateValue* top) {
    m.current_ = at;
    *top = m.end_capture();
    [[clang::musttail]] return at[1].step(m, at + 1, top + 1);
  }
  static Status begin_try(Machine& m, const Instruction* at, TemplateValue* top) {
    m.tries_.push_back({at->b, top, static_cast<std::uint32_t>(m.captures_.size())});
    [[clang::musttail]] return at[1].step(m, at + 1, top);
  }
  static Status end_try(Machine& m, const Instruction* at, TemplateValue* top) {
    m.tries_.pop_back();
    [[clang::musttail]] return at[1].step(m, at + 1, top);
  }
  static Status store_error(Machine& m, const Instruction* at, TemplateValue* top) {
    m.slots_[at->b] = m.caught_;
    [[clang::musttail]] return at[1].step(m, at + 1, top);
  }
  static Status match_error(Machine& m, const Instruction* at, TemplateValue* top) {
    m.current_ = at;
    const auto& failure = m.slots_[at->b].as<TemplateFailure>();
    top[-1] = TemplateValue::boolean(Machine::matches(top[-1], failure));
    [[clang::musttail]] return at[1].step(m, at + 1, top);
  }
  static Status raise(Machine& m, const Instruction* at, TemplateValue*) {
    const auto& failure = m.slots_[at->b].as<TemplateFailure>();
    m.current_ = static_cast<const Instruction*>(failure.instruction);
    std::rethrow_exception(failure.error);
  }
  static Status await(Machine& m, const Instruction* at, TemplateValue* top) {
    m.current_ = at;
    if (top[-1].kind() != TemplateKind::kAwaitable) {
      fail_type("object '" + std::string(template_type_name(top[-1])) +
                "' can't be used in 'await' expression");
    }
    return stop(m, at + 1, top, Status::kAwait);
  }
  static Status end(Machine& m, const Instruction* at, TemplateValue* top) {
    return stop(m, at, top, Status::kDone);
  }

  // --- the tables ------------------------------------------------------------------------------

  template <template <Operator> class Of, std::size_t... I>
  static constexpr std::array<Step, sizeof...(I)> for_operators(std::index_sequence<I...>) {
    return {Of<static_cast<Operator>(I)>::kStep...};
  }
  template <template <Operator> class Of>
  static constexpr auto kForOperators =
      for_operators<Of>(std::make_index_sequence<static_cast<std::size_t>(Operator::kIsNot) + 1>());

  template <Operator op>
  struct Binary {
    static constexpr Step kStep = binary<op>;
  };
  template <Operator op>
  struct BinaryConstant {
    static constexpr Step kStep = binary_constant<op>;
  };
  template <Operator op>
  struct Compare {
    static constexpr Step kStep = compare<op>;
  };
  template <Operator op>
  struct CompareJump {
    static constexpr Step kStep = compare_jump<op>;
  };
  template <Operator op>
  struct CompareConstantJump {
    static constexpr Step kStep = compare_constant_jump<op>;
  };

  static Step of(const Instruction& instruction) noexcept;
};

Step MachineSteps::of(const Instruction& instruction) noexcept {
  switch (instruction.op) {
    case Op::kText: return text;
    case Op::kEmitEscaped: return emit_escaped;
    case Op::kEmitRaw: return emit_raw;
    case Op::kEmitLocal: return emit_local;
    case Op::kEmitAttribute: return emit_attribute;
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
    case Op::kUnary: return unary;
    case Op::kBinary: return kForOperators<Binary>[instruction.a];
    case Op::kBinaryConstant: return kForOperators<BinaryConstant>[instruction.a];
    case Op::kPercent: return percent;
    case Op::kEmitPercent: return emit_percent;
    case Op::kFormatField: return format_field;
    case Op::kEmitField: return emit_field;
    case Op::kJumpUnlessEscape: return jump_unless_escape;
    case Op::kCompare: return kForOperators<Compare>[instruction.a];
    case Op::kCompareJump: return kForOperators<CompareJump>[instruction.c];
    case Op::kCompareConstantJump: return kForOperators<CompareConstantJump>[instruction.c];
    case Op::kTuck: return tuck;
    case Op::kNip: return nip;
    case Op::kDuplicate: return duplicate;
    case Op::kDuplicateTwo: return duplicate_two;
    case Op::kPop: return pop;
    case Op::kJump: return jump;
    case Op::kJumpIfFalse: return jump_if_false;
    case Op::kJumpIfFalseKeep: return jump_if_false_keep;
    case Op::kJumpIfTrueKeep: return jump_if_true_keep;
    case Op::kBuildList: return build_list;
    case Op::kBuildTuple: return build_tuple;
    case Op::kBuildDict: return build_dict;
    case Op::kListAppend: return list_append;
    case Op::kDictPut: return dict_put;
    case Op::kUnpack: return unpack;
    case Op::kIterate: return iterate;
    case Op::kNext: return next;
    case Op::kLoop: return loop;
    case Op::kLoopStore: return loop_store;
    case Op::kToString: return to_string;
    case Op::kFormat: return format;
    case Op::kJoin: return join;
    case Op::kBeginCapture: return begin_capture;
    case Op::kEndCapture: return end_capture;
    case Op::kBeginTry: return begin_try;
    case Op::kEndTry: return end_try;
    case Op::kStoreError: return store_error;
    case Op::kMatchError: return match_error;
    case Op::kRaise: return raise;
    case Op::kAwait: return await;
    case Op::kImport: return import;
    case Op::kLambda: return lambda;
    case Op::kEndLambda:
    case Op::kEnd: return end;
  }
  return end;
}

void link_steps(Program& program) noexcept {
  for (Instruction& instruction : program.code) instruction.step = MachineSteps::of(instruction);
}

}  // namespace coronado::web::templates
