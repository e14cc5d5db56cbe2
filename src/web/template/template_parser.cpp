#include "web/template/template_parser.hpp"

#include <coronado/base/error.hpp>
#include <coronado/base/strings.hpp>

#include <algorithm>
#include <span>

#include "web/template/expression_parser.hpp"
#include "web/template/simplify.hpp"

namespace coronado::web::templates {
namespace {

std::string quoted(std::string_view text) { return "'" + std::string(text) + "'"; }

bool one_of(std::string_view word, std::span<const std::string_view> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}
bool one_of(std::string_view word, std::initializer_list<std::string_view> words) {
  return one_of(word, std::span(words.begin(), words.size()));
}

/// The blocks that an intermediate directive may stand in.
std::span<const std::string_view> parents_of(std::string_view directive) {
  static constexpr std::string_view kElse[] = {"if", "for", "while", "try"};
  static constexpr std::string_view kElif[] = {"if"};
  static constexpr std::string_view kTry[] = {"try"};
  if (directive == "else") return kElse;
  if (directive == "elif") return kElif;
  return kTry;
}

/// "a", "a or b", "a, b or c".
std::string listed(std::span<const std::string_view> words) {
  std::string out;
  std::size_t left = words.size();
  for (std::string_view word : words) {
    out += word;
    --left;
    if (left == 1) out += " or ";
    if (left > 1) out += ", ";
  }
  return out;
}

/// A directive: `{% name suffix %}`.
struct Directive {
  std::size_t offset = 0;  // of its "{%"
  std::string_view name;
  std::string_view suffix;
  std::size_t suffix_offset = 0;
};

class TemplateParser {
 public:
  TemplateParser(ParsedFile& file, Whitespace whitespace)
      : file_(file), text_(file.source.text), whitespace_(whitespace) {}

  void parse() { parse_body(file_.body, nullptr, {}); }

 private:
  /// The block that is open around a body.
  struct Block {
    std::string_view name;
    std::size_t offset;
    Node* node;
  };

  [[noreturn]] static void fail(std::size_t offset, const std::string& message) {
    throw SyntaxFault(offset, message);
  }

  void parse_body(Body& body, Block* block, std::string_view loop);
  bool parse_directive(Body*& body, Block* block, std::string_view loop);
  bool find_tag(std::size_t& tag) const;
  void add_text(Body& body, std::size_t begin, std::size_t end);
  void parse_expression_tag(Body& body);
  Directive read_directive();
  void parse_intermediate(const Directive& directive, Block* block, Body*& body);
  void parse_simple(const Directive& directive, Body& body);
  void parse_block(const Directive& directive, Body& body, std::string_view loop);
  void parse_import(const Directive& directive, Node& node);
  void parse_set(const Directive& directive, Node& node);
  std::size_t find_end(std::string_view closing, bool expression) const;
  Node& add(Body& body, NodeKind kind, std::size_t offset);
  static ExpressionPtr parse_whole(std::string_view text, std::size_t offset);

