/// The translations of one language, and how they are read from files.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "web/plural_rule.hpp"

namespace coronado::web::detail {

class Catalog {
 public:
  /// Which table of a CSV file.
  enum class Table : unsigned char { kUnknown, kSingular, kPlural };

  void add(Table table, std::string message, std::string translation);
  /// Params  forms  As many as the rule has.
  void add_forms(std::string message, std::vector<std::string> forms);
  void set_rule(PluralRule rule) { rule_ = std::move(rule); }

  /// Null: there is none.   Lifetime  The catalogue's.
  const std::string* find(std::string_view message) const noexcept;
  const std::string* find(std::string_view message, std::string_view plural,
                          std::int64_t count) const noexcept;

 private:
  using Texts = std::map<std::string, std::string, std::less<>>;
  Texts tables_[3];
  std::map<std::string, std::vector<std::string>, std::less<>> forms_;  // gettext's
  PluralRule rule_;
};

/// Between a context and its message in gettext's catalogues.
inline constexpr char kContextSeparator = '\x04';

/// The rows of a CSV text (RFC 4180), cells without white space around them; each with its line.
struct CSVRow {
  std::size_t line = 0;
  std::vector<std::string> cells;
};
std::vector<CSVRow> parse_csv(std::string_view text);

/// UTF-8 from UTF-8 or, with a byte order mark, UTF-16; without the mark.
/// Returns  Nothing when it is neither.
std::optional<std::string> decode_text(std::string_view bytes);

/// Adds the rows of a CSV file; wrong ones are logged with `file` and line.
void add_csv(Catalog& catalog, std::string_view text, const std::string& file);

/// Adds the messages of a compiled catalogue.
/// Throws  UsageError  It is broken; the message names `file`.
/// Spec    GNU gettext, "The format of GNU MO files".
void add_mo(Catalog& catalog, std::string_view bytes, const std::string& file);

}  // namespace coronado::web::detail
