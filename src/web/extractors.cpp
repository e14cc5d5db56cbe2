#include <coronado/web/extractors.hpp>

#include <coronado/base/error.hpp>
#include <coronado/base/strings.hpp>
#include <coronado/web/validation.hpp>

#include <algorithm>

#include "web/arguments.hpp"

namespace coronado::web::detail {
namespace {

constexpr std::size_t kMostShown = 40;

[[noreturn]] void refuse(std::string_view what, std::string_view text, const char* expected) {
  std::size_t shown = std::min(text.size(), kMostShown);
  while (shown != text.size() && shown != 0 && (text[shown] & 0xC0) == 0x80) --shown;
  throw ValidationError(400, {{std::string(what), std::string("expected ") + expected + ", got \"" +
                                                      std::string(text.substr(0, shown)) + '"'}});
}

}  // namespace

std::int64_t to_signed(std::string_view text, std::int64_t least, std::int64_t most,
                       std::string_view what) {
  const std::optional<std::int64_t> value = parse_int<std::int64_t>(text);
  if (!value || *value < least || *value > most) refuse(what, text, "an integer");
  return *value;
}

std::uint64_t to_unsigned(std::string_view text, std::uint64_t most, std::string_view what) {
  const std::optional<std::uint64_t> value = parse_int<std::uint64_t>(text);
  if (!value || *value > most) refuse(what, text, "a number from 0 up");
  return *value;
}

double to_double(std::string_view text, std::string_view what) {
  const std::optional<double> value = parse_double(text);
  if (!value) refuse(what, text, "a number");
  return *value;
}

bool to_bool(std::string_view text, std::string_view what) {
  if (text == "true" || text == "1" || text == "on") return true;
  if (text == "false" || text == "0" || text == "off") return false;
  refuse(what, text, "true or false");
}

std::string to_text(std::string_view text, std::string_view what) {
  return checked_utf8(text, what);
}

std::optional<std::string> query_argument(const HTTPServerRequest& request, std::string_view name) {
  return last_argument(query_arguments(request), name);
}

std::vector<std::string> all_query_arguments(const HTTPServerRequest& request,
                                             std::string_view name) {
  return all_arguments(query_arguments(request), name);
}

void throw_no_extension(std::string_view type) {
  throw std::logic_error("no middleware has kept the value that the handler asks for: " +
                         std::string(type));
}

void throw_missing(std::string_view kind, std::string_view name) {
  if (kind == "argument") throw MissingArgumentError(std::string(name));
  throw ValidationError(400, {{std::string(name), "missing " + std::string(kind)}});
}

}  // namespace coronado::web::detail
