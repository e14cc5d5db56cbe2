#include "web/template/machine.hpp"

#include <coronado/base/error.hpp>

#include <algorithm>
#include <memory>

#include "web/template/format.hpp"
#include "web/template/loader_names.hpp"
#include "web/template/natives.hpp"
#include "web/template/operators.hpp"

namespace coronado::web::templates {
namespace {

constexpr std::size_t kMaxLambdaDepth = 50;

/// What most operators do: integers, without overflow. False: `binary` knows.
bool binary_fast(Operator op, TemplateValue& a, const TemplateValue& b) {
  if (!a.is_int() || !b.is_int()) return false;
  const std::int64_t x = a.as_int();
  const std::int64_t y = b.as_int();
  std::int64_t result = 0;
  switch (op) {
    case Operator::kAdd:
      if (__builtin_add_overflow(x, y, &result)) return false;
      break;
    case Operator::kSubtract:
      if (__builtin_sub_overflow(x, y, &result)) return false;
      break;
    case Operator::kMultiply:
      if (__builtin_mul_overflow(x, y, &result)) return false;
      break;
    case Operator::kModulo:
      if (x < 0 || y <= 0) return false;
      // A division of 32 bits takes a third of the time.
      result = ((x | y) >> 32) == 0 ? static_cast<std::int64_t>(static_cast<std::uint32_t>(x) %
                                                                static_cast<std::uint32_t>(y))
                                    : x % y;
      break;
    default: return false;
  }
  a = TemplateValue::integer(result);
  return true;
}

template <class T>
bool ordered(Operator op, T x, T y) {
  switch (op) {
    case Operator::kEqual: return x == y;
    case Operator::kNotEqual: return x != y;
    case Operator::kLess: return x < y;
    case Operator::kLessEqual: return x <= y;
    case Operator::kGreater: return x > y;
    default: return x >= y;
  }
}

bool is_order(Operator op) { return op >= Operator::kEqual && op <= Operator::kGreaterEqual; }

bool compare_any(Operator op, const TemplateValue& a, const TemplateValue& b,
                 TemplateMemory& memory) {
  constexpr std::int64_t kExact = std::int64_t{1} << 53;  // a double holds every integer up to it
  if (!is_order(op)) return compare(op, a, b, memory);
  const bool real_a = a.kind() == TemplateKind::kFloat;
  const bool real_b = b.kind() == TemplateKind::kFloat;
  if (a.is_int() && b.is_int()) return ordered(op, a.as_int(), b.as_int());
  if (real_a && real_b) return ordered(op, a.as_float(), b.as_float());
  if (real_a && b.is_int() && b.as_int() <= kExact && b.as_int() >= -kExact) {
    return ordered(op, a.as_float(), static_cast<double>(b.as_int()));
  }
  return compare(op, a, b, memory);
}

bool truth(const TemplateValue& value) {
  return value.kind() == TemplateKind::kBool ? value.as_bool() : is_true(value);
}

}  // namespace

Machine::Machine(const Program& program, const TemplateLimits& limits, const Names& names,
                 TemplateMemory& memory, Output& output)
    : Evaluator(memory, output, limits.steps),
      program_(program),
      names_(names),
      next_(program.code.data()),
      current_(program.code.data()) {
  slots_ = memory_.allocate_array<TemplateValue>(program.slots.size());
  top_ = memory_.allocate_array<TemplateValue>(program.stack_size + 1);
  cursors_ = memory_.allocate_array<Cursor>(program.iterator_count);
  std::uninitialized_default_construct_n(cursors_, program.iterator_count);
  caches_ = memory_.allocate_array<AttributeCache>(program.sites.size());
  std::fill_n(caches_, program.sites.size(), AttributeCache{nullptr, nullptr});
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
    if (slot.builtin != nullptr) value = TemplateValue::of(TemplateKind::kFunction, slot.builtin);
  }
}

