// What handlers and templates have to do with each other.
#include <coronado/base/error.hpp>
#include <coronado/base/escape.hpp>
#include <coronado/web/application.hpp>
#include <coronado/web/compiled_template.hpp>
#include <coronado/web/locale.hpp>
#include <coronado/web/request_handler.hpp>
#include <coronado/web/template.hpp>

#include <stdexcept>

#include "web/active_modules.hpp"
#include "web/response_draft.hpp"

namespace coronado::web {
namespace {

/// A function that templates can call, for as long as the rendering lasts.
template <class F>
TemplateValue make_function(TemplateMemory& memory, F function) {
  return template_value(memory.make<F>(std::move(function)));
}

TemplateValue optional_text(std::optional<std::string_view> text) {
  return text ? TemplateValue::string(*text) : TemplateValue();
}

// `request` in a template.
constexpr TemplateType kHeadersType = {
    .name = "HTTPHeaders",
    .find = [](const void* object, const TemplateValue& key, TemplateMemory&,
               TemplateValue& found) {
      if (!key.is_string()) return false;
      const auto field = static_cast<const HTTPServerRequest*>(object)->header(key.as_string());
      if (field) found = TemplateValue::string(*field);
      return field.has_value();
    }};

TemplateValue get_text(std::string_view text, TemplateMemory&) {
  return TemplateValue::string(text);
}
TemplateValue get_text(const std::string& text, TemplateMemory& memory) {
  return TemplateValue::string(memory.copy(text));
}

template <auto Member>
constexpr TemplateMember request_member(std::string_view name) {
  return {name, [](const void* object, TemplateMemory& memory) {
            return get_text((static_cast<const HTTPServerRequest*>(object)->*Member)(), memory);
          }};
}

constexpr TemplateMember kRequestMembers[] = {
    request_member<&HTTPServerRequest::method>("method"),
    request_member<&HTTPServerRequest::uri>("uri"),
    request_member<&HTTPServerRequest::path>("path"),
    request_member<&HTTPServerRequest::query>("query"),
    request_member<&HTTPServerRequest::version>("version"),
    request_member<&HTTPServerRequest::host>("host"),
    request_member<&HTTPServerRequest::protocol>("protocol"),
    request_member<&HTTPServerRequest::remote_ip>("remote_ip"),
    request_member<&HTTPServerRequest::full_url>("full_url"),
    {"headers", [](const void* object,
                   TemplateMemory&) { return TemplateValue::object(object, kHeadersType); }},
};

constexpr TemplateType kRequestType = {.name = "HTTPServerRequest", .members = kRequestMembers};

/// The text of one argument of `reverse_url`.
std::string url_argument(const TemplateValue& value) { return template_to_string(value); }

bool find_handler_member(const void* object, std::string_view name, TemplateMemory& memory,
                         TemplateValue& found) {
  const RequestHandler& handler = *static_cast<const RequestHandler*>(object);
  if (name == "request") {
    found = TemplateValue::object(&handler.request(), kRequestType);
  } else if (name == "get_status") {
    found = make_function(memory, [&handler] { return handler.get_status(); });
  } else if (name == "get_argument" || name == "get_query_argument") {
    const bool query = name == "get_query_argument";
    found = make_function(
        memory, [&handler, query](std::string_view key, std::optional<std::string_view> fallback) {
          if (query) {
            return fallback ? handler.get_query_argument(key, *fallback)
                            : handler.get_query_argument(key);
          }
          return fallback ? handler.get_argument(key, *fallback) : handler.get_argument(key);
        });
  } else if (name == "get_cookie") {
    found = make_function(memory,
                          [&handler](std::string_view key, std::optional<std::string_view> other) {
                            const auto cookie = handler.get_cookie(key);
                            return optional_text(cookie ? cookie : other);
                          });
  } else if (name == "static_url") {
    found = make_function(memory, [&handler](std::string_view path, std::optional<bool> host) {
      return handler.static_url(path, host.value_or(false));
    });
  } else if (name == "reverse_url") {
    found = make_function(memory, [&handler](TemplateCall& call) {
      if (call.size() == 0 || !call.argument(0).is_string()) {
        throw TemplateFault(TemplateErrorClass::kTypeError, "reverse_url() needs a name");
      }
      std::vector<std::string> arguments;
      for (std::size_t i = 1; i < call.size(); ++i) {
        arguments.push_back(url_argument(call.argument(i)));
      }
      return handler.reverse_url(call.argument(0).as_string(), arguments);
    });
  } else {
    return false;
  }
  return true;
}

constexpr TemplateType kHandlerType = {.name = "RequestHandler", .attribute = find_handler_member};

/// `xsrf_form_html` and what else a handler does for its templates.
bool find_security_member(RequestHandler& handler, std::string_view name, TemplateMemory& memory,
                          TemplateValue& found) {
  if (name == "current_user") {
    found = template_value(handler.current_user());
  } else if (name == "xsrf_form_html") {
    found = make_function(memory, [&handler] { return handler.xsrf_form_html(); });
  } else if (name == "csp_nonce") {
    found = TemplateValue::string(handler.csp_nonce());
  } else if (name == "xsrf_token") {
    found = TemplateValue::string(handler.xsrf_token());
  } else {
    return false;
  }
  return true;
}

template <class F>
TemplateValue make_named(TemplateMemory& memory, std::vector<std::string> names, F function) {
  auto named = template_function(std::move(names), function);
  return template_value(memory.make<decltype(named)>(std::move(named)));
}

/// Dates in templates are seconds since 1970.
TemplateValue make_format_date(TemplateMemory& memory, const Locale& locale) {
  return make_named(memory, {"date", "gmt_offset", "relative", "shorter", "full_format"},
                    [&locale](std::int64_t date, std::optional<std::int64_t> gmt_offset,
                              std::optional<bool> relative, std::optional<bool> shorter,
                              std::optional<bool> full_format) {
                      return locale.format_date(
                          static_cast<std::time_t>(date),
                          {.gmt_offset = static_cast<int>(gmt_offset.value_or(0)),
                           .relative = relative.value_or(true),
                           .shorter = shorter.value_or(false),
                           .full_format = full_format.value_or(false)});
                    });
}

bool find_locale_member(const void* object, std::string_view name, TemplateMemory& memory,
                        TemplateValue& found) {
  const Locale& locale = *static_cast<const Locale*>(object);
  using Text = std::string_view;
  using MaybeText = std::optional<std::string_view>;
  using MaybeCount = std::optional<std::int64_t>;
  if (name == "code") {
    found = TemplateValue::string(locale.code());
  } else if (name == "name") {
    found = TemplateValue::string(locale.name());
  } else if (name == "rtl") {
    found = template_value(locale.rtl());
  } else if (name == "translate" || name == "_") {
    found = make_named(memory, {"message", "plural_message", "count"},
                       [&locale](Text message, MaybeText plural, MaybeCount count) {
                         return plural ? locale.translate(message, *plural, count.value_or(1))
                                       : locale.translate(message);
                       });
  } else if (name == "pgettext") {
    found = make_named(memory, {"context", "message", "plural_message", "count"},
                       [&locale](Text context, Text message, MaybeText plural, MaybeCount count) {
                         return plural
                                    ? locale.pgettext(context, message, *plural, count.value_or(1))
                                    : locale.pgettext(context, message);
                       });
  } else if (name == "format_date") {
    found = make_format_date(memory, locale);
  } else if (name == "format_day") {
    found = make_named(
        memory, {"date", "gmt_offset", "dow"},
        [&locale](std::int64_t date, MaybeCount gmt_offset, std::optional<bool> dow) {
          return locale.format_day(static_cast<std::time_t>(date),
                                   static_cast<int>(gmt_offset.value_or(0)), dow.value_or(true));
        });
  } else if (name == "friendly_number") {
    found = make_function(memory,
                          [&locale](std::int64_t value) { return locale.friendly_number(value); });
  } else if (name == "format_number") {
    found = make_function(memory, [&locale](double value, std::int64_t decimals) {
      return locale.format_number(value, static_cast<int>(decimals));
    });
  } else {
    return false;
  }
  return true;
}

constexpr TemplateType kLocaleType = {.name = "Locale", .attribute = find_locale_member};

}  // namespace

/// The names that a handler's templates see beside those it passes.
class HandlerScope final : public TemplateScope {
 public:
  explicit HandlerScope(RequestHandler& handler) : handler_(&handler) {
    handler.add_template_names(own_);
  }

