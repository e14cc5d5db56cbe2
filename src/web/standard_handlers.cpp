#include <coronado/web/standard_handlers.hpp>

#include <coronado/base/error.hpp>
#include <coronado/base/strings.hpp>
#include <coronado/web/application.hpp>

namespace coronado::web {
namespace {

std::string_view parameter(const RouteParameters& parameters, std::string_view name,
                           std::string_view url) {
  const auto index = parse_int<std::size_t>(name);
  if (index && *index < parameters.size()) return parameters[*index];
  if (const auto value = parameters.find(name)) return *value;
  throw UsageError("the URL \"" + std::string(url) + "\" names \"" + std::string(name) +
                   "\", which is no parameter of the route");
}

/// `url` with the parameters in place of their names.
std::string fill(std::string_view url, const RouteParameters& parameters) {
  std::string filled;
  for (std::size_t at = 0; at < url.size(); ++at) {
    const char c = url[at];
    if ((c == '{' || c == '}') && url.substr(at + 1, 1) == std::string_view(&c, 1)) {
      filled += c;
      ++at;
    } else if (c == '{') {
      const std::size_t end = url.find('}', at);
      if (end == std::string_view::npos)
        throw UsageError("the URL \"" + std::string(url) + "\" lacks a }");
      filled += parameter(parameters, url.substr(at + 1, end - at - 1), url);
      at = end;
    } else {
      filled += c;
    }
  }
  return filled;
}

/// Whether browsers take it for the URL of another host.
bool names_host(std::string_view url) noexcept {
  return url.size() > 1 && url[0] == '/' && (url[1] == '/' || url[1] == '\\');
}

}  // namespace

Task<> RedirectHandler::get() {
  std::string url = fill(url_, exchange().parameters());
  if (names_host(url) && !names_host(url_)) {
    throw HTTPError(404, "cannot redirect to " + url + ", which looks like another host's");
  }
  if (const std::string_view query = request().query(); !query.empty()) {
    const std::size_t fragment = std::min(url.find('#'), url.size());
    const bool more = url.find('?') < fragment;
    url.insert(fragment, (more ? "&" : "?") + std::string(query));
  }
  redirect(url, permanent_);
  return {};
}

Task<> ErrorHandler::prepare() { throw HTTPError(status_); }

Task<> FallbackHandler::prepare() {
  if (Task<> rest = fallback_->answer(exchange())) co_await std::move(rest);
  set_answered();
}

}  // namespace coronado::web
