/// What each instruction of a program does.
///
/// A step ends with a tail call of the next one's, so that the machine's state stays in registers and
/// the processor sees where each instruction usually goes on. What may fail says first where it
/// stands. What is rare is a function of its own, so that a step has nothing to save.
///
/// Layer: web.
#pragma once

#include "web/template/machine.hpp"

namespace coronado::web::templates {

// The step of an instruction, or null: it is another file's.
Step output_step(const Instruction& instruction) noexcept;
Step value_step(const Instruction& instruction) noexcept;
Step operator_step(const Instruction& instruction) noexcept;
Step control_step(const Instruction& instruction) noexcept;

}  // namespace coronado::web::templates
