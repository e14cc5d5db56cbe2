#include <coronado/web/exchange.hpp>

namespace coronado::web {
namespace {

/// Few requests have one: it is kept as an extension.
struct LogMessage {
  std::string text;
};

}  // namespace

std::string_view WebExchange::log_message() const noexcept {
  const auto* message = extension<LogMessage>();
  return message == nullptr ? std::string_view() : message->text;
}

void WebExchange::set_log_message(std::string message) {
  set_extension(LogMessage{std::move(message)});
}

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
