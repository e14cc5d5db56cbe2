/// The translations of one language, and how they are read from files.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "web/plural_category.hpp"
#include "web/plural_rule.hpp"

namespace coronado::web::detail {

class Catalog {
 public:
  /// Which table of a CSV file.
  enum class Table : unsigned char { kUnknown, kSingular, kPlural };

  /// Params  code  Of the language, whose plural categories CSV files use.
  explicit Catalog(std::string code = "en") : code_(std::move(code)) {}

  void add(Table table, std::string message, std::string translation);
  /// Params  plural  The message for many things.
  void add_category(PluralCategory category, std::string plural, std::string translation);
  /// Params  forms  As many as the rule has.
  void add_forms(std::string message, std::vector<std::string> forms);
  void set_rule(PluralRule rule) { rule_ = std::move(rule); }

  /// Null: there is none.   Lifetime  The catalogue's.
  const std::string* find(std::string_view message) const noexcept;
  const std::string* find(std::string_view message, std::string_view plural,
                          std::int64_t count) const;

 private:
  using Texts = std::map<std::string, std::string, std::less<>>;
  const std::string* find_category(std::string_view plural, std::uint64_t n) const;

  std::string code_;
  Texts tables_[3];
  Texts categories_[kPluralCategories];
  bool has_categories_ = false;
  std::map<std::string, std::vector<std::string>, std::less<>> forms_;  // gettext's
  PluralRule rule_;
};

/// Between a context and its message in gettext's catalogues.
inline constexpr char kContextSeparator = '\x04';

/// The rows of a CSV text (RFC 4180), cells without white space around them; each with its line.
struct CSVRow {
  std::size_t line = 0;
  std::vector<std::string> cells;
  bool unfinished = false;  ///< A quote in the last cell does not end.
};
std::vector<CSVRow> parse_csv(std::string_view text);

/// UTF-8 from UTF-8 or, with a byte order mark, UTF-16; without the mark.
/// Returns  Nothing when it is neither.
std::optional<std::string> decode_text(std::string_view bytes);

/// The first line that is not UTF-8, from 1 on.
std::size_t first_invalid_line(std::string_view bytes);

/// What the header of a gettext catalogue, which is the translation of "", says of `field`.
std::string_view header_field(std::string_view header, std::string_view field);

/// Adds the rows of a CSV file; wrong ones are logged with `file` and line.
/// Throws  UsageError  A quote does not end; the message names `file` and the line.
void add_csv(Catalog& catalog, std::string_view text, const std::string& file);

/// Adds the messages of a compiled catalogue.
/// Throws  UsageError  It is broken; the message names `file`, and the message in it.
/// Spec    GNU gettext, "The format of GNU MO files".
void add_mo(Catalog& catalog, std::string_view bytes, const std::string& file);

}  // namespace coronado::web::detail
