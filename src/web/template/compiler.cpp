#include "web/template/compiler.hpp"

#include <coronado/base/strings.hpp>

#include "web/template/code_builder.hpp"
#include "web/template/expression_compiler.hpp"
#include "web/template/expression_parser.hpp"
#include "web/template/html_context.hpp"

namespace coronado::web::templates {
namespace {

constexpr std::string_view kXHTMLEscape = "xhtml_escape";
constexpr std::uint32_t kMostFusedSlot = 255;

class Compiler {
 public:
  Compiler(Program& program, FileSource* source)
      : program_(program),
        code_(program),
        expressions_(code_),
        linker_(code_, program.files, source) {}

  void compile(std::shared_ptr<const ParsedFile> file);

 private:
  /// What must be undone when a loop is left from inside: a try, with its finally.
  struct Cleanup {
    const Body* finally;
  };
  struct Loop {
    std::size_t cleanups;
    std::vector<std::uint32_t> continues = {};
    std::vector<std::uint32_t> exits = {};
  };

  void compile_body(const Body& body);
  void compile_node(const Node& node);
  void compile_emit(const Node& node);
  bool fuse_emit(std::uint32_t function);
  void compile_set(const Node& node);
  void compile_augment(const Node& node);
  void compile_if(const Node& node);
  void compile_for(const Node& node);
  void compile_while(const Node& node);
  void compile_loop_end(const Node& node);
  void compile_try(const Node& node);
  void compile_handlers(const Node& node);
  void compile_apply(const Node& node);
  void compile_import(const Node& node);
  void compile_leave(const Node& node);
  void find_assigned(const Body& body, std::vector<std::string_view>& names) const;
  static void find_assigned(const Expression& target, std::vector<std::string_view>& names);

