#include "web/template/cpp_statements.hpp"

#include "web/template/expression_parser.hpp"

namespace coronado::web::templates {
namespace {

/// Where a loop's turn begins: what becomes of it depends on whether output is written in pieces.
constexpr char kTurn = '\x01';
constexpr std::string_view kValue = "coronado::web::TemplateValue";

/// Reads a member that the context may have.
std::string sfinae_getter(const std::string& name) {
  if (!is_cpp_member(name)) return "0";
  return "[](const auto& of) -> decltype((of." + name + ")) { return (of." + name + "); }";
}

/// A target that is a name.
Expression name_target(const std::string& name, std::uint32_t offset) {
  return {.kind = ExpressionKind::kName,
          .offset = offset,
          .text = name,
          .children = {},
          .names = {},
          .operators = {},
          .loops = {}};
}

}  // namespace

// --- the function's body -----------------------------------------------------------------------------

CppStatements::CppStatements(PlaceTracker& places, const CppOptions& options)
    : options_(options),
      places_(places),
      expressions_(
          names_, [this](std::uint32_t offset) { return site(offset); },
          [this](std::uint32_t offset, const std::string& message) {
            places_.set_offset(offset);
            places_.fail(message);
          }) {}

void CppStatements::write(const std::vector<CppItem>& items) {
  const OriginPlace root = places_.place();
  do {
    names_.restart();
    expressions_.restart();
    site_numbers_.clear();
    sites_.clear();
    out_.clear();
    std::set<std::string, std::less<>> assigned;
    find_assigned(items, assigned);
    names_.push_function(std::move(assigned));
    places_.set_place(root);
    body(items);
    head_ = names_of_outside();
  } while (names_.learnt());
}

std::string CppStatements::text(bool in_pieces) const {
  std::string out = head_;
  for (char c : out_) {
    if (c != kTurn) {
      out += c;
    } else if (in_pieces) {
      out += "if (r.piece_is_ready()) co_await r.write_piece();\n";
    }
  }
  return out;
}

void CppStatements::find_assigned(const Expression& target,
                                  std::set<std::string, std::less<>>& names) {
  if (target.kind == ExpressionKind::kName) names.insert(target.text);
  if (target.kind == ExpressionKind::kTuple || target.kind == ExpressionKind::kList) {
    for (const ExpressionPtr& child : target.children) find_assigned(*child, names);
  }
}

void CppStatements::find_assigned(const std::vector<CppItem>& items,
                                  std::set<std::string, std::less<>>& names) {
  for (const CppItem& item : items) {
    for (const ExpressionPtr& target : item.node->targets) find_assigned(*target, names);
    for (const ImportedName& import : item.node->imports) names.insert(import.name);
    for (const Branch& branch : item.node->branches) {
      if (!branch.name.empty()) names.insert(branch.name);
    }
    if (item.node->kind == NodeKind::kApply) continue;
    for (const std::vector<CppItem>& inside : item.bodies) find_assigned(inside, names);
  }
}

std::string CppStatements::site(std::uint32_t offset) {
  const OriginPlace place{offset, places_.place().origin};
  const auto [found, added] =
      site_numbers_.emplace(std::pair(place.origin, place.offset), sites_.size());
  if (added) sites_.push_back(place);
  return std::to_string(found->second);
}

/// Code that belongs to a place of the template: the compiler's errors name it.
void CppStatements::line(std::uint32_t offset, const std::string& code_text) {
  const SourceFile& file = *places_.origins()[places_.place().origin].file;
  const std::string path =
      options_.directory.empty() ? file.name : options_.directory + "/" + file.name;
  out_ += "#line " + std::to_string(file.place_of(offset).line) + " " + cpp_literal(path) + "\n" +
          code_text + "\n";
}

// --- statements ----------------------------------------------------------------------------------

void CppStatements::body(const std::vector<CppItem>& items) {
  std::string text;
  const auto flush = [&] {
    if (!text.empty()) code("r.text(" + cpp_literal(text) + ");");
    text.clear();
  };
  const OriginPlace around = places_.place();
  for (const CppItem& item : items) {
    if (item.node->kind == NodeKind::kText) {
      text += item.node->text;
      continue;
    }
    places_.set_place(item.place);
    // In a `try` the text must be there before the value fails.
    if (attempts_ > 0) flush();
    if (item.node->kind == NodeKind::kEmit) {
      emit(item, std::exchange(text, {}));
      continue;
    }
    flush();
    statement(item);
  }
  flush();
  places_.set_place(around);
}

void CppStatements::block(const std::vector<CppItem>& items) {
  names_.push_block();
  body(items);
  names_.pop();
}

void CppStatements::statement(const CppItem& item) {
  const Node& node = *item.node;
  switch (node.kind) {
    case NodeKind::kText:
    case NodeKind::kEmit: return;  // `body` does them
    case NodeKind::kRaw:
      return line(node.expression->offset, "r.emit_raw(" + site(node.expression->offset) + ", " +
                                               expressions_.any(*node.expression) + ");");
    case NodeKind::kModule:
      return line(node.expression->offset, "r.emit_raw(" + site(node.expression->offset) + ", " +
                                               expressions_.module(*node.expression) + ");");
    case NodeKind::kEvaluate:
      return line(node.expression->offset,
                  "static_cast<void>(" + expressions_.any(*node.expression) + ");");
    case NodeKind::kSet: return set(node);
    case NodeKind::kAugment: return augment(node);
    case NodeKind::kIf: return branches(item);
    case NodeKind::kFor:
    case NodeKind::kWhile: return loop(item);
    case NodeKind::kTry:
      ++attempts_;
      attempt(item);
      --attempts_;
      return;
    case NodeKind::kApply: return apply(item);
    case NodeKind::kBlock:
    case NodeKind::kInclude: return body(item.bodies[0]);
    case NodeKind::kExtends: return;
    case NodeKind::kImport: return imports(node);
    case NodeKind::kBreak:
    case NodeKind::kContinue: return leave(node);
  }
}

/// Params  before  The text that stands before the value.
void CppStatements::emit(const CppItem& item, const std::string& before) {
  const Expression& expression = *item.node->expression;
  const std::string& escape = item.file->autoescape;
  const bool plain =
      escape == "xhtml_escape" && names_.find(escape).kind == CppNames::Kind::kOutside;
  // What fails inside a `try` leaves nothing behind: there the text is made first.
  if (plain && attempts_ == 0) {
    const std::string parts = expressions_.emit_parts(expression);
    if (!parts.empty()) {
      if (!before.empty()) code("r.text(" + cpp_literal(before) + ");");
      return line(expression.offset, parts);
    }
  }
  const std::string value = expressions_.any(expression);
  if (plain) {
    return line(expression.offset, "r.emit(" + cpp_literal(before) + ", " +
                                       site(expression.offset) + ", context, " + value + ");");
  }
  if (!before.empty()) code("r.text(" + cpp_literal(before) + ");");
  if (escape.empty()) {
    return line(expression.offset, "r.emit_raw(" + site(expression.offset) + ", " + value + ");");
  }
  ExpressionPtr function;
  try {
    ExpressionParser parser(escape, item.node->offset);
    function = parser.parse_expression();
    parser.expect_end();
  } catch (const SyntaxFault& fault) {
    places_.fail("autoescape: " + std::string(fault.what()));
  }
  const std::string callee = expressions_.any(*function);
  line(expression.offset, "r.emit_raw(" + site(expression.offset) + ", r.call(" +
                              site(item.node->offset) + ", " + cpp_literal(escape) + ", " + callee +
                              ", {r.to_text(" + site(item.node->offset) + ", r.value(" + value +
                              "))}));");
}

void CppStatements::set(const Node& node) {
  std::string value = expressions_.any(*node.expression);
  std::string text;
  if (node.targets.size() > 1 || node.targets[0]->kind != ExpressionKind::kName) {
    const std::string kept = names_.fresh("kept");
    text = "const auto& " + kept + " = " + value + "; ";
    value = kept;
  }
  for (const ExpressionPtr& target : node.targets) {
    text += expressions_.assign(*target, value, false);
  }
  line(node.expression->offset, text);
}

void CppStatements::augment(const Node& node) {
  const Expression& target = *node.targets[0];
  if (target.kind == ExpressionKind::kName) {
    // Read and set: never a constant.
    const std::string old = expressions_.any(target);
    const std::string sum =
        expressions_.binary(node.op, node.offset, old, expressions_.any(*node.expression));
    return line(node.offset, expressions_.assign(target, sum, false));
  }
  const std::string object = names_.fresh("object");
  const std::string index = names_.fresh("index");
  std::string text =
      "const auto " + object + " = " + expressions_.value(*target.children[0]) + "; ";
  text += "const auto " + index + " = " + expressions_.value(*target.children[1]) + "; ";
  const std::string old = "r.item(" + site(target.offset) + ", " + object + ", " + index + ")";
  const std::string sum =
      expressions_.binary(node.op, node.offset, old, expressions_.any(*node.expression));
  line(node.offset, text + "r.set_item(" + site(target.offset) + ", " + object + ", " + index +
                        ", r.value(" + sum + "));");
}

void CppStatements::branches(const CppItem& item) {
  // Nested, not `else if`: a condition may stand on a line of its own.
  std::size_t open = 0;
  for (std::size_t i = 0; i < item.node->branches.size(); ++i) {
    const Branch& branch = item.node->branches[i];
    if (i > 0) {
      code("} else {");
    }
    if (branch.condition) {
      line(branch.condition->offset, "if (" + expressions_.condition(*branch.condition) + ") {");
      ++open;
    }
    block(item.bodies[i]);
  }
  for (; open > 0; --open) code("}");
}

void CppStatements::loop(const CppItem& item) {
  const Node& node = *item.node;
  const Expression& source = *node.expression;
  const bool has_else = node.branches.size() > 1;
  const std::string flag = has_else ? names_.fresh("left") : std::string();
  if (has_else) code("bool " + flag + " = false;");
  const std::string place = site(source.offset);
  names_.push_block();
  frames_.push_back({true, flag});
  if (node.kind == NodeKind::kWhile) {
    line(source.offset, "while (" + expressions_.condition(source) + ") { r.step(" + place + ");");
  } else {
    const std::string each = names_.fresh("each");
    line(source.offset, "for (auto&& " + each + " : r.range(" + place + ", " +
                            expressions_.any(source) + ")) { r.step(" + place + ");");
    line(node.targets[0]->offset, expressions_.assign(*node.targets[0], each, false));
  }
  out_ += kTurn;
  body(item.bodies[0]);
  code("}");
  frames_.pop_back();
  names_.pop();
  if (!has_else) return;
  code("if (!" + flag + ") {");
  block(item.bodies[1]);
  code("}");
}

/// `break` and `continue`: from one finally block to the next, and out of the loop.
void CppStatements::leave(const Node& node) {
  if (frames_.empty()) {
    places_.fail(std::string(node.kind == NodeKind::kBreak ? "break" : "continue") +
                 " outside for or while block");
  }
  Frame& frame = frames_.back();
  const bool is_break = node.kind == NodeKind::kBreak;
  if (frame.is_loop) {
    if (is_break && !frame.name.empty()) code(frame.name + " = true;");
    code(is_break ? "break;" : "continue;");
    return;
  }
  frame.used = true;
  code("{ how_" + frame.name + " = " + (is_break ? "1" : "2") + "; goto " + frame.name + "; }");
}

void CppStatements::attempt(const CppItem& item) {
  const Branch& last = item.node->branches.back();
  if (last.role != BranchRole::kFinally) return handlers(item);
  const std::string name = names_.fresh("finally");
  code("{ coronado::web::TemplateRun::Try try_" + name + "(r); int how_" + name + " = 0;");
  code("try {");
  frames_.push_back({false, name});
  names_.push_block();
  handlers(item);
  names_.pop();
  const bool used = frames_.back().used;
  frames_.pop_back();
  code("} catch (...) { try_" + name + ".caught(); }");
  if (used) code(name + ":;");
  block(item.bodies.back());
  code("try_" + name + ".rethrow();");
  if (used) {
    for (const NodeKind kind : {NodeKind::kBreak, NodeKind::kContinue}) {
      code("if (how_" + name + " == " + (kind == NodeKind::kBreak ? "1" : "2") + ") {");
      const Node node{.kind = kind,
                      .offset = item.node->offset,
                      .text = {},
                      .expression = {},
                      .targets = {},
                      .branches = {},
                      .imports = {}};
      if (!frames_.empty()) leave(node);
      code("}");
    }
  } else {
    code("static_cast<void>(how_" + name + ");");
  }
  code("}");
}

/// try, except and else; without finally, which is around them.
void CppStatements::handlers(const CppItem& item) {
  const std::vector<Branch>& all = item.node->branches;
  if (all.size() < 2 || all[1].role != BranchRole::kExcept) return block(item.bodies[0]);
  const std::string name = names_.fresh("try");
  code("{ coronado::web::TemplateRun::Try " + name + "(r);");
  code("try {");
  block(item.bodies[0]);
  code("} catch (...) { " + name + ".caught(); }");
  code("if (!" + name + ".failed()) {");
  for (std::size_t i = 1; i < all.size(); ++i) {
    if (all[i].role == BranchRole::kElse) block(item.bodies[i]);
  }
  code("}");
  bool catches_all = false;
  for (std::size_t i = 1; i < all.size(); ++i) {
    const Branch& branch = all[i];
    if (branch.role != BranchRole::kExcept) continue;
    std::string test;
    if (branch.condition) {
      test = " if (" + name + ".matches(" + site(branch.condition->offset) + ", " +
             expressions_.value(*branch.condition) + "))";
    } else {
      catches_all = true;
    }
    line(branch.offset, (i == 1 ? "else" : " else") + test + " {");
    names_.push_block();
    if (!branch.name.empty()) {
      const Expression target = name_target(branch.name, branch.offset);
      line(branch.offset, expressions_.assign(target, name + ".value()", false));
    }
    body(item.bodies[i]);
    names_.pop();
    code("}");
  }
  if (!catches_all) code("else { " + name + ".rethrow(); }");
  code("}");
}

void CppStatements::apply(const CppItem& item) {
  const Expression& function = *item.node->expression;
  const std::string callee = names_.fresh("function");
  line(function.offset, "{ const auto " + callee + " = " + expressions_.value(function) + "; " +
                            "r.begin_capture();");
  std::set<std::string, std::less<>> assigned;
  find_assigned(item.bodies[0], assigned);
  // What is assigned inside starts as what it is outside, and ends with the block.
  std::map<std::string, std::string> outer;
  for (const std::string& name : assigned) outer[name] = expressions_.name_or_undefined(name);
  names_.push_function(assigned);
  for (const auto& [name, cpp] : names_.variables()) {
    const std::string& from = outer[name];
    code(cpp + " = " +
         (from.empty()
              ? "r.initial(context, " + cpp_literal(name) + ", " + sfinae_getter(name) + ")"
              : "r.value(" + from + ")") +
         ";");
  }
  std::vector<Frame> frames;
  frames.swap(frames_);
  body(item.bodies[0]);
  frames.swap(frames_);
  names_.pop();
  line(function.offset, "r.end_capture(" + site(item.node->offset) + ", " + callee + "); }");
}

void CppStatements::imports(const Node& node) {
  for (const ImportedName& import : node.imports) {
    std::string value = "r.import(" + site(node.offset) + ", " + cpp_literal(import.module) + ")";
    if (!import.member.empty()) {
      value = "r.attribute_value(" + site(node.offset) + ", " + value + ", " +
              cpp_literal(import.member) + ")";
    }
    const Expression target = name_target(import.name, node.offset);
    line(node.offset, expressions_.assign(target, value, false));
  }
}

std::string CppStatements::names_of_outside() const {
  std::string out;
  for (const std::string& name : expressions_.outside()) {
    out += "[[maybe_unused]] const auto& out_" + cpp_identifier(name) + " = r.outer(context, " +
           cpp_literal(name) + ", " + sfinae_getter(name) + ");\n";
  }
  for (const auto& [name, cpp] : names_.variables()) {
    out += std::string(kValue) + " " + cpp + " = r.initial(context, " + cpp_literal(name) + ", " +
           sfinae_getter(name) + ");\n";
  }
  for (const std::string& cpp : names_.inner_variables()) {
    out += std::string(kValue) + " " + cpp + ";\n";
  }
  return out;
}

}  // namespace coronado::web::templates
