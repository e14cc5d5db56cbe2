#include <coronado/base/error.hpp>
#include <coronado/coro/frame_pool.hpp>
#include <coronado/http/headers.hpp>
#include <coronado/http/httputil.hpp>

#include <algorithm>
#include <cstring>

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

/// Room that the first field gets, and those that follow it.
constexpr std::size_t kFirstEntries = 8;
constexpr std::size_t kFirstText = 224;
/// Blocks come in few sizes, so that what one message leaves behind fits the next one.
constexpr std::size_t kGranule = 256;

}  // namespace

HTTPHeaders::HTTPHeaders(const HTTPHeaders& other) { *this = other; }

HTTPHeaders& HTTPHeaders::operator=(const HTTPHeaders& other) {
  if (this == &other) return *this;
  block_ = other.empty() ? nullptr : other.copy(other.size(), other.block_->text_size);
  return *this;
}

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
  push_back(store(name, value));
}

void HTTPHeaders::adopt(const std::vector<Entry>& entries, std::string_view text) {
  block_.reset();
  if (entries.empty()) return;
  block_ = make_block(entries.size(), text.size());
  keep_first(entries.size());
  block_->text_size = static_cast<std::uint32_t>(text.size());
  std::copy(entries.begin(), entries.end(), block_->entries());
  std::memcpy(block_->text(), text.data(), text.size());
}

void HTTPHeaders::set(std::string_view name, std::string_view value) {
  value = trim_whitespace(value);
  check(name, value);
  const std::size_t first = index_of(name, 0);
  const bool is_new = first == size();
  const Entry entry = store(name, value);
  if (is_new) return push_back(entry);
  Entry* const entries = block_->entries();
  const std::string_view stored(block_->text() + entry.name, entry.name_size);
  block_->unused += entries[first].name_size + entries[first].value_size;
  entries[first] = entry;
  std::size_t kept = first + 1;
  for (std::size_t i = kept; i < size(); ++i) {
    if (equals_ignoring_case(field(i).name, stored)) {
      block_->unused += entries[i].name_size + entries[i].value_size;
    } else {
      entries[kept++] = entries[i];
    }
  }
  keep_first(kept);
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
  std::size_t kept = index_of(name, 0);
  const std::size_t before = size();
  if (kept == before) return 0;
  Entry* const entries = block_->entries();
  for (std::size_t i = kept; i < before; ++i) {
    if (equals_ignoring_case(field(i).name, name)) {
      block_->unused += entries[i].name_size + entries[i].value_size;
    } else {
      entries[kept++] = entries[i];
    }
  }
  keep_first(kept);
  return before - kept;
}

void HTTPHeaders::clear() noexcept {
  if (block_ != nullptr) block_->count = block_->text_size = block_->unused = 0;
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
  const std::size_t count = size();
  for (; from < count; ++from) {
    if (equals_ignoring_case(field(from).name, name)) break;
  }
  return from;
}

std::unique_ptr<HTTPHeaders::Block> HTTPHeaders::make_block(std::size_t room,
                                                            std::size_t text_room) {
  const std::size_t before_text = sizeof(Block) + room * sizeof(Entry);
  const std::size_t size = (before_text + text_room + kGranule - 1) / kGranule * kGranule;
  void* const place = detail::FramePool::allocate(size);
  return std::unique_ptr<Block>(::new (place) Block{
      0, static_cast<std::uint32_t>(room), 0, static_cast<std::uint32_t>(size - before_text), 0});
}

void HTTPHeaders::Block::operator delete(Block* block, std::destroying_delete_t) noexcept {
  const std::size_t size = sizeof(Block) + block->room * sizeof(Entry) + block->text_room;
  detail::FramePool::deallocate(block, size);
}

std::unique_ptr<HTTPHeaders::Block> HTTPHeaders::copy(std::size_t room,
                                                      std::size_t text_room) const {
  std::unique_ptr<Block> made = make_block(room, text_room);
  made->count = block_->count;
  made->text_size = block_->text_size;
  made->unused = block_->unused;
  std::copy_n(block_->entries(), block_->count, made->entries());
  std::memcpy(made->text(), block_->text(), block_->text_size);
  return made;
}

/// Makes room for one more entry, and stores what it is to point to.
HTTPHeaders::Entry HTTPHeaders::store(std::string_view name, std::string_view value) {
  const std::size_t added = name.size() + value.size();
  std::unique_ptr<Block> old;  // an argument may be part of its text
  if (block_ == nullptr) {
    block_ = make_block(kFirstEntries, std::max(kFirstText, added));
  } else if (block_->count == block_->room || added > block_->text_room - block_->text_size) {
    const std::size_t room = block_->count == block_->room
                                 ? std::max<std::size_t>(kFirstEntries, block_->room * 2)
                                 : block_->room;
    const std::size_t needed = block_->text_size + added;
    const std::size_t text_room =
        needed <= block_->text_room
            ? block_->text_room
            : std::max<std::size_t>({kFirstText, needed, block_->text_room * std::size_t{2}});
    old = std::exchange(block_, copy(room, text_room));
  }
  const std::uint32_t offset = block_->text_size;
  const auto name_size = static_cast<std::uint32_t>(name.size());
  std::memcpy(block_->text() + offset, name.data(), name.size());
  if (!value.empty()) std::memcpy(block_->text() + offset + name_size, value.data(), value.size());
  block_->text_size += static_cast<std::uint32_t>(added);
  return {offset, name_size, offset + name_size, static_cast<std::uint32_t>(value.size())};
}

/// Give the room of replaced fields back once it is most of the text, so that setting one field
/// over and over does not grow.
void HTTPHeaders::compact() {
  if (block_->unused < 256 || block_->unused * 2 < block_->text_size) return;
  HTTPHeaders packed;
  packed.block_ = make_block(block_->room, block_->text_room - block_->unused);
  for (const Field& field : *this) packed.push_back(packed.store(field.name, field.value));
  *this = std::move(packed);
}

}  // namespace coronado
