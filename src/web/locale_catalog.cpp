#include "web/locale_catalog.hpp"

#include <coronado/base/error.hpp>
#include <coronado/base/escape.hpp>
#include <coronado/base/log.hpp>
#include <coronado/base/strings.hpp>

#include <utility>

namespace coronado::web::detail {
namespace {

// --- CSV ---------------------------------------------------------------------------------------

/// One cell from `at` on, which ends behind it, before the separator. At the end of the text `quoted`
/// is still true when a quote does not end.
std::string read_cell(std::string_view text, std::size_t& at, std::size_t& line, bool& quoted) {
  std::string cell;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '\n') ++line;
    if (quoted) {
      if (c != '"') {
        cell += c;
      } else if (at + 1 < text.size() && text[at + 1] == '"') {
        cell += text[++at];
      } else {
        quoted = false;
      }
    } else if (c == '"') {
      quoted = true;
    } else if (c == ',' || c == '\n') {
      if (c == '\n') --line;  // the row's, not the cell's
      break;
    } else if (c != '\r') {
      cell += c;
    }
  }
  return std::string(trim(cell));
}

std::optional<std::string> decode_utf16(std::string_view bytes, bool little) {
  if (bytes.size() % 2 != 0) return std::nullopt;
  const auto unit = [&](std::size_t at) {
    const auto first = static_cast<unsigned char>(bytes[at]);
    const auto second = static_cast<unsigned char>(bytes[at + 1]);
    return static_cast<std::uint32_t>(little ? first | second << 8 : first << 8 | second);
  };
  std::string text;
  for (std::size_t at = 0; at < bytes.size(); at += 2) {
    std::uint32_t point = unit(at);
    if (point >= 0xD800 && point < 0xE000) {
      at += 2;
      const std::uint32_t low = at < bytes.size() ? unit(at) : 0;
      if (point >= 0xDC00 || low < 0xDC00 || low >= 0xE000) return std::nullopt;
      point = 0x10000 + ((point - 0xD800) << 10) + (low - 0xDC00);
    }
    append_utf8(text, point);
  }
  return text;
}

std::optional<Catalog::Table> table_of(std::string_view indicator) {
  if (indicator.empty() || indicator == "unknown") return Catalog::Table::kUnknown;
  if (indicator == "singular") return Catalog::Table::kSingular;
  if (indicator == "plural") return Catalog::Table::kPlural;
  return std::nullopt;
}

// --- gettext -----------------------------------------------------------------------------------

/// A compiled catalogue as bytes.
class MOFile {
 public:
  MOFile(std::string_view bytes, const std::string& name) : bytes_(bytes), name_(name) {
    if (bytes.size() < 20) fail("it is too short");
    const std::uint32_t magic = number(0);
    swapped_ = magic == 0xde120495;
    if (!swapped_ && magic != 0x950412de) fail("it does not begin like a catalogue");
    if (number(4) >> 16 > 1) fail("its version is not known");
  }

  std::uint32_t count() const { return number(8); }
  std::string_view original(std::uint32_t index) const { return text(number(12), index); }
  std::string_view translation(std::uint32_t index) const { return text(number(16), index); }

  [[noreturn]] void fail(const std::string& why) const {
    throw UsageError("translations " + name_ + " are broken: " + why);
  }

 private:
  std::uint32_t number(std::size_t at) const {
    if (at > bytes_.size() || bytes_.size() - at < 4) fail("a table reaches beyond its end");
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < 4; ++i) {
      const std::size_t place = swapped_ ? 3 - i : i;
      value |= static_cast<std::uint32_t>(static_cast<unsigned char>(bytes_[at + place])) << 8 * i;
    }
    return value;
  }

  std::string_view text(std::uint32_t table, std::uint32_t index) const {
    const std::size_t entry = std::size_t{table} + std::size_t{index} * 8;
    const std::uint32_t length = number(entry);
    const std::uint32_t begin = number(entry + 4);
    if (begin > bytes_.size() || bytes_.size() - begin < length)
      fail("a text reaches beyond its end");
    return bytes_.substr(begin, length);
  }

  std::string_view bytes_;
  const std::string& name_;
  bool swapped_ = false;
};

}  // namespace

// --- Catalog -----------------------------------------------------------------------------------

void Catalog::add(Table table, std::string message, std::string translation) {
  tables_[static_cast<unsigned char>(table)].insert_or_assign(std::move(message),
                                                              std::move(translation));
}

void Catalog::add_forms(std::string message, std::vector<std::string> forms) {
  forms_.insert_or_assign(std::move(message), std::move(forms));
}

const std::string* Catalog::find(std::string_view message) const noexcept {
  const Texts& texts = tables_[static_cast<unsigned char>(Table::kUnknown)];
  if (const auto found = texts.find(message); found != texts.end()) return &found->second;
  if (const auto found = forms_.find(message); found != forms_.end()) return &found->second[0];
  return nullptr;
}

void Catalog::add_category(PluralCategory category, std::string plural, std::string translation) {
  has_categories_ = true;
  categories_[static_cast<std::size_t>(category)].insert_or_assign(std::move(plural),
                                                                   std::move(translation));
}

