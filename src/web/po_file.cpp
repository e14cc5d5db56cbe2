#include "web/po_file.hpp"

#include <coronado/base/error.hpp>
#include <coronado/base/escape.hpp>
#include <coronado/base/strings.hpp>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace coronado::web::detail {
namespace {

class POReader {
 public:
  POReader(Catalog& catalog, const std::string& name) : catalog_(catalog), name_(name) {}

  void read(std::string_view text) {
    if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
    for (const std::string_view line : split(text, '\n')) {
      ++line_;
      if (!is_valid_utf8(line)) fail("it is not in UTF-8");
      read_line(trim(line));
    }
    finish_entry();
    check_forms();
  }

 private:
  struct Entry {
    std::size_t line = 0;
    bool fuzzy = false;
    std::optional<std::string> context;
    std::optional<std::string> id;
    std::optional<std::string> plural;
    std::vector<std::string> forms;
  };
  struct Plural {
    std::string key;
    std::size_t line;
    std::vector<std::string> forms;
  };

  [[noreturn]] void fail_at(std::size_t line, const std::string& why) const {
    throw UsageError("translations " + name_ + " are broken: line " + std::to_string(line) + ": " +
                     why);
  }
  [[noreturn]] void fail(const std::string& why) const { fail_at(line_, why); }

  void read_line(std::string_view line) {
    if (line.empty()) return;
    if (line.front() == '#') return read_comment(line);
    if (line.front() == '"') {
      if (continued_ == nullptr) fail("a text that belongs to nothing");
      *continued_ += unquoted(line);
      return;
    }
    const std::size_t end = std::min(line.find_first_of(" \t\""), line.size());
    read_field(line.substr(0, end), trim(line.substr(end)));
  }

  void read_comment(std::string_view line) {
    if (!entry_.forms.empty()) finish_entry();
    continued_ = nullptr;
    if (line.starts_with("#,") && line.find("fuzzy") != std::string_view::npos) {
      entry_.fuzzy = true;
    }
  }

  void read_field(std::string_view keyword, std::string_view text) {
    if (keyword == "msgctxt" || keyword == "msgid") {
      if (!entry_.forms.empty()) finish_entry();
      if (entry_.line == 0) entry_.line = line_;
      return start(keyword == "msgid" ? entry_.id : entry_.context, keyword, text);
    }
    if (!entry_.id) fail('"' + std::string(keyword) + "\" without msgid before it");
    if (keyword == "msgid_plural") return start(entry_.plural, keyword, text);
    if (keyword != expected_form()) {
      fail("expected \"" + expected_form() + "\", got \"" + std::string(keyword.substr(0, 40)) +
           '"');
    }
    if (!entry_.plural && !entry_.forms.empty()) fail("a second \"msgstr\"");
    entry_.forms.push_back(unquoted(text));
    continued_ = &entry_.forms.back();
  }

  void start(std::optional<std::string>& field, std::string_view keyword, std::string_view text) {
    if (field) fail("a second \"" + std::string(keyword) + '"');
    continued_ = &field.emplace(unquoted(text));
  }

  std::string expected_form() const {
    if (!entry_.plural) return "msgstr";
    return "msgstr[" + std::to_string(entry_.forms.size()) + ']';
  }

  /// A text in quotes, with C's escapes.
  std::string unquoted(std::string_view quoted) const {
    if (quoted.size() < 2 || quoted.front() != '"' || quoted.back() != '"') {
      fail("expected a text in quotes");
    }
    quoted = quoted.substr(1, quoted.size() - 2);
    std::string text;
    while (!quoted.empty()) {
      const char c = quoted.front();
      quoted.remove_prefix(1);
      if (c == '"') fail("a quote inside of a text");
      text += c == '\\' ? escaped(quoted) : c;
    }
    return text;
  }

  /// What stands behind a backslash, which it takes from `rest`.
  char escaped(std::string_view& rest) const {
    constexpr std::string_view kNames = "ntrabfv\\\"";
    constexpr std::string_view kMeant = "\n\t\r\a\b\f\v\\\"";
    const std::size_t at = rest.empty() ? std::string_view::npos : kNames.find(rest.front());
    if (at == std::string_view::npos) {
      fail("an escape that is not known, or a quote that does not end");
    }
    rest.remove_prefix(1);
    return kMeant[at];
  }

  void finish_entry() {
    Entry entry = std::exchange(entry_, {});
    continued_ = nullptr;
    if (!entry.id) {
      if (entry.context) fail_at(entry.line, "a context without msgid");
      return;
    }
    if (entry.forms.empty()) fail_at(entry.line, "a message without msgstr");
    std::string key =
        entry.context ? *entry.context + kContextSeparator + *entry.id : std::move(*entry.id);
    if (!keys_.insert(key).second) fail_at(entry.line, "a message that was there before");
    if (key.empty()) return read_header(entry);
    const bool untranslated = std::ranges::any_of(entry.forms, &std::string::empty);
    if (entry.fuzzy || untranslated) return;
    if (entry.plural) {
      plurals_.push_back({std::move(key), entry.line, std::move(entry.forms)});
    } else {
      catalog_.add_forms(std::move(key), std::move(entry.forms));
    }
  }

  void read_header(const Entry& header) {
    const std::string_view text = header_field(header.forms.front(), "Plural-Forms");
    if (text.empty()) return;
    try {
      rule_ = PluralRule(text);
    } catch (const UsageError& error) {
      fail_at(header.line, error.what());
    }
    catalog_.set_rule(rule_);
  }

  void check_forms() {
    for (Plural& each : plurals_) {
      if (each.forms.size() != rule_.forms()) {
        fail_at(each.line, std::to_string(each.forms.size()) +
                               " forms, and the rule for plurals has " +
                               std::to_string(rule_.forms()));
      }
      catalog_.add_forms(std::move(each.key), std::move(each.forms));
    }
  }

  Catalog& catalog_;
  const std::string& name_;
  std::size_t line_ = 0;
  Entry entry_;
  std::string* continued_ = nullptr;  // what a line of text alone is added to
  std::set<std::string> keys_;
  std::vector<Plural> plurals_;  // until the rule is known
  PluralRule rule_;
};

}  // namespace

void add_po(Catalog& catalog, std::string_view bytes, const std::string& file) {
  POReader(catalog, file).read(bytes);
}

}  // namespace coronado::web::detail
