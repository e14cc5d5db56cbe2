#include <coronado/base/error.hpp>
#include <coronado/web/template_error.hpp>
#include <coronado/web/template_value.hpp>

#include <algorithm>
#include <cstring>

#include "web/template/objects.hpp"

namespace coronado::web {

namespace {
constexpr std::size_t kFirstBlock = 8 * 1024;
constexpr std::size_t kLargestBlock = 1024 * 1024;
constexpr std::size_t kLargestKept = 256 * 1024;
}  // namespace

TemplateMemory::~TemplateMemory() {
  destroy_owned();
  while (blocks_ != nullptr) {
    Block* block = std::exchange(blocks_, blocks_->next);
    ::operator delete(block);
  }
}

void TemplateMemory::destroy_owned() noexcept {
  while (owners_ != nullptr) {
    const Owner* owner = std::exchange(owners_, owners_->next);
    owner->destroy(owner->object);
  }
}

void TemplateMemory::clear() noexcept {
  destroy_owned();
  // Each block is larger than those before it: a page that needed several finds room in one the next
  // time.
  while (blocks_ != nullptr && blocks_->size > kLargestKept) {
    ::operator delete(std::exchange(blocks_, blocks_->next));
  }
  while (blocks_ != nullptr && blocks_->next != nullptr) {
    ::operator delete(std::exchange(blocks_->next, blocks_->next->next));
  }
  used_ = 0;
  cursor_ = end_ = nullptr;
  if (blocks_ == nullptr) return;
  used_ = blocks_->size;
  cursor_ = reinterpret_cast<char*>(blocks_ + 1);
  end_ = cursor_ + blocks_->size;
}

void* TemplateMemory::allocate_block(std::size_t size) {
  static_assert(sizeof(Block) % kAlignment == 0);
  const std::size_t most = used_ < kLargestKept ? kLargestKept : kLargestBlock;
  std::size_t wanted = blocks_ == nullptr ? kFirstBlock : std::min(2 * used_, most);
  wanted = std::max(wanted, size);
  if (size > limit_ || used_ + size > limit_) {
    throw TemplateFault(
        TemplateErrorClass::kLimit,
        "the template uses more than " + std::to_string(limit_) + " bytes of memory");
  }
  auto* block = static_cast<Block*>(::operator new(sizeof(Block) + wanted));
  *block = {blocks_, wanted};
  blocks_ = block;
  used_ += wanted;
  cursor_ = reinterpret_cast<char*>(block + 1);
  end_ = cursor_ + wanted;
  return std::exchange(cursor_, cursor_ + size);
}

void TemplateMemory::check_count(std::size_t count, std::size_t size) const {
  if (count > (~std::size_t{0} - kAlignment) / size) throw std::bad_alloc();
}

std::string_view TemplateMemory::copy(std::string_view text) {
  char* place = allocate_array<char>(text.size());
  if (!text.empty()) std::memcpy(place, text.data(), text.size());
  return {place, text.size()};
}

void TemplateCall::bind(std::span<const std::string_view> parameters, std::size_t required,
                        TemplateValue* bound) const {
  if (parameters.empty() && arguments_.empty()) return;
  const auto fail = [&](const std::string& message) {
    templates::fail_type(std::string(function_) + "() " + message);
  };
  if (size() > parameters.size()) {
    fail("takes at most " + std::to_string(parameters.size()) + " arguments (" +
         std::to_string(size()) + " given)");
  }
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    bound[i] = i < size() ? argument(i) : TemplateValue::undefined();
  }
  for (std::size_t i = 0; i < keyword_count(); ++i) {
    const auto found = std::find(parameters.begin(), parameters.end(), keyword_name(i));
    const std::string quoted = "'" + std::string(keyword_name(i)) + "'";
    if (found == parameters.end()) fail("got an unexpected keyword argument " + quoted);
    TemplateValue& place = bound[found - parameters.begin()];
    if (!place.is_undefined()) fail("got multiple values for argument " + quoted);
    place = keyword(i);
  }
  for (std::size_t i = 0; i < required; ++i) {
    if (!bound[i].is_undefined()) continue;
    fail(parameters[i].empty() ? "takes " + std::to_string(required) + " arguments (" +
                                     std::to_string(size()) + " given)"
                               : "missing required argument: '" + std::string(parameters[i]) + "'");
  }
}

std::string_view template_type_name(const TemplateValue& value) noexcept {
  switch (value.kind()) {
    case TemplateKind::kUndefined: return "undefined";
    case TemplateKind::kNone: return "NoneType";
    case TemplateKind::kBool: return "bool";
    case TemplateKind::kInt: return "int";
    case TemplateKind::kFloat: return "float";
    case TemplateKind::kString: return "str";
    case TemplateKind::kList: return "list";
    case TemplateKind::kTuple: return "tuple";
    case TemplateKind::kDict: return "dict";
    case TemplateKind::kRange: return "range";
    case TemplateKind::kObject: return value.type().name;
    case TemplateKind::kFunction: return "function";
    case TemplateKind::kMethod: return "method";
    case TemplateKind::kFailure:
      return template_error_name(value.as<detail::TemplateFailure>().error_class);
    case TemplateKind::kAwaitable: return "coroutine";
  }
  return "?";
}

}  // namespace coronado::web
