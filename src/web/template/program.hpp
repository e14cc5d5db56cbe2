/// A template as the machine runs it: one flat list of instructions, with what it extends and
/// includes built in.
///
/// The machine has a stack of operands, and a slot for each name. Names are resolved to slots by
/// the compiler, so that nothing is looked up by name while rendering.
///
/// Layer: web.
#pragma once

#include <coronado/web/template_error.hpp>
#include <coronado/web/template_format.hpp>
#include <coronado/web/template_value.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "web/template/evaluator.hpp"
#include "web/template/linker.hpp"
#include "web/template/tree.hpp"

namespace coronado::web::templates {

/// What an instruction does. `[x y -> z]` is what it takes from the stack and leaves there.
enum class Op : std::uint8_t {
  kText,                 // write texts[b]
  kEmitEscaped,          // [v ->] write str(v), escaped by the function in slot b
  kEmitRaw,              // [v ->] write str(v)
  kEmitLocal,            // write what emits[b] says
  kEmitAttribute,        // the same of an attribute
  kConstant,             // [-> v] constants[b]
  kLoad,                 // [-> v] slot b
  kStore,                // [v ->] slot b
  kLoadAttribute,        // [-> v] attribute sites[b] of the value in slot a
  kCopySlot,             // slot a = slot b, which may be undefined
  kAttribute,            // [v -> v] sites[b]
  kMethod,               // [v -> function self] for a call that follows: sites[b]
  kPushUndefined,        // [-> undefined]
  kItem,                 // [v i -> v]
  kSlice,                // [v start stop step -> v]
  kSetItem,              // [v object index ->]
  kSetItemLast,          // [object index v ->]
  kCall,                 // [function self a arguments... -> v] calls[b]
  kCallMethod,           // [self -> v] the method methods[b], without arguments
  kUnary,                // [v -> v] operator a
  kBinary,               // [v w -> v] operator a
  kBinaryConstant,       // [v -> v] operator a, constants[b]
  kPercent,              // [v -> str] percents[b] % v
  kEmitPercent,          // [v ->] write that, escaped by the function in slot a
  kFormatField,          // [v -> str] fields[b]
  kEmitField,            // [v ->] write that, escaped as by `xhtml_escape`
  kJumpUnlessEscape,     // to b unless the function in slot a is `xhtml_escape`
  kCompare,              // [v w -> v] operator a
  kCompareJump,          // [v w ->] to b unless operator c says true
  kCompareConstantJump,  // [v ->] to b unless operator c says true of v and constants[a]
  kTuck,                 // [v w -> w v w]
  kNip,                  // [v w -> w]
  kDuplicate,            // [v -> v v]
  kDuplicateTwo,         // [v w -> v w v w]
  kPop,                  // [v ->]
  kJump,                 // to b
  kJumpIfFalse,          // [v ->] to b
  kJumpIfFalseKeep,      // [v -> v] to b, or [v ->]
  kJumpIfTrueKeep,       // [v -> v] to b, or [v ->]
  kBuildList,            // [b values... -> list]
  kBuildTuple,           // [b values... -> tuple]
  kBuildDict,            // [b keys and values... -> dict]
  kListAppend,           // [v ->] to the list in slot b
  kDictPut,              // [k v ->] to the dict in slot b
  kUnpack,               // [v -> b values, the first on top]
  kIterate,              // [v ->] iterator a
  kNext,                 // [-> v] the next of iterator a, or to b
  kLoop,                 // [-> v] the next of iterator a and to b, or on
  kLoopStore,            // the same, with the value to slot c
  kToString,             // [v -> str]
  kFormat,               // [v specification -> str] conversion a
  kJoin,                 // [b strings... -> str]
  kBeginCapture,         // from here output is kept
  kEndCapture,           // [-> str] what was kept
  kBeginTry,             // errors go to b
  kEndTry,
  kStoreError,  // the error that was caught to slot b
  kMatchError,  // [classes -> bool] of the error in slot b
  kRaise,       // the error in slot b again
  kAwait,       // [awaitable -> v]
  kImport,      // [-> module] texts[b]
  kLambda,      // [-> function] lambdas[b]
  kEndLambda,   // [v -> v] back to the caller
  kEnd,
};

struct Instruction;
class Machine;

/// How a machine stands still.
enum class MachineStatus : std::uint8_t {
  kDone,
  kAwait,  // the value on top of the stack must be awaited
  kPiece,  // a piece of output is ready
};

/// Does one instruction, and those behind it.
/// Params  top  One behind the last operand.
using Step = MachineStatus (*)(Machine& machine, const Instruction* at, TemplateValue* top);

struct Instruction {
  Op op;
  std::uint8_t c = 0;
  std::uint16_t a = 0;
  std::uint32_t b = 0;
  Step step = nullptr;  // of `op`: see `link_steps`
};

/// A name that has a slot; what it is before anything is assigned.
struct SlotName {
  std::string_view name;                               // empty: a temporary
  bool outside = false;                                // look in the namespace first
  TemplateValue builtin = TemplateValue::undefined();  // then what every template has
};

/// Text, and the value of a slot, or an attribute of it, that comes behind.
struct EmitSite {
  static constexpr char kNoText[16] = {};  // `write_padded` reads so much

  std::string_view prefix{kNoText, 0};
  std::uint32_t slot = 0;
  std::uint32_t site = 0;      // kEmitAttribute
  std::uint32_t function = 0;  // the slot of the function that escapes
};

/// `value.name()`.
struct MethodSite {
  std::uint32_t site = 0;  // the attribute
  std::uint32_t call = 0;
};

struct LambdaCode {
  std::uint32_t entry = 0;
  std::uint32_t first_slot = 0;  // of the parameters, and then of all that is used inside
  std::uint32_t slot_count = 0;
  std::uint32_t first_iterator = 0;
  std::uint32_t iterator_count = 0;
  std::uint32_t parameters = 0;
  std::vector<std::string_view> names = {};
};

struct Program {
  std::vector<Instruction> code;
  std::vector<OriginPlace> places;  // of each instruction
  std::vector<Origin> origins;
  std::vector<std::shared_ptr<const ParsedFile>> files;
  std::vector<std::string_view> texts;
  std::vector<TemplateValue> constants;
  std::vector<AttributeSite> sites;         // each place in the code has its own
  std::vector<std::uint32_t> site_objects;  // where the name stands whose attribute a site is
  std::vector<EmitSite> emits;
  std::vector<TemplatePercent> percents;
  std::vector<TemplateFormatField> fields;
  std::vector<CallSite> calls;
  std::vector<MethodSite> methods;
  std::vector<SlotName> slots;
  std::vector<LambdaCode> lambdas;
  std::size_t stack_size = 0;
  std::size_t iterator_count = 0;
  bool awaits = false;
  std::vector<TemplateWarning> warnings = {};
  TemplateMemory memory;  // of the texts and constants
};

/// Gives each instruction its step: when the program is complete.
void link_steps(Program& program) noexcept;

}  // namespace coronado::web::templates
