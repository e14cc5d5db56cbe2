#include <coronado/base/error.hpp>
#include <coronado/http/headers.hpp>
#include <coronado/http/httputil.hpp>
#include <functional>

#include "http/ascii.hpp"
#include "http/quote.hpp"

namespace coronado {
namespace {

void check(std::string_view name, std::string_view value) {
  if (!is_token(name)) throw HTTPInputError("Invalid header name " + quote_for_log(name));
  if (!is_field_value(value)) {
    throw HTTPInputError("Invalid header value for " + std::string(name) + ": " +
                         quote_for_log(value));
  }
}

/// True when `view` points into `text`.
bool is_part_of(std::string_view view, const std::string& text) noexcept {
  const std::less<const char*> before;
  return !before(view.data(), text.data()) && before(view.data(), text.data() + text.size());
}

}  // namespace

HTTPHeaders::HTTPHeaders(
    std::initializer_list<std::pair<std::string_view, std::string_view>> fields) {
  for (const auto& [name, value] : fields) add(name, value);
}

HTTPHeaders HTTPHeaders::parse(std::string_view block) {
  HTTPHeaders headers;
  while (!block.empty()) {
    const std::size_t end = std::min(block.find('\n'), block.size() - 1) + 1;
    const std::string_view line = block.substr(0, end);
    if (line == "\r\n" || line == "\n") break;
    headers.parse_line(line);
    block.remove_prefix(end);
  }
  return headers;
}

void HTTPHeaders::add(std::string_view name, std::string_view value) {
  value = trim_whitespace(value);
  check(name, value);
  entries_.push_back(store(name, value));
}

void HTTPHeaders::adopt(std::string_view block) { text_.assign(block); }

void HTTPHeaders::set(std::string_view name, std::string_view value) {
  value = trim_whitespace(value);
  check(name, value);
  const std::size_t first = index_of(name, 0);
  const Entry entry = store(name, value);
  if (first == size()) {
    entries_.push_back(entry);
    return;
  }
  const std::string_view stored(text_.data() + entry.name, entry.name_size);
  unused_ += entries_[first].name_size + entries_[first].value_size;
  entries_[first] = entry;
  std::size_t kept = first + 1;
  for (std::size_t i = kept; i < entries_.size(); ++i) {
    if (equals_ignoring_case(field(i).name, stored)) {
      unused_ += entries_[i].name_size + entries_[i].value_size;
    } else {
      entries_[kept++] = entries_[i];
    }
  }
  entries_.resize(kept);
  compact();
}

void HTTPHeaders::parse_line(std::string_view line) {
  if (line.ends_with('\n')) line.remove_suffix(1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (!line.empty() && is_whitespace(line.front())) {
    throw HTTPInputError("Folded header line " + quote_for_log(line));
  }
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) {
    throw HTTPInputError("No colon in header line " + quote_for_log(line));
  }
  add(line.substr(0, colon), line.substr(colon + 1));
}

std::optional<std::string> HTTPHeaders::get(std::string_view name) const {
  std::size_t i = index_of(name, 0);
  if (i == size()) return std::nullopt;
  std::string joined(field(i).value);
  while ((i = index_of(name, i + 1)) != size()) joined.append(", ").append(field(i).value);
  return joined;
}

std::vector<std::string_view> HTTPHeaders::get_list(std::string_view name) const {
  std::vector<std::string_view> values;
  for (std::size_t i = index_of(name, 0); i != size(); i = index_of(name, i + 1)) {
    values.push_back(field(i).value);
  }
  return values;
}

std::optional<std::string_view> HTTPHeaders::find(std::string_view name) const noexcept {
  const std::size_t i = index_of(name, 0);
  if (i == size()) return std::nullopt;
  return field(i).value;
}

std::size_t HTTPHeaders::erase(std::string_view name) noexcept {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    if (equals_ignoring_case(field(i).name, name)) {
      unused_ += entries_[i].name_size + entries_[i].value_size;
    } else {
      entries_[kept++] = entries_[i];
    }
  }
  const std::size_t erased = entries_.size() - kept;
  entries_.resize(kept);
  return erased;
}

void HTTPHeaders::clear() noexcept {
  text_.clear();
  entries_.clear();
  unused_ = 0;
}

HTTPHeaders::Field HTTPHeaders::field(std::size_t index) const noexcept {
  const Entry& entry = entries_[index];
  return {{text_.data() + entry.name, entry.name_size},
          {text_.data() + entry.value, entry.value_size}};
}

void HTTPHeaders::append_to(std::string& out) const {
  for (const Field& field : *this) {
    out.append(field.name).append(": ").append(field.value).append("\r\n");
  }
}

std::string HTTPHeaders::to_string() const {
  std::string lines;
  append_to(lines);
  return lines;
}

bool HTTPHeaders::operator==(const HTTPHeaders& other) const noexcept {
  if (size() != other.size()) return false;
  for (std::size_t i = 0; i < size(); ++i) {
    if (!equals_ignoring_case(field(i).name, other.field(i).name)) return false;
    if (field(i).value != other.field(i).value) return false;
  }
  return true;
}

std::size_t HTTPHeaders::index_of(std::string_view name, std::size_t from) const noexcept {
  for (; from < entries_.size(); ++from) {
    if (equals_ignoring_case(field(from).name, name)) break;
  }
  return from;
}

HTTPHeaders::Entry HTTPHeaders::store(std::string_view name, std::string_view value) {
  // Appending may move the text that an argument points into.
  if (is_part_of(name, text_)) return store(std::string(name), value);
  if (is_part_of(value, text_)) return store(name, std::string(value));
  const auto offset = static_cast<std::uint32_t>(text_.size());
  const auto name_size = static_cast<std::uint32_t>(name.size());
  text_.append(name).append(value);
  return {offset, name_size, offset + name_size, static_cast<std::uint32_t>(value.size())};
}

/// Give the room of replaced fields back once it is most of the text, so that setting one field
/// over and over does not grow.
void HTTPHeaders::compact() {
  if (unused_ < 256 || unused_ * 2 < text_.size()) return;
  HTTPHeaders packed;
  packed.text_.reserve(text_.size() - unused_);
  packed.entries_.reserve(entries_.size());
  for (const Field& field : *this) packed.entries_.push_back(packed.store(field.name, field.value));
  *this = std::move(packed);
}

}  // namespace coronado