Machine::Status Machine::run() {
  for (;;) {
    try {
      return execute();
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

Machine::Status Machine::execute() {
  const Instruction* const code = program_.code.data();
  const EmitSite* const emits = program_.emits.data();
  const TemplateValue* const constants = program_.constants.data();
  const Instruction* pc = next_;
  TemplateValue* top = top_;
  const auto jump = [&](std::uint32_t target) {
    const Instruction* to = code + target;
    if (to < pc) charge(1);
    pc = to;
  };
  for (;;) {
    const Instruction& at = *pc;
    current_ = pc++;
    switch (at.op) {
      case Op::kText: output_.write_padded(program_.texts[at.b]); break;
      case Op::kEmitEscaped: emit_escaped(*--top, slots_[at.b]); break;
      case Op::kEmitRaw: emit_raw(*--top); break;
      case Op::kEmitLocal: {
        const EmitSite& site = emits[at.b];
        output_.write_padded(site.prefix);
        emit_escaped(load(site.slot), slots_[site.function]);
        break;
      }
      case Op::kEmitAttribute: {
        const EmitSite& site = emits[at.b];
        output_.write_padded(site.prefix);
        emit_escaped(attribute_at(load_object(site.slot, site.site), site.site),
                     slots_[site.function]);
        break;
      }
      case Op::kConstant: *top++ = constants[at.b]; break;
      case Op::kLoad: *top++ = load(at.b); break;
      case Op::kLoadAttribute: *top++ = attribute_at(load_object(at.a, at.b), at.b); break;
      case Op::kStore: slots_[at.b] = *--top; break;
      case Op::kCopySlot: slots_[at.a] = slots_[at.b]; break;
      case Op::kAttribute: top[-1] = attribute_at(top[-1], at.b); break;
      case Op::kMethod: push_method(top, at.b); break;
      case Op::kPushUndefined: *top++ = TemplateValue::undefined(); break;
      case Op::kItem:
        top[-2] = item(top[-2], top[-1], memory_);
        --top;
        break;
      case Op::kSlice:
        top[-4] = slice(top[-4], top[-3], top[-2], top[-1], memory_);
        top -= 3;
        break;
      case Op::kSetItem:
        set_item(top[-2], top[-1], top[-3], memory_);
        top -= 3;
        break;
      case Op::kSetItemLast:
        set_item(top[-3], top[-2], top[-1], memory_);
        top -= 3;
        break;
      case Op::kCall: {
        TemplateValue* base = top - at.a - 2;
        top_ = top;  // a lambda that the callee runs goes on from here
        *base = call(base[0], base[1], {base + 2, at.a}, program_.calls[at.b]);
        top = base + 1;
        break;
      }
      case Op::kUnary: top[-1] = unary(static_cast<Operator>(at.a), top[-1]); break;
      case Op::kBinary:
        if (!binary_fast(static_cast<Operator>(at.a), top[-2], top[-1])) {
          top[-2] = binary(static_cast<Operator>(at.a), top[-2], top[-1], memory_);
        }
        --top;
        break;
      case Op::kBinaryConstant:
        if (!binary_fast(static_cast<Operator>(at.a), top[-1], constants[at.b])) {
          top[-1] = binary(static_cast<Operator>(at.a), top[-1], constants[at.b], memory_);
        }
        break;
      case Op::kPercent: top[-1] = percent_format(program_.percents[at.b], top[-1], memory_); break;
      case Op::kCompare:
        top[-2] = TemplateValue::boolean(
            compare_any(static_cast<Operator>(at.a), top[-2], top[-1], memory_));
        --top;
        break;
      case Op::kCompareJump:
        top -= 2;
        if (!compare_any(static_cast<Operator>(at.c), top[0], top[1], memory_)) pc = code + at.b;
        break;
      case Op::kCompareConstantJump:
        --top;
        if (!compare_any(static_cast<Operator>(at.c), *top, constants[at.a], memory_)) {
          pc = code + at.b;
        }
        break;
      case Op::kTuck:
        top[0] = top[-1];
        top[-1] = top[-2];
        top[-2] = top[0];
        ++top;
        break;
      case Op::kNip:
        top[-2] = top[-1];
        --top;
        break;
      case Op::kDuplicate:
        top[0] = top[-1];
        ++top;
        break;
      case Op::kDuplicateTwo:
        top[0] = top[-2];
        top[1] = top[-1];
        top += 2;
        break;
      case Op::kPop: --top; break;
      case Op::kJump: jump(at.b); break;
      case Op::kJumpIfFalse:
        if (!truth(*--top)) pc = code + at.b;
        break;
      case Op::kJumpIfFalseKeep:
        if (truth(top[-1])) {
          --top;
        } else {
          pc = code + at.b;
        }
        break;
      case Op::kJumpIfTrueKeep:
        if (truth(top[-1])) {
          pc = code + at.b;
        } else {
          --top;
        }
        break;
      case Op::kBuildList:
        top -= at.b;
        *top = new_list({top, at.b}, memory_);
        ++top;
        break;
      case Op::kBuildTuple:
        top -= at.b;
        *top = new_tuple({top, at.b}, memory_);
        ++top;
        break;
      case Op::kBuildDict:
        top -= at.b;
        *top = make_dict({top, at.b});
        ++top;
        break;
      case Op::kListAppend: slots_[at.b].as<TemplateList>().append(*--top, memory_); break;
      case Op::kDictPut:
        slots_[at.b].as<TemplateDict>().put(top[-2], top[-1], memory_);
        top -= 2;
        break;
      case Op::kUnpack: unpack_reversed(top, at.b); break;
      case Op::kIterate: cursors_[at.a].start(*--top, memory_); break;
      case Op::kNext:
        if (piece_is_ready()) [[unlikely]] {
          next_ = pc - 1;
          top_ = top;
          return Status::kPiece;
        }
        charge(1);
        if (cursors_[at.a].next(memory_, *top)) {
          ++top;
        } else {
          pc = code + at.b;
        }
        break;
      case Op::kLoop:
      case Op::kLoopStore: {
        if (piece_is_ready()) [[unlikely]] {
          next_ = pc - 1;
          top_ = top;
          return Status::kPiece;
        }
        charge(1);
        TemplateValue& element = at.op == Op::kLoop ? *top : slots_[at.c];
        if (cursors_[at.a].next(memory_, element)) {
          if (at.op == Op::kLoop) ++top;
          pc = code + at.b;
        }
        break;
      }
      case Op::kToString:
        if (!top[-1].is_string()) {
          top[-1] = new_string(template_to_string(top[-1]), memory_);
        }
        break;
      case Op::kFormat:
        top[-2] = format(top[-2], top[-1], static_cast<char>(at.a));
        --top;
        break;
      case Op::kJoin:
        top -= at.b;
        *top = join({top, at.b});
        ++top;
        break;
      case Op::kBeginCapture: captures_.push_back(output_.size()); break;
      case Op::kEndCapture: *top++ = end_capture(); break;
      case Op::kBeginTry:
        tries_.push_back({at.b, top, static_cast<std::uint32_t>(captures_.size())});
        break;
      case Op::kEndTry: tries_.pop_back(); break;
      case Op::kStoreError: slots_[at.b] = caught_; break;
      case Op::kMatchError:
        top[-1] = TemplateValue::boolean(matches(top[-1], slots_[at.b].as<TemplateFailure>()));
        break;
      case Op::kRaise: {
        const TemplateFailure& failure = slots_[at.b].as<TemplateFailure>();
        current_ = static_cast<const Instruction*>(failure.instruction);
        std::rethrow_exception(failure.error);
      }
      case Op::kAwait:
        if (top[-1].kind() != TemplateKind::kAwaitable) {
          fail_type("object '" + std::string(template_type_name(top[-1])) +
                    "' can't be used in 'await' expression");
        }
        next_ = pc;
        top_ = top;
        return Status::kAwait;
      case Op::kImport: *top++ = import_module(names_.loader, program_.texts[at.b]); break;
      case Op::kLambda: *top++ = make_lambda(at.b); break;
      case Op::kEndLambda:
      case Op::kEnd:
        next_ = pc - 1;
        top_ = top;
        return Status::kDone;
      default: __builtin_unreachable();  // the compiler makes no other
    }
  }
}

// --- attributes --------------------------------------------------------------------------------------

TemplateValue Machine::attribute_slow(const TemplateValue& value, std::uint32_t site) {
  const TemplateMember* member = nullptr;
  const TemplateValue found = attribute(value, program_.sites[site], &member);
  if (member != nullptr) caches_[site] = {&value.type(), member->get};
  return found;
}

/// For a call: methods come first, so that a key called `items` does not hide `items()`.
void Machine::push_method(TemplateValue*& top, std::uint32_t site) {
  const TemplateValue object = top[-1];
  if (const TemplateFunction* method = program_.sites[site].method_of(object)) {
    top[-1] = TemplateValue::of(TemplateKind::kFunction, method);
    *top++ = object;
    return;
  }
  top[-1] = attribute_at(object, site);
  *top++ = TemplateValue::undefined();
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
  execute();
  current_ = restore.current;
  return top_[-1];
}

/// The first on top, because they are stored in the order in which they are written.
void Machine::unpack_reversed(TemplateValue*& top, std::size_t count) {
  const TemplateValue value = *--top;
  unpack(value, {top, count});
  std::reverse(top, top + count);
  top += count;
}

}  // namespace coronado::web::templates