  /// The page with what its UI modules need.
  static void complete(RequestHandler& handler, std::string& page, const HandlerScope& scope) {
    if (handler.active_modules_ == nullptr) return;
    page = handler.active_modules_->complete(std::move(page), handler, scope);
  }

  /// What `render` writes, as the whole answer.
  static void answer(RequestHandler& handler,
                     Function<void(std::string& body, const TemplateScope& scope)>& render) {
    if (handler.finished_) throw std::logic_error("cannot render() after finish()");
    const HandlerScope scope(handler);
    render(handler.draft().body, scope);
    complete(handler, handler.draft().body, scope);
    handler.finish();
  }

  bool find(std::string_view name, TemplateMemory& memory, TemplateValue& found) const override {
    if (own_.find(name, memory, found)) return true;
    if (name == "handler") {
      found = TemplateValue::object(handler_, kHandlerType);
      return true;
    }
    if (name == "request" || name == "reverse_url" || name == "static_url") {
      return find_handler_member(handler_, name, memory, found);
    }
    if (name == "_tt_modules" || name == "modules") {
      found = TemplateValue::object(&handler_, kModulesType);
      return true;
    }
    if (name == "locale") {
      found = TemplateValue::object(&handler_->locale(), kLocaleType);
      return true;
    }
    if (name == "_" || name == "pgettext") {
      return find_locale_member(&handler_->locale(), name, memory, found);
    }
    return find_security_member(*handler_, name, memory, found);
  }

  bool find_module(std::string_view name, TemplateValue& found) const override {
    const BaseLoader* loader = handler_->get_template_loader();
    return loader != nullptr && loader->find_module(name, found);
  }

