#include <coronado/web/exchange.hpp>

namespace coronado::web {

void WebExchange::put_extension(const void* key, std::shared_ptr<void> value) {
  for (Extension& each : extensions_) {
    if (each.key == key) {
      each.value = std::move(value);
      return;
    }
  }
  extensions_.push_back({key, std::move(value)});
}

void* WebExchange::find_extension(const void* key) const noexcept {
  for (const Extension& each : extensions_) {
    if (each.key == key) return each.value.get();
  }
  return nullptr;
}

}  // namespace coronado::web
