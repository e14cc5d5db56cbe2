#include <coronado/http/header_block.hpp>

#include <coronado/base/strings.hpp>
#include <coronado/http/httputil.hpp>

#include <cstring>
#include <stdexcept>

namespace coronado {
namespace {

struct Line {
  std::size_t begin;
  std::size_t end;  // behind the CRLF
  std::string_view name;
  std::string_view value;
};

/// The line that starts at `begin`.
Line line_at(std::string_view text, std::size_t begin) noexcept {
  const std::size_t end = text.find("\r\n", begin);
  const std::string_view line = text.substr(begin, end - begin);
  const std::size_t colon = line.find(':');
  return {begin, end + 2, line.substr(0, colon), line.substr(colon + 2)};
}

/// Nearly always the name is spelled the usual way: one comparison of a few words.
HeaderBlock::Known if_equal(std::string_view name, std::string_view usual,
                            HeaderBlock::Known field) noexcept {
  return name == usual || equals_ignore_case(name, usual) ? field : HeaderBlock::kUnknown;
}

HeaderBlock::Known classify(std::string_view name) noexcept {
  switch (name.size()) {
    case 4: return if_equal(name, "Date", HeaderBlock::kDate);
    case 6: return if_equal(name, "Server", HeaderBlock::kServer);
    case 10: return if_equal(name, "Connection", HeaderBlock::kConnection);
    case 12: return if_equal(name, "Content-Type", HeaderBlock::kContentType);
    case 14: return if_equal(name, "Content-Length", HeaderBlock::kContentLength);
    case 17: return if_equal(name, "Transfer-Encoding", HeaderBlock::kTransferEncoding);
    default: return HeaderBlock::kUnknown;
  }
}

/// Which of the known fields it is.   Throws  std::invalid_argument
HeaderBlock::Known check(std::string_view name, std::string_view value) {
  const HeaderBlock::Known known = classify(name);
  if (known == HeaderBlock::kUnknown && !is_token(name)) {
    throw std::invalid_argument("not a header name: \"" + std::string(name) + '"');
  }
  if (!is_field_value(value)) {
    throw std::invalid_argument("unsafe value for header " + std::string(name));
  }
  return known;
}

}  // namespace

HeaderBlock& HeaderBlock::operator=(const HeaderBlock& other) {
  more_ = other.more_;
  size_ = other.size_;
  known_ = other.known_;
  std::memcpy(inline_, other.inline_, other.size_);
  return *this;
}

/// Room for `size` more bytes; counts them in.
char* HeaderBlock::grow(std::size_t size) {
  if (more_.empty()) {
    if (size_ + size <= kInline) {
      char* place = inline_ + size_;
      size_ = static_cast<std::uint8_t>(size_ + size);
      return place;
    }
    more_.reserve(2 * kInline + size);
    more_.assign(inline_, size_);
    size_ = 0;
  }
  more_.resize(more_.size() + size);
  return more_.data() + more_.size() - size;
}

void HeaderBlock::append(std::string_view name, std::string_view value) {
  char* place = grow(name.size() + value.size() + 4);
  std::memcpy(place, name.data(), name.size());
  place += name.size();
  *place++ = ':';
  *place++ = ' ';
  std::memcpy(place, value.data(), value.size());
  place += value.size();
  *place++ = '\r';
  *place++ = '\n';
}

void HeaderBlock::append_wire(std::string_view text, Known field) {
  if (text.empty()) return;
  std::memcpy(grow(text.size()), text.data(), text.size());
  known_ |= field;
  if (field != kUnknown) return;
  // Several fields, of which nobody has said what they are.
  for (std::size_t at = 0; at < text.size();) {
    const Line line = line_at(text, at);
    known_ |= classify(line.name);
    at = line.end;
  }
}

void HeaderBlock::set(std::string_view name, std::string_view value) {
  const Known known = check(name, value);
  if (!empty()) erase(name);
  append(name, value);
  known_ |= known;
}

void HeaderBlock::add(std::string_view name, std::string_view value) {
  const Known known = check(name, value);
  append(name, value);
  known_ |= known;
}

void HeaderBlock::erase(std::string_view name) noexcept {
  const Known known = classify(name);
  if (known != kUnknown && !contains(known)) return;
  known_ = static_cast<std::uint8_t>(known_ & ~known);
  for (std::size_t at = 0; at < wire().size();) {
    const Line line = line_at(wire(), at);
    if (!equals_ignore_case(line.name, name)) {
      at = line.end;
    } else if (more_.empty()) {
      std::memmove(inline_ + line.begin, inline_ + line.end, size_ - line.end);
      size_ = static_cast<std::uint8_t>(size_ - (line.end - line.begin));
    } else {
      more_.erase(line.begin, line.end - line.begin);
    }
  }
}

std::optional<std::string_view> HeaderBlock::find(std::string_view name) const noexcept {
  const std::string_view text = wire();
  for (std::size_t at = 0; at < text.size();) {
    const Line line = line_at(text, at);
    if (equals_ignore_case(line.name, name)) return line.value;
    at = line.end;
  }
  return std::nullopt;
}

void HeaderBlock::clear() noexcept {
  more_.clear();
  size_ = 0;
  known_ = 0;
}

}  // namespace coronado