 private:
  static bool find_ui_module(const void* object, std::string_view name, TemplateMemory& memory,
                             TemplateValue& found) {
    RequestHandler& handler = **static_cast<RequestHandler* const*>(object);
    if (handler.active_modules_ == nullptr) {
      handler.active_modules_ = std::make_shared<detail::ActiveModules>();
    }
    return handler.active_modules_->find(handler, name, handler.application().ui_modules(), memory,
                                         found) ||
           (name == "xsrf_form_html" && find_security_member(handler, name, memory, found));
  }
  static constexpr TemplateType kModulesType = {.name = "ui_modules", .attribute = find_ui_module};

  RequestHandler* handler_;
  TemplateNamespace own_;
};

namespace {

std::shared_ptr<const Template> load(const RequestHandler& handler, std::string_view name) {
  BaseLoader* loader = handler.get_template_loader();
  if (loader == nullptr) {
    throw UsageError("cannot render '" + std::string(name) +
                     "': give the application templates with set_template_loader");
  }
  return loader->load(name);
}

Task<> send_piece(RequestHandler* handler, std::string_view piece) {
  handler->write(piece);
  co_await handler->flush();
}

}  // namespace

// --- what a handler may do in another way --------------------------------------------------------

namespace {

std::string nonce_attribute(const RequestHandler& handler) {
  const std::string_view nonce = handler.csp_nonce();
  return nonce.empty() ? std::string() : " nonce=\"" + std::string(nonce) + '"';
}

}  // namespace

BaseLoader* RequestHandler::get_template_loader() const { return application().template_loader(); }

std::string RequestHandler::render_linked_js(const std::vector<std::string>& urls) const {
  std::string html;
  for (const std::string& url : urls) {
    html += "<script src=\"" + xhtml_escape(url) + "\" type=\"text/javascript\"" +
            nonce_attribute(*this) + "></script>";
  }
  return html;
}

std::string RequestHandler::render_embed_js(std::string_view script) const {
  return "<script type=\"text/javascript\"" + nonce_attribute(*this) + ">\n//<![CDATA[\n" +
         std::string(script) + "//]]>\n</script>";
}

std::string RequestHandler::render_linked_css(const std::vector<std::string>& urls) const {
  std::string html;
  for (const std::string& url : urls) {
    html += "<link href=\"" + xhtml_escape(url) + "\" type=\"text/css\" rel=\"stylesheet\"" +
            nonce_attribute(*this) + "/>";
  }
  return html;
}

std::string RequestHandler::render_embed_css(std::string_view style) const {
  return "<style type=\"text/css\"" + nonce_attribute(*this) + ">\n" + std::string(style) +
         "</style>";
}

namespace detail {

void with_handler_scope(RequestHandler& handler,
                        Function<void(std::string& body, const TemplateScope& scope)> render) {
  HandlerScope::answer(handler, render);
}

Task<> stream_with_handler_scope(
    RequestHandler& handler,
    Function<Task<>(const TemplateScope& scope, WritePiece write)> stream) {
  const HandlerScope scope(handler);
  RequestHandler* to = &handler;
  WritePiece send = [to](std::string_view piece) { return send_piece(to, piece); };
  co_await stream(scope, std::move(send));
  handler.finish();
}

}  // namespace detail

void RequestHandler::render(std::string_view name,
                            std::initializer_list<TemplateArgument> arguments) {
  if (finished_) throw std::logic_error("cannot render() after finish()");
  const std::shared_ptr<const Template> page = load(*this, name);
  const HandlerScope scope(*this);
  page->generate_into(draft().body, {arguments.begin(), arguments.size()}, &scope);
  HandlerScope::complete(*this, draft().body, scope);
  finish();
}

std::string detail::render_text(RequestHandler& handler, std::string_view name,
                                std::span<const TemplateArgument> arguments) {
  std::string text;
  const HandlerScope scope(handler);
  load(handler, name)->generate_into(text, arguments, &scope);
  return text;
}

std::string RequestHandler::render_string(std::string_view name,
                                          std::initializer_list<TemplateArgument> arguments) {
  return detail::render_text(*this, name, {arguments.begin(), arguments.size()});
}

Task<> RequestHandler::render_stream(std::string name, TemplateNamespace names) {
  if (finished_) throw std::logic_error("cannot render() after finish()");
  const std::shared_ptr<const Template> page = load(*this, name);
  const HandlerScope scope(*this);
  RequestHandler* self = this;
  Function<Task<>(std::string_view)> send = [self](std::string_view piece) {
    return send_piece(self, piece);
  };
  co_await page->stream(std::move(names), std::move(send), kTemplatePiece, &scope);
  finish();
}

Task<> RequestHandler::render_async(std::string name, TemplateNamespace names) {
  if (finished_) throw std::logic_error("cannot render() after finish()");
  const std::shared_ptr<const Template> page = load(*this, name);
  const HandlerScope scope(*this);
  std::string text = co_await page->generate_async(std::move(names), &scope);
  HandlerScope::complete(*this, text, scope);
  finish(text);
}

}  // namespace coronado::web