  ParsedFile& file_;
  std::string_view text_;
  Whitespace whitespace_;
  std::size_t position_ = 0;
  std::size_t depth_ = 0;
};

Node& TemplateParser::add(Body& body, NodeKind kind, std::size_t offset) {
  auto node = std::make_unique<Node>();
  node->kind = kind;
  node->offset = static_cast<std::uint32_t>(offset);
  body.push_back(std::move(node));
  return *body.back();
}

ExpressionPtr TemplateParser::parse_whole(std::string_view text, std::size_t offset) {
  ExpressionParser parser(text, offset);
  ExpressionPtr expression = parser.parse_expressions();
  parser.expect_end();
  return expression;
}

/// The next "{{", "{%" or "{#". In a run of more than two "{" the last two count.
bool TemplateParser::find_tag(std::size_t& tag) const {
  for (std::size_t brace = text_.find('{', position_); brace != std::string_view::npos;
       brace = text_.find('{', brace + 1)) {
    if (brace + 1 == text_.size()) return false;
    const char next = text_[brace + 1];
    if (next != '{' && next != '%' && next != '#') continue;
    if (next == '{' && brace + 2 < text_.size() && text_[brace + 2] == '{') continue;
    tag = brace;
    return true;
  }
  return false;
}

void TemplateParser::add_text(Body& body, std::size_t begin, std::size_t end) {
  if (begin == end) return;
  const std::string_view text = text_.substr(begin, end - begin);
  Node& node = add(body, NodeKind::kText, begin);
  // Tornado leaves preformatted text alone, wherever in the piece it is.
  node.text = text.find("<pre>") == std::string_view::npos ? filter_whitespace(whitespace_, text)
                                                           : std::string(text);
}

/// Where `closing` stands. In an expression it does not count inside strings and brackets, unless
/// that leaves none: then the expression is malformed, and its parser will say how.
std::size_t TemplateParser::find_end(std::string_view closing, bool expression) const {
  const std::size_t plain = text_.find(closing, position_);
  if (!expression || plain == std::string_view::npos) return plain;
  std::size_t depth = 0;
  for (std::size_t i = position_; i < text_.size(); ++i) {
    const char c = text_[i];
    if (c == '"' || c == '\'') {
      std::size_t end = i + 1;
      while (end < text_.size() && text_[end] != c && text_[end] != '\n') {
        end += text_[end] == '\\' ? 2 : 1;
      }
      if (end >= text_.size() || text_[end] != c) return plain;
      i = end;
    } else if (depth == 0 && text_.substr(i).starts_with(closing)) {
      return i;
    } else if (c == '(' || c == '[' || c == '{') {
      ++depth;
    } else if (c == ')' || c == ']' || c == '}') {
      if (depth == 0) return plain;
      --depth;
    }
  }
  return plain;
}

void TemplateParser::parse_body(Body& body, Block* block, std::string_view loop) {
  Body* target = &body;
  for (;;) {
    std::size_t tag = 0;
    if (!find_tag(tag)) {
      if (block != nullptr) {
        fail(block->offset, "Missing {% end %} block for " + std::string(block->name));
      }
      add_text(*target, position_, text_.size());
      position_ = text_.size();
      return;
    }
    add_text(*target, position_, tag);
    position_ = tag + 2;
    if (position_ < text_.size() && text_[position_] == '!') {
      add(*target, NodeKind::kText, tag).text = text_.substr(tag, 2);
      ++position_;
    } else if (text_[tag + 1] == '#') {
      const std::size_t end = text_.find("#}", position_);
      if (end == std::string_view::npos) fail(tag, "Missing end comment #}");
      position_ = end + 2;
    } else if (text_[tag + 1] == '{') {
      parse_expression_tag(*target);
    } else if (!parse_directive(target, block, loop)) {
      return;
    }
  }
}

void TemplateParser::parse_expression_tag(Body& body) {
  const std::size_t tag = position_ - 2;
  const std::size_t end = find_end("}}", true);
  if (end == std::string_view::npos) fail(tag, "Missing end expression }}");
  const std::string_view contents = text_.substr(position_, end - position_);
  if (trim(contents, kWhitespace).empty()) fail(tag, "Empty expression");
  add(body, NodeKind::kEmit, tag).expression = parse_whole(contents, position_);
  position_ = end + 2;
}

Directive TemplateParser::read_directive() {
  Directive directive;
  directive.offset = position_ - 2;
  const std::size_t start = std::min(text_.find_first_not_of(kWhitespace, position_), text_.size());
  const std::size_t plain = text_.find("%}", position_);
  if (plain == std::string_view::npos) fail(directive.offset, "Missing end block %}");
  std::size_t word_end = start;
  while (word_end < plain && !is_whitespace(text_[word_end])) ++word_end;
  if (start >= plain) fail(directive.offset, "Empty block tag ({% %})");
  directive.name = text_.substr(start, word_end - start);
  const bool expression = one_of(
      directive.name, {"if", "elif", "for", "while", "set", "raw", "module", "apply", "except"});
  const std::size_t end = find_end("%}", expression);
  const std::string_view rest = text_.substr(word_end, end - word_end);
  directive.suffix = trim(rest, kWhitespace);
  directive.suffix_offset = static_cast<std::size_t>(directive.suffix.data() - text_.data());
  position_ = end + 2;
  return directive;
}

/// Returns false when the directive ended the body.
bool TemplateParser::parse_directive(Body*& body, Block* block, std::string_view loop) {
  const Directive directive = read_directive();
  const std::string_view name = directive.name;
  if (one_of(name, {"else", "elif", "except", "finally"})) {
    parse_intermediate(directive, block, body);
  } else if (name == "end") {
    if (block == nullptr) fail(directive.offset, "Extra {% end %} block");
    return false;
  } else if (one_of(name, {"apply", "block", "try", "if", "for", "while"})) {
    parse_block(directive, *body, loop);
  } else if (name == "break" || name == "continue") {
    if (loop.empty()) {
      fail(directive.offset, std::string(name) + " outside for or while block");
    }
    add(*body, name == "break" ? NodeKind::kBreak : NodeKind::kContinue, directive.offset);
  } else if (name != "comment") {
    parse_simple(directive, *body);
  }
  return true;
}

void TemplateParser::parse_intermediate(const Directive& directive, Block* block, Body*& body) {
  const std::string name(directive.name);
  const std::span<const std::string_view> parents = parents_of(name);
  if (block == nullptr) fail(directive.offset, name + " outside " + listed(parents) + " block");
  if (!one_of(block->name, parents)) {
    fail(directive.offset,
         name + " block cannot be attached to " + std::string(block->name) + " block");
  }
  const Branch& last = block->node->branches.back();
  const bool final_else = last.role == BranchRole::kElse;
  if (last.role == BranchRole::kFinally || (final_else && name != "finally")) {
    fail(directive.offset, name + " after " + (final_else ? "else" : "finally"));
  }
  const bool excepts = block->node->branches.size() > 1;
  if (block->name == "try" && name == "else" && !excepts) {
    fail(directive.offset, "else of a try block without except");
  }
  Branch branch;
  branch.offset = static_cast<std::uint32_t>(directive.offset);
  if (name == "else") branch.role = BranchRole::kElse;
  if (name == "finally") branch.role = BranchRole::kFinally;
  if (name == "elif") {
    if (directive.suffix.empty()) fail(directive.offset, "elif missing condition");
    branch.condition = parse_whole(directive.suffix, directive.suffix_offset);
  } else if (name == "except") {
    branch.role = BranchRole::kExcept;
    if (!directive.suffix.empty()) {
      ExpressionParser parser(directive.suffix, directive.suffix_offset);
      branch.condition = parser.parse_expression();
      if (parser.accept("as")) branch.name = parser.expect_name("a name after 'as'");
      parser.expect_end();
    } else if (excepts && last.role == BranchRole::kExcept && !last.condition) {
      fail(directive.offset, "except after the except that takes everything");
    }
  } else if (!directive.suffix.empty()) {
    fail(directive.suffix_offset, name + " takes nothing behind it");
  }
  block->node->branches.push_back(std::move(branch));
  body = &block->node->branches.back().body;
}

void TemplateParser::parse_simple(const Directive& directive, Body& body) {
  const std::string_view name = directive.name;
  const std::string_view suffix = directive.suffix;
  const auto require = [&](std::string_view what) {
    if (suffix.empty()) {
      fail(directive.offset, std::string(name) + " missing " + std::string(what));
    }
  };
  if (name == "extends" || name == "include") {
    const std::string_view path = trim(trim(suffix, "\""), "'");
    if (path.empty()) fail(directive.offset, std::string(name) + " missing file path");
    const bool extends = name == "extends";
    add(body, extends ? NodeKind::kExtends : NodeKind::kInclude, directive.offset).text = path;
  } else if (name == "set") {
    require("statement");
    parse_set(directive, add(body, NodeKind::kSet, directive.offset));
  } else if (name == "import" || name == "from") {
    if (suffix.empty()) fail(directive.offset, "import missing statement");
    parse_import(directive, add(body, NodeKind::kImport, directive.offset));
  } else if (name == "autoescape") {
    require("function");
    file_.autoescape = suffix == "None" ? std::string_view() : suffix;
    if (suffix.find_first_of(kWhitespace) != std::string_view::npos) {
      fail(directive.suffix_offset, "expected the name of a function or None");
    }
  } else if (name == "whitespace") {
    if (!find_whitespace_mode(suffix, whitespace_)) {
      fail(directive.offset,
           "invalid whitespace mode " + quoted(suffix) + ", expected all, single or oneline");
    }
  } else if (name == "raw" || name == "module") {
    require("expression");
    Node& node = add(body, name == "raw" ? NodeKind::kRaw : NodeKind::kModule, directive.offset);
    node.expression = parse_whole(suffix, directive.suffix_offset);
  } else {
    fail(directive.offset, "unknown operator: " + quoted(name));
  }
}

void TemplateParser::parse_set(const Directive& directive, Node& node) {
  ExpressionParser parser(directive.suffix, directive.suffix_offset);
  ExpressionPtr value = parser.parse_expressions();
  if (parser.accept_augmented(node.op)) {
    node.kind = NodeKind::kAugment;
    ExpressionParser::check_target(*value);
    if (value->kind == ExpressionKind::kTuple || value->kind == ExpressionKind::kList) {
      fail(value->offset, "cannot assign to this expression");
    }
    node.targets.push_back(std::move(value));
    value = parser.parse_expressions();
  }
  while (node.kind == NodeKind::kSet && parser.accept("=")) {
    ExpressionParser::check_target(*value);
    node.targets.push_back(std::move(value));
    value = parser.parse_expressions();
  }
  parser.expect_end();
  if (node.targets.empty()) node.kind = NodeKind::kEvaluate;
  node.expression = std::move(value);
}

void TemplateParser::parse_import(const Directive& directive, Node& node) {
  ExpressionParser parser(directive.suffix, directive.suffix_offset);
  const auto dotted = [&] {
    std::string name = parser.expect_name("the name of a module");
    while (parser.accept(".")) name += "." + parser.expect_name("a name after '.'");
    return name;
  };
  const auto alias = [&](std::string name) {
    return parser.accept("as") ? parser.expect_name("a name after 'as'") : name;
  };
  if (directive.name == "import") {
    do {
      std::string module = dotted();
      const bool nested = module.find('.') != std::string::npos;
      const std::size_t place = parser.token().offset;
      std::string name = alias(module);
      if (nested && name == module) fail(place, "expected 'as' and a name");
      node.imports.push_back({.module = std::move(module), .member = {}, .name = std::move(name)});
    } while (parser.accept(","));
  } else {
    const std::string module = dotted();
    parser.expect("import", "after the module");
    do {
      const std::string member = parser.expect_name("what to import");
      node.imports.push_back({.module = module, .member = member, .name = alias(member)});
    } while (parser.accept(","));
  }
  parser.expect_end();
}

void TemplateParser::parse_block(const Directive& directive, Body& body, std::string_view loop) {
  const std::string_view name = directive.name;
  const std::string_view suffix = directive.suffix;
  if (++depth_ > kMaxDirectiveDepth) fail(directive.offset, "blocks nested too deeply");
  NodeKind kind = NodeKind::kTry;
  if (name == "apply") kind = NodeKind::kApply;
  if (name == "block") kind = NodeKind::kBlock;
  if (name == "if") kind = NodeKind::kIf;
  if (name == "for") kind = NodeKind::kFor;
  if (name == "while") kind = NodeKind::kWhile;
  Node& node = add(body, kind, directive.offset);
  node.branches.emplace_back().offset = static_cast<std::uint32_t>(directive.offset);
  if (kind == NodeKind::kApply) {
    if (suffix.empty()) fail(directive.offset, "apply missing method name");
    node.expression = parse_whole(suffix, directive.suffix_offset);
    loop = {};  // the block is a function of its own: no loop goes around it
  } else if (kind == NodeKind::kBlock) {
    if (suffix.empty()) fail(directive.offset, "block missing name");
    node.text = suffix;
  } else if (kind == NodeKind::kIf || kind == NodeKind::kWhile) {
    if (suffix.empty()) fail(directive.offset, std::string(name) + " missing condition");
    ExpressionPtr condition = parse_whole(suffix, directive.suffix_offset);
    (kind == NodeKind::kIf ? node.branches[0].condition : node.expression) = std::move(condition);
  } else if (kind == NodeKind::kFor) {
    if (suffix.empty()) fail(directive.offset, "for missing statement");
    ExpressionParser parser(suffix, directive.suffix_offset);
    node.targets.push_back(parser.parse_target());
    parser.expect("in", "after the names");
    node.expression = parser.parse_expressions();
    parser.expect_end();
  } else if (!suffix.empty()) {
    fail(directive.suffix_offset, "try takes nothing behind it");
  }
  if (kind == NodeKind::kFor || kind == NodeKind::kWhile) loop = name;
  Block block{name, directive.offset, &node};
  parse_body(node.branches[0].body, &block, loop);
  if (kind == NodeKind::kTry && node.branches.size() == 1) {
    fail(directive.offset, "try without except or finally");
  }
  --depth_;
}

}  // namespace

std::unique_ptr<ParsedFile> parse_template(std::string name, std::string text,
                                           std::string autoescape, Whitespace whitespace) {
  auto file = std::make_unique<ParsedFile>();
  file->source = {std::move(name), std::move(text)};
  file->autoescape = std::move(autoescape);
  if (file->source.text.size() >= std::uint32_t{1} << 31) {
    throw SyntaxFault(0, "a template of 2 GiB or more");
  }
  TemplateParser(*file, whitespace).parse();
  return file;
}

std::unique_ptr<const ParsedFile> parse_file(std::string name, std::string text,
                                             const TemplateOptions& options) {
  Whitespace whitespace = default_whitespace(name);
  if (!options.whitespace.empty() && !find_whitespace_mode(options.whitespace, whitespace)) {
    throw UsageError("template whitespace mode '" + options.whitespace +
                     "': expected all, single or oneline");
  }
  const SourceFile source{name, text};
  try {
    auto file = parse_template(std::move(name), std::move(text), options.autoescape, whitespace);
    simplify(file->body);
    return file;
  } catch (const SyntaxFault& fault) {
    const LineColumn place = source.place_of(fault.offset());
    throw ParseError(fault.what(),
                     {.file = source.name, .line = place.line, .column = place.column});
  }
}

}  // namespace coronado::web::templates
