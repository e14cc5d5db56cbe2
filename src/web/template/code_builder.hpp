/// Puts a program together: instructions, jumps, slots of names, constants.
///
/// Layer: web.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "web/template/compiler.hpp"
#include "web/template/program.hpp"

namespace coronado::web::templates {

/// What is emitted belongs to the current place.
class CodeBuilder : public PlaceTracker {
 public:
  explicit CodeBuilder(Program& program) : PlaceTracker(program.origins), program_(program) {
    scopes_.emplace_back();
  }

  Program& program() noexcept { return program_; }

  // --- instructions ---------------------------------------------------------------------------

  /// Params  change  How many operands it adds to the stack, or takes off it.
  std::uint32_t emit(Op op, int change, std::uint32_t b = 0, std::uint16_t a = 0);
  /// A jump whose target is told later, by `land`.
  std::uint32_t emit_jump(Op op, int change, std::uint16_t a = 0) { return emit(op, change, 0, a); }
  /// [v ->] a jump when `v` is false; a comparison just before becomes part of it.
  std::uint32_t emit_jump_if_false();
  void land(std::uint32_t jump);
  std::uint32_t here() noexcept;
  void jump_back(std::uint32_t target) { emit(Op::kJump, 0, target); }
  /// The stack is as high as this here, whatever the code before did.
  void set_height(int height) noexcept { height_ = height; }
  int height() const noexcept { return height_; }
  /// The last instruction, unless a jump may land behind it.
  Instruction* last() noexcept;
  void drop_last() noexcept;

  void emit_text(std::string_view text);
  void emit_constant(TemplateValue value);

  std::uint32_t add_text(std::string_view text);
  std::uint32_t add_site(std::string_view name);
  std::uint32_t add_field(const TemplateFormatField& field);
  std::uint32_t add_call(std::string_view name, const std::vector<std::string>& keywords);

  // --- names ----------------------------------------------------------------------------------

  /// The slot of a name that is read.
  std::uint32_t slot_of(std::string_view name);
  /// The slot of a name that is assigned, in the innermost function.
  std::uint32_t assigned_slot(std::string_view name);
  std::uint32_t temporary();
  /// A scope of its own: of a function (`apply`, a lambda), or of a comprehension, whose loop
  /// variables are declared and which does not keep assignments.
  void push_scope(bool function);
  void pop_scope() { scopes_.pop_back(); }
  std::uint32_t declare(std::string_view name);

  std::uint16_t push_iterator();
  void pop_iterator() noexcept { --iterators_; }
  std::uint32_t iterators() const noexcept { return iterators_; }

 private:
  struct Scope {
    bool function = true;
    std::map<std::string, std::uint32_t, std::less<>> slots = {};
  };

  std::uint32_t add_slot(std::string_view name, bool outside);

  Program& program_;
  std::vector<Scope> scopes_;
  std::uint32_t landing_ = 0;  // the last place a jump may land
  std::uint32_t iterators_ = 0;
  int height_ = 0;
};

}  // namespace coronado::web::templates
