// Steps that go elsewhere: jumps, loops, capture, errors, the end.
#include "web/template/machine_steps.hpp"
#include "web/template/operators.hpp"

namespace coronado::web::templates {

using Status = MachineStatus;

struct ControlSteps {
  static bool truth(const TemplateValue& value) {
    return value.kind() == TemplateKind::kBool ? value.as_bool() : is_true(value);
  }
  /// Stops before `at`, which is done when the machine goes on.
  static Status stop(Machine& m, const Instruction* at, TemplateValue* top, Status status) {
    m.next_ = at;
    m.top_ = top;
    return status;
  }
  static Status jump(Machine& m, const Instruction* at, TemplateValue* top) {
    const Instruction* next = m.code_ + at->b;
    if (next < at) {  // a turn of `while`
      m.current_ = at;
      if (m.piece_is_ready()) [[unlikely]]
        return stop(m, at, top, Status::kPiece);
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

  static Step of(const Instruction& instruction) noexcept;
};

Step ControlSteps::of(const Instruction& instruction) noexcept {
  switch (instruction.op) {
    case Op::kJumpUnlessEscape: return jump_unless_escape;
    case Op::kJump: return jump;
    case Op::kJumpIfFalse: return jump_if_false;
    case Op::kJumpIfFalseKeep: return jump_if_false_keep;
    case Op::kJumpIfTrueKeep: return jump_if_true_keep;
    case Op::kIterate: return iterate;
    case Op::kNext: return next;
    case Op::kLoop: return loop;
    case Op::kLoopStore: return loop_store;
    case Op::kBeginCapture: return begin_capture;
    case Op::kEndCapture: return end_capture;
    case Op::kBeginTry: return begin_try;
    case Op::kEndTry: return end_try;
    case Op::kStoreError: return store_error;
    case Op::kMatchError: return match_error;
    case Op::kRaise: return raise;
    case Op::kAwait: return await;
    case Op::kEndLambda: return end;
    case Op::kEnd: return end;
    default: return nullptr;
  }
}

Step control_step(const Instruction& instruction) noexcept { return ControlSteps::of(instruction); }

}  // namespace coronado::web::templates