const std::string* Catalog::find_category(std::string_view plural, std::uint64_t n) const {
  if (!has_categories_) return nullptr;
  for (const PluralCategory each : {plural_category(code_, n), PluralCategory::kOther}) {
    const Texts& texts = categories_[static_cast<std::size_t>(each)];
    if (const auto found = texts.find(plural); found != texts.end()) return &found->second;
  }
  return nullptr;
}

const std::string* Catalog::find(std::string_view message, std::string_view plural,
                                 std::int64_t count) const {
  const std::uint64_t n =
      count < 0 ? 0 - static_cast<std::uint64_t>(count) : static_cast<std::uint64_t>(count);
  if (const auto found = forms_.find(message); found != forms_.end()) {
    const std::size_t form = rule_.form_of(n);
    return &found->second[form < found->second.size() ? form : 0];
  }
  if (const std::string* found = find_category(plural, n)) return found;
  const Table table = count == 1 ? Table::kSingular : Table::kPlural;
  const Texts& texts = tables_[static_cast<unsigned char>(table)];
  const auto found = texts.find(count == 1 ? message : plural);
  return found == texts.end() ? nullptr : &found->second;
}

// --- files -------------------------------------------------------------------------------------

std::size_t first_invalid_line(std::string_view bytes) {
  std::size_t line = 1;
  for (const std::string_view each : split(bytes, '\n')) {
    if (!is_valid_utf8(each)) break;
    ++line;
  }
  return line;
}

std::string_view header_field(std::string_view header, std::string_view field) {
  std::string_view value;
  for_each_part(header, '\n', [&](std::string_view line) {
    const std::size_t colon = line.find(':');
    if (colon != std::string_view::npos && equals_ignore_case(line.substr(0, colon), field)) {
      value = trim(line.substr(colon + 1));
    }
  });
  return value;
}

std::vector<CSVRow> parse_csv(std::string_view text) {
  std::vector<CSVRow> rows;
  std::size_t line = 1;
  for (std::size_t at = 0; at < text.size(); ++at) {
    CSVRow row{line, {}};
    for (;;) {
      row.cells.push_back(read_cell(text, at, line, row.unfinished));
      if (at >= text.size() || text[at] == '\n') break;
      ++at;  // the comma
    }
    ++line;
    rows.push_back(std::move(row));
  }
  return rows;
}

std::optional<std::string> decode_text(std::string_view bytes) {
  if (bytes.starts_with("\xFF\xFE")) return decode_utf16(bytes.substr(2), true);
  if (bytes.starts_with("\xFE\xFF")) return decode_utf16(bytes.substr(2), false);
  if (bytes.starts_with("\xEF\xBB\xBF")) bytes.remove_prefix(3);
  if (!is_valid_utf8(bytes)) return std::nullopt;
  return std::string(bytes);
}

void add_csv(Catalog& catalog, std::string_view text, const std::string& file) {
  for (CSVRow& row : parse_csv(text)) {
    if (row.unfinished) {
      throw UsageError("translations " + file + " are broken: line " + std::to_string(row.line) +
                       ": a quote does not end");
    }
    if (row.cells.size() == 1 && row.cells[0].empty()) continue;
    if (row.cells.size() == 1) {
      general_log().error("a text without translation in " + file + " line " +
                          std::to_string(row.line));
      continue;
    }
    const std::string_view indicator = row.cells.size() > 2 ? row.cells[2] : std::string_view();
    if (const auto category = parse_plural_category(indicator)) {
      catalog.add_category(*category, std::move(row.cells[0]), std::move(row.cells[1]));
      continue;
    }
    const std::optional<Catalog::Table> table = table_of(indicator);
    if (!table) {
      general_log().error("unrecognized plural indicator \"" + std::string(indicator) + "\" in " +
                          file + " line " + std::to_string(row.line));
      continue;
    }
    catalog.add(*table, std::move(row.cells[0]), std::move(row.cells[1]));
  }
}

void add_mo(Catalog& catalog, std::string_view bytes, const std::string& file) {
  const MOFile mo(bytes, file);
  const std::uint32_t count = mo.count();
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::string_view original = mo.original(i);
    const std::string_view translation = mo.translation(i);
    if (!is_valid_utf8(original) || !is_valid_utf8(translation)) {
      mo.fail("message " + std::to_string(i) + " is not in UTF-8");
    }
    if (original.empty()) {
      const std::string_view rule = header_field(translation, "Plural-Forms");
      try {
        if (!rule.empty()) catalog.set_rule(PluralRule(rule));
      } catch (const UsageError& error) {
        mo.fail(error.what());
      }
      continue;
    }
    std::vector<std::string> forms;
    for_each_part(translation, '\0', [&](std::string_view form) { forms.emplace_back(form); });
    // The plural behind the singular is not needed: the singular finds both.
    catalog.add_forms(std::string(original.substr(0, original.find('\0'))), std::move(forms));
  }
}

}  // namespace coronado::web::detail
