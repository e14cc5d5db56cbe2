#include "web/template/expression_lexer.hpp"

#include <coronado/base/escape.hpp>
#include <coronado/base/strings.hpp>

#include <algorithm>
#include <array>

namespace coronado::web::templates {
namespace {

bool is_name_start(char c) noexcept {
  return is_ascii_letter(c) || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}

bool is_name_part(char c) noexcept { return is_name_start(c) || is_ascii_digit(c); }

// Longest first: the first that fits is the token.
constexpr std::string_view kOperators[] = {
    "**=", "//=", "<<=", ">>=", "...", "**", "//", "<<", ">>", "<=", ">=", "==",
    "!=",  "+=",  "-=",  "*=",  "/=",  "%=", "&=", "|=", "^=", ":=", "->", "+",
    "-",   "*",   "/",   "%",   "&",   "|",  "^",  "~",  "<",  ">",  "(",  ")",
    "[",   "]",   "{",   "}",   ",",   ":",  ".",  "=",  ";",  "@"};

std::string without_underscores(std::string_view text) {
  std::string digits(text);
  std::erase(digits, '_');
  return digits;
}

}  // namespace

LineColumn SourceFile::place_of(std::size_t offset) const noexcept {
  const std::string_view before = std::string_view(text).substr(0, std::min(offset, text.size()));
  const std::size_t newline = before.rfind('\n');
  const std::size_t start = newline == std::string_view::npos ? 0 : newline + 1;
  return {static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n')) + 1,
          before.size() - start + 1};
}

std::string_view operator_text(Operator op) noexcept {
  constexpr std::array<std::string_view, 26> kTexts = {
      "+", "-", "*",   "/",  "//", "%", "**", "&", "|",  "^",  "<<",     ">>", "-",
      "+", "~", "not", "==", "!=", "<", "<=", ">", ">=", "in", "not in", "is", "is not"};
  return kTexts[static_cast<std::size_t>(op)];
}

void ExpressionLexer::fail(std::size_t position, const std::string& message) const {
  throw SyntaxFault(base_ + position, message);
}

void ExpressionLexer::skip_space() noexcept {
  while (position_ < text_.size() &&
         std::string_view(" \t\r\n\f").find(text_[position_]) != std::string_view::npos) {
    ++position_;
  }
}

Token ExpressionLexer::next() {
  skip_space();
  if (position_ == text_.size()) return {.offset = base_ + position_};
  const char c = text_[position_];
  const bool dot_number =
      c == '.' && position_ + 1 < text_.size() && is_ascii_digit(text_[position_ + 1]);
  if (is_ascii_digit(c) || dot_number) return read_number();
  if (c == '"' || c == '\'') return read_string(0, false, false);
  if (is_name_start(c)) return read_name();
  return read_operator();
}

Token ExpressionLexer::read_name() {
  const std::size_t begin = position_;
  std::size_t end = begin;
  while (end < text_.size() && is_name_part(text_[end])) ++end;
  const std::string_view name = text_.substr(begin, end - begin);
  if (end < text_.size() && (text_[end] == '"' || text_[end] == '\'') && name.size() <= 2) {
    const std::string prefix = ascii_lower(name);
    const bool raw = prefix.find('r') != std::string::npos;
    const bool format = prefix.find('f') != std::string::npos;
    if (prefix == "r" || prefix == "u" || prefix == "f" || prefix == "rf" || prefix == "fr") {
      return read_string(name.size(), raw, format);
    }
    if (prefix == "b" || prefix == "br" || prefix == "rb") {
      fail(begin, "bytes literals are not supported: text is str");
    }
  }
  position_ = end;
  return {.kind = TokenKind::kName, .offset = base_ + begin, .text = name};
}

/// Where a decimal number ends. Sets the kind of those with a point or an exponent.
std::size_t ExpressionLexer::decimal_end(std::size_t end, TokenKind& kind) const {
  const auto digits = [&] {
    while (end < text_.size() && (is_ascii_digit(text_[end]) || text_[end] == '_')) ++end;
  };
  digits();
  if (end < text_.size() && text_[end] == '.') {
    kind = TokenKind::kFloat;
    ++end;
    digits();
  }
  if (end == text_.size() || ascii_lower(text_[end]) != 'e') return end;
  std::size_t exponent = end + 1;
  if (exponent < text_.size() && (text_[exponent] == '+' || text_[exponent] == '-')) ++exponent;
  if (exponent == text_.size() || !is_ascii_digit(text_[exponent])) return end;
  kind = TokenKind::kFloat;
  end = exponent;
  digits();
  return end;
}

double ExpressionLexer::float_value(std::string number, std::size_t begin) const {
  if (number.starts_with('.')) number.insert(0, "0");
  if (const std::size_t dot = number.find('.');
      dot != std::string::npos && (dot + 1 == number.size() || !is_ascii_digit(number[dot + 1]))) {
    number.insert(dot + 1, "0");
  }
  const auto value = parse_double(number);
  if (!value) fail(begin, "malformed number");
  return *value;
}

std::int64_t ExpressionLexer::int_value(const std::string& number, int base,
                                        std::size_t begin) const {
  if (base == 10 && number.size() > 1 && number.starts_with('0') &&
      number.find_first_not_of('0') != std::string::npos) {
    fail(begin, "leading zeros in a decimal number");
  }
  const auto value = parse_int<std::int64_t>(number, base);
  if (value) return *value;
  const bool digits =
      !number.empty() && number.find_first_not_of("0123456789abcdefABCDEF") == std::string::npos;
  fail(begin, digits ? "integer beyond 64 bits" : "malformed number");
}

Token ExpressionLexer::read_number() {
  const std::size_t begin = position_;
  Token token{.kind = TokenKind::kInt, .offset = base_ + begin};
  int base = 10;
  if (text_[begin] == '0' && begin + 1 < text_.size()) {
    const char letter = ascii_lower(text_[begin + 1]);
    if (letter == 'x' || letter == 'o' || letter == 'b') {
      base = letter == 'x' ? 16 : letter == 'o' ? 8 : 2;
    }
  }
  std::size_t end = begin + 2;
  if (base == 10) {
    end = decimal_end(begin, token.kind);
  } else {
    while (end < text_.size() && is_name_part(text_[end])) ++end;
  }
  token.text = text_.substr(begin, end - begin);
  if (end < text_.size() && is_name_part(text_[end])) fail(begin, "malformed number");
  const std::string plain = without_underscores(token.text.substr(base == 10 ? 0 : 2));
  if (token.kind == TokenKind::kFloat) {
    token.real = float_value(plain, begin);
  } else {
    token.integer = int_value(plain, base, begin);
  }
  position_ = end;
  return token;
}

Token ExpressionLexer::read_string(std::size_t prefix_length, bool raw, bool format) {
  const std::size_t begin = position_;
  std::size_t at = begin + prefix_length;
  const char quote = text_[at];
  const std::string triple(3, quote);
  const bool is_triple = text_.substr(at, 3) == triple;
  at += is_triple ? 3 : 1;
  const std::size_t content = at;
  for (;; ++at) {
    if (at >= text_.size() || (!is_triple && text_[at] == '\n')) {
      fail(begin, "string without its closing quote");
    }
    if (text_[at] == '\\') {
      ++at;
    } else if (is_triple ? text_.substr(at, 3) == triple : text_[at] == quote) {
      break;
    }
  }
  const std::string_view inside = text_.substr(content, at - content);
  position_ = at + (is_triple ? 3 : 1);
  Token token{.kind = format ? TokenKind::kFormatString : TokenKind::kString,
              .offset = base_ + begin,
              .text = inside};
  token.raw = raw;
  token.content_offset = base_ + content;
  if (!format) token.value = raw ? std::string(inside) : unescape_literal(inside, base_ + content);
  return token;
}

Token ExpressionLexer::read_operator() {
  for (std::string_view candidate : kOperators) {
    if (!text_.substr(position_).starts_with(candidate)) continue;
    Token token{.kind = TokenKind::kOperator,
                .offset = base_ + position_,
                .text = text_.substr(position_, candidate.size())};
    position_ += candidate.size();
    return token;
  }
  fail(position_, std::string("unexpected character '") + text_[position_] + "'");
}

std::string unescape_literal(std::string_view text, std::size_t offset) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      out += text[i];
      continue;
    }
    const std::size_t start = i;
    const char c = text[++i];
    constexpr std::string_view kNamed = "nrtabfv0\\'\"";
    constexpr std::string_view kMeaning("\n\r\t\a\b\f\v\0\\'\"", 11);
    if (const std::size_t found = kNamed.find(c); found != std::string_view::npos) {
      out += kMeaning[found];
    } else if (c == '\n') {
      // A backslash at the end of a line joins it with the next.
    } else if (c == 'x' || c == 'u' || c == 'U') {
      const std::size_t digits = c == 'x' ? 2 : c == 'u' ? 4 : 8;
      const auto code = parse_int<std::uint32_t>(text.substr(i + 1, digits), 16);
      if (i + digits >= text.size() || !code || *code > 0x10FFFF) {
        throw SyntaxFault(offset + start, std::string("malformed escape '\\") + c + "'");
      }
      append_utf8(out, *code);
      i += digits;
    } else {
      out += '\\';
      out += c;
    }
  }
  return out;
}

}  // namespace coronado::web::templates
