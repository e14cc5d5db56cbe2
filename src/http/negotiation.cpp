#include <coronado/http/negotiation.hpp>

#include <coronado/http/server_request.hpp>

#include <algorithm>
#include <string>

#include "http/ascii.hpp"
#include "http/weight.hpp"

namespace coronado {
namespace {

/// How well a range matches; zero: not at all.
using Closeness = int;

/// Cuts a media type from its parameters.
std::string_view cut_type(std::string_view& text) noexcept { return next_element(text, ';'); }

/// Whether `parameters` have a parameter, which is `name=value`.
bool has_parameter(std::string_view parameters, std::string_view wanted) noexcept {
  while (!parameters.empty()) {
    if (equals_ignoring_case(next_element(parameters, ';'), wanted)) return true;
  }
  return false;
}

/// How many parameters of a range a type has; -1: it lacks one. What follows the weight is none.
int shared_parameters(std::string_view range, std::string_view type) noexcept {
  int count = 0;
  while (!range.empty()) {
    const std::string_view parameter = next_element(range, ';');
    if (parameter.empty()) continue;
    std::string_view rest = parameter;
    if (equals_ignoring_case(next_element(rest, '='), "q")) break;
    if (!has_parameter(type, parameter)) return -1;
    ++count;
  }
  return count;
}

/// RFC 9110 12.5.1: a range with parameters is closer than one without, and that than a wildcard.
Closeness match_media_type(std::string_view range, std::string_view type) noexcept {
  const std::string_view wanted = cut_type(range);
  const std::string_view given = cut_type(type);
  if (equals_ignoring_case(wanted, given)) {
    const int shared = shared_parameters(range, type);
    return shared < 0 ? 0 : 3 + shared;
  }
  if (wanted == "*/*") return 1;
  const bool any_subtype = wanted.size() > 2 && wanted.ends_with("/*");
  const std::string_view major = wanted.substr(0, wanted.size() - (any_subtype ? 1 : 0));
  return any_subtype && equals_ignoring_case(given.substr(0, major.size()), major) ? 2 : 0;
}

/// Whether `tag` is `range` or a language under it: "en-GB" under "en".
bool is_under(std::string_view tag, std::string_view range) noexcept {
  return equals_ignoring_case(tag.substr(0, range.size()), range) &&
         (tag.size() == range.size() || tag[range.size()] == '-');
}

Closeness match_language(std::string_view element, std::string_view tag) noexcept {
  const std::string_view range = next_element(element, ';');
  constexpr Closeness kNarrower = 2;  // "de-CH" asked for, "de" offered
  if (range == "*") return 1;
  if (range.empty()) return 0;
  if (is_under(tag, range)) return kNarrower + static_cast<Closeness>(range.size());
  return is_under(range, tag) ? kNarrower : 0;
}

Closeness match_charset(std::string_view element, std::string_view charset) noexcept {
  const std::string_view name = next_element(element, ';');
  return name == "*" ? 1 : equals_ignoring_case(name, charset) ? 2 : 0;
}

/// What the elements of a field, which `match` compares, make of one offer.
template <class Match>
int weigh(std::string_view field, std::string_view offer, Match match) noexcept {
  int weight = 0;
  Closeness closest = 0;
  while (!field.empty()) {
    const std::string_view element = next_element(field, ',');
    const Closeness closeness = match(element, offer);
    if (closeness == 0 || closeness < closest) continue;
    const std::size_t parameters = element.find(';');
    const auto found = parameters == std::string_view::npos
                           ? std::optional(kMostWeight)
                           : find_weight(element.substr(parameters + 1));
    if (!found) continue;
    // Of elements that are equally close the client's best counts.
    weight = closeness > closest ? *found : std::max(weight, *found);
    closest = closeness;
  }
  return weight;
}

template <class Match>
std::optional<std::string_view> choose(std::string_view field,
                                       std::initializer_list<std::string_view> offered,
                                       Match match) noexcept {
  const bool anything = trim_whitespace(field).empty();
  std::optional<std::string_view> chosen;
  int best = 0;
  for (const std::string_view offer : offered) {
    const int weight = anything ? kMostWeight : weigh(field, offer, match);
    if (weight <= best) continue;
    best = weight;
    chosen = offer;
  }
  return chosen;
}

/// All fields of that name as one.
std::string joined(const HTTPServerRequest& request, std::string_view name) {
  std::string all;
  for (const HeaderField& field : request.headers()) {
    if (!equals_ignoring_case(field.name, name)) continue;
    all.append(all.empty() ? "" : ", ").append(field.value);
  }
  return all;
}

}  // namespace

std::optional<std::string_view> choose_media_type(
    std::string_view accept, std::initializer_list<std::string_view> offered) noexcept {
  return choose(accept, offered, match_media_type);
}

std::optional<std::string_view> choose_language(
    std::string_view accept_language, std::initializer_list<std::string_view> offered) noexcept {
  return choose(accept_language, offered, match_language);
}

std::optional<std::string_view> choose_charset(
    std::string_view accept_charset, std::initializer_list<std::string_view> offered) noexcept {
  return choose(accept_charset, offered, match_charset);
}

std::optional<std::string_view> choose_media_type(const HTTPServerRequest& request,
                                                  std::initializer_list<std::string_view> offered) {
  return choose_media_type(joined(request, "Accept"), offered);
}

std::optional<std::string_view> choose_language(const HTTPServerRequest& request,
                                                std::initializer_list<std::string_view> offered) {
  return choose_language(joined(request, "Accept-Language"), offered);
}

std::optional<std::string_view> choose_charset(const HTTPServerRequest& request,
                                               std::initializer_list<std::string_view> offered) {
  return choose_charset(joined(request, "Accept-Charset"), offered);
}

}  // namespace coronado
