#include "web/template/expression_compiler.hpp"

#include <coronado/base/escape.hpp>

#include "web/template/simplify.hpp"

namespace coronado::web::templates {

void ExpressionCompiler::compile_children(const Expression& expression, std::size_t first) {
  for (std::size_t i = first; i < expression.children.size(); ++i) {
    compile(*expression.children[i]);
  }
}

void ExpressionCompiler::compile(const Expression& expression) {
  const auto count = static_cast<std::uint32_t>(expression.children.size());
  const auto after = [&] { code_.set_offset(expression.offset); };
  after();
  switch (expression.kind) {
    case ExpressionKind::kNone: return code_.emit_constant(TemplateValue());
    case ExpressionKind::kBool:
      return code_.emit_constant(TemplateValue::boolean(expression.integer != 0));
    case ExpressionKind::kInt:
      return code_.emit_constant(TemplateValue::integer(expression.integer));
    case ExpressionKind::kFloat: return code_.emit_constant(TemplateValue::real(expression.real));
    case ExpressionKind::kString:
      return code_.emit_constant(TemplateValue::string(expression.text));
    case ExpressionKind::kName: return compile_name(expression);
    case ExpressionKind::kAttribute: return compile_attribute(expression);
    case ExpressionKind::kItem:
      compile_children(expression);
      after();
      code_.emit(Op::kItem, -1);
      return;
    case ExpressionKind::kSlice: return compile_slice(expression);
    case ExpressionKind::kCall: return compile_call(expression);
    case ExpressionKind::kUnary:
      compile_children(expression);
      after();
      code_.emit(Op::kUnary, 0, 0, static_cast<std::uint16_t>(expression.operators[0]));
      return;
    case ExpressionKind::kBinary: return compile_binary(expression);
    case ExpressionKind::kCompare: return compile_compare(expression);
    case ExpressionKind::kAnd: return compile_logical(expression, Op::kJumpIfFalseKeep);
    case ExpressionKind::kOr: return compile_logical(expression, Op::kJumpIfTrueKeep);
    case ExpressionKind::kConditional: return compile_conditional(expression);
    case ExpressionKind::kList:
    case ExpressionKind::kTuple:
    case ExpressionKind::kDict: {
      compile_children(expression);
      after();
      Op op = Op::kBuildList;
      if (expression.kind == ExpressionKind::kTuple) op = Op::kBuildTuple;
      if (expression.kind == ExpressionKind::kDict) op = Op::kBuildDict;
      code_.emit(op, 1 - static_cast<int>(count), count);
      return;
    }
    case ExpressionKind::kListComprehension:
    case ExpressionKind::kDictComprehension: return compile_comprehension(expression);
    case ExpressionKind::kFormat: return compile_format(expression);
    case ExpressionKind::kField:
    case ExpressionKind::kPercentField: return;  // only inside kFormat
    case ExpressionKind::kLambda: return compile_lambda(expression);
    case ExpressionKind::kAwait:
      if (in_lambda_) code_.fail("await inside a lambda");
      compile_children(expression);
      after();
      code_.emit(Op::kAwait, 0);
      code_.program().awaits = true;
      return;
  }
}

void ExpressionCompiler::compile_module(const Expression& expression) {
  const Expression* root = &expression;
  while (!root->children.empty() && root->children[0]) root = root->children[0].get();
  module_name_ = root->kind == ExpressionKind::kName ? root : nullptr;
  compile(expression);
  module_name_ = nullptr;
}

void ExpressionCompiler::compile_name(const Expression& name) {
  if (&name == module_name_) {
    code_.emit(Op::kLoad, 1, code_.slot_of("_tt_modules"));
    code_.emit(Op::kAttribute, 0, code_.add_site(name.text));
    return;
  }
  code_.emit(Op::kLoad, 1, code_.slot_of(name.text));
}

void ExpressionCompiler::compile_attribute(const Expression& expression) {
  compile_children(expression);
  code_.set_offset(expression.offset);
  const std::uint32_t site = code_.add_site(expression.text);
  const Instruction* object = code_.last();
  if (object == nullptr || object->op != Op::kLoad) {
    code_.emit(Op::kAttribute, 0, site);
    return;
  }
  const auto slot = static_cast<std::uint16_t>(object->b);
  code_.program().site_objects[site] = code_.program().places.back().offset;
  code_.drop_last();
  code_.emit(Op::kLoadAttribute, 0, site, slot);
}

std::optional<std::uint32_t> ExpressionCompiler::add_percent(const Expression& expression) {
  const auto split = known_percent(expression);
  if (!split) return std::nullopt;
  Program& program = code_.program();
  const auto keep = [&program](std::string_view text) { return program.memory.copy(text); };
  program.percents.push_back({.text = keep(expression.children[0]->text),
                              .prefix = keep(split->prefix),
                              .suffix = keep(split->suffix),
                              .escaped_prefix = keep(xhtml_escape(split->prefix)),
                              .escaped_suffix = keep(xhtml_escape(split->suffix)),
                              .field = split->field});
  return static_cast<std::uint32_t>(program.percents.size() - 1);
}

void ExpressionCompiler::compile_binary(const Expression& expression) {
  const Operator op = expression.operators[0];
  if (const auto percent = add_percent(expression)) {
    compile(*expression.children[1]);
    code_.set_offset(expression.offset);
    code_.emit(Op::kPercent, 0, *percent);
    return;
  }
  compile_children(expression);
  code_.set_offset(expression.offset);
  const auto a = static_cast<std::uint16_t>(op);
  const Instruction* right = code_.last();
  if (right == nullptr || right->op != Op::kConstant) {
    code_.emit(Op::kBinary, -1, 0, a);
    return;
  }
  const std::uint32_t constant = right->b;
  code_.drop_last();
  code_.emit(Op::kBinaryConstant, -1, constant, a);
}

std::vector<std::uint32_t> ExpressionCompiler::compile_condition(const Expression& expression) {
  if (expression.kind != ExpressionKind::kAnd) {
    compile(expression);
    return {code_.emit_jump_if_false()};
  }
  std::vector<std::uint32_t> jumps = compile_condition(*expression.children[0]);
  const std::vector<std::uint32_t> more = compile_condition(*expression.children[1]);
  jumps.insert(jumps.end(), more.begin(), more.end());
  return jumps;
}

void ExpressionCompiler::compile_slice(const Expression& slice) {
  for (const ExpressionPtr& child : slice.children) {
    if (child) {
      compile(*child);
    } else {
      code_.emit_constant(TemplateValue());
    }
  }
  code_.set_offset(slice.offset);
  code_.emit(Op::kSlice, -3);
}

void ExpressionCompiler::compile_call(const Expression& call) {
  const Expression& callee = *call.children[0];
  if (callee.kind == ExpressionKind::kAttribute && call.children.size() == 1) {
    compile(*callee.children[0]);
    code_.set_offset(callee.offset);
    code_.program().methods.push_back(
        {.site = code_.add_site(callee.text), .call = code_.add_call(callee.text, {})});
    code_.emit(Op::kCallMethod, 0, static_cast<std::uint32_t>(code_.program().methods.size() - 1));
    return;
  }
  if (callee.kind == ExpressionKind::kAttribute) {
    compile(*callee.children[0]);
    code_.set_offset(callee.offset);
    code_.emit(Op::kMethod, 1, code_.add_site(callee.text));
  } else {
    compile(callee);
    code_.emit(Op::kPushUndefined, 1);
  }
  compile_children(call, 1);
  code_.set_offset(callee.offset);
  const bool named =
      callee.kind == ExpressionKind::kName || callee.kind == ExpressionKind::kAttribute;
  const std::uint32_t site = code_.add_call(named ? callee.text : "function", call.names);
  const std::size_t count = call.children.size() - 1;
  if (count > 255) code_.fail("more than 255 arguments");
  code_.emit(Op::kCall, -static_cast<int>(count) - 1, site, static_cast<std::uint16_t>(count));
}

void ExpressionCompiler::compile_compare(const Expression& compare) {
  compile(*compare.children[0]);
  std::vector<std::uint32_t> exits;
  for (std::size_t i = 0; i < compare.operators.size(); ++i) {
    const bool is_last = i + 1 == compare.operators.size();
    compile(*compare.children[i + 1]);
    code_.set_offset(compare.offset);
    if (!is_last) code_.emit(Op::kTuck, 1);
    code_.emit(Op::kCompare, -1, 0, static_cast<std::uint16_t>(compare.operators[i]));
    if (!is_last) exits.push_back(code_.emit_jump(Op::kJumpIfFalseKeep, -1));
  }
  if (exits.empty()) return;
  const std::uint32_t done = code_.emit_jump(Op::kJump, 0);
  const int height = code_.height();
  for (std::uint32_t jump : exits) code_.land(jump);
  code_.set_height(height + 1);
  code_.emit(Op::kNip, -1);
  code_.land(done);
}

void ExpressionCompiler::compile_logical(const Expression& expression, Op op) {
  compile(*expression.children[0]);
  const std::uint32_t jump = code_.emit_jump(op, -1);
  compile(*expression.children[1]);
  code_.land(jump);
}

void ExpressionCompiler::compile_conditional(const Expression& expression) {
  compile(*expression.children[0]);
  const std::uint32_t otherwise = code_.emit_jump(Op::kJumpIfFalse, -1);
  compile(*expression.children[1]);
  const std::uint32_t done = code_.emit_jump(Op::kJump, 0);
  code_.set_height(code_.height() - 1);
  code_.land(otherwise);
  compile(*expression.children[2]);
  code_.land(done);
}

void ExpressionCompiler::compile_comprehension(const Expression& expression) {
  const bool dict = expression.kind == ExpressionKind::kDictComprehension;
  const std::uint32_t result = code_.temporary();
  code_.emit(dict ? Op::kBuildDict : Op::kBuildList, 1);
  code_.emit(Op::kStore, -1, result);
  compile_loops(expression, 0, result);
  code_.emit(Op::kLoad, 1, result);
}

void ExpressionCompiler::compile_loops(const Expression& expression, std::size_t depth,
                                       std::uint32_t result) {
  if (depth == expression.loops.size()) {
    compile_children(expression);
    const bool dict = expression.kind == ExpressionKind::kDictComprehension;
    code_.set_offset(expression.offset);
    code_.emit(dict ? Op::kDictPut : Op::kListAppend, dict ? -2 : -1, result);
    return;
  }
  const ComprehensionLoop& loop = expression.loops[depth];
  compile(*loop.iterable);  // outside of the scope: it does not see the loop's own names
  code_.push_scope(false);
  const std::uint16_t iterator = code_.push_iterator();
  code_.emit(Op::kIterate, -1, 0, iterator);
  const std::uint32_t next = code_.here();
  const std::uint32_t done = code_.emit_jump(Op::kNext, 1, iterator);
  store_declared(*loop.target);
  std::vector<std::uint32_t> skips;
  for (const ExpressionPtr& condition : loop.conditions) {
    compile(*condition);
    skips.push_back(code_.emit_jump(Op::kJumpIfFalse, -1));
  }
  compile_loops(expression, depth + 1, result);
  for (std::uint32_t skip : skips) code_.land(skip);
  code_.jump_back(next);
  code_.land(done);
  code_.pop_iterator();
  code_.pop_scope();
}

void ExpressionCompiler::compile_lambda(const Expression& lambda) {
  const std::uint32_t over = code_.emit_jump(Op::kJump, 0);
  const int height = code_.height();
  Program& program = code_.program();
  LambdaCode made;
  made.entry = code_.here();
  made.first_slot = static_cast<std::uint32_t>(program.slots.size());
  made.first_iterator = code_.iterators();
  made.parameters = static_cast<std::uint32_t>(lambda.names.size());
  code_.push_scope(true);
  for (const std::string& name : lambda.names) {
    if (name.starts_with("_tt_")) code_.fail("names that begin with _tt_ are reserved");
    code_.declare(name);
    made.names.push_back(program.memory.copy(name));
  }
  const bool outer = std::exchange(in_lambda_, true);
  const std::size_t iterators_before = std::exchange(program.iterator_count, 0);
  code_.set_height(0);
  compile(*lambda.children[0]);
  code_.emit(Op::kEndLambda, 0);
  in_lambda_ = outer;
  code_.pop_scope();
  made.iterator_count = static_cast<std::uint32_t>(
      std::max<std::size_t>(program.iterator_count, made.first_iterator) - made.first_iterator);
  program.iterator_count = std::max(program.iterator_count, iterators_before);
  made.slot_count = static_cast<std::uint32_t>(program.slots.size()) - made.first_slot;
  code_.set_height(height);
  code_.land(over);
  program.lambdas.push_back(std::move(made));
  code_.emit(Op::kLambda, 1, static_cast<std::uint32_t>(program.lambdas.size() - 1));
}

void ExpressionCompiler::compile_format(const Expression& format) {
  for (const ExpressionPtr& part : format.children) {
    if (part->kind == ExpressionKind::kString) {
      compile(*part);
    } else {
      compile_field(*part);
    }
  }
  const auto count = static_cast<std::uint32_t>(format.children.size());
  code_.emit(Op::kJoin, 1 - static_cast<int>(count), count);
}

void ExpressionCompiler::compile_field(const Expression& field) {
  compile(*field.children[0]);
  if (const auto known = known_field(field)) {
    code_.set_offset(field.offset);
    code_.emit(Op::kFormatField, 0, code_.add_field(*known));
    return;
  }
  compile_format(*field.children[1]);
  code_.set_offset(field.offset);
  const char conversion = field.text.empty() ? '\0' : field.text[0];
  code_.emit(Op::kFormat, -1, 0, static_cast<std::uint16_t>(conversion));
}

bool ExpressionCompiler::compile_emit(const Expression& expression, std::uint32_t function) {
  const auto slot = static_cast<std::uint16_t>(function);
  if (expression.kind == ExpressionKind::kBinary) {
    const auto percent = add_percent(expression);
    if (!percent) return false;
    compile(*expression.children[1]);
    code_.set_offset(expression.offset);
    code_.emit(Op::kEmitPercent, -1, *percent, slot);
    return true;
  }
  if (expression.kind != ExpressionKind::kFormat) return false;
  for (const ExpressionPtr& part : expression.children) {
    if (part->kind != ExpressionKind::kString && !known_field(*part)) return false;
  }
  // A function of the namespace that escapes in its own way gets the text in one piece.
  const std::uint32_t whole = code_.emit_jump(Op::kJumpUnlessEscape, 0, slot);
  for (const ExpressionPtr& part : expression.children) {
    if (part->kind == ExpressionKind::kString) {
      code_.emit_text(xhtml_escape(part->text));
      continue;
    }
    compile(*part->children[0]);
    code_.set_offset(part->offset);
    code_.emit(Op::kEmitField, -1, code_.add_field(*known_field(*part)));
  }
  const std::uint32_t done = code_.emit_jump(Op::kJump, 0);
  code_.land(whole);
  compile(expression);
  code_.emit(Op::kEmitEscaped, -1, function);
  code_.land(done);
  return true;
}

void ExpressionCompiler::store(const Expression& target) { store_with(target, false); }
void ExpressionCompiler::store_declared(const Expression& target) { store_with(target, true); }

void ExpressionCompiler::store_with(const Expression& target, bool declared) {
  code_.set_offset(target.offset);
  switch (target.kind) {
    case ExpressionKind::kName:
      code_.emit(Op::kStore, -1,
                 declared ? code_.declare(target.text) : code_.assigned_slot(target.text));
      return;
    case ExpressionKind::kItem:
      compile_children(target);
      code_.set_offset(target.offset);
      code_.emit(Op::kSetItem, -3);
      return;
    default: {
      const auto count = static_cast<std::uint32_t>(target.children.size());
      code_.emit(Op::kUnpack, static_cast<int>(count) - 1, count);
      for (const ExpressionPtr& child : target.children) store_with(*child, declared);
    }
  }
}

}  // namespace coronado::web::templates
