#include <coronado/web/auth/openid.hpp>

#include <coronado/base/strings.hpp>
#include <coronado/http/server_request.hpp>
#include <coronado/http/url.hpp>
#include <coronado/web/request_handler.hpp>

#include <algorithm>
#include <optional>
#include <utility>

#include "web/auth/fetch_json.hpp"

namespace coronado::web {
namespace {

using Reason = AuthError::Reason;

constexpr std::string_view kExchange = "http://openid.net/srv/ax/1.0";
constexpr std::string_view kAnyone = "http://specs.openid.net/auth/2.0/identifier_select";

struct Attribute {
  std::string_view asked;  // for this word
  std::string_view alias;
  std::string_view type;
};
constexpr Attribute kAttributes[] = {
    {"name", "firstname", "http://axschema.org/namePerson/first"},
    {"name", "fullname", "http://axschema.org/namePerson"},
    {"name", "lastname", "http://axschema.org/namePerson/last"},
    {"email", "email", "http://axschema.org/contact/email"},
    {"language", "language", "http://axschema.org/pref/language"},
    {"username", "username", "http://axschema.org/namePerson/friendly"},
};

/// The fields of an answer that the provider has signed: `openid.signed` names them.
ArgumentList signed_fields(const ArgumentList& answer) {
  std::vector<std::string_view> names;
  for (const auto& [name, value] : answer) {
    if (name == "openid.signed") names = split(value, ',');
  }
  ArgumentList fields;
  for (const auto& [name, value] : answer) {
    if (!name.starts_with("openid.")) continue;
    const std::string_view bare = std::string_view(name).substr(7);
    if (std::ranges::find(names, bare) != names.end()) fields.emplace_back(bare, value);
  }
  return fields;
}

std::string field_of(const ArgumentList& fields, std::string_view name) {
  for (const auto& [key, value] : fields) {
    if (key == name) return value;
  }
  return {};
}

/// The value of the attribute of that type: the provider chooses the names.
std::string attribute_of(const ArgumentList& fields, std::string_view type) {
  for (const auto& [key, space] : fields) {
    if (!key.starts_with("ns.") || space != kExchange) continue;
    const std::string prefix = key.substr(3) + ".type.";
    for (const auto& [name, value] : fields) {
      if (value != type || !name.starts_with(prefix)) continue;
      return field_of(fields, key.substr(3) + ".value." + name.substr(prefix.size()));
    }
  }
  return {};
}

Json user_of(const ArgumentList& fields) {
  const auto attribute = [&fields](std::string_view name) {
    return attribute_of(fields, "http://axschema.org/" + std::string(name));
  };
  const std::string first = attribute("namePerson/first");
  const std::string last = attribute("namePerson/last");
  const std::string email = attribute("contact/email");
  std::string name = attribute("namePerson");
  if (name.empty()) name = first + (first.empty() || last.empty() ? "" : " ") + last;
  if (name.empty()) name = email.substr(0, email.find('@'));
  Json user = Json::object();
  const auto add = [&user](const char* key, std::string value) {
    if (!value.empty()) user[key] = std::move(value);
  };
  add("first_name", first);
  add("last_name", last);
  add("name", name);
  add("email", email);
  add("locale", ascii_lower(attribute("pref/language")));
  add("username", attribute("namePerson/friendly"));
  add("claimed_id", field_of(fields, "claimed_id"));
  return user;
}

[[noreturn]] void fail(Reason reason, const std::string& why) {
  throw AuthError(reason, "login by OpenID: " + why);
}

/// "is_valid:true" on a line of its own; anywhere else, as in an error's text, it means nothing.
bool is_valid(std::string_view body) {
  const std::vector<std::string_view> lines = split(body, '\n');
  return std::ranges::any_of(
      lines, [](std::string_view line) { return trim(line, "\r") == "is_valid:true"; });
}

}  // namespace

void OpenIDClient::authenticate_redirect(RequestHandler& handler, const std::string& callback_uri,
                                         const std::vector<std::string>& attributes) const {
  const URL here = URL::parse(handler.request().full_url());
  const URL back = callback_uri.empty() ? here : here.resolve(callback_uri);
  ArgumentList arguments{{"openid.ns", "http://specs.openid.net/auth/2.0"},
                         {"openid.claimed_id", std::string(kAnyone)},
                         {"openid.identity", std::string(kAnyone)},
                         {"openid.return_to", back.to_string()},
                         {"openid.realm", back.origin() + "/"},
                         {"openid.mode", "checkid_setup"}};
  std::string required;
  for (const std::string& wanted : attributes) {
    bool known = false;
    for (const Attribute& each : kAttributes) {
      if (each.asked != wanted) continue;
      known = true;
      arguments.emplace_back("openid.ax.type." + std::string(each.alias), each.type);
      required.append(required.empty() ? "" : ",").append(each.alias);
    }
    if (!known) throw UsageError("OpenID has no attribute \"" + wanted + "\"");
  }
  if (!required.empty()) {
    arguments.emplace_back("openid.ns.ax", kExchange);
    arguments.emplace_back("openid.ax.mode", "fetch_request");
    arguments.emplace_back("openid.ax.required", required);
  }
  handler.redirect(url_concat(endpoint_, arguments));
}

Task<Json> OpenIDClient::get_authenticated_user(RequestHandler& handler) {
  const HTTPServerRequest& request = std::as_const(handler).request();
  ArgumentList answer = request.query_arguments();
  const ArgumentList& form = request.body_arguments();
  answer.insert(answer.end(), form.begin(), form.end());
  const std::string mode = field_of(answer, "openid.mode");
  if (mode != "id_res") fail(Reason::kDenied, "the mode is \"" + mode.substr(0, 50) + "\"");
  const ArgumentList fields = signed_fields(answer);
  // Section 11.1: what was meant for another page is not for us.
  const std::string back = field_of(fields, "return_to");
  const std::string here = url_for_log(request.full_url());
  if (url_for_log(back) != here) fail(Reason::kState, "the answer is for another page");
  if (field_of(fields, "claimed_id").empty()) fail(Reason::kToken, "nobody is named");

  for (auto& [name, value] : answer) {
    if (name == "openid.mode") value = "check_authentication";  // section 11.4.2
  }
  HTTPRequest check{.url = endpoint_, .method = "POST", .body = urlencode(answer)};
  const HTTPClientResponse response = co_await ask_provider(client_, std::move(check));
  if (!response.ok()) {
    fail(Reason::kProvider, url_for_log(endpoint_) + " answers " + std::to_string(response.code));
  }
  if (!is_valid(response.body)) fail(Reason::kToken, "the provider does not stand by the answer");
  co_return user_of(fields);
}

}  // namespace coronado::web
