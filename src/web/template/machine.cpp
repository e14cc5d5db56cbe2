#include "web/template/machine.hpp"

#include <coronado/base/error.hpp>

#include <algorithm>
#include <memory>

#include "web/template/format.hpp"
#include "web/template/natives.hpp"
#include "web/template/operators.hpp"

namespace coronado::web::templates {
namespace {

constexpr std::size_t kMaxLambdaDepth = 50;

std::string quoted_type(const TemplateValue& value) {
  return "'" + std::string(template_type_name(value)) + "'";
}

/// Values of functions that a member of an object is looked up with.
const TemplateMember* find_described(const TemplateType& type, std::string_view name) {
  for (const TemplateMember& member : type.members) {
    if (member.name == name) return &member;
  }
  return nullptr;
}

}  // namespace

Machine::Machine(const Program& program, const TemplateLimits& limits, const Names& names,
                 TemplateMemory& memory, Output& output)
    : program_(program),
      names_(names),
      memory_(memory),
      output_(output),
      next_(program.code.data()),
      current_(program.code.data()),
      steps_left_(limits.steps),
      step_limit_(limits.steps) {
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
  TemplateErrorClass error_class = TemplateErrorClass::kException;
  std::string message;
  bool is_ours = false;
  try {
    std::rethrow_exception(error);
  } catch (const TemplateFault& fault) {
    error_class = fault.error_class();
    message = fault.what();
    is_ours = true;
  } catch (const HTTPError& http) {
    if (tries_.empty()) throw;
    message = http.what();
  } catch (const std::exception& other) {
    message = other.what();
  }
  if (tries_.empty() || error_class == TemplateErrorClass::kLimit) {
    throw_error(error_class, message, is_ours ? nullptr : error);
  }
  const Try handler = tries_.back();
  tries_.pop_back();
  top_ = handler.stack;
  while (captures_.size() > handler.captures) {
    output_.truncate(captures_.back());
    captures_.pop_back();
  }
  caught_ = TemplateValue::of(
      TemplateKind::kFailure,
      &memory_.make<TemplateFailure>(error_class, memory_.copy(message), error, current_));
  next_ = program_.code.data() + handler.handler;
}

void Machine::throw_error(TemplateErrorClass error_class, const std::string& message,
                          const std::exception_ptr& cause) {
  throw TemplateError(error_class, message,
                      program_.place_of(static_cast<std::size_t>(current_ - program_.code.data())),
                      cause);
}

void Machine::fail_steps() {
  fail(TemplateErrorClass::kLimit,
       "the template takes more than " + std::to_string(step_limit_) + " steps");
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
  const Instruction* pc = next_;
  TemplateValue* top = top_;
  const auto jump = [&](std::uint32_t target) {
    const Instruction* to = code + target;
    if (to < pc) charge(1);
    pc = to;
  };
  for (;;) {
    const Instruction at = *pc;
    current_ = pc++;
    switch (at.op) {
      case Op::kText: output_.write_padded(program_.texts[at.b]); break;
      case Op::kEmitEscaped: emit_escaped(*--top, slots_[at.b]); break;
      case Op::kEmitRaw: emit_raw(*--top); break;
      case Op::kEmitLocal:
        if (slots_[at.a].is_undefined()) [[unlikely]]
          fail_name(at.a);
        emit_escaped(slots_[at.a], slots_[at.b]);
        break;
      case Op::kEmitAttribute:
        if (slots_[at.a].is_undefined()) [[unlikely]]
          fail_name(at.a);
        emit_escaped(attribute(slots_[at.a], at.b), slots_[at.c]);
        break;
      case Op::kConstant: *top++ = program_.constants[at.b]; break;
      case Op::kLoad:
        if (slots_[at.b].is_undefined()) [[unlikely]]
          fail_name(at.b);
        *top++ = slots_[at.b];
        break;
      case Op::kStore: slots_[at.b] = *--top; break;
      case Op::kCopySlot: slots_[at.a] = slots_[at.b]; break;
      case Op::kAttribute: top[-1] = attribute(top[-1], at.b); break;
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
        *base = call_site(base, at.a, program_.calls[at.b]);
        top = base + 1;
        break;
      }
      case Op::kUnary: top[-1] = unary(static_cast<Operator>(at.a), top[-1]); break;
      case Op::kBinary:
        top[-2] = binary(static_cast<Operator>(at.a), top[-2], top[-1], memory_);
        --top;
        break;
      case Op::kCompare:
        top[-2] =
            TemplateValue::boolean(compare(static_cast<Operator>(at.a), top[-2], top[-1], memory_));
        --top;
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
        if (!is_true(*--top)) pc = code + at.b;
        break;
      case Op::kJumpIfFalseKeep:
        if (is_true(top[-1])) {
          --top;
        } else {
          pc = code + at.b;
        }
        break;
      case Op::kJumpIfTrueKeep:
        if (is_true(top[-1])) {
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
        *top = build_dict({top, at.b});
        ++top;
        break;
      case Op::kListAppend: slots_[at.b].as<TemplateList>().append(*--top, memory_); break;
      case Op::kDictPut:
        slots_[at.b].as<TemplateDict>().put(top[-2], top[-1], memory_);
        top -= 2;
        break;
      case Op::kUnpack: unpack(top, at.b); break;
      case Op::kIterate: cursors_[at.a].start(*--top, memory_); break;
      case Op::kNext:
        if (piece_size_ != 0 && captures_.empty() && lambda_depth_ == 0 &&
            output_.size() >= piece_size_) {
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
          fail_type("object " + quoted_type(top[-1]) + " can't be used in 'await' expression");
        }
        next_ = pc;
        top_ = top;
        return Status::kAwait;
      case Op::kImport: *top++ = import_module(program_.texts[at.b]); break;
      case Op::kLambda: {
        auto& function = memory_.make<TemplateFunction>();
        function.name = "<lambda>";
        function.lambda = &program_.lambdas[at.b];
        *top++ = TemplateValue::of(TemplateKind::kFunction, &function);
        break;
      }
      case Op::kEndLambda:
      case Op::kEnd:
        next_ = pc - 1;
        top_ = top;
        return Status::kDone;
    }
  }
}

// --- attributes --------------------------------------------------------------------------------------

/// A member of an object, or the value of a key of that name.
bool Machine::find_member(const TemplateValue& value, std::uint32_t site, TemplateValue& found) {
  const std::string_view name = program_.sites[site];
  if (value.kind() == TemplateKind::kDict) {
    const TemplateDict::Entry* entry = value.as<TemplateDict>().find(TemplateValue::string(name));
    if (entry != nullptr) found = entry->value;
    return entry != nullptr;
  }
  if (!value.is_object()) return false;
  const TemplateType& type = value.type();
  if (const TemplateMember* member = find_described(type, name)) {
    caches_[site] = {&type, member->get};
    found = member->get(value.pointer(), memory_);
    return true;
  }
  if (type.attribute != nullptr && type.attribute(value.pointer(), name, memory_, found)) {
    return true;
  }
  return type.find != nullptr &&
         type.find(value.pointer(), TemplateValue::string(name), memory_, found);
}

TemplateValue Machine::attribute_slow(const TemplateValue& value, std::uint32_t site) {
  TemplateValue found;
  if (find_member(value, site, found)) return found;
  const std::string_view name = program_.sites[site];
  if (const TemplateFunction* method = find_method(value, name)) {
    return TemplateValue::of(TemplateKind::kMethod, &memory_.make<TemplateMethod>(method, value));
  }
  if (value.kind() == TemplateKind::kAwaitable) {
    fail_type("a coroutine has no value before it is awaited");
  }
  fail(TemplateErrorClass::kAttributeError,
       quoted_type(value) + " object has no attribute '" + std::string(name) + "'");
}

/// For a call: methods come first, so that a key called `items` does not hide `items()`.
void Machine::push_method(TemplateValue*& top, std::uint32_t site) {
  const TemplateValue object = top[-1];
  if (const TemplateFunction* method = find_method(object, program_.sites[site])) {
    top[-1] = TemplateValue::of(TemplateKind::kFunction, method);
    *top++ = object;
    return;
  }
  top[-1] = attribute(object, site);
  *top++ = TemplateValue::undefined();
}

// --- output ------------------------------------------------------------------------------------------

void Machine::emit_raw(const TemplateValue& value) {
  if (value.is_string()) return output_.write(value.as_string());
  if (value.is_int()) return output_.write_int(value.as_int());
  output_.write(template_to_string(value));
}

void Machine::emit_escaped(const TemplateValue& value, const TemplateValue& function) {
  if (function.pointer() != &xhtml_escape_function()) [[unlikely]] {
    return emit_with(value, function);
  }
  if (value.is_string()) return output_.write_escaped(value.as_string());
  if (value.is_int()) return output_.write_int(value.as_int());
  output_.write_escaped(template_to_string(value));
}

/// The namespace has an `xhtml_escape` of its own.
void Machine::emit_with(const TemplateValue& value, const TemplateValue& function) {
  if (function.is_undefined()) {
    fail(TemplateErrorClass::kNameError, "name 'xhtml_escape' is not defined");
  }
  const TemplateValue text =
      value.is_string() ? value : new_string(template_to_string(value), memory_);
  emit_raw(call(function, {&text, 1}));
}

TemplateValue Machine::end_capture() {
  const std::size_t start = captures_.back();
  captures_.pop_back();
  const TemplateValue text = new_string(output_.since(start), memory_);
  output_.truncate(start);
  return text;
}

// --- calls -------------------------------------------------------------------------------------------

TemplateValue Machine::call_site(TemplateValue* base, std::size_t count, const CallSite& site) {
  charge(1);
  const TemplateCall call(memory_, site.name, {base + 2, count}, site.keywords);
  const TemplateValue& callee = base[0];
  switch (callee.kind()) {
    case TemplateKind::kFunction:
      return call_function(callee.as<TemplateFunction>(), base[1], call);
    case TemplateKind::kMethod: {
      const TemplateMethod& method = callee.as<TemplateMethod>();
      return call_function(*method.function, method.self, call);
    }
    case TemplateKind::kObject:
      if (callee.type().call != nullptr) {
        TemplateCall copy = call;
        return callee.type().call(callee.pointer(), copy);
      }
      break;
    default: break;
  }
  fail_type(quoted_type(callee) + " object is not callable");
}

TemplateValue Machine::call(const TemplateValue& callee, std::span<const TemplateValue> arguments) {
  std::vector<TemplateValue> operands = {callee, TemplateValue::undefined()};
  operands.insert(operands.end(), arguments.begin(), arguments.end());
  static const CallSite kSite{.name = "function"};
  return call_site(operands.data(), arguments.size(), kSite);
}

TemplateValue Machine::call_function(const TemplateFunction& function, const TemplateValue& self,
                                     const TemplateCall& call) {
  if (function.lambda != nullptr) return call_lambda(function, call);
  return function.native({call, self, *this});
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

// --- the rest ----------------------------------------------------------------------------------------

void Machine::unpack(TemplateValue*& top, std::size_t count) {
  const TemplateValue value = *--top;
  Cursor cursor;
  if (!value.is_string() && value.kind() != TemplateKind::kTuple &&
      value.kind() != TemplateKind::kList && !is_sequence(value) && !is_mapping(value) &&
      !(value.is_object() && value.type().iterate != nullptr)) {
    fail_type("cannot unpack non-iterable " + std::string(template_type_name(value)) + " object");
  }
  cursor.start(value, memory_);
  // The first on top, because they are stored in the order in which they are written.
  for (std::size_t i = 0; i < count; ++i) {
    if (!cursor.next(memory_, top[count - 1 - i])) {
      fail_value("not enough values to unpack (expected " + std::to_string(count) + ", got " +
                 std::to_string(i) + ")");
    }
  }
  TemplateValue more;
  if (cursor.next(memory_, more)) {
    fail_value("too many values to unpack (expected " + std::to_string(count) + ")");
  }
  top += count;
}

TemplateValue Machine::build_dict(std::span<const TemplateValue> pairs) {
  TemplateDict& dict = memory_.make<TemplateDict>();
  for (std::size_t i = 0; i < pairs.size(); i += 2) dict.put(pairs[i], pairs[i + 1], memory_);
  return TemplateValue::dict(dict);
}

TemplateValue Machine::join(std::span<const TemplateValue> parts) {
  std::size_t size = 0;
  for (const TemplateValue& part : parts) size += part.as_string().size();
  char* place = memory_.allocate_array<char>(size);
  char* at = place;
  for (const TemplateValue& part : parts) {
    const std::string_view text = part.as_string();
    std::memcpy(at, text.data(), text.size());
    at += text.size();
  }
  return TemplateValue::string({place, size});
}

TemplateValue Machine::format(const TemplateValue& value, const TemplateValue& spec,
                              char conversion) {
  const std::string_view specification = spec.as_string();
  if (conversion == '\0' || conversion == 's') {
    if (specification.empty() && value.is_string()) return value;
    if (conversion == '\0') return new_string(format_value(value, specification), memory_);
  }
  std::string text;
  if (conversion == 's') {
    append_text(text, value);
  } else {
    append_repr(text, value);
  }
  return new_string(format_value(TemplateValue::string(text), specification), memory_);
}

namespace {
constexpr TemplateType kModuleType = {
    .name = "module",
    .attribute = [](const void* object, std::string_view name, TemplateMemory& memory,
                    TemplateValue& found) {
      return static_cast<const TemplateNamespace*>(object)->find(name, memory, found);
    }};
}  // namespace

TemplateValue Machine::import_module(std::string_view name) {
  if (names_.loader != nullptr) {
    const auto& modules = names_.loader->modules;
    if (const auto found = modules.find(name); found != modules.end()) {
      return TemplateValue::object(found->second.get(), kModuleType);
    }
  }
  fail(TemplateErrorClass::kNameError,
       "no module named '" + std::string(name) + "'; the loader's module() makes one");
}

bool Machine::matches(const TemplateValue& classes, const TemplateFailure& failure) {
  if (classes.kind() == TemplateKind::kTuple) {
    for (const TemplateValue& each : classes.as<TemplateList>().values()) {
      if (matches(each, failure)) return true;
    }
    return false;
  }
  if (classes.kind() != TemplateKind::kFunction ||
      classes.as<TemplateFunction>().error_class == nullptr) {
    fail_type("except needs the name of an error, such as KeyError, not " + quoted_type(classes));
  }
  return error_matches(failure.error_class, *classes.as<TemplateFunction>().error_class);
}

}  // namespace coronado::web::templates