  Program& program_;
  CodeBuilder code_;
  ExpressionCompiler expressions_;
  Linker linker_;
  HTMLContext html_;
  bool is_html_ = false;
  std::vector<Cleanup> cleanups_;
  std::vector<Loop> loops_;
};

void Compiler::compile(std::shared_ptr<const ParsedFile> file) {
  is_html_ = HTMLContext::is_html(file->source.name);
  compile_body(linker_.link(std::move(file)));
  code_.emit(Op::kEnd, 0);
}

void Compiler::compile_body(const Body& body) {
  for (const auto& node : body) {
    code_.set_offset(node->offset);
    compile_node(*node);
  }
}

void Compiler::compile_node(const Node& node) {
  if (is_html_) {
    html_.follow(node, linker_.file(), code_.origins(), code_.place(), program_.warnings);
  }
  switch (node.kind) {
    case NodeKind::kText: return code_.emit_text(node.text);
    case NodeKind::kEmit: return compile_emit(node);
    case NodeKind::kRaw:
      expressions_.compile(*node.expression);
      code_.emit(Op::kEmitRaw, -1);
      return;
    case NodeKind::kModule:
      expressions_.compile_module(*node.expression);
      code_.emit(Op::kEmitRaw, -1);
      return;
    case NodeKind::kEvaluate:
      expressions_.compile(*node.expression);
      code_.emit(Op::kPop, -1);
      return;
    case NodeKind::kSet: return compile_set(node);
    case NodeKind::kAugment: return compile_augment(node);
    case NodeKind::kIf: return compile_if(node);
    case NodeKind::kFor: return compile_for(node);
    case NodeKind::kWhile: return compile_while(node);
    case NodeKind::kTry: return compile_try(node);
    case NodeKind::kApply: return compile_apply(node);
    case NodeKind::kBlock:
      return linker_.visit_block(node, [this](const Body& body) { compile_body(body); });
    case NodeKind::kInclude:
      return linker_.visit_include(node, [this](const Body& body) { compile_body(body); });
    case NodeKind::kExtends: return;
    case NodeKind::kImport: return compile_import(node);
    case NodeKind::kBreak:
    case NodeKind::kContinue: return compile_leave(node);
  }
}

void Compiler::compile_emit(const Node& node) {
  const std::string& escape = linker_.file().autoescape;
  if (escape.empty()) {
    expressions_.compile(*node.expression);
    code_.emit(Op::kEmitRaw, -1);
    return;
  }
  if (escape == kXHTMLEscape) {
    const std::uint32_t function = code_.slot_of(escape);
    // What fails inside a `try` leaves nothing behind: there the text is made first.
    if (cleanups_.empty() && expressions_.compile_emit(*node.expression, function)) return;
    expressions_.compile(*node.expression);
    // The two commonest expressions, `name` and `name.attribute`, are one instruction each.
    if (fuse_emit(function)) return;
    code_.emit(Op::kEmitEscaped, -1, function);
    return;
  }
  ExpressionPtr function;
  try {
    ExpressionParser parser(escape, node.offset);
    function = parser.parse_expression();
    parser.expect_end();
  } catch (const SyntaxFault& fault) {
    code_.fail("autoescape: " + std::string(fault.what()));
  }
  expressions_.compile(*function);
  code_.emit(Op::kPushUndefined, 1);
  expressions_.compile(*node.expression);
  code_.emit(Op::kToString, 0);
  code_.set_offset(node.offset);
  code_.emit(Op::kCall, -2, code_.add_call(escape, {}), 1);
  code_.emit(Op::kEmitRaw, -1);
}

bool Compiler::fuse_emit(std::uint32_t function) {
  const Instruction* last = code_.last();
  if (last == nullptr) return false;
  EmitSite site{.function = function};
  Op op = Op::kEmitLocal;
  if (last->op == Op::kLoad) {
    site.slot = last->b;
  } else if (last->op == Op::kLoadAttribute) {
    op = Op::kEmitAttribute;
    site.slot = last->a;
    site.site = last->b;
  } else {
    return false;
  }
  code_.drop_last();
  // The text before it comes along.
  if (const Instruction* text = code_.last(); text != nullptr && text->op == Op::kText) {
    site.prefix = program_.texts[text->b];
    code_.drop_last();
  }
  program_.emits.push_back(site);
  code_.emit(op, -1, static_cast<std::uint32_t>(program_.emits.size() - 1));
  return true;
}

void Compiler::compile_set(const Node& node) {
  expressions_.compile(*node.expression);
  for (std::size_t i = 0; i < node.targets.size(); ++i) {
    if (i + 1 < node.targets.size()) code_.emit(Op::kDuplicate, 1);
    expressions_.store(*node.targets[i]);
  }
}

void Compiler::compile_augment(const Node& node) {
  const Expression& target = *node.targets[0];
  const auto op = static_cast<std::uint16_t>(node.op);
  if (target.kind == ExpressionKind::kName) {
    expressions_.compile(target);
    expressions_.compile(*node.expression);
    code_.set_offset(node.offset);
    code_.emit(Op::kBinary, -1, 0, op);
    expressions_.store(target);
    return;
  }
  expressions_.compile(*target.children[0]);
  expressions_.compile(*target.children[1]);
  code_.emit(Op::kDuplicateTwo, 2);
  code_.emit(Op::kItem, -1);
  expressions_.compile(*node.expression);
  code_.set_offset(node.offset);
  code_.emit(Op::kBinary, -1, 0, op);
  code_.emit(Op::kSetItemLast, -3);
}

void Compiler::compile_if(const Node& node) {
  std::vector<std::uint32_t> exits;
  for (std::size_t i = 0; i < node.branches.size(); ++i) {
    const Branch& branch = node.branches[i];
    if (!branch.condition) {
      compile_body(branch.body);
      break;
    }
    code_.set_offset(branch.offset);
    const std::vector<std::uint32_t> otherwise = expressions_.compile_condition(*branch.condition);
    compile_body(branch.body);
    if (i + 1 < node.branches.size()) exits.push_back(code_.emit_jump(Op::kJump, 0));
    for (std::uint32_t jump : otherwise) code_.land(jump);
  }
  for (std::uint32_t exit : exits) code_.land(exit);
}

/// What comes behind a loop whose condition is false: its `else`, and where `break` goes.
void Compiler::compile_loop_end(const Node& node) {
  const std::vector<std::uint32_t> exits = std::move(loops_.back().exits);
  loops_.pop_back();
  if (node.branches.size() > 1) compile_body(node.branches[1].body);
  for (std::uint32_t exit : exits) code_.land(exit);
}

/// The test stands behind the body, so that each turn is one jump.
void Compiler::compile_for(const Node& node) {
  expressions_.compile(*node.expression);
  code_.set_offset(node.expression->offset);
  const std::uint16_t iterator = code_.push_iterator();
  code_.emit(Op::kIterate, -1, 0, iterator);
  const std::uint32_t first = code_.emit_jump(Op::kJump, 0);
  const std::uint32_t body = code_.here();
  const Expression& target = *node.targets[0];
  std::uint32_t slot = 0;
  const bool simple = target.kind == ExpressionKind::kName &&
                      (slot = code_.assigned_slot(target.text)) <= kMostFusedSlot;
  if (!simple) {
    code_.set_height(code_.height() + 1);
    expressions_.store(target);
  }
  loops_.push_back({.cleanups = cleanups_.size()});
  compile_body(node.branches[0].body);
  for (std::uint32_t jump : loops_.back().continues) code_.land(jump);
  code_.land(first);
  code_.set_offset(node.expression->offset);
  code_.emit(simple ? Op::kLoopStore : Op::kLoop, 0, body, iterator);
  program_.code.back().c = static_cast<std::uint8_t>(simple ? slot : 0);
  compile_loop_end(node);
  code_.pop_iterator();
}

void Compiler::compile_while(const Node& node) {
  const std::uint32_t next = code_.here();
  const std::vector<std::uint32_t> done = expressions_.compile_condition(*node.expression);
  loops_.push_back({.cleanups = cleanups_.size()});
  compile_body(node.branches[0].body);
  for (std::uint32_t jump : loops_.back().continues) code_.land(jump);
  code_.jump_back(next);
  for (std::uint32_t jump : done) code_.land(jump);
  compile_loop_end(node);
}

void Compiler::compile_leave(const Node& node) {
  const std::string name = node.kind == NodeKind::kBreak ? "break" : "continue";
  if (loops_.empty()) code_.fail(name + " outside for or while block");
  const std::size_t loop_index = loops_.size() - 1;
  const std::size_t outside = loops_.back().cleanups;
  const std::vector<Cleanup> saved = cleanups_;
  while (cleanups_.size() > outside) {
    const Cleanup cleanup = cleanups_.back();
    cleanups_.pop_back();
    code_.emit(Op::kEndTry, 0);
    if (cleanup.finally != nullptr) compile_body(*cleanup.finally);
  }
  cleanups_ = saved;
  code_.set_offset(node.offset);
  Loop& loop = loops_[loop_index];
  (node.kind == NodeKind::kBreak ? loop.exits : loop.continues)
      .push_back(code_.emit_jump(Op::kJump, 0));
}

void Compiler::compile_try(const Node& node) {
  const Branch& last = node.branches.back();
  if (last.role != BranchRole::kFinally) return compile_handlers(node);
  const std::uint32_t error = code_.temporary();
  const std::uint32_t handler = code_.emit_jump(Op::kBeginTry, 0);
  cleanups_.push_back({&last.body});
  compile_handlers(node);
  cleanups_.pop_back();
  code_.emit(Op::kEndTry, 0);
  compile_body(last.body);
  const std::uint32_t done = code_.emit_jump(Op::kJump, 0);
  code_.land(handler);
  code_.emit(Op::kStoreError, 0, error);
  compile_body(last.body);
  code_.emit(Op::kRaise, 0, error);
  code_.land(done);
}

/// try, except and else; without finally, which is around them.
void Compiler::compile_handlers(const Node& node) {
  const auto is_except = [](const Branch& branch) { return branch.role == BranchRole::kExcept; };
  if (node.branches.size() < 2 || !is_except(node.branches[1])) {
    return compile_body(node.branches[0].body);
  }
  const std::uint32_t error = code_.temporary();
  const std::uint32_t handler = code_.emit_jump(Op::kBeginTry, 0);
  cleanups_.push_back({nullptr});
  compile_body(node.branches[0].body);
  cleanups_.pop_back();
  code_.emit(Op::kEndTry, 0);
  for (const Branch& branch : node.branches) {
    if (branch.role == BranchRole::kElse) compile_body(branch.body);
  }
  std::vector<std::uint32_t> exits = {code_.emit_jump(Op::kJump, 0)};
  code_.land(handler);
  code_.emit(Op::kStoreError, 0, error);
  bool catches_all = false;
  for (const Branch& branch : node.branches) {
    if (!is_except(branch)) continue;
    std::uint32_t otherwise = 0;
    code_.set_offset(branch.offset);
    if (branch.condition) {
      expressions_.compile(*branch.condition);
      code_.emit(Op::kMatchError, 0, error);
      otherwise = code_.emit_jump(Op::kJumpIfFalse, -1);
    }
    if (!branch.name.empty())
      code_.emit(Op::kCopySlot, 0, error,
                 static_cast<std::uint16_t>(code_.assigned_slot(branch.name)));
    compile_body(branch.body);
    exits.push_back(code_.emit_jump(Op::kJump, 0));
    if (branch.condition) {
      code_.land(otherwise);
    } else {
      catches_all = true;
    }
  }
  if (!catches_all) code_.emit(Op::kRaise, 0, error);
  for (std::uint32_t exit : exits) code_.land(exit);
}

void Compiler::find_assigned(const Expression& target, std::vector<std::string_view>& names) {
  if (target.kind == ExpressionKind::kName) names.push_back(target.text);
  if (target.kind == ExpressionKind::kTuple || target.kind == ExpressionKind::kList) {
    for (const ExpressionPtr& child : target.children) find_assigned(*child, names);
  }
}

void Compiler::find_assigned(const Body& body, std::vector<std::string_view>& names) const {
  for (const auto& node : body) {
    for (const ExpressionPtr& target : node->targets) find_assigned(*target, names);
    for (const ImportedName& import : node->imports) names.push_back(import.name);
    if (node->kind == NodeKind::kApply) continue;
    for (const Branch& branch : node->branches) {
      if (!branch.name.empty()) names.push_back(branch.name);
      find_assigned(branch.body, names);
    }
  }
}

void Compiler::compile_apply(const Node& node) {
  expressions_.compile(*node.expression);
  code_.emit(Op::kPushUndefined, 1);
  code_.emit(Op::kBeginCapture, 0);
  // What is assigned inside starts as what it is outside, and ends with the block.
  std::vector<std::string_view> assigned;
  find_assigned(node.branches[0].body, assigned);
  std::vector<std::uint32_t> outer;
  for (std::string_view name : assigned) outer.push_back(code_.slot_of(name));
  code_.push_scope(true);
  for (std::size_t i = 0; i < assigned.size(); ++i) {
    code_.emit(Op::kCopySlot, 0, outer[i],
               static_cast<std::uint16_t>(code_.assigned_slot(assigned[i])));
  }
  std::vector<Loop> loops = std::move(loops_);
  loops_.clear();
  compile_body(node.branches[0].body);
  loops_ = std::move(loops);
  code_.pop_scope();
  code_.set_offset(node.offset);
  code_.emit(Op::kEndCapture, 1);
  code_.emit(Op::kCall, -2, code_.add_call("apply", {}), 1);
  code_.emit(Op::kEmitRaw, -1);
}

void Compiler::compile_import(const Node& node) {
  for (const ImportedName& import : node.imports) {
    code_.emit(Op::kImport, 1, code_.add_text(import.module));
    if (!import.member.empty()) code_.emit(Op::kAttribute, 0, code_.add_site(import.member));
    code_.emit(Op::kStore, -1, code_.assigned_slot(import.name));
  }
}

}  // namespace

std::shared_ptr<const Program> compile(std::shared_ptr<const ParsedFile> file, FileSource* source) {
  auto program = std::make_shared<Program>();
  Compiler(*program, source).compile(std::move(file));
  link_steps(*program);
  return program;
}

}  // namespace coronado::web::templates
