/// `WebExchange`: an exchange with what the router found out about it.
///
/// Layer: web.
#pragma once

#include <coronado/http/exchange.hpp>
#include <coronado/web/routing.hpp>

#include <memory>
#include <utility>
#include <vector>

namespace coronado::web {

class Application;

class WebExchange final : public HTTPExchange {
 public:
  explicit WebExchange(const Application& application) noexcept
      : application_(&application), receiver_(&application) {}

  const Application& application() const noexcept { return *application_; }

  /// The parameters of the route, undecoded.
  const RouteParameters& parameters() const noexcept { return parameters_; }

  /// With a 405: the methods the path has, for `Allow`.
  MethodMask allowed() const noexcept { return allowed_; }

  /// Keeps a value with the request, for whoever comes after: middleware further in, the handler
  /// (`web::Extension<T>`), the log function. One of each type; a later one replaces it.
  /// Returns   The value.   Lifetime  Until the request is done, or it is replaced.
  template <class T>
  T& set_extension(T value) {
    auto kept = std::make_shared<T>(std::move(value));
    T& result = *kept;
    put_extension(&kTypeKey<T>, std::move(kept));
    return result;
  }
  /// The value of that type; null if there is none.
  template <class T>
  T* extension() const noexcept {
    return static_cast<T*>(find_extension(&kTypeKey<T>));
  }

  /// What the line of the access log says about the request at its end: what is wrong with it, as
  /// the `HTTPError` that a handler threw says. Empty: nothing. A log function finds it here.
  std::string_view log_message() const noexcept;
  void set_log_message(std::string message);

 private:
  friend class Application;
  struct Extension {
    const void* key;
    std::shared_ptr<void> value;
  };
  template <class T>
  static constexpr char kTypeKey = 0;

  void put_extension(const void* key, std::shared_ptr<void> value);
  void* find_extension(const void* key) const noexcept;
  void on_pinned() noexcept override { parameters_.rebase(request().path().data()); }
  void on_recycled() noexcept override {
    extensions_.clear();
    application_ = receiver_;
  }

  const Application* application_;  // which answers it
  const Application* receiver_;     // whose server has received it
  RouteParameters parameters_;
  MethodMask allowed_ = 0;
  std::vector<Extension> extensions_;  // few: looked through
};

}  // namespace coronado::web
