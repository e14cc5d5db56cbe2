/// Content negotiation: which of the forms that a server has suits a client best.
///
///     choose_media_type   the answer to an Accept field
///     choose_language     the answer to an Accept-Language field
///     choose_charset      the answer to an Accept-Charset field
///
///     const auto type = choose_media_type(request(), {"application/json", "text/html"});
///     if (!type) throw HTTPError(406);
///     set_header("Content-Type", *type);
///     set_header("Vary", "Accept");
///
/// For compression see <coronado/http/content_coding.hpp>.
///
/// All of them choose what weighs most for the client, and of equals what is offered first. What has
/// no weight weighs 1; zero forbids. Without the field, or with an empty one, everything suits. Elements
/// that are malformed are left out.
///
/// Layer: http.   Spec  RFC 9110 12.4, 12.5.
#pragma once

#include <initializer_list>
#include <optional>
#include <string_view>

namespace coronado {

class HTTPServerRequest;

/// Chooses a media type.
///
/// The most specific range that matches a type counts: `text/html;level=1` before `text/html`, that
/// before `text/*`, and that before `*/*`.
/// Params   accept   The value of an Accept field.
///          offered  Media types, perhaps with parameters, which must all be named for a range with
///                   parameters to match.
/// Returns  One of `offered`, or nothing: then `406 Not Acceptable` is the answer, or whatever the
///          server has, which HTTP allows, too.
/// Spec     RFC 9110 12.5.1.
std::optional<std::string_view> choose_media_type(
    std::string_view accept, std::initializer_list<std::string_view> offered) noexcept;

/// Chooses a language, such as "en" or "pt-BR".
///
/// "en" in the field suits "en-GB", too, unless that is named itself. What is offered more generally
/// than it is asked for ("de" for "de-CH") suits as well: better a reader's language than none.
/// Returns  One of `offered`, or nothing.
/// Spec     RFC 9110 12.5.4, RFC 4647 3.3.1 and 3.4.
std::optional<std::string_view> choose_language(
    std::string_view accept_language, std::initializer_list<std::string_view> offered) noexcept;

/// Chooses a character set, such as "utf-8".   Returns  One of `offered`, or nothing.
/// Spec     RFC 9110 12.5.2.
std::optional<std::string_view> choose_charset(
    std::string_view accept_charset, std::initializer_list<std::string_view> offered) noexcept;

/// The same for all the fields of a request.
std::optional<std::string_view> choose_media_type(const HTTPServerRequest& request,
                                                  std::initializer_list<std::string_view> offered);
std::optional<std::string_view> choose_language(const HTTPServerRequest& request,
                                                std::initializer_list<std::string_view> offered);
std::optional<std::string_view> choose_charset(const HTTPServerRequest& request,
                                               std::initializer_list<std::string_view> offered);

}  // namespace coronado
