/// The tree of a template: what the parsers make and the compiler reads.
///
///     SourceFile     one template's name and text
///     Expression     an expression; what `children` are is said at each kind
///     Node, Body     text and directives
///     ParsedFile     one file's tree
///
/// Every node has the offset where it stands in its file, so that any engine can say the place.
///
/// Layer: web.
#pragma once

#include <coronado/web/template_value.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace coronado::web::templates {

struct LineColumn {
  std::size_t line = 0;
  std::size_t column = 0;
};

struct SourceFile {
  std::string name;
  std::string text;

  /// Both from 1, the column in bytes.
  LineColumn place_of(std::size_t offset) const noexcept;
};

using Operator = TemplateOperator;

/// The operator as it is written.
std::string_view operator_text(Operator op) noexcept;

enum class ExpressionKind : std::uint8_t {
  kNone,
  kBool,               ///< integer
  kInt,                ///< integer
  kFloat,              ///< real
  kString,             ///< text
  kName,               ///< text
  kAttribute,          ///< [object], text
  kItem,               ///< [object, index]
  kSlice,              ///< [object, start, stop, step], null where nothing was written
  kCall,               ///< [callee, arguments...]; the last ones have the names in `names`
  kUnary,              ///< [operand], operators[0]
  kBinary,             ///< [left, right], operators[0]
  kCompare,            ///< [a, b, c...], one operator less
  kAnd,                ///< [left, right]
  kOr,                 ///< [left, right]
  kConditional,        ///< [condition, then, otherwise]
  kList,               ///< elements
  kTuple,              ///< elements
  kDict,               ///< key, value, key, value...
  kListComprehension,  ///< [element], loops
  kDictComprehension,  ///< [key, value], loops
  kFormat,             ///< an f-string: parts, strings and fields
  kField,         ///< [value, specification or null]; text is the conversion: "", "r", "s", "a"
  kPercentField,  ///< [value]; text is what stands behind `%`: "5.2f"
  kLambda,        ///< [body], names
  kAwait,         ///< [operand]
};

struct Expression;
using ExpressionPtr = std::unique_ptr<Expression>;

/// `for target in iterable if condition if condition`.
struct ComprehensionLoop {
  ExpressionPtr target;
  ExpressionPtr iterable;
  std::vector<ExpressionPtr> conditions;
};

struct Expression {
  ExpressionKind kind;
  std::uint32_t offset;
  std::uint32_t depth = 1;  // levels below and with this one
  std::int64_t integer = 0;
  double real = 0;
  std::string text;
  std::vector<ExpressionPtr> children;
  std::vector<std::string> names;
  std::vector<Operator> operators;
  std::vector<ComprehensionLoop> loops;
};

enum class NodeKind : std::uint8_t {
  kText,      ///< text, white space already filtered
  kEmit,      ///< {{ expression }}
  kRaw,       ///< {% raw expression %}
  kModule,    ///< {% module expression %}
  kEvaluate,  ///< {% set f() %}: expression, for its effect
  kSet,       ///< {% set a = b = expression %}: targets
  kAugment,   ///< {% set a += expression %}: targets[0], op
  kIf,        ///< branches; the last one may have no condition
  kFor,       ///< targets[0], expression, branches: the body, and the else body if there is one
  kWhile,     ///< expression, branches as in kFor
  kTry,       ///< branches: the body, then by `role`
  kApply,     ///< expression (the function), branches[0]
  kBlock,     ///< text (the name), branches[0]
  kInclude,   ///< text (the file)
  kExtends,   ///< text (the file)
  kImport,    ///< imports
  kBreak,
  kContinue,
};

struct Node;
using Body = std::vector<std::unique_ptr<Node>>;

enum class BranchRole : std::uint8_t { kBody, kElse, kExcept, kFinally };

struct Branch {
  BranchRole role = BranchRole::kBody;
  std::uint32_t offset = 0;
  ExpressionPtr condition;  // of `if` and `elif`; the error classes of `except`
  std::string name;         // `except ... as name`
  Body body;
};

/// `import module as name`, or `from module import member as name`.
struct ImportedName {
  std::string module;
  std::string member;
  std::string name;
};

struct Node {
  NodeKind kind;
  std::uint32_t offset;
  Operator op = Operator::kAdd;
  std::string text;
  ExpressionPtr expression;
  std::vector<ExpressionPtr> targets;
  std::vector<Branch> branches;
  std::vector<ImportedName> imports;
};

/// One file, parsed.
struct ParsedFile {
  SourceFile source;
  std::string autoescape;  // the function's name; empty: none
  Body body;
};

}  // namespace coronado::web::templates
