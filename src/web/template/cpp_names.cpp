#include "web/template/cpp_names.hpp"

#include <coronado/base/strings.hpp>

#include <algorithm>
#include <array>
#include <stdexcept>

namespace coronado::web::templates {
namespace {

constexpr std::array<std::string_view, 90> kWordsOfCpp = {
    "alignas",  "alignof",   "and",       "asm",       "auto",          "bool",
    "break",    "case",      "catch",     "char",      "class",         "concept",
    "const",    "consteval", "constexpr", "constinit", "const_cast",    "continue",
    "co_await", "co_return", "co_yield",  "decltype",  "default",       "delete",
    "do",       "double",    "else",      "enum",      "explicit",      "export",
    "extern",   "false",     "float",     "for",       "friend",        "goto",
    "if",       "inline",    "int",       "long",      "mutable",       "namespace",
    "new",      "noexcept",  "not",       "nullptr",   "operator",      "or",
    "private",  "protected", "public",    "register",  "requires",      "return",
    "short",    "signed",    "sizeof",    "static",    "static_assert", "struct",
    "switch",   "template",  "this",      "throw",     "true",          "try",
    "typedef",  "typeid",    "typename",  "union",     "unsigned",      "using",
    "virtual",  "void",      "volatile",  "wchar_t",   "while",         "xor",
    "bitand",   "bitor",     "compl",     "and_eq",    "or_eq",         "xor_eq",
    "not_eq",   "char8_t",   "char16_t",  "char32_t",  "thread_local",  "static_cast"};

bool is_word_part(char c) { return is_ascii_letter(c) || is_ascii_digit(c) || c == '_'; }

}  // namespace

std::string cpp_identifier(std::string_view name) {
  std::string out;
  for (char c : name) {
    if (is_word_part(c)) {
      out += c;
    } else {
      out += "_u";
      append_hex(out, {&c, 1});
    }
  }
  return out;
}

bool is_cpp_member(std::string_view name) {
  return !name.empty() && !is_ascii_digit(name[0]) && std::ranges::all_of(name, is_word_part) &&
         std::ranges::find(kWordsOfCpp, name) == kWordsOfCpp.end();
}

std::string cpp_literal(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\n') {
      out += "\\n";
    } else if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < ' ' || byte >= 0x7F || c == '?') {
      // Three octal digits end by themselves, whatever comes behind them.
      out += '\\';
      for (int shift = 6; shift >= 0; shift -= 3) {
        out += static_cast<char>('0' + (byte >> shift & 7));
      }
    } else {
      out += c;
    }
  }
  return out += '"';
}

void CppNames::restart() {
  functions_.clear();
  blocks_.clear();
  learnt_ = false;
  counter_ = 0;
}

void CppNames::push_function(std::set<std::string, std::less<>> assigned) {
  functions_.push_back(std::move(assigned));
  blocks_.push_back({.function = functions_.size() - 1, .is_function = true});
}

std::string CppNames::fresh(std::string_view what) {
  return std::string(what) + "_" + std::to_string(++counter_);
}

bool CppNames::is_variable(std::size_t function, std::string_view name) const {
  return variables_.contains({function, std::string(name)});
}

std::string CppNames::variable_name(std::size_t function, std::string_view name) {
  return "var" + std::to_string(function) + "_" + cpp_identifier(name);
}

CppNames::Found CppNames::make_variable(std::size_t function, std::string_view name) {
  learnt_ = variables_.emplace(function, std::string(name)).second || learnt_;
  return {Kind::kVariable, variable_name(function, name)};
}

CppNames::Found CppNames::find(std::string_view name) {
  bool in_lambda = false;
  for (std::size_t i = blocks_.size(); i-- > 0;) {
    const Block& block = blocks_[i];
    if (const auto found = block.constants.find(name); found != block.constants.end()) {
      if (!in_lambda) return {Kind::kConstant, found->second};
      if (block.is_lambda || block.is_comprehension) {
        throw std::runtime_error("a lambda of a template that is compiled cannot use '" +
                                 std::string(name) + "' of the lambda or comprehension around it");
      }
      return make_variable(block.function, name);
    }
    in_lambda = in_lambda || block.is_lambda;
    if (!block.is_function) continue;
    if (is_variable(block.function, name)) {
      return {Kind::kVariable, variable_name(block.function, name)};
    }
    // Assigned somewhere, but not where this can see it.
    if (functions_[block.function].contains(name)) {
      return make_variable(block.function, name);
    }
  }
  return {};
}

CppNames::Found CppNames::assign(const std::string& name) {
  const std::size_t function = current_function();
  if (is_variable(function, name)) return {Kind::kVariable, variable_name(function, name)};
  for (std::size_t i = blocks_.size(); i-- > 0 && blocks_[i].function == function;) {
    if (blocks_[i].constants.contains(name)) return make_variable(function, name);
    if (blocks_[i].is_function) break;
  }
  return {Kind::kConstant, declare(name)};
}

std::string CppNames::declare(const std::string& name) {
  std::string cpp = fresh("val_" + cpp_identifier(name));
  blocks_.back().constants.insert_or_assign(name, cpp);
  return cpp;
}

std::vector<std::pair<std::string, std::string>> CppNames::variables() const {
  const std::size_t function = current_function();
  std::vector<std::pair<std::string, std::string>> made;
  for (const auto& [id, name] : variables_) {
    if (id == function) made.emplace_back(name, variable_name(function, name));
  }
  return made;
}

std::vector<std::string> CppNames::inner_variables() const {
  std::vector<std::string> made;
  for (const auto& [id, name] : variables_) {
    if (id != 0) made.push_back(variable_name(id, name));
  }
  return made;
}

std::string cpp_view(std::string_view text) {
  return "std::string_view(" + cpp_literal(text) + ", " + std::to_string(text.size()) + ")";
}

}  // namespace coronado::web::templates
